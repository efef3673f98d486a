#include "storage/dictionary_trainer.h"

#define ZDICT_STATIC_LINKING_ONLY  // for the parameters; Debian's library exports it
#include <zdict.h>

#include <algorithm>

#include "base/limits.h"
#include "storage/key.h"

namespace kulisse::storage {

namespace {

constexpr unsigned kSegmentBytes = 2'000;
constexpr unsigned kMatchBytes = 8;

}  // namespace

DictionaryTrainer::DictionaryTrainer(const Engine& engine, const ValueCodec& codec)
    : engine_(engine), codec_(codec) {}

DictionaryTrainer::~DictionaryTrainer() { Stop(); }

void DictionaryTrainer::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void DictionaryTrainer::Know(const Dictionary& dictionary) {
  next_id_ = std::max(next_id_, dictionary.id + 1);
  seen_[dictionary.resource].done = true;
}

void DictionaryTrainer::Note(std::string_view resource, size_t bytes, bool added) {
  auto it = seen_.find(resource);
  if (it == seen_.end()) it = seen_.emplace(resource, Seen{}).first;
  Seen& seen = it->second;
  if (seen.done) return;
  seen.added += added ? 1 : 0;
  seen.bytes += bytes;
  any_due_ = any_due_ || seen.IsDue();
}

bool DictionaryTrainer::Seen::IsDue() const {
  return !done && added >= kDictionaryObjectsMin && bytes >= kDictionarySampleBytesMin;
}

std::vector<Dictionary> DictionaryTrainer::Take() {
  std::vector<Dictionary> finished;
  {
    const std::lock_guard lock(finished_mutex_);
    finished = std::exchange(finished_, {});
  }
  for (const Dictionary& dictionary : finished) seen_[dictionary.resource].done = true;
  if (any_due_ && !training_) StartIfDue();
  return finished;
}

void DictionaryTrainer::StartIfDue() {
  const auto due =
      std::ranges::find_if(seen_, [](const auto& entry) { return entry.second.IsDue(); });
  any_due_ = due != seen_.end();
  if (!any_due_) return;
  if (thread_.joinable()) thread_.join();  // has ended, or training_ would be set
  due->second = {};
  training_ = true;
  thread_ = std::thread([this, name = due->first, id = next_id_++] { Train(name, id); });
}

std::string DictionaryTrainer::Samples(const std::string& resource,
                                       std::vector<size_t>* sizes) const {
  std::string samples;
  const std::string first = KeyPrefix(resource, "");
  const auto cursor = engine_.TakeSnapshot()->Scan(Space::kObjects, first, PrefixEnd(first));
  for (; cursor->Valid() && sizes->size() < kDictionarySamplesMax && !stopping_; cursor->Next()) {
    const auto record = codec_.Decode(cursor->value());
    if (!record) EndProcess("training a dictionary", record.error());
    const std::string& bytes = (*record)->bytes();
    if (samples.size() + bytes.size() > kDictionarySampleBytesMax) break;
    samples.append(bytes);
    sizes->push_back(bytes.size());
  }
  if (const auto error = cursor->error()) EndProcess("training a dictionary", *error);
  return samples;
}

void DictionaryTrainer::Train(const std::string& resource, uint32_t id) {
  std::vector<size_t> sizes;
  const std::string samples = Samples(resource, &sizes);
  Dictionary dictionary{.id = id, .resource = resource, .bytes = {}};
  dictionary.bytes.resize(kDictionaryBytesMax);
  // Objects of a resource share long runs of text, so long segments do well. To look for the best
  // length, as ZDICT_trainFromBuffer() does, costs five times as much and finds none better.
  ZDICT_fastCover_params_t parameters = {};
  parameters.k = kSegmentBytes;
  parameters.d = kMatchBytes;
  parameters.zParams.compressionLevel = ValueCodec::kLevel;
  const size_t size = ZDICT_trainFromBuffer_fastCover(
      dictionary.bytes.data(), dictionary.bytes.size(), samples.data(), sizes.data(),
      static_cast<unsigned>(sizes.size()), parameters);
  if (!ZDICT_isError(size)) {
    dictionary.bytes.resize(size);
    const std::lock_guard lock(finished_mutex_);
    finished_.push_back(std::move(dictionary));
  }
  training_ = false;
}

}  // namespace kulisse::storage
