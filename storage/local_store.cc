#include "storage/local_store.h"

#include <pthread.h>

#include <algorithm>
#include <iterator>

#include "base/assert.h"
#include "storage/coding.h"
#include "storage/past.h"
#include "storage/watcher.h"

namespace kulisse::storage {
namespace {

// An empty store has one revision behind it: 0 means "any" at the wire.
constexpr Revision kFirstRevision{1};
// A killed process may have shown revisions that it never wrote; at most that many. The next one
// starts behind them, so that no revision ever means two states.
constexpr uint64_t kRevisionGap = kPendingCommitsMax;
constexpr size_t kConflictSlots = 65'536;

size_t SlotOf(std::string_view encoded_key) {
  return std::hash<std::string_view>()(encoded_key) % kConflictSlots;
}

Status ConflictOf(const Key& key) {
  const std::string_view resource = key.resource;
  const size_t dot = resource.find('.');
  const GroupResource gr{
      .group = dot == std::string_view::npos ? "" : resource.substr(dot + 1),
      .resource = resource.substr(0, dot),
  };
  return Status::Conflict(gr, key.name,
                          "the object has been modified; please apply your changes to the latest "
                          "version and try again");
}

std::shared_ptr<Record> MakeRecord(const RecordContent& content, Revision revision) {
  std::optional<Record> record = Record::Decode(Record::Encode(content, revision));
  KULISSE_ASSERT(record.has_value());
  return std::make_shared<Record>(std::move(*record));
}

size_t BytesOf(const Commit& commit) { return commit.event->object->bytes().size(); }

}  // namespace

std::expected<LocalStore::Restored, std::string> LocalStore::Restore(Engine& engine) {
  Restored restored{.head = kFirstRevision, .counts = {}, .dictionaries = {}};
  bool clean = false;
  {
    const auto snapshot = engine.TakeSnapshot();
    const auto cursor = snapshot->Scan(Space::kMeta, "", "");
    for (; cursor->Valid(); cursor->Next()) {
      const std::string_view key = cursor->key();
      ByteReaderView number(cursor->value());
      if (key == kRevisionKey) {
        restored.head.value = number.Fixed64();
      } else if (key == kCleanKey) {
        clean = true;
      } else if (key.starts_with(kCountPrefix)) {
        const std::string_view name = key.substr(kCountPrefix.size());
        const size_t slash = std::min(name.find('/'), name.size() - 1);
        restored.counts.Set(name.substr(0, slash), name.substr(slash + 1), number.Fixed64());
      } else if (key.starts_with(kDictionaryPrefix)) {
        auto dictionary = ParseDictionary(key, cursor->value());
        if (!dictionary) return std::unexpected("a compression dictionary is damaged");
        restored.dictionaries.push_back(std::move(*dictionary));
      }
      if (!number.ok()) return std::unexpected("the row '" + std::string(key) + "' is damaged");
    }
    if (cursor->error()) return std::unexpected(*cursor->error());
  }
  if (!clean && restored.head > kFirstRevision) restored.head.value += kRevisionGap;
  Batch batch;
  std::string head;
  AppendFixed64(restored.head.value, &head);
  batch.Put(Space::kMeta, std::string(kRevisionKey), std::move(head));
  batch.Delete(Space::kMeta, std::string(kCleanKey));
  if (auto written = engine.Write(std::move(batch), false); !written) {
    return std::unexpected(written.error());
  }
  return restored;
}

std::expected<std::unique_ptr<LocalStore>, std::string> LocalStore::Open(
    std::unique_ptr<Engine> engine, const StoreOptions& options, Runtime& runtime) {
  auto restored = Restore(*engine);
  if (!restored) return std::unexpected(restored.error());
  // Not make_unique: the constructor is private.
  std::unique_ptr<LocalStore> store(new LocalStore(std::move(engine), options, runtime, *restored));
  if (auto opened = store->log_.Open(restored->head, runtime.MonotonicNow()); !opened) {
    return std::unexpected(opened.error());
  }
  if (!store->writes_inline_) {
    store->writer_thread_ = std::thread([s = store.get()] { s->RunWriter(); });
    pthread_setname_np(store->writer_thread_.native_handle(), "writer");
  }
  return store;
}

LocalStore::LocalStore(std::unique_ptr<Engine> engine, const StoreOptions& options,
                       Runtime& runtime, const Restored& restored)
    : writes_inline_(options.durability == Durability::kMemory),
      engine_(std::move(engine)),
      trainer_(*engine_, codec_),
      log_({.bytes_max = options.history_log_bytes_max, .age_max = options.history_log_age_max},
           *engine_, codec_),
      history_(std::make_shared<History>(options.history_ring_bytes_max, restored.head)),
      pins_(options.snapshot_age_max, runtime),
      writer_({.runtime = runtime,
               .engine = *engine_,
               .codec = codec_,
               .log = log_,
               .history = *history_,
               .trainer = trainer_,
               .sync = options.durability == Durability::kSync}),
      head_(restored.head.value),
      last_commits_(kConflictSlots),
      counts_(restored.counts),
      durable_(restored.head.value) {
  for (const Dictionary& dictionary : restored.dictionaries) {
    codec_.Use(dictionary);
    trainer_.Know(dictionary);
  }
}

LocalStore::~LocalStore() { Close(); }

void LocalStore::Close() {
  if (std::exchange(closed_, true)) return;
  {
    const std::lock_guard lock(commit_mutex_);
    closing_ = true;
  }
  queued_.notify_all();
  space_.notify_all();
  if (writer_thread_.joinable()) writer_thread_.join();
  trainer_.Stop();
  pins_.Clear();
  Batch batch;
  batch.Put(Space::kMeta, std::string(kCleanKey), std::string(sizeof(uint64_t), '\0'));
  if (const auto written = engine_->Write(std::move(batch), true); !written) {
    EndProcess("closing the store", written.error());
  }
  engine_->Close();
}

LocalStore::Observed LocalStore::Read(const std::string& encoded_key) const {
  Observed observed;
  {
    const std::lock_guard lock(commit_mutex_);
    observed.head.value = head_;
    if (const auto it = overlay_.find(encoded_key); it != overlay_.end()) {
      observed.record = it->second->state();
      return observed;
    }
  }
  const auto value = engine_->Get(Space::kObjects, encoded_key);
  if (!value) EndProcess("reading an object", value.error());
  if (*value) {
    auto record = codec_.Decode(**value);
    if (!record) EndProcess("reading an object", record.error());
    observed.record = std::move(*record);
  }
  return observed;
}

RecordPtr LocalStore::Get(const Key& key) const { return Read(EncodeKey(key)).record; }

LocalStore::Proposal LocalStore::Propose(const Key& key, const std::string& encoded_key,
                                         const Change& change, const RecordPtr& current) {
  Proposal proposal{
      .commit = std::make_shared<Commit>(), .event = std::make_shared<Event>(), .record = nullptr};
  Event& event = *proposal.event;
  event.key = key;
  if (change.kind == Change::Kind::kPut) {
    KULISSE_ASSERT(change.content.has_value());
    proposal.record = MakeRecord(*change.content, {});
    event.type = current == nullptr ? EventType::kAdded : EventType::kModified;
    event.object = proposal.record;
  } else {
    KULISSE_ASSERT(current != nullptr);
    event.type = EventType::kDeleted;
    event.object = change.content ? MakeRecord(*change.content, current->revision()) : current;
  }
  if (current != nullptr && !current->SameSelectables(*event.object)) event.previous = current;
  proposal.commit->encoded_key = encoded_key;
  proposal.commit->event = proposal.event;
  proposal.commit->before = current;
  return proposal;
}

Result<Committed> LocalStore::GuaranteedUpdate(
    const Key& key, const std::function<Result<Change>(const RecordPtr& current)>& change) {
  const std::string encoded_key = EncodeKey(key);
  for (int tries = 0; tries < kUpdateRetriesMax; ++tries) {
    const Observed observed = Read(encoded_key);
    const RecordPtr& current = observed.record;
    KULISSE_ASSIGN(const Change wanted, change(current));
    const Committed unchanged{.record = current,
                              .revision = current == nullptr ? Revision{} : current->revision(),
                              .changed = false};
    if (wanted.kind == Change::Kind::kNone) return unchanged;
    if (wanted.content && wanted.content->json.size() > kObjectBytesMax) {
      return std::unexpected(Status::RequestEntityTooLarge("etcdserver: request is too large"));
    }
    const Proposal proposal = Propose(key, encoded_key, wanted, current);
    if (proposal.record != nullptr && current != nullptr &&
        proposal.record->SameContent(*current)) {
      return unchanged;
    }
    if (const auto revision = TryCommit(proposal, observed.head)) {
      if (writes_inline_) Drain();
      return Committed{.record = proposal.event->object, .revision = *revision, .changed = true};
    }
    const std::lock_guard lock(commit_mutex_);
    if (closing_) return std::unexpected(Status::ServerUnavailable("the store is closed"));
  }
  return std::unexpected(ConflictOf(key));
}

std::optional<Revision> LocalStore::TryCommit(const Proposal& proposal, Revision observed) {
  Commit& commit = *proposal.commit;
  const size_t slot = SlotOf(commit.encoded_key);
  Revision revision;
  {
    std::unique_lock lock(commit_mutex_);
    space_.wait(lock, [this] {
      return closing_ ||
             (pending_commits_ < kPendingCommitsMax && pending_bytes_ < kPendingCommitBytesMax);
    });
    if (closing_ || last_commits_[slot] > observed.value) return std::nullopt;
    revision.value = head_ + 1;
    if (proposal.record != nullptr) proposal.record->SetRevision(revision);
    proposal.event->revision = revision;
    CountLocked(&commit);
    last_commits_[slot] = revision.value;
    overlay_.erase(commit.encoded_key);  // not assigned: the map's key is the commit's own
    overlay_.emplace(commit.encoded_key, proposal.commit);
    queue_.push_back(proposal.commit);
    ++pending_commits_;
    pending_bytes_ += BytesOf(commit);
    head_ = revision.value;
  }
  queued_.notify_one();
  return revision;
}

void LocalStore::CountLocked(Commit* commit) {
  const Event& event = *commit->event;
  uint64_t count = counts_.Exact(event.key.resource, event.key.ns);
  if (event.type == EventType::kModified) return;
  KULISSE_ASSERT(event.type == EventType::kAdded || count > 0);
  count += event.type == EventType::kAdded ? 1 : -1;
  counts_.Set(event.key.resource, event.key.ns, count);
  commit->count_after = count;
}

std::vector<CommitPtr> LocalStore::TakeQueuedLocked() {
  const auto end =
      queue_.begin() + static_cast<ptrdiff_t>(std::min(queue_.size(), kBatchCommitsMax));
  std::vector<CommitPtr> commits(std::make_move_iterator(queue_.begin()),
                                 std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  return commits;
}

void LocalStore::RunWriter() {
  for (;;) {
    std::vector<CommitPtr> commits;
    {
      std::unique_lock lock(commit_mutex_);
      queued_.wait(lock, [this] { return closing_ || !queue_.empty(); });
      commits = TakeQueuedLocked();
    }
    if (commits.empty()) return;
    for (Callback& callback : WriteOut(commits)) callback();
  }
}

void LocalStore::Drain() {
  std::vector<Callback> due;
  {
    const std::lock_guard drain(drain_mutex_);
    for (;;) {
      std::vector<CommitPtr> commits;
      {
        const std::lock_guard lock(commit_mutex_);
        commits = TakeQueuedLocked();
      }
      if (commits.empty()) break;
      std::ranges::move(WriteOut(commits), std::back_inserter(due));
    }
  }
  for (Callback& callback : due) callback();
}

std::vector<Callback> LocalStore::WriteOut(const std::vector<CommitPtr>& commits) {
  writer_.Write(commits);
  {
    const std::lock_guard lock(commit_mutex_);
    for (const CommitPtr& commit : commits) {
      const auto it = overlay_.find(commit->encoded_key);
      if (it != overlay_.end() && it->second == commit) overlay_.erase(it);
      pending_bytes_ -= BytesOf(*commit);
    }
    pending_commits_ -= commits.size();
  }
  space_.notify_all();
  // Events before answers: who has the answer finds the event.
  writer_.Publish(commits);
  return SetDurable(commits.back()->event->revision);
}

std::vector<Callback> LocalStore::SetDurable(Revision revision) {
  std::vector<Callback> due;
  const std::lock_guard lock(durable_mutex_);
  durable_ = revision.value;
  const auto end = waiting_.upper_bound(revision.value);
  for (auto it = waiting_.begin(); it != end; ++it) due.push_back(std::move(it->second));
  waiting_.erase(waiting_.begin(), end);
  return due;
}

void LocalStore::WhenDurable(Revision revision, Callback callback) {
  {
    const std::lock_guard lock(durable_mutex_);
    if (durable_ < revision.value) {
      waiting_.emplace(revision.value, std::move(callback));
      return;
    }
  }
  callback();
}

SnapshotPtr LocalStore::Latest() const {
  Revision revision;
  std::shared_ptr<const EngineSnapshot> engine;
  std::vector<CommitPtr> overlay;
  ObjectCounts counts;
  {
    const std::lock_guard lock(commit_mutex_);
    revision.value = head_;
    if (SnapshotPtr latest = latest_.lock(); latest && latest->revision() == revision) {
      return latest;
    }
    overlay.reserve(overlay_.size());
    for (const auto& [key, commit] : overlay_) overlay.push_back(commit);
    engine = engine_->TakeSnapshot();
    counts = counts_.Share();
  }
  auto snapshot = std::make_shared<const LocalSnapshot>(
      revision, std::move(engine), std::make_shared<const PendingOverlay>(std::move(overlay)),
      std::move(counts), codec_);
  const std::lock_guard lock(commit_mutex_);
  latest_ = snapshot;
  return snapshot;
}

std::expected<SnapshotPtr, StoreError> LocalStore::At(std::string_view resource,
                                                      Revision revision) const {
  if (revision > head()) {
    return std::unexpected(
        StoreError{.kind = StoreError::Kind::kFuture, .asked = revision, .bound = head()});
  }
  if (revision == head()) {
    // Unless a commit came between.
    if (SnapshotPtr latest = Latest(); latest->revision() == revision) return latest;
  }
  if (SnapshotPtr pinned = pins_.Find(resource, revision)) return pinned;
  return TakePastSnapshot(engine_->TakeSnapshot(), resource, revision, codec_);
}

void LocalStore::Pin(std::string_view resource, SnapshotPtr snapshot) {
  pins_.Pin(resource, std::move(snapshot));
}

std::expected<std::unique_ptr<Watcher>, StoreError> LocalStore::Watch(std::string_view resource,
                                                                      std::string_view ns,
                                                                      Revision from) {
  if (const Revision floor = log_.Floor(resource); from < floor) {
    return std::unexpected(
        StoreError{.kind = StoreError::Kind::kCompacted, .asked = from, .bound = floor});
  }
  return std::make_unique<LocalWatcher>(history_, log_, resource, ns, from);
}

uint64_t LocalStore::Count(std::string_view resource) const {
  const std::lock_guard lock(commit_mutex_);
  return counts_.Of(resource, "");
}

}  // namespace kulisse::storage
