// IpPool hands out the addresses of one CIDR, each to one pod at a time, IPv4 or IPv6. It begins
// one behind the address as written (10.0.0.1/24 begins at 10.0.0.2) and never leaves the CIDR.
//
// Owns: a bitmap as long as the highest address given out. Threads: one at a time.
// Limits: kIpPoolAddressesMax addresses are used of larger CIDRs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kulisse::simulator {

class IpPool {
 public:
  // Nothing when the text is no CIDR or has no address to give.
  [[nodiscard]] static std::optional<IpPool> Parse(std::string_view cidr);

  // An address that is free; nothing when there is none. Freed ones come back last.
  [[nodiscard]] std::optional<std::string> Take();
  // Whether the address is one of this pool's.
  [[nodiscard]] bool Contains(std::string_view address) const;
  // The address is used, or free again. Those of others are passed over.
  void MarkUsed(std::string_view address);
  void Release(std::string_view address);

  [[nodiscard]] size_t used() const { return used_; }
  [[nodiscard]] size_t size() const { return size_; }

 private:
  using Address = unsigned __int128;

  // Which one of the pool's addresses it is.
  [[nodiscard]] std::optional<size_t> IndexOf(std::string_view address) const;

  Address first_ = 0;
  size_t size_ = 0;
  bool ipv6_ = false;
  size_t next_ = 0;
  size_t used_ = 0;
  std::vector<uint64_t> bitmap_;
};

// `text` with `count` added to the address: AddIp("192.0.2.255", 1) is "192.0.3.0". Nothing when it
// is no address or the sum is beyond the last one.
[[nodiscard]] std::optional<std::string> AddIp(std::string_view text, uint64_t count);

// The block `count` blocks behind: AddCidr("10.0.0.0/24", 2) is "10.0.2.0/24". Nothing when it is
// no CIDR or there is none so far behind.
[[nodiscard]] std::optional<std::string> AddCidr(std::string_view text, uint64_t count);

}  // namespace kulisse::simulator
