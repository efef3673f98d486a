#include "test/sim/faulty_store.h"

#include <array>
#include <string>
#include <utility>

#include "base/result.h"

namespace kulisse::sim {

namespace {

using storage::Change;
using storage::Committed;
using storage::EventPtr;
using storage::Key;
using storage::RecordPtr;
using storage::Revision;
using storage::SnapshotPtr;
using storage::StoreError;
using storage::Watcher;

// FNV-1a, eight bytes a step.
class Hash {
 public:
  explicit Hash(uint64_t state) : state_(state) {}
  void Add(uint64_t number) {
    state_ = (state_ ^ number) * 0x100000001b3U;
    state_ ^= state_ >> 32;
  }
  void Add(std::string_view bytes) {
    Add(bytes.size());
    for (; bytes.size() >= sizeof(uint64_t); bytes.remove_prefix(sizeof(uint64_t))) {
      uint64_t word = 0;
      bytes.copy(reinterpret_cast<char*>(&word), sizeof(word));
      Add(word);
    }
    for (const char c : bytes) Add(static_cast<uint64_t>(static_cast<unsigned char>(c)));
  }
  [[nodiscard]] uint64_t state() const { return state_; }

 private:
  uint64_t state_;
};

Status Refusal(uint64_t which) {
  constexpr std::array kCodes = {503, 429, 504};
  return Status::Plain(kCodes[which % kCodes.size()], "refused on purpose");
}

}  // namespace

class FaultyStore::FaultyWatcher final : public Watcher {
 public:
  FaultyWatcher(FaultyStore& store, std::unique_ptr<Watcher> real)
      : store_(store), real_(std::move(real)) {}

  std::expected<std::vector<EventPtr>, StoreError> Read() override {
    if (store_.Happens(store_.faults_.cut)) {
      ++store_.counters_.cut;
      return std::unexpected(StoreError{.kind = StoreError::Kind::kCompacted,
                                        .asked = real_->position(),
                                        .bound = store_.head()});
    }
    return real_->Read();
  }
  [[nodiscard]] Revision position() const override { return real_->position(); }
  void SetWaker(std::function<void()> waker) override { real_->SetWaker(std::move(waker)); }

 private:
  FaultyStore& store_;
  std::unique_ptr<Watcher> real_;
};

FaultyStore::FaultyStore(storage::Store& store, uint64_t seed) : store_(store), random_(seed) {}

bool FaultyStore::Happens(double probability) {
  return probability > 0 && random_.Unit() < probability;
}

Result<Committed> FaultyStore::GuaranteedUpdate(
    const Key& key, const std::function<Result<Change>(const RecordPtr& current)>& change) {
  if (!racing_ && Happens(faults_.refused)) {
    ++counters_.refused;
    return std::unexpected(Refusal(random_.Next()));
  }
  bool race = !racing_ && rival_ && Happens(faults_.raced);
  auto kind = Change::Kind::kNone;
  auto committed = store_.GuaranteedUpdate(key, [&](const RecordPtr& current) -> Result<Change> {
    auto wanted = change(current);
    if (!wanted) return wanted;
    kind = wanted->kind;
    if (current != nullptr && std::exchange(race, false)) {
      ++counters_.raced;
      racing_ = true;
      rival_(key);
      racing_ = false;
    }
    return wanted;
  });
  if (committed && committed->changed) Remember(key, kind, *committed);
  return committed;
}

void FaultyStore::Remember(const Key& key, Change::Kind kind, const Committed& committed) {
  Hash hash(history_.empty() ? 0xcbf29ce484222325U : history_.back());
  hash.Add(committed.revision.value);
  hash.Add(static_cast<uint64_t>(kind));
  hash.Add(storage::EncodeKey(key));
  hash.Add(committed.record->bytes());
  history_.push_back(hash.state());
}

std::expected<std::unique_ptr<Watcher>, StoreError> FaultyStore::Watch(std::string_view resource,
                                                                       std::string_view ns,
                                                                       Revision from) {
  auto real = store_.Watch(resource, ns, from);
  if (!real) return std::unexpected(real.error());
  return std::make_unique<FaultyWatcher>(*this, std::move(*real));
}

RecordPtr FaultyStore::Get(const Key& key) const { return store_.Get(key); }
SnapshotPtr FaultyStore::Latest() const { return store_.Latest(); }
std::expected<SnapshotPtr, StoreError> FaultyStore::At(std::string_view resource,
                                                       Revision revision) const {
  return store_.At(resource, revision);
}
void FaultyStore::Pin(std::string_view resource, SnapshotPtr snapshot) {
  store_.Pin(resource, std::move(snapshot));
}
Revision FaultyStore::head() const { return store_.head(); }
Revision FaultyStore::durable() const { return store_.durable(); }
void FaultyStore::WhenDurable(Revision revision, Callback callback) {
  store_.WhenDurable(revision, std::move(callback));
}
uint64_t FaultyStore::Count(std::string_view resource) const { return store_.Count(resource); }
void FaultyStore::Close() { store_.Close(); }

}  // namespace kulisse::sim
