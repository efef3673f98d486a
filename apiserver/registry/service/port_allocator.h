// PortAllocator knows which node ports services have. Its state is that of the services: it is
// filled from them when the server starts. Upstream: pkg/registry/core/service/portallocator.
//
// Threads: any. Errors: what is wrong with a port, in upstream's words.
#pragma once

#include <cstdint>
#include <expected>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/runtime.h"

namespace kulisse::apiserver {

// The ports from `first` to `first` + `size` - 1.
struct PortRange {
  int64_t first = 30000;
  int64_t size = 2768;
  bool operator==(const PortRange&) const = default;

  // "30000-32767", "30000+100" or one port, as kube-apiserver's flag has it.
  static std::optional<PortRange> Parse(std::string_view text);
  [[nodiscard]] bool Contains(int64_t port) const { return port >= first && port - first < size; }
  [[nodiscard]] std::string ToString() const;
  // Ports at the beginning that are drawn only when the others are used up (KEP-3668).
  [[nodiscard]] int64_t static_size() const;
};

class PortAllocator {
 public:
  PortAllocator(PortRange range, Runtime& runtime);

  std::expected<void, std::string> Allocate(int64_t port);
  std::expected<int64_t, std::string> AllocateNext();
  // A port that is free or outside the range is passed over.
  void Release(int64_t port);
  [[nodiscard]] bool Has(int64_t port) const;

 private:
  // A free port of the part [begin, end) of the range, looked for from anywhere.
  std::optional<int64_t> Draw(int64_t begin, int64_t end);

  const PortRange range_;
  Runtime& runtime_;
  mutable std::mutex mutex_;
  std::vector<bool> used_;
};

// What one write does to ports: all of it is undone when the write fails. With `dry_run` nothing
// is ever taken, and ports are made up. Upstream: PortAllocationOperation.
class PortOperation {
 public:
  PortOperation(PortAllocator& ports, bool dry_run) : ports_(ports), dry_run_(dry_run) {}
  ~PortOperation();
  PortOperation(const PortOperation&) = delete;
  PortOperation& operator=(const PortOperation&) = delete;

  std::expected<void, std::string> Allocate(int64_t port);
  std::expected<int64_t, std::string> AllocateNext();
  // Released when the operation is kept.
  void ReleaseLater(int64_t port) { releases_.push_back(port); }
  void Keep();

 private:
  PortAllocator& ports_;
  const bool dry_run_;
  bool kept_ = false;
  std::vector<int64_t> allocated_;
  std::vector<int64_t> releases_;
};

}  // namespace kulisse::apiserver
