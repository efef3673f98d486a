// Watches: a cursor on the store's history, shown in the client's representation.
#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "apiserver/handlers/continue_token.h"
#include "apiserver/handlers/encoder.h"
#include "apiserver/handlers/resource_handlers.h"
#include "apiserver/websocket.h"
#include "base/assert.h"
#include "base/limits.h"
#include "base/text.h"

namespace kulisse::apiserver {

namespace {

using storage::Event;
using storage::EventPtr;
using storage::EventType;
using storage::RecordPtr;
using storage::Revision;

// How long before its end a watch sends its last bookmark.
constexpr auto kLastBookmarkLead = 2s;

// Wakes a watch from other threads; outlives the watch in timers that are on their way.
class Waker {
 public:
  void Set(std::function<void()> function) {
    const std::lock_guard lock(mutex_);
    function_ = std::move(function);
  }
  void Wake() {
    const std::lock_guard lock(mutex_);
    if (function_) function_();
  }

 private:
  std::mutex mutex_;
  std::function<void()> function_;
};

struct WatchPlan {
  std::string ns;
  Selection selection;
  bool bookmarks = false;
  storage::SnapshotPtr initial;  // its objects come first, as ADDED
  Revision from;                 // then the events after this
  Duration timeout{};
};

class WatchBody final : public BodySource {
 public:
  WatchBody(storage::Store& store, Runtime& runtime, const openapi::TypeTable& types,
            Encoder encoder, WatchPlan plan)
      : store_(store),
        runtime_(runtime),
        types_(types),
        encoder_(std::move(encoder)),
        plan_(std::move(plan)),
        end_(runtime.MonotonicNow() + plan_.timeout),
        next_bookmark_(runtime.MonotonicNow() + BookmarkDelay()),
        waker_(std::make_shared<Waker>()) {
    if (plan_.initial != nullptr) {
      cursor_ = plan_.initial->Scan(encoder_.resource().storage_name, plan_.ns, "");
    }
  }

  ~WatchBody() override {
    if (timer_ != 0) runtime_.Cancel(timer_);
    waker_->Set(nullptr);
  }

  void SetWaker(std::function<void()> waker) override { waker_->Set(std::move(waker)); }

  State Read(std::string* out) override {
    const size_t start = out->size();
    if (cursor_ != nullptr && !ReadInitial(out)) return State::kMore;
    if (watcher_ == nullptr && !Begin(out)) return State::kEnd;
    while (out->size() - start < kResponseChunkBytes) {
      auto events = watcher_->Read();
      if (!events) {
        *out +=
            ErrorFrame(TooOld(plan_.from, events.error().bound), encoder_.representation(), types_);
        return State::kEnd;
      }
      if (events->empty()) return ReadTimers(out, start);
      for (const EventPtr& event : *events) AppendEvent(*event, out);
    }
    return State::kMore;
  }

  static Status TooOld(Revision asked, Revision oldest) {
    return Status::Expired(
        fmt::format("too old resource version: {} ({})", asked.value, oldest.value));
  }

 private:
  // A minute, or shortly before the end of shorter watches.
  [[nodiscard]] Duration BookmarkDelay() const {
    const Duration last = plan_.timeout - kLastBookmarkLead;
    if (last <= Duration(0)) return plan_.timeout + kBookmarkPeriod;  // too short for any
    return std::min<Duration>(kBookmarkPeriod, last);
  }

  [[nodiscard]] bool Matches(const storage::Key& key, const storage::Record& record) const {
    return plan_.selection.empty() ||
           plan_.selection.Matches(encoder_.resource(), key.ns, key.name, record);
  }

  // Whether all initial objects are out.
  bool ReadInitial(std::string* out) {
    const size_t start = out->size();
    while (RecordPtr record = cursor_->Next()) {
      const NameView name = SplitKey(encoder_.resource(), cursor_->key());
      if (!plan_.selection.Matches(encoder_.resource(), name.ns, name.name, *record)) continue;
      *out += encoder_.Frame("ADDED", *record, record->revision());
      HideColumns();
      if (out->size() - start >= kResponseChunkBytes) return false;
    }
    cursor_ = nullptr;
    if (plan_.bookmarks) {
      *out += encoder_.BookmarkFrame(plan_.from, true);
      HideColumns();
    }
    plan_.initial = nullptr;
    return true;
  }

  bool Begin(std::string* out) {
    auto watcher = store_.Watch(encoder_.resource().storage_name, plan_.ns, plan_.from);
    if (!watcher) {
      *out +=
          ErrorFrame(TooOld(plan_.from, watcher.error().bound), encoder_.representation(), types_);
      return false;
    }
    watcher_ = std::move(*watcher);
    watcher_->SetWaker([waker = waker_] { waker->Wake(); });
    ArmTimer();
    return true;
  }

  void ArmTimer() {
    const MonotonicTime due = plan_.bookmarks ? std::min(end_, next_bookmark_) : end_;
    timer_ =
        runtime_.ScheduleAfter(due - runtime_.MonotonicNow(), [waker = waker_] { waker->Wake(); });
  }

