// GET of collections. A list streams out of a snapshot; with a limit a first pass finds where the
// page ends, because its token stands before the items.
#include <fmt/format.h>

#include <optional>

#include "apiserver/handlers/body.h"
#include "apiserver/handlers/component_statuses.h"
#include "apiserver/handlers/continue_token.h"
#include "apiserver/handlers/encoder.h"
#include "apiserver/handlers/resource_handlers.h"
#include "base/json/write.h"
#include "base/limits.h"

namespace kulisse::apiserver {

namespace {

using storage::RecordPtr;
using storage::Snapshot;
using storage::SnapshotPtr;

// Walks the selected objects of one list.
class SelectedCursor {
 public:
  SelectedCursor(const SnapshotPtr& snapshot, const openapi::ResourceInfo& resource,
                 std::string_view ns, std::string_view after, const Selection& selection)
      : resource_(resource), selection_(selection) {
    // One object by name needs no scan.
    for (const auto& term : selection.fields.terms()) {
      if (term.field != "metadata.name" || !term.equal) continue;
      if (resource.namespaced && ns.empty()) break;
      single_ = true;
      key_ = storage::EncodeKey({resource.storage_name, std::string(ns), term.value});
      if (key_ > after) {
        record_ = snapshot->Get({resource.storage_name, std::string(ns), term.value});
      }
      return;
    }
    cursor_ = snapshot->Scan(resource.storage_name, ns, after);
  }

  RecordPtr Next() {
    if (single_) {
      RecordPtr record = std::move(record_);
      record_ = nullptr;
      return record != nullptr && Matches(*record) ? record : nullptr;
    }
    while (RecordPtr record = cursor_->Next()) {
      if (selection_.empty() || Matches(*record)) return record;
    }
    return nullptr;
  }

  // Whether any object follows, selected or not: upstream tells no better.
  bool HasMore() { return !single_ && cursor_->Next() != nullptr; }

  [[nodiscard]] std::string_view key() const {
    return single_ ? std::string_view(key_) : cursor_->key();
  }

 private:
  [[nodiscard]] bool Matches(const storage::Record& record) const {
    const NameView name = SplitKey(resource_, key());
    return selection_.Matches(resource_, name.ns, name.name, record);
  }

  const openapi::ResourceInfo& resource_;
  const Selection& selection_;
  bool single_ = false;
  std::string key_;
  RecordPtr record_;
  std::unique_ptr<Snapshot::Cursor> cursor_;
};

class ListBody final : public BodySource {
 public:
  ListBody(SnapshotPtr snapshot, Encoder encoder, std::string ns, std::string after,
           Selection selection, std::optional<uint64_t> items, ListMeta meta, uint64_t items_bytes)
      : snapshot_(std::move(snapshot)),
        encoder_(std::move(encoder)),
        selection_(std::move(selection)),
        cursor_(snapshot_, encoder_.resource(), ns, after, selection_),
        items_left_(items),
        meta_(std::move(meta)),
        items_bytes_(items_bytes) {}

  State Read(std::string* out) override {
    if (encoder_.representation().pretty && encoder_.representation().format == Format::kJson) {
      std::string compact;
      const State state = ReadCompact(&compact);
      indenter_.Append(compact, out);
      return state;
    }
    return ReadCompact(out);
  }

  void SetWaker(std::function<void()> /*waker*/) override {}  // never waits

 private:
  State ReadCompact(std::string* out) {
    const size_t start = out->size();
    if (!began_) {
      began_ = true;
      encoder_.AppendListHead(meta_, items_bytes_, out);
    }
    while (out->size() - start < kResponseChunkBytes) {
      RecordPtr record;
      if (!items_left_ || *items_left_ > 0) record = cursor_.Next();
      if (record == nullptr) {
        // Upstream's list is nil when a selector has left nothing.
        encoder_.AppendListTail(meta_, first_, out);
        return State::kEnd;
      }
      encoder_.AppendItem(*record, first_, out);
      first_ = false;
      if (items_left_) --*items_left_;
    }
    return State::kMore;
  }

