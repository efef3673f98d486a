#include "apiserver/registry/service/port_allocator.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "base/text.h"

namespace kulisse::apiserver {

namespace {

constexpr int64_t kPortMax = 65535;
// Upstream: calculateRangeOffset of the port allocator.
constexpr int64_t kStaticMin = 16;
constexpr int64_t kStaticMax = 128;
constexpr int64_t kStaticShare = 32;
// What a dry run shows for a port that would have been drawn.
constexpr int64_t kPortMadeUp = 32768;

constexpr std::string_view kTaken = "provided port is already allocated";
constexpr std::string_view kFull = "range is full";

}  // namespace

std::optional<PortRange> PortRange::Parse(std::string_view text) {
  const size_t at = text.find_first_of("-+");
  const auto first = ParseInt64(text.substr(0, at));
  auto second = first;
  if (at != std::string_view::npos) second = ParseInt64(text.substr(at + 1));
  if (!first || !second || *first < 0 || *first > kPortMax || *second < 0) return std::nullopt;
  const bool count = at != std::string_view::npos && text[at] == '+';
  const int64_t last = count ? std::min(kPortMax, *first + std::min(kPortMax, *second)) : *second;
  if (last > kPortMax || last < *first) return std::nullopt;
  return PortRange{*first, last - *first + 1};
}

std::string PortRange::ToString() const { return fmt::format("{}-{}", first, first + size - 1); }

int64_t PortRange::static_size() const {
  if (size <= kStaticMin) return 0;
  return std::clamp(size / kStaticShare, kStaticMin, kStaticMax);
}

PortAllocator::PortAllocator(PortRange range, Runtime& runtime)
    : range_(range), runtime_(runtime), used_(static_cast<size_t>(range.size)) {}

std::expected<void, std::string> PortAllocator::Allocate(int64_t port) {
  if (!range_.Contains(port)) {
    return std::unexpected(
        fmt::format("provided port is not in the valid range. The range of valid ports is {}",
                    range_.ToString()));
  }
  const std::lock_guard lock(mutex_);
  auto used = used_[static_cast<size_t>(port - range_.first)];
  if (used) return std::unexpected(std::string(kTaken));
  used = true;
  return {};
}

std::optional<int64_t> PortAllocator::Draw(int64_t begin, int64_t end) {
  if (begin >= end) return std::nullopt;
  const auto count = static_cast<uint64_t>(end - begin);
  const uint64_t start = Random(runtime_.RandomBits()).Below(count);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = static_cast<uint64_t>(begin) + (start + i) % count;
    if (used_[at]) continue;
    used_[at] = true;
    return range_.first + static_cast<int64_t>(at);
  }
  return std::nullopt;
}

std::expected<int64_t, std::string> PortAllocator::AllocateNext() {
  const std::lock_guard lock(mutex_);
  auto port = Draw(range_.static_size(), range_.size);
  if (!port) port = Draw(0, range_.static_size());
  if (!port) return std::unexpected(std::string(kFull));
  return *port;
}

void PortAllocator::Release(int64_t port) {
  if (!range_.Contains(port)) return;
  const std::lock_guard lock(mutex_);
  used_[static_cast<size_t>(port - range_.first)] = false;
}

bool PortAllocator::Has(int64_t port) const {
  if (!range_.Contains(port)) return false;
  const std::lock_guard lock(mutex_);
  return used_[static_cast<size_t>(port - range_.first)];
}

PortOperation::~PortOperation() {
  if (kept_ || dry_run_) return;
  for (const int64_t port : allocated_) ports_.Release(port);
}

std::expected<void, std::string> PortOperation::Allocate(int64_t port) {
  if (dry_run_) {
    if (ports_.Has(port) || std::ranges::find(allocated_, port) != allocated_.end()) {
      return std::unexpected(std::string(kTaken));
    }
  } else if (auto taken = ports_.Allocate(port); !taken) {
    return taken;
  }
  allocated_.push_back(port);
  return {};
}

std::expected<int64_t, std::string> PortOperation::AllocateNext() {
  if (!dry_run_) {
    auto port = ports_.AllocateNext();
    if (port) allocated_.push_back(*port);
    return port;
  }
  const int64_t last = allocated_.empty() ? kPortMadeUp : *std::ranges::max_element(allocated_);
  allocated_.push_back(last + 1);
  return last + 1;
}

void PortOperation::Keep() {
  kept_ = true;
  if (dry_run_) return;
  for (const int64_t port : releases_) ports_.Release(port);
}

}  // namespace kulisse::apiserver
