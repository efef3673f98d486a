#include "storage/commit_writer.h"

#include <map>

#include "storage/coding.h"

namespace kulisse::storage {

void CommitWriter::Write(std::span<const CommitPtr> commits) {
  Batch batch;
  const MonotonicTime now = parts_.runtime.MonotonicNow();
  AddDictionaries(&batch);
  for (const CommitPtr& commit : commits) AddCommit(*commit, now, &batch);
  // After all rows are in: one large batch may be more than the log may hold.
  parts_.log.Trim(now, &batch);
  AddCounts(commits, &batch);
  std::string revision;
  AppendFixed64(commits.back()->event->revision.value, &revision);
  batch.Put(Space::kMeta, std::string(kRevisionKey), std::move(revision));
  const auto written = parts_.engine.Write(std::move(batch), parts_.sync);
  if (!written) EndProcess("writing commits", written.error());
}

void CommitWriter::Publish(std::span<const CommitPtr> commits) {
  std::vector<EventPtr> events;
  events.reserve(commits.size());
  for (const CommitPtr& commit : commits) events.push_back(commit->event);
  parts_.history.Publish(events, events.back()->revision);
}

void CommitWriter::AddCommit(const Commit& commit, MonotonicTime now, Batch* batch) {
  const Event& event = *commit.event;
  const std::string& resource = event.key.resource;
  std::string object;
  parts_.codec.Encode(resource, event.object->bytes(), &object);
  parts_.log.Append(commit, object, now, batch);
  if (event.type == EventType::kDeleted) {
    batch->Delete(Space::kObjects, commit.encoded_key);
    return;
  }
  batch->Put(Space::kObjects, commit.encoded_key, std::move(object));
  parts_.trainer.Note(resource, event.object->bytes().size(), event.type == EventType::kAdded);
}

void CommitWriter::AddCounts(std::span<const CommitPtr> commits, Batch* batch) const {
  std::map<std::string, uint64_t> counts;
  for (const CommitPtr& commit : commits) {
    const Event& event = *commit->event;
    if (event.type == EventType::kModified) continue;
    counts[std::string(kCountPrefix) + event.key.resource + '/' + event.key.ns] =
        commit->count_after;
  }
  for (const auto& [key, count] : counts) {
    std::string value;
    AppendFixed64(count, &value);
    batch->Put(Space::kMeta, key, std::move(value));
  }
}

void CommitWriter::AddDictionaries(Batch* batch) {
  for (const Dictionary& dictionary : parts_.trainer.Take()) {
    parts_.codec.Use(dictionary);
    batch->Put(Space::kMeta, DictionaryKey(dictionary), DictionaryValue(dictionary));
  }
}

}  // namespace kulisse::storage