  SnapshotPtr snapshot_;
  Encoder encoder_;
  Selection selection_;
  SelectedCursor cursor_;
  std::optional<uint64_t> items_left_;  // of the page; nothing: to the end
  ListMeta meta_;
  uint64_t items_bytes_;
  bool began_ = false;
  bool first_ = true;
  json::Indenter indenter_{2};
};

// What the first pass over a page finds out.
struct Page {
  uint64_t items = 0;
  std::string last_key;
  bool more = false;
  uint64_t items_bytes = 0;  // with protobuf
};

Page MeasurePage(SelectedCursor& cursor, int64_t limit, const Encoder& encoder) {
  const bool protobuf = encoder.representation().format == Format::kProtobuf;
  Page page;
  std::string item;
  while (true) {
    if (limit > 0 && page.items == static_cast<uint64_t>(limit)) {
      page.more = cursor.HasMore();
      break;
    }
    const RecordPtr record = cursor.Next();
    if (record == nullptr) break;
    ++page.items;
    if (limit > 0) page.last_key = cursor.key();
    if (protobuf) {
      item.clear();
      encoder.AppendItem(*record, false, &item);
      page.items_bytes += item.size();
    }
  }
  return page;
}

}  // namespace

Result<HttpResponse> MakeListResponse(ResourceStore& store, const RequestState& state,
                                      const ListOptions& options, SnapshotPtr snapshot,
                                      std::string_view after, uint64_t returned) {
  const openapi::ResourceInfo& resource = *state.resource;
  const std::string& ns = state.info.ns;
  Encoder encoder(resource, store.types(), state.representation, store.runtime());
  ListMeta meta{snapshot->revision(), "", std::nullopt};
  std::optional<uint64_t> items;
  uint64_t items_bytes = 0;
  if (options.limit > 0 || state.representation.format == Format::kProtobuf) {
    SelectedCursor cursor(snapshot, resource, ns, after, options.selection);
    const Page page = MeasurePage(cursor, options.limit, encoder);
    items = page.items;
    items_bytes = page.items_bytes;
    if (page.more) {
      const std::string prefix = storage::KeyPrefix(resource.storage_name, ns);
      meta.continue_token = EncodeContinueToken(
          {snapshot->revision().value, page.last_key.substr(prefix.size()), returned + page.items});
      if (options.selection.empty()) {
        const uint64_t total = snapshot->Count(resource.storage_name, ns);
        const uint64_t gone = returned + page.items;
        meta.remaining_items = static_cast<int64_t>(total > gone ? total - gone : 1);
      }
      store.store().Pin(resource.storage_name, snapshot);
    }
  }
  HttpResponse response;
  response.headers.emplace_back("Content-Type", state.representation.content_type());
  response.compressible = true;
  response.after = snapshot->revision();
  response.stream =
      std::make_unique<ListBody>(std::move(snapshot), std::move(encoder), ns, std::string(after),
                                 options.selection, items, std::move(meta), items_bytes);
  return response;
}

namespace {

// A Table in YAML is made from its JSON whole: nobody asks for large ones.
HttpResponse TableAsYaml(HttpResponse json, const openapi::TypeTable& types) {
  std::string text;
  while (json.stream->Read(&text) != BodySource::State::kEnd) {
  }
  Representation yaml;
  yaml.format = Format::kYaml;
  HttpResponse response;
  response.headers.emplace_back("Content-Type", yaml.content_type());
  response.body = EncodeStatus(text, yaml, types);
  response.after = json.after;
  return response;
}

}  // namespace

Result<HttpResponse> ResourceHandlers::List(RequestState& state) {
  KULISSE_ASSIGN(const ListOptions options, ParseListOptions(*state.resource, state.info, false));
  if (state.representation.view == View::kMetadata) {
    return std::unexpected(Status::NotAcceptable(fmt::format(
        "you requested PartialObjectMetadata, but the requested object is a list (*{}.{}List)",
        PackageOf(state.resource->group), state.resource->kind)));
  }
  if (state.representation.view == View::kTable && state.representation.format == Format::kYaml) {
    state.representation.format = Format::kJson;
    KULISSE_ASSIGN(HttpResponse json, ListAt(state, options));
    return TableAsYaml(std::move(json), store_.types());
  }
  return ListAt(state, options);
}

Result<HttpResponse> ResourceHandlers::ListAt(RequestState& state, const ListOptions& options) {
  if (IsComponentStatus(*state.resource)) {
    return MakeListResponse(store_, state, options, ComponentStatuses(), "", 0);
  }
  storage::Store& store = store_.store();
  const std::string prefix = storage::KeyPrefix(state.resource->storage_name, state.info.ns);
  if (!options.continue_token.empty()) {
    if (!options.resource_version.empty() && options.resource_version != "0") {
      return std::unexpected(
          Status::BadRequest("specifying resource version is not allowed when using continue"));
    }
    KULISSE_ASSIGN(const ContinueToken token, DecodeContinueToken(options.continue_token));
    const std::string after = prefix + token.start;
    if (!token.revision) {  // "inconsistent continue": goes on in the latest state
      return MakeListResponse(store_, state, options, store.Latest(), after, token.returned);
    }
    auto snapshot = store.At(state.resource->storage_name, {*token.revision});
    if (!snapshot) {
      Status status = Status::Expired(
          "The provided continue parameter is too old to display a consistent list result. You can "
          "start a new list without the continue parameter, or use the continue token in this "
          "response to retrieve the remainder of the results. Continuing with the provided token "
          "results in an inconsistent list - objects that were created, modified, or deleted "
          "between the time the first chunk was returned and now may show up in the list.");
      status.continue_token = EncodeContinueToken({std::nullopt, token.start, token.returned});
      return std::unexpected(std::move(status));
    }
    return MakeListResponse(store_, state, options, *snapshot, after, token.returned);
  }
  const auto parsed = ParseResourceVersion(options.resource_version);
  if (!parsed) {
    return std::unexpected(
        Status::BadRequest("invalid resource version: " + parsed.error().message));
  }
  const uint64_t asked = *parsed;
  const uint64_t head = store.head().value;
  if (asked > head) {
    return std::unexpected(TooLargeRevision(asked, head));  // the chain has waited for it
  }
  // A limit makes a revision exact, as upstream has it for the sake of old clients.
  const bool exact = options.resource_version_match == "Exact" ||
                     (options.limit > 0 && asked != 0 && options.resource_version_match.empty());
  if (exact) {
    auto snapshot = store.At(state.resource->storage_name, {asked});
    if (!snapshot && snapshot.error().kind == storage::StoreError::Kind::kFuture) {
      return std::unexpected(TooLargeRevision(asked, snapshot.error().bound.value));
    }
    if (!snapshot) {
      return std::unexpected(
          Status::Expired("The resourceVersion for the provided list is too old."));
    }
    return MakeListResponse(store_, state, options, *snapshot, "", 0);
  }
  return MakeListResponse(store_, state, options, store.Latest(), "", 0);
}

}  // namespace kulisse::apiserver