  // Nothing new: bookmarks and the end are due by the clock.
  State ReadTimers(std::string* out, size_t start) {
    const MonotonicTime now = runtime_.MonotonicNow();
    if (now >= end_) return State::kEnd;
    if (plan_.bookmarks && now >= next_bookmark_) {
      *out += encoder_.BookmarkFrame(watcher_->position(), false);
      HideColumns();
      const MonotonicTime last = end_ - kLastBookmarkLead;
      next_bookmark_ = now < last ? std::min(now + kBookmarkPeriod, last) : end_ + 1h;
      ArmTimer();
    }
    return out->size() > start ? State::kMore : State::kWait;
  }

  // Only the first event of a Table watch shows the columns.
  void HideColumns() {
    if (encoder_.representation().view != View::kTable || !encoder_.representation().with_columns) {
      return;
    }
    Representation later = encoder_.representation();
    later.with_columns = false;
    encoder_ = Encoder(encoder_, later);
  }

  // An object that enters the selection is ADDED, one that leaves it DELETED in its last state
  // that was selected.
  void AppendEvent(const Event& event, std::string* out) {
    std::string_view type = event.type == EventType::kAdded      ? "ADDED"
                            : event.type == EventType::kModified ? "MODIFIED"
                                                                 : "DELETED";
    const storage::Record* shown = event.object.get();
    if (!plan_.selection.empty()) {
      const bool is = Matches(event.key, *event.object);
      const bool was = event.type != EventType::kAdded &&
                       (event.previous != nullptr ? Matches(event.key, *event.previous) : is);
      if (event.type == EventType::kDeleted) {
        if (!was && !is) return;
      } else if (is) {
        type = was ? "MODIFIED" : "ADDED";
      } else if (was) {
        type = "DELETED";
        shown = event.previous.get();
      } else {
        return;
      }
    }
    const uint64_t id = encoder_.id() << 2 | (type == "ADDED" ? 1U : type == "MODIFIED" ? 2U : 3U);
    *out += event.Encoding(id, [&] { return encoder_.Frame(type, *shown, event.revision); });
    HideColumns();
  }

  storage::Store& store_;
  Runtime& runtime_;
  const openapi::TypeTable& types_;
  Encoder encoder_;
  WatchPlan plan_;
  MonotonicTime end_;
  MonotonicTime next_bookmark_;
  std::shared_ptr<Waker> waker_;
  TimerId timer_ = 0;
  std::unique_ptr<storage::Snapshot::Cursor> cursor_;
  std::unique_ptr<storage::Watcher> watcher_;
};

}  // namespace

Result<HttpResponse> MakeWatchResponse(ResourceStore& store, const RequestState& state,
                                       const ListOptions& options) {
  Runtime& runtime = store.runtime();
  KULISSE_ASSIGN(const uint64_t asked, ParseResourceVersion(options.resource_version));
  WatchPlan plan;
  plan.ns = state.info.ns;
  plan.selection = options.selection;
  plan.bookmarks = options.allow_watch_bookmarks;
  if (options.timeout_seconds && *options.timeout_seconds > 0) {
    plan.timeout = std::chrono::seconds(*options.timeout_seconds);
  } else {
    const auto spread = static_cast<uint64_t>(Duration(kWatchTimeoutMin).count());
    plan.timeout = kWatchTimeoutMin + Duration(static_cast<int64_t>(runtime.RandomBits() % spread));
  }
  // Upstream's SetListOptionsDefaults: without a revision the state comes first.
  const bool initial = options.send_initial_events.value_or(asked == 0);
  if (initial) {
    plan.initial = store.store().Latest();
    plan.from = plan.initial->revision();
  } else {
    plan.from = asked == 0 ? store.store().head() : Revision{asked};
  }
  HttpResponse response;
  response.after = initial ? plan.from : Revision{};
  const bool protobuf = state.representation.format == Format::kProtobuf;
  response.headers.emplace_back(
      "Content-Type",
      protobuf ? "application/vnd.kubernetes.protobuf;stream=watch" : "application/json");
  Encoder encoder(*state.resource, store.types(), state.representation, runtime);
  response.messages = protobuf ? Messages::kPrefixed : Messages::kLines;
  response.stream = std::make_unique<WatchBody>(store.store(), runtime, store.types(),
                                                std::move(encoder), std::move(plan));
  return response;
}

Result<HttpResponse> ResourceHandlers::Watch(RequestState& state) {
  KULISSE_ASSIGN(ListOptions options, ParseListOptions(*state.resource, state.info, true));
  if (state.info.watches_one) {
    options.selection.fields.terms().push_back({"metadata.name", true, state.info.parts.back()});
  }
  KULISSE_ASSIGN(HttpResponse response, MakeWatchResponse(store_, state, options));
  state.is_web_socket = IsWebSocketRequest(state.request);
  if (!state.is_web_socket) return response;
  return AcceptWebSocket(state.request, std::move(response));
}

}  // namespace kulisse::apiserver
