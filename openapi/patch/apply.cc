#include "openapi/patch/apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/assert.h"
#include "base/json/parse.h"
#include "openapi/managed_fields/path_element.h"
#include "openapi/managed_fields/typed_object.h"

namespace kulisse::openapi {

namespace {

using json::Value;
using Path = std::span<const std::string_view>;

// Comparisons of the live and the new object, by version.
class Comparisons {
 public:
  using Make = std::function<std::optional<Comparison>(std::string_view api_version)>;
  explicit Comparisons(Make make) : make_(std::move(make)) {}

  // Null when the version is not served.
  const Comparison* In(std::string_view api_version) {
    const auto found = made_.find(api_version);
    if (found != made_.end()) return found->second ? &*found->second : nullptr;
    const auto& made = made_.emplace(api_version, make_(api_version)).first->second;
    return made ? &*made : nullptr;
  }

 private:
  Make make_;
  std::map<std::string_view, std::optional<Comparison>> made_;
};

std::vector<ApplyConflict> ConflictsOf(const ManagedFields& managed, const ManagerId& self,
                                       Comparisons* comparisons, json::Arena& arena) {
  std::vector<ApplyConflict> conflicts;
  for (const ManagedFieldsEntry& entry : managed.entries()) {
    if (entry.id == self) continue;
    const Comparison* comparison = comparisons->In(entry.id.api_version);
    if (comparison == nullptr) continue;
    const FieldSet changed = Union(comparison->modified, comparison->added, arena);
    Intersection(entry.fields, changed, arena).ForEach([&](Path path) {
      conflicts.push_back({entry.id, {path.begin(), path.end()}});
    });
  }
  return conflicts;
}

std::string PathText(const std::vector<std::string_view>& path) {
  std::string text;
  for (const std::string_view element : path) text += PathElementText(element);
  return text;
}

// "kubectl" with subresource "status" using v1: as upstream names a manager. Its texts are escaped
// as JSON, which is how Go quotes what is printable.
std::string ManagerText(const ManagerId& id) {
  const auto quoted = [](std::string_view escaped) {
    const auto parsed = json::Parse(fmt::format("\"{}\"", escaped));
    KULISSE_ASSERT(parsed.has_value());
    return GoQuote(parsed->root.AsString());
  };
  std::string text = quoted(id.manager);
  if (!id.subresource.empty()) text += " with subresource " + quoted(id.subresource);
  if (!id.applied) text += fmt::format(" using {}", id.api_version);
  return text;
}

auto ManagerOrder(const ApplyConflict& conflict) {
  const ManagerId& id = conflict.manager;
  return std::tuple(id.manager, id.applied ? "Apply" : "Update",
                    id.applied ? std::string_view() : id.api_version, id.subresource);
}

}  // namespace

Value Applier::Converted(const Value& value, std::string_view from, std::string_view to) {
  if (from == to) return value.Clone(arena_);
  auto converted = convert_(value, from, to);
  return converted ? std::move(*converted) : value.Clone(arena_);
}

FieldSet Applier::NamedFieldsOf(const Value& value, TypeId type) {
  return WithNamedFields(FieldsOf(value, type, table_, arena_), type, table_, arena_);
}

// Puts back what was pruned but somebody owns. `at` is the version that both values are in.
void Applier::AddBackOwned(const Version& version, const FieldSet& owned, std::string_view* at,
                           Value* merged, Value* pruned) {
  *merged = Converted(*merged, *at, version.api_version);
  *pruned = Converted(*pruned, *at, version.api_version);
  *at = version.api_version;
  const FieldSet kept = Union(NamedFieldsOf(*pruned, version.type),
                              WithNamedFields(owned, version.type, table_, arena_), arena_);
  const FieldSet gone = Difference(NamedFieldsOf(*merged, version.type), kept, arena_);
  *pruned = RemoveFields(*merged, gone, version.type, table_, arena_);
}

// Puts back what went with its parent though this manager never applied it.
Value Applier::AddBackDangling(const Version& version, const Value& merged, const Value& pruned,
                               const FieldSet& last) {
  const FieldSet gone =
      Difference(NamedFieldsOf(merged, version.type), NamedFieldsOf(pruned, version.type), arena_);
  const FieldSet applied = WithNamedFields(last, version.type, table_, arena_);
  return RemoveFields(merged, Intersection(gone, applied, arena_), version.type, table_, arena_);
}

Value Applier::Prune(const ApplyRequest& request, Value merged, const ManagedFieldsEntry& last,
                     const ManagedFields& managed) {
  const std::string_view now_in = request.self.api_version;
  const Version version{last.id.api_version, type_in_(last.id.api_version).value_or(kNoType)};
  if (version.type == kNoType) return merged;
  const Value converted = Converted(merged, now_in, version.api_version);
  Value pruned = RemoveFields(converted, WithNamedFields(last.fields, version.type, table_, arena_),
                              version.type, table_, arena_);
  std::map<std::string_view, FieldSet> owned;
  for (const ManagedFieldsEntry& entry : managed.entries()) {
    FieldSet& set = owned[entry.id.api_version];
    set = Union(set, entry.fields, arena_);
  }
  // The version that was pruned comes first: other versions may need its fields.
  Value whole = converted.Clone(arena_);
  std::string_view at = version.api_version;
  AddBackOwned(version, owned[version.api_version], &at, &whole, &pruned);
  owned.erase(version.api_version);
  for (const auto& [api_version, set] : owned) {
    const auto type = type_in_(api_version);
    if (type) AddBackOwned({api_version, *type}, set, &at, &whole, &pruned);
  }
  pruned = Converted(pruned, at, version.api_version);
  pruned = AddBackDangling(version, converted, pruned, last.fields);
  return Converted(pruned, version.api_version, now_in);
}

std::expected<std::optional<Value>, std::vector<ApplyConflict>> Applier::Apply(
    const ApplyRequest& request, ManagedFields* managed) {
  const TypeId type = type_in_(request.self.api_version).value_or(kNoType);
  KULISSE_ASSERT(type != kNoType);
  ManagedFields after = *managed;
  ManagedFieldsEntry last;
  if (const ManagedFieldsEntry* found = after.Find(request.self)) last = *found;
  FieldSet applied = FieldsOf(request.config, type, table_, arena_);
  applied = RecursiveDifference(applied, request.reset, arena_);
  if (last.id.api_version.empty()) {
    after.entries().push_back({.id = request.self, .time = {}, .fields = applied, .unread = {}});
  } else {
    ManagedFieldsEntry* self = after.Find(request.self);
    self->id = request.self;
    self->fields = applied;
  }
  Value object = MergeTyped(request.live, request.config, type, table_, arena_);
  if (!last.fields.empty()) object = Prune(request, std::move(object), last, after);

  Comparisons comparisons([&](std::string_view api_version) -> std::optional<Comparison> {
    const auto in = type_in_(api_version);
    if (!in) return std::nullopt;
    const Value before = Converted(request.live, request.self.api_version, api_version);
    const Value behind = Converted(object, request.self.api_version, api_version);
    return CompareObjects(before, behind, *in, table_, request.ignored, arena_);
  });
  if (!request.force) {
    auto conflicts = ConflictsOf(after, request.self, &comparisons, arena_);
    if (!conflicts.empty()) return std::unexpected(std::move(conflicts));
  }
  after.TakeChanged([&](std::string_view version) { return comparisons.In(version); },
                    &request.self, arena_);
  const bool changed = !(object == request.live);
  if (ManagedFieldsEntry* self = after.Find(request.self)) {
    self->fields = Difference(self->fields, request.system, arena_);
    if (changed) self->time = request.now;
    if (self->fields.empty()) {
      std::erase_if(after.entries(),
                    [&](const ManagedFieldsEntry& entry) { return entry.id == request.self; });
    }
  }
  *managed = std::move(after);
  if (!changed) return std::optional<Value>();
  return std::optional<Value>(std::move(object));
}

Status ConflictStatus(const std::vector<ApplyConflict>& conflicts) {
  std::vector<ApplyConflict> sorted = conflicts;
  std::ranges::stable_sort(sorted, {}, ManagerOrder);
  Status status = Status::Plain(409, "");
  status.reason = "Conflict";
  status.details.emplace();
  for (const ApplyConflict& conflict : sorted) {
    status.details->causes.push_back({"FieldManagerConflict",
                                      "conflict with " + ManagerText(conflict.manager),
                                      PathText(conflict.path)});
  }
  if (sorted.size() == 1) {
    status.message =
        fmt::format("Apply failed with 1 conflict: {}: {}", status.details->causes[0].message,
                    status.details->causes[0].field);
    return status;
  }
  std::string list;
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (i == 0 || !(sorted[i].manager == sorted[i - 1].manager)) {
      list +=
          fmt::format("{}conflicts with {}:", i == 0 ? "" : "\n", ManagerText(sorted[i].manager));
    }
    list += "\n- " + status.details->causes[i].field;
  }
  status.message = fmt::format("Apply failed with {} conflicts: {}", sorted.size(), list);
  return status;
}

}  // namespace kulisse::openapi
