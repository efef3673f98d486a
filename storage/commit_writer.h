// CommitWriter writes commits to the engine, a batch at a time, and then to the history.
//
// Records are compressed here and not on the commit path: one thread then owns the contexts and the
// dictionaries, and nothing is compressed in vain for a commit that loses a race.
//
// Borrows: all that it is given. Threads: one at a time.
// Errors: EndProcess() when the engine fails: what was promised must not be lost.
#pragma once

#include <span>

#include "base/runtime.h"
#include "storage/commit.h"
#include "storage/dictionary_trainer.h"
#include "storage/engine.h"
#include "storage/event_log.h"
#include "storage/history.h"
#include "storage/value_codec.h"

namespace kulisse::storage {

// Rows of Space::kMeta.
inline constexpr std::string_view kRevisionKey = "revision";  // of the newest commit written
inline constexpr std::string_view kCountPrefix = "count/";    // + resource, '/', namespace
inline constexpr std::string_view kCleanKey = "clean";        // there while no store has it open

class CommitWriter {
 public:
  struct Parts {
    Runtime& runtime;
    Engine& engine;
    ValueCodec& codec;
    EventLog& log;
    History& history;
    DictionaryTrainer& trainer;
    bool sync;
  };
  explicit CommitWriter(const Parts& parts) : parts_(parts) {}

  // Makes the commits durable. REQUIRES: at least one, in revision order, following the last ones.
  void Write(std::span<const CommitPtr> commits);
  // Makes their events visible to watchers.
  void Publish(std::span<const CommitPtr> commits);

 private:
  void AddCommit(const Commit& commit, MonotonicTime now, Batch* batch);
  void AddCounts(std::span<const CommitPtr> commits, Batch* batch) const;
  void AddDictionaries(Batch* batch);

  const Parts parts_;
};

}  // namespace kulisse::storage
