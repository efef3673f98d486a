// Engine keeps ordered bytes: what a store needs of RocksDB, of memory, and later of etcd.
//
// A batch is atomic and visible to reads when Write() returns. Conflicts, revisions and history are
// the store's: an engine that many processes write to (etcd) keeps them itself, hands its commits
// over as a feed, and gets a Store of its own whose feed fills the same History; see README.md.
//
// Owns: its files or memory. Threads: reads from any thread; Write() and Close() one at a time.
// Errors: text for the log. The caller ends the process: a store that cannot read or write its
//   engine has nothing true to say.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kulisse::storage {

using EngineError = std::string;

// Separate ranges of keys, each tuned for its use.
enum class Space : uint8_t {
  kMeta,     // head revision, counters, dictionaries, floors of the log: few and small
  kObjects,  // EncodeKey(): the newest state
  kEvents,   // resource and revision: the log of commits
};
inline constexpr size_t kSpaces = 3;

// What to write at once.
class Batch {
 public:
  enum class Kind : uint8_t { kPut, kDelete, kDeleteRange };
  struct Operation {
    Kind kind;
    Space space;
    std::string key;
    std::string value;  // of kDeleteRange: the key after the last deleted one
  };

  void Put(Space space, std::string key, std::string value) {
    operations_.push_back({Kind::kPut, space, std::move(key), std::move(value)});
  }
  void Delete(Space space, std::string key) {
    operations_.push_back({Kind::kDelete, space, std::move(key), {}});
  }
  // Deletes from `first` up to, and without, `end`.
  void DeleteRange(Space space, std::string first, std::string end) {
    operations_.push_back({Kind::kDeleteRange, space, std::move(first), std::move(end)});
  }
  [[nodiscard]] const std::vector<Operation>& operations() const { return operations_; }
  [[nodiscard]] std::vector<Operation>& operations() { return operations_; }

 private:
  std::vector<Operation> operations_;
};

// A position in a range of keys. Threads: one at a time.
class EngineCursor {
 public:
  virtual ~EngineCursor() = default;
  // Whether key() and value() are there; they stay valid until Next(). False at the end and on an
  // error: ask error().
  [[nodiscard]] virtual bool Valid() const = 0;
  virtual void Next() = 0;
  [[nodiscard]] virtual std::string_view key() const = 0;
  [[nodiscard]] virtual std::string_view value() const = 0;
  [[nodiscard]] virtual std::optional<EngineError> error() const = 0;
};

// The engine as of one moment. Threads: any.
class EngineSnapshot {
 public:
  virtual ~EngineSnapshot() = default;
  [[nodiscard]] virtual std::expected<std::optional<std::string>, EngineError> Get(
      Space space, std::string_view key) const = 0;
  // From `first` up to, and without, `end` ("" for no end). The cursor keeps the snapshot's state
  // by itself.
  [[nodiscard]] virtual std::unique_ptr<EngineCursor> Scan(Space space, std::string_view first,
                                                           std::string_view end) const = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;
  [[nodiscard]] virtual std::expected<std::optional<std::string>, EngineError> Get(
      Space space, std::string_view key) const = 0;
  [[nodiscard]] virtual std::shared_ptr<const EngineSnapshot> TakeSnapshot() const = 0;
  // With `sync` it returns when the batch, and all before it, survive a loss of power.
  [[nodiscard]] virtual std::expected<void, EngineError> Write(Batch batch, bool sync) = 0;
  // Gives back the files; nothing may be called afterwards, snapshots must be gone.
  virtual void Close() = 0;
};

// The first key after all those that begin with `prefix`, "" when there is none.
[[nodiscard]] std::string PrefixEnd(std::string_view prefix);

// Logs and ends the process with status 1.
[[noreturn, gnu::cold]] void EndProcess(std::string_view doing, const EngineError& error);

}  // namespace kulisse::storage
