#include "apiserver/handlers/usage.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <utility>

#include "apiserver/handlers/encoder.h"
#include "apiserver/registry/object_encoding.h"
#include "base/assert.h"
#include "base/json/write.h"
#include "base/text.h"
#include "base/time.h"
#include "openapi/quantity.h"

namespace kulisse::apiserver {

namespace {

using openapi::ResourceInfo;
using storage::Record;
using storage::RecordPtr;
using storage::SnapshotPtr;

// What is told is true of this moment; clients want to know over which time it was measured.
// metrics-server measures as often.
constexpr std::string_view kWindow = "15s";

// Where the objects come from: metrics of pods from pods.
const ResourceInfo& SourceOf(const ResourceStore& store, const ResourceInfo& resource) {
  const ResourceInfo* source = store.catalog().Find("", "v1", resource.resource);
  KULISSE_ASSERT(source != nullptr);
  return *source;
}

int64_t Rounded(double number) {
  constexpr double kMax = 9.2e18;  // below 2^63
  if (std::isnan(number)) return 0;
  return std::llround(std::fmin(std::fmax(number, 0), kMax));
}

std::string CpuText(double cores) {
  const auto quantity = openapi::Quantity::Parse(fmt::format("{}n", Rounded(cores * 1e9)));
  return quantity.value_or(openapi::Quantity()).ToString();
}

std::string MemoryText(double bytes) {
  return openapi::Quantity::FromInt(Rounded(bytes), openapi::Quantity::Format::kBinarySI)
      .ToString();
}

void AppendAmounts(const UsageSource::Amounts& amounts, std::string* out) {
  fmt::format_to(std::back_inserter(*out), R"("usage":{{"cpu":"{}","memory":"{}"}})",
                 CpuText(amounts.cpu_cores), MemoryText(amounts.memory_bytes));
}

// Objects of an aggregated resource at one moment: for each of the core resource that a selection
// lets through, what the source makes of it. They have no revision.
class UsageSnapshot final : public storage::Snapshot {
 public:
  // `keep`: every read gives the same; for answers that are made in two passes.
  UsageSnapshot(SnapshotPtr base, const ResourceInfo& resource, const ResourceInfo& from,
                UsageSource& source, SystemTime now, Selection selection, bool keep)
      : base_(std::move(base)),
        resource_(resource),
        from_(from),
        source_(source),
        now_(FormatTime(now)),
        selection_(std::move(selection)),
        keep_(keep) {}

  [[nodiscard]] storage::Revision revision() const override { return {}; }
  [[nodiscard]] std::unique_ptr<Cursor> Scan(std::string_view /*resource*/, std::string_view ns,
                                             std::string_view after) const override {
    // Keys differ in their resource alone.
    const std::string own = storage::KeyPrefix(resource_.storage_name, ns);
    std::string from;
    if (after.starts_with(own)) {
      from = storage::KeyPrefix(from_.storage_name, ns).append(after.substr(own.size()));
    }
    return std::make_unique<UsageCursor>(*this, base_->Scan(from_.storage_name, ns, from));
  }
  [[nodiscard]] RecordPtr Get(const storage::Key& key) const override {
    const RecordPtr record = base_->Get({from_.storage_name, key.ns, key.name});
    return record == nullptr ? nullptr : Make(key, *record);
  }
  [[nodiscard]] uint64_t Count(std::string_view /*resource*/, std::string_view ns) const override {
    return base_->Count(from_.storage_name, ns);
  }

 private:
  class UsageCursor final : public Cursor {
   public:
    UsageCursor(const UsageSnapshot& snapshot, std::unique_ptr<Cursor> base)
        : snapshot_(snapshot), base_(std::move(base)) {}
    RecordPtr Next() override {
      while (const RecordPtr record = base_->Next()) {
        const NameView name = SplitKey(snapshot_.from_, base_->key());
        if (!snapshot_.selection_.Matches(snapshot_.from_, name.ns, name.name, *record)) continue;
        const storage::Key key{snapshot_.resource_.storage_name, std::string(name.ns),
                               std::string(name.name)};
        RecordPtr made = snapshot_.Make(key, *record);
        if (made == nullptr) continue;
        key_ = storage::EncodeKey(key);
        return made;
      }
      return nullptr;
    }
    [[nodiscard]] std::string_view key() const override { return key_; }

   private:
    const UsageSnapshot& snapshot_;
    std::unique_ptr<Cursor> base_;
    std::string key_;
  };

  [[nodiscard]] RecordPtr Make(const storage::Key& key, const Record& from) const {
    if (!keep_) return MakeAnew(key, from);
    const auto [it, added] = kept_.try_emplace(storage::EncodeKey(key));
    if (added) it->second = MakeAnew(key, from);
    return it->second;
  }

  // Null when the object has no metrics.
  [[nodiscard]] RecordPtr MakeAnew(const storage::Key& key, const Record& from) const {
    std::string usage;
    if (resource_.namespaced) {
      const auto containers = source_.PodUsage(from);
      if (!containers) return nullptr;
      usage = R"("containers":[)";
      for (const UsageSource::Container& container : *containers) {
        if (usage.back() != '[') usage += ',';
        usage += R"({"name":)";
        json::AppendString(container.name, &usage);
        usage += ',';
        AppendAmounts(container.amounts, &usage);
        usage += '}';
      }
      usage += ']';
    } else {
      AppendAmounts(source_.NodeUsage(key.name), &usage);
    }
    return Encode(key, from, usage);
  }

