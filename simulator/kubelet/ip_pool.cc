#include "simulator/kubelet/ip_pool.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "simulator/limits.h"

namespace kulisse::simulator {

namespace {

using Address = unsigned __int128;

struct Parsed {
  Address value;
  bool ipv6;
  [[nodiscard]] int bits() const { return ipv6 ? 128 : 32; }
};

std::optional<Parsed> ParseAddress(std::string_view text) {
  const std::string terminated(text);
  unsigned char bytes[16];
  const bool ipv6 = text.contains(':');
  if (inet_pton(ipv6 ? AF_INET6 : AF_INET, terminated.c_str(), bytes) != 1) return std::nullopt;
  Address value = 0;
  for (size_t i = 0; i < (ipv6 ? 16U : 4U); ++i) value = value << 8 | bytes[i];
  return Parsed{value, ipv6};
}

std::string Format(Address value, bool ipv6) {
  unsigned char bytes[16];
  const size_t size = ipv6 ? 16 : 4;
  for (size_t i = size; i-- > 0; value >>= 8) bytes[i] = static_cast<unsigned char>(value & 0xff);
  char text[INET6_ADDRSTRLEN];
  inet_ntop(ipv6 ? AF_INET6 : AF_INET, bytes, text, sizeof(text));
  return text;
}

}  // namespace

std::optional<IpPool> IpPool::Parse(std::string_view cidr) {
  const size_t slash = cidr.find('/');
  if (slash == cidr.npos) return std::nullopt;
  const auto address = ParseAddress(cidr.substr(0, slash));
  const auto prefix = ParseUint64(cidr.substr(slash + 1));
  if (!address || !prefix || *prefix > static_cast<uint64_t>(address->bits())) return std::nullopt;
  const int host_bits = address->bits() - static_cast<int>(*prefix);
  const Address host_mask = host_bits >= 128 ? ~Address{0} : (Address{1} << host_bits) - 1;
  Address last = address->value | host_mask;
  if (!address->ipv6 && host_bits > 1) --last;  // broadcast
  IpPool pool;
  pool.ipv6_ = address->ipv6;
  pool.first_ = address->value + 1;
  if (address->value >= last) return std::nullopt;
  pool.size_ =
      static_cast<size_t>(std::min<Address>(last - address->value, Address{kIpPoolAddressesMax}));
  return pool;
}

std::optional<size_t> IpPool::IndexOf(std::string_view text) const {
  const auto address = ParseAddress(text);
  if (!address || address->ipv6 != ipv6_ || address->value < first_) return std::nullopt;
  const Address index = address->value - first_;
  if (index >= size_) return std::nullopt;
  return static_cast<size_t>(index);
}

bool IpPool::Contains(std::string_view address) const { return IndexOf(address).has_value(); }

std::optional<std::string> IpPool::Take() {
  if (used_ >= size_) return std::nullopt;
  size_t index = next_;
  while (index / 64 < bitmap_.size() && (bitmap_[index / 64] >> index % 64 & 1) != 0) {
    index = index + 1 < size_ ? index + 1 : 0;
  }
  next_ = index + 1 < size_ ? index + 1 : 0;
  std::string text = Format(first_ + index, ipv6_);
  MarkUsed(text);
  return text;
}

void IpPool::MarkUsed(std::string_view address) {
  const auto index = IndexOf(address);
  if (!index) return;
  if (*index / 64 >= bitmap_.size()) bitmap_.resize(*index / 64 + 1);
  const uint64_t bit = uint64_t{1} << *index % 64;
  used_ += (bitmap_[*index / 64] & bit) == 0;
  bitmap_[*index / 64] |= bit;
}

void IpPool::Release(std::string_view address) {
  const auto index = IndexOf(address);
  if (!index || *index / 64 >= bitmap_.size()) return;
  const uint64_t bit = uint64_t{1} << *index % 64;
  used_ -= (bitmap_[*index / 64] & bit) != 0;
  bitmap_[*index / 64] &= ~bit;
}

std::optional<std::string> AddIp(std::string_view text, uint64_t count) {
  const auto address = ParseAddress(text);
  if (!address) return std::nullopt;
  const Address sum = address->value + count;
  if (sum < address->value || (!address->ipv6 && sum >> 32 != 0)) return std::nullopt;
  return Format(sum, address->ipv6);
}

std::optional<std::string> AddCidr(std::string_view text, uint64_t count) {
  const size_t slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const auto address = ParseAddress(text.substr(0, slash));
  const auto prefix = ParseInt64(text.substr(slash + 1));
  if (!address || !prefix || *prefix < 0 || *prefix > address->bits()) return std::nullopt;
  const int host_bits = address->bits() - static_cast<int>(*prefix);
  const Address blocks = Address{count} << host_bits % 128;
  const Address block = host_bits == 128 ? 0 : address->value >> host_bits << host_bits;
  const bool too_many = count > 0 && (host_bits == 128 || blocks >> host_bits != count);
  const Address sum = block + blocks;
  if (too_many || sum < block || (!address->ipv6 && sum >> 32 != 0)) return std::nullopt;
  return fmt::format("{}/{}", Format(sum, address->ipv6), *prefix);
}

}  // namespace kulisse::simulator
