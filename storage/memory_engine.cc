#include "storage/memory_engine.h"

#include <array>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>

namespace kulisse::storage {
namespace {

// Rows that a cursor copies while it has the lock.
constexpr size_t kCursorRowsMax = 64;

struct Version {
  uint64_t batch;                    // number of the batch that wrote it
  std::optional<std::string> value;  // nothing: deleted
};
using Versions = std::vector<Version>;  // oldest first
using Row = std::pair<std::string, std::string>;

const Version* VersionAt(const Versions& versions, uint64_t batch) {
  for (size_t i = versions.size(); i-- > 0;) {
    if (versions[i].batch <= batch) return &versions[i];
  }
  return nullptr;
}

}  // namespace

class MemoryEngine::Rows {
 public:
  std::optional<std::string> Get(Space space, std::string_view key, uint64_t batch) const {
    const std::shared_lock lock(mutex_);
    const auto& map = maps_[static_cast<size_t>(space)];
    const auto it = map.find(key);
    if (it == map.end()) return std::nullopt;
    const Version* version = VersionAt(it->second, batch);
    return version == nullptr ? std::nullopt : version->value;
  }

  // Rows from `first` (after it, with `skip_first`) as of `batch`, at most kCursorRowsMax.
  std::vector<Row> Read(Space space, const std::string& first, bool skip_first,
                        const std::string& end, uint64_t batch) const {
    std::vector<Row> rows;
    const std::shared_lock lock(mutex_);
    const auto& map = maps_[static_cast<size_t>(space)];
    auto it = skip_first ? map.upper_bound(first) : map.lower_bound(first);
    for (; it != map.end() && rows.size() < kCursorRowsMax; ++it) {
      if (!end.empty() && it->first >= end) break;
      const Version* version = VersionAt(it->second, batch);
      if (version != nullptr && version->value) rows.emplace_back(it->first, *version->value);
    }
    return rows;
  }

  uint64_t Pin() {
    const std::unique_lock lock(mutex_);
    pinned_.insert(newest_);
    return newest_;
  }

  void Unpin(uint64_t batch) {
    const std::unique_lock lock(mutex_);
    pinned_.erase(pinned_.find(batch));
    CollectGarbageLocked();
  }

  void Write(Batch batch) {
    const std::unique_lock lock(mutex_);
    ++newest_;
    for (Batch::Operation& operation : batch.operations()) {
      Map& map = maps_[static_cast<size_t>(operation.space)];
      switch (operation.kind) {
        case Batch::Kind::kPut:
          SetLocked(operation.space, std::move(operation.key), std::move(operation.value));
          break;
        case Batch::Kind::kDelete:
          if (map.contains(operation.key)) {
            SetLocked(operation.space, std::move(operation.key), std::nullopt);
          }
          break;
        case Batch::Kind::kDeleteRange:
          for (auto it = map.lower_bound(operation.key);
               it != map.end() && it->first < operation.value;) {
            const std::string key = (it++)->first;  // setting may erase the row
            SetLocked(operation.space, key, std::nullopt);
          }
          break;
      }
    }
    CollectGarbageLocked();
  }

  size_t VersionCount() const {
    const std::shared_lock lock(mutex_);
    size_t count = 0;
    for (const Map& map : maps_) {
      for (const auto& [key, versions] : map) count += versions.size();
    }
    return count;
  }

 private:
  using Map = std::map<std::string, Versions, std::less<>>;

  struct Garbage {
    uint64_t batch;  // the row can be cleaned once no snapshot is older
    Space space;
    std::string key;
  };

  void SetLocked(Space space, std::string key, std::optional<std::string> value) {
    Map& map = maps_[static_cast<size_t>(space)];
    const auto it = map.try_emplace(std::move(key)).first;
    Versions& versions = it->second;
    if (!versions.empty() && versions.back().batch == newest_) {
      versions.back().value = std::move(value);
    } else {
      versions.push_back({newest_, std::move(value)});
    }
    if (versions.size() == 1 && versions.back().value) return;
    if (pinned_.empty()) {
      CleanLocked(&map, it);
    } else {
      garbage_.push_back({newest_, space, it->first});
    }
  }

