#include "apiserver/registry/service/ip_range.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace kulisse::apiserver {

namespace {

constexpr int kBitsIpv4 = 32;
constexpr int kBitsIpv6 = 128;
constexpr int kHostBitsMax = 64;
// Upstream: calculateRangeOffset.
constexpr uint64_t kStaticMin = 16;
constexpr uint64_t kStaticMax = 256;
constexpr uint64_t kStaticShare = 16;

uint64_t ReadNumber(const unsigned char* bytes, size_t count) {
  uint64_t number = 0;
  for (size_t i = 0; i < count; ++i) number = number << 8 | bytes[i];
  return number;
}

void WriteNumber(uint64_t number, unsigned char* bytes, size_t count) {
  for (size_t i = count; i-- > 0; number >>= 8) bytes[i] = static_cast<unsigned char>(number);
}

bool IsMappedIpv4(const IpAddress& address) {
  return address.v6 && address.high == 0 && address.low >> kBitsIpv4 == 0xffff;
}

// "010.096.000.001" without the zeros that lead nothing, or the text itself.
std::string WithoutLeadingZeros(std::string_view text) {
  std::string out;
  for (std::string_view part : Split(text, '.')) {
    while (part.size() > 1 && part.front() == '0') part.remove_prefix(1);
    out += out.empty() ? "" : ".";
    out += part;
  }
  return out;
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  const std::string terminated(text);
  if (terminated.size() != text.size() || text.find('\0') != std::string_view::npos) return {};
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) {
    return IpAddress{false, 0, ReadNumber(bytes.data(), 4)};
  }
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) {
    return IpAddress{true, ReadNumber(bytes.data(), 8), ReadNumber(bytes.data() + 8, 8)};
  }
  return std::nullopt;
}

std::string IpAddress::ToString() const {
  std::array<unsigned char, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (v6) {
    WriteNumber(high, bytes.data(), 8);
    WriteNumber(low, bytes.data() + 8, 8);
  } else {
    WriteNumber(low, bytes.data(), 4);
  }
  inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), text.data(), text.size());
  return text.data();
}

std::string_view CheckIpAddress(std::string_view text) {
  const auto address = IpAddress::Parse(text);
  if (address && IsMappedIpv4(*address)) return "must not be an IPv4-mapped IPv6 address";
  if (address) return "";
  return IpAddress::Parse(WithoutLeadingZeros(text))
             ? "must not have leading 0s"
             : "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
}

std::optional<IpRange> IpRange::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::Parse(text.substr(0, slash));
  const auto prefix = ParseInt64(text.substr(slash + 1));
  if (!address || !prefix || *prefix < 0) return std::nullopt;
  const int bits = address->v6 ? kBitsIpv6 : kBitsIpv4;
  if (*prefix > bits || bits - *prefix > kHostBitsMax) return std::nullopt;
  const int host_bits = bits - static_cast<int>(*prefix);
  IpRange range;
  range.prefix_ = static_cast<int>(*prefix);
  range.last_ = host_bits == kHostBitsMax ? UINT64_MAX : (uint64_t{1} << host_bits) - 1;
  range.network_ = *address;
  range.network_.low &= ~range.last_;
  const uint64_t unusable = address->v6 ? 0 : 1;  // besides the network's own address
  range.size_ = range.last_ > unusable ? range.last_ - unusable : 0;
  const uint64_t whole = range.last_ == UINT64_MAX ? UINT64_MAX : range.last_ + 1;
  if (whole > kStaticMin) {
    range.static_ = std::clamp(whole / kStaticShare, kStaticMin, kStaticMax);
  }
  return range;
}

bool IpRange::Contains(const IpAddress& address) const {
  return address.v6 == network_.v6 && address.high == network_.high &&
         address.low >= network_.low && address.low - network_.low <= last_;
}

bool IpRange::Allocates(const IpAddress& address) const {
  return Contains(address) && address.low > network_.low && address.low - network_.low <= size_;
}

std::string IpRange::ToString() const { return fmt::format("{}/{}", network_.ToString(), prefix_); }

}  // namespace kulisse::apiserver
