// Addresses and ranges of services. Upstream: pkg/registry/core/service/ipallocator.
// Threads: values, no shared state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kulisse::apiserver {

// An address of either family. Order and addition are those of its last 64 bits' number within
// one range; a range never crosses them.
struct IpAddress {
  bool v6 = false;
  uint64_t high = 0;  // 0 for IPv4
  uint64_t low = 0;
  bool operator==(const IpAddress&) const = default;

  // As Go's netip.ParseAddr, without zones: no leading zeros; an IPv4 address that is written as
  // IPv6 stays IPv6.
  static std::optional<IpAddress> Parse(std::string_view text);
  [[nodiscard]] std::string ToString() const;
  [[nodiscard]] IpAddress Plus(uint64_t offset) const { return {v6, high, low + offset}; }
  [[nodiscard]] std::string_view family() const { return v6 ? "IPv6" : "IPv4"; }
};

// What is wrong with an address of a service in upstream's words, or "".
[[nodiscard]] std::string_view CheckIpAddress(std::string_view text);

// The addresses of services: a network without its first address and, with IPv4, its last.
// The lower part is left to those that name their address; others are drawn from it only when the
// rest is used up (KEP-3070).
class IpRange {
 public:
  // "10.96.0.0/16". Nothing for what is no network, or one of IPv6 shorter than /64.
  static std::optional<IpRange> Parse(std::string_view text);

  [[nodiscard]] bool Contains(const IpAddress& address) const;  // the network's ends included
  [[nodiscard]] bool Allocates(const IpAddress& address) const;
  [[nodiscard]] const IpAddress& network() const { return network_; }
  [[nodiscard]] std::string ToString() const;
  // The first address that can be given out: the kubernetes service has it.
  [[nodiscard]] IpAddress first() const { return network_.Plus(1); }
  [[nodiscard]] uint64_t size() const { return size_; }           // of what can be given out
  [[nodiscard]] uint64_t static_size() const { return static_; }  // of the lower part

 private:
  IpAddress network_;
  int prefix_ = 0;
  uint64_t last_ = 0;  // of the network, as an offset from its first address
  uint64_t size_ = 0;
  uint64_t static_ = 0;
};

}  // namespace kulisse::apiserver