  // Drops the versions that no snapshot sees, and the row if nothing is left.
  void CleanLocked(Map* map, Map::iterator it) {
    const uint64_t oldest = pinned_.empty() ? newest_ : *pinned_.begin();
    Versions& versions = it->second;
    size_t first = versions.size() - 1;
    while (first > 0 && versions[first].batch > oldest) --first;
    versions.erase(versions.begin(), versions.begin() + static_cast<ptrdiff_t>(first));
    if (versions.size() == 1 && !versions.front().value && versions.front().batch <= oldest) {
      map->erase(it);
    }
  }

  void CollectGarbageLocked() {
    const uint64_t oldest = pinned_.empty() ? newest_ : *pinned_.begin();
    while (!garbage_.empty() && garbage_.front().batch <= oldest) {
      Map& map = maps_[static_cast<size_t>(garbage_.front().space)];
      const auto it = map.find(garbage_.front().key);
      if (it != map.end()) CleanLocked(&map, it);
      garbage_.pop_front();
    }
  }

  mutable std::shared_mutex mutex_;
  std::array<Map, kSpaces> maps_;
  uint64_t newest_ = 0;             // number of the last batch
  std::multiset<uint64_t> pinned_;  // the batch that each snapshot sees last
  std::deque<Garbage> garbage_;
};

namespace {

// Keeps the versions of one batch alive.
struct RowsPin {
  explicit RowsPin(std::shared_ptr<MemoryEngine::Rows> all)
      : rows(std::move(all)), batch(rows->Pin()) {}
  ~RowsPin() { rows->Unpin(batch); }
  RowsPin(const RowsPin&) = delete;
  RowsPin& operator=(const RowsPin&) = delete;

  std::shared_ptr<MemoryEngine::Rows> rows;
  uint64_t batch;
};

class MemoryCursor final : public EngineCursor {
 public:
  MemoryCursor(std::shared_ptr<const RowsPin> pin, Space space, std::string_view first,
               std::string_view end)
      : pin_(std::move(pin)), space_(space), end_(end) {
    rows_ = pin_->rows->Read(space_, std::string(first), false, end_, pin_->batch);
  }

  [[nodiscard]] bool Valid() const override { return at_ < rows_.size(); }
  void Next() override {
    if (++at_ < rows_.size() || rows_.size() < kCursorRowsMax) return;
    rows_ = pin_->rows->Read(space_, rows_.back().first, true, end_, pin_->batch);
    at_ = 0;
  }
  [[nodiscard]] std::string_view key() const override { return rows_[at_].first; }
  [[nodiscard]] std::string_view value() const override { return rows_[at_].second; }
  [[nodiscard]] std::optional<EngineError> error() const override { return std::nullopt; }

 private:
  std::shared_ptr<const RowsPin> pin_;
  Space space_;
  std::string end_;
  std::vector<Row> rows_;
  size_t at_ = 0;
};

class MemorySnapshot final : public EngineSnapshot {
 public:
  explicit MemorySnapshot(std::shared_ptr<MemoryEngine::Rows> rows)
      : pin_(std::make_shared<const RowsPin>(std::move(rows))) {}

  [[nodiscard]] std::expected<std::optional<std::string>, EngineError> Get(
      Space space, std::string_view key) const override {
    return pin_->rows->Get(space, key, pin_->batch);
  }
  [[nodiscard]] std::unique_ptr<EngineCursor> Scan(Space space, std::string_view first,
                                                   std::string_view end) const override {
    return std::make_unique<MemoryCursor>(pin_, space, first, end);
  }

 private:
  std::shared_ptr<const RowsPin> pin_;
};

}  // namespace

MemoryEngine::MemoryEngine() : rows_(std::make_shared<Rows>()) {}
MemoryEngine::~MemoryEngine() = default;

std::expected<std::optional<std::string>, EngineError> MemoryEngine::Get(
    Space space, std::string_view key) const {
  return rows_->Get(space, key, UINT64_MAX);
}

std::shared_ptr<const EngineSnapshot> MemoryEngine::TakeSnapshot() const {
  return std::make_shared<const MemorySnapshot>(rows_);
}

std::expected<void, EngineError> MemoryEngine::Write(Batch batch, bool /*sync*/) {
  rows_->Write(std::move(batch));
  return {};
}

void MemoryEngine::Close() {}

size_t MemoryEngine::VersionCount() const { return rows_->VersionCount(); }

}  // namespace kulisse::storage
