// FaultyStore is a store between a cluster and its real one that makes trouble, the same for the
// same seed, and remembers what was committed:
//
//   refused   a write answers 503, 429 or 504 and does nothing
//   raced     while a write computes its change, somebody else changes the object: the write is
//             computed again on the new state
//   cut       a watcher is told that it has left the history: it lists anew
//
// Borrows: the real store. Threads: one. Errors: those above and the real store's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "storage/store.h"

namespace kulisse::sim {

// Probabilities: of each write, of each write that changes an object, of each read of a watcher.
struct Faults {
  double refused = 0;
  double raced = 0;
  double cut = 0;
};

class FaultyStore final : public storage::Store {
 public:
  struct Counters {
    uint64_t refused = 0;
    uint64_t raced = 0;
    uint64_t cut = 0;
  };

  FaultyStore(storage::Store& store, uint64_t seed);

  void SetFaults(const Faults& faults) { faults_ = faults; }
  // Writes an object that another write is about to change.
  void SetRival(std::function<void(const storage::Key&)> rival) { rival_ = std::move(rival); }
  [[nodiscard]] const Counters& counters() const { return counters_; }
  // For each commit the hash of all commits up to it: revision, key, kind of change, bytes.
  [[nodiscard]] const std::vector<uint64_t>& history() const { return history_; }

  [[nodiscard]] storage::RecordPtr Get(const storage::Key& key) const override;
  [[nodiscard]] Result<storage::Committed> GuaranteedUpdate(
      const storage::Key& key,
      const std::function<Result<storage::Change>(const storage::RecordPtr&)>& change) override;
  [[nodiscard]] storage::SnapshotPtr Latest() const override;
  [[nodiscard]] std::expected<storage::SnapshotPtr, storage::StoreError> At(
      std::string_view resource, storage::Revision revision) const override;
  void Pin(std::string_view resource, storage::SnapshotPtr snapshot) override;
  [[nodiscard]] std::expected<std::unique_ptr<storage::Watcher>, storage::StoreError> Watch(
      std::string_view resource, std::string_view ns, storage::Revision from) override;
  [[nodiscard]] storage::Revision head() const override;
  [[nodiscard]] storage::Revision durable() const override;
  void WhenDurable(storage::Revision revision, Callback callback) override;
  [[nodiscard]] uint64_t Count(std::string_view resource) const override;
  void Close() override;

 private:
  class FaultyWatcher;

  bool Happens(double probability);
  void Remember(const storage::Key& key, storage::Change::Kind kind,
                const storage::Committed& committed);

  storage::Store& store_;
  Random random_;
  Faults faults_;
  Counters counters_;
  std::function<void(const storage::Key&)> rival_;
  bool racing_ = false;
  std::vector<uint64_t> history_;
};

}  // namespace kulisse::sim
