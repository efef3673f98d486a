#include "simulator/kubelet/node_cidrs.h"

#include <fmt/format.h>

#include "base/text.h"

namespace kulisse::simulator {

namespace {

// Blocks in the order in which they are given: first to last second octet of a first octet.
struct Range {
  size_t octet, first, last;
  [[nodiscard]] size_t size() const { return (last - first + 1) * 256; }
};
constexpr Range kRanges[] = {{10, 244, 255}, {10, 0, 95}, {10, 112, 243}, {11, 0, 255}};

}  // namespace

std::string NodeCidrs::Block(size_t index) {
  for (const Range& range : kRanges) {
    if (index < range.size()) {
      return fmt::format("{}.{}.{}.0/24", range.octet, range.first + index / 256, index % 256);
    }
    index -= range.size();
  }
  return {};
}

std::optional<size_t> NodeCidrs::IndexOf(std::string_view cidr) {
  if (!cidr.ends_with(".0/24")) return std::nullopt;
  const auto octets = Split(cidr.substr(0, cidr.size() - 3), '.');
  if (octets.size() != 4) return std::nullopt;
  const auto first = ParseUint64(octets[0]);
  const auto second = ParseUint64(octets[1]);
  const auto third = ParseUint64(octets[2]);
  if (!first || !second || !third || *third > 255) return std::nullopt;
  size_t index = 0;
  for (const Range& range : kRanges) {
    if (*first == range.octet && *second >= range.first && *second <= range.last) {
      return index + (*second - range.first) * 256 + *third;
    }
    index += range.size();
  }
  return std::nullopt;
}

std::optional<std::string> NodeCidrs::Take() {
  used_.resize(kNodeCidrsMax);
  for (size_t tried = 0; tried < kNodeCidrsMax; ++tried) {
    const size_t index = next_;
    next_ = (next_ + 1) % kNodeCidrsMax;
    if (used_[index]) continue;
    used_[index] = true;
    return Block(index);
  }
  return std::nullopt;
}

void NodeCidrs::MarkUsed(std::string_view cidr) {
  used_.resize(kNodeCidrsMax);
  if (const auto index = IndexOf(cidr)) used_[*index] = true;
}

void NodeCidrs::Release(std::string_view cidr) {
  used_.resize(kNodeCidrsMax);
  if (const auto index = IndexOf(cidr)) used_[*index] = false;
}

}  // namespace kulisse::simulator