  [[nodiscard]] RecordPtr Encode(const storage::Key& key, const Record& from,
                                 std::string_view usage) const {
    storage::RecordContent content;
    content.labels = from.Labels();
    content.fields = {{"metadata.name", key.name}};
    if (resource_.namespaced) content.fields.emplace_back("metadata.namespace", key.ns);
    std::string text = R"({"metadata":{"name":)";
    json::AppendString(key.name, &text);
    if (resource_.namespaced) {
      text += R"(,"namespace":)";
      json::AppendString(key.ns, &text);
    }
    content.rv_offset = static_cast<uint32_t>(text.size());
    text.append(R"(,"creationTimestamp":")").append(now_) += '"';
    if (!content.labels.empty()) {
      text += R"(,"labels":{)";
      for (const auto& [name, value] : content.labels) {
        if (text.back() != '{') text += ',';
        json::AppendString(name, &text);
        text += ':';
        json::AppendString(value, &text);
      }
      text += '}';
    }
    text.append(R"(},"timestamp":")").append(now_);
    text.append(R"(","window":")").append(kWindow).append(R"(",)").append(usage) += '}';
    content.json = text;
    return DryRunRecord(content, {});
  }

  const SnapshotPtr base_;
  const ResourceInfo& resource_;
  const ResourceInfo& from_;
  UsageSource& source_;
  const std::string now_;
  const Selection selection_;
  const bool keep_;
  mutable std::map<std::string, RecordPtr> kept_;  // a body is read by one thread at a time
};

HttpResponse PageResponse(UsageSource::Page page) {
  HttpResponse response;
  response.headers.emplace_back("Content-Type", std::move(page.content_type));
  response.body = std::move(page.body);
  response.compressible = true;
  return response;
}

// A proxied name may say scheme and port: "n", "n:10250", "https:n:10250".
std::string NameBeforeProxy(std::string_view name) {
  const auto parts = Split(name, ':');
  return std::string(parts.size() == 3 ? parts[1] : parts[0]);
}

}  // namespace

Result<HttpResponse> ReadUsage(ResourceStore& store, UsageSource& source,
                               const RequestState& state) {
  const ResourceInfo& resource = *state.resource;
  const ResourceInfo& from = SourceOf(store, resource);
  const SystemTime now = store.runtime().Now();
  if (state.info.verb == "list") {
    KULISSE_ASSIGN(ListOptions options, ParseListOptions(resource, state.info, false));
    options.limit = 0;  // the lists are never paged
    const bool two_passes = state.representation.format == Format::kProtobuf;
    auto snapshot = std::make_shared<const UsageSnapshot>(
        store.store().Latest(), resource, from, source, now, options.selection, two_passes);
    return MakeListResponse(store, state, options, std::move(snapshot), "", 0);
  }
  const UsageSnapshot snapshot(store.store().Latest(), resource, from, source, now, {}, false);
  const RequestInfo& info = state.info;
  const RecordPtr record = snapshot.Get({resource.storage_name, info.ns, info.name});
  if (record == nullptr) {
    // A pod that is there and has no metrics is named with its namespace.
    const RecordPtr there = store.store().Get({from.storage_name, info.ns, info.name});
    if (there == nullptr) {
      return std::unexpected(Status::NotFound(from.group_resource(), info.name));
    }
    return std::unexpected(
        Status::NotFound(resource.group_resource(), fmt::format("{}/{}", info.ns, info.name)));
  }
  HttpResponse response;
  response.headers.emplace_back("Content-Type", state.representation.content_type());
  response.body =
      Encoder(resource, store.types(), state.representation, store.runtime()).Object(*record, {});
  response.compressible = true;
  return response;
}

Result<HttpResponse> ReadNodePage(ResourceStore& store, UsageSource* source,
                                  const RequestState& state) {
  const RequestInfo& info = state.info;
  const std::string name = NameBeforeProxy(info.name);
  KULISSE_TRY(store.Get(*state.resource, {"", name}));
  constexpr size_t kNameAndProxy = 3;  // nodes, NAME, proxy
  std::string path;
  for (size_t i = kNameAndProxy; i < info.parts.size(); ++i) path.append("/").append(info.parts[i]);
  if (source == nullptr) {
    return std::unexpected(Status::Plain(501, "nobody plays the kubelets of this cluster"));
  }
  if (state.request.method == "GET") {
    if (auto page = source->NodePage(name, path)) return PageResponse(std::move(*page));
  }
  return std::unexpected(Status::Plain(
      404,
      fmt::format("the kubelet of node \"{}\" serves /healthz, /stats/summary and the paths of "
                  "Metric objects, with GET, and not {} {}",
                  name, state.request.method, path.empty() ? "/" : path)));
}

std::optional<HttpResponse> ReadMetricsPage(UsageSource& source, const RequestState& state) {
  const std::string& path = state.info.path;
  if (state.request.method != "GET") return std::nullopt;
  if (path == "/discovery/prometheus") {
    const std::string_view scheme = state.request.unsecured ? "http" : "https";
    return PageResponse({"application/json", source.Targets(scheme, state.request.Find("Host"))});
  }
  if (!path.starts_with("/metrics/")) return std::nullopt;
  auto page = source.MetricsPage(path);
  if (!page) return std::nullopt;
  return PageResponse(std::move(*page));
}

}  // namespace kulisse::apiserver
