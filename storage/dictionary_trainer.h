// DictionaryTrainer makes a zstd dictionary for each resource that has grown big enough, from the
// resource's own objects as the engine has them, on a thread of its own that lives only meanwhile.
//
// Owns: that thread. Borrows: the engine and the codec.
// Threads: the store's writer alone.
// Errors: objects too small or too random for a dictionary stay without one.
// Limits: kDictionary… in base/limits.h; one training at a time.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "storage/engine.h"
#include "storage/value_codec.h"

namespace kulisse::storage {

class DictionaryTrainer {
 public:
  DictionaryTrainer(const Engine& engine, const ValueCodec& codec);
  ~DictionaryTrainer();
  DictionaryTrainer(const DictionaryTrainer&) = delete;
  DictionaryTrainer& operator=(const DictionaryTrainer&) = delete;

  // A dictionary that an earlier process stored.
  void Know(const Dictionary& dictionary);
  // A record of the resource is about to be written.
  void Note(std::string_view resource, size_t bytes, bool added);
  // The dictionaries finished since the last call; starts a training when one is due. To be called
  // between batches: what was noted is in the engine then.
  [[nodiscard]] std::vector<Dictionary> Take();
  // Waits for the training under way.
  void Stop();

 private:
  // Since the last training of the resource, which may have brought nothing.
  struct Seen {
    uint64_t added = 0;
    uint64_t bytes = 0;
    bool done = false;
    [[nodiscard]] bool IsDue() const;
  };

  void StartIfDue();
  void Train(const std::string& resource, uint32_t id);
  [[nodiscard]] std::string Samples(const std::string& resource, std::vector<size_t>* sizes) const;

  const Engine& engine_;
  const ValueCodec& codec_;
  std::map<std::string, Seen, std::less<>> seen_;
  bool any_due_ = false;
  uint32_t next_id_ = 1;

  std::atomic<bool> training_ = false;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
  std::mutex finished_mutex_;
  std::vector<Dictionary> finished_;
};

}  // namespace kulisse::storage
