// PATCH: the patch is applied to the current object in the version of the request, again on each
// try. Upstream: handlers/patch.go.
#include "openapi/patch/patch.h"

#include <fmt/format.h>

#include <algorithm>

#include "apiserver/handlers/body.h"
#include "apiserver/handlers/resource_handlers.h"
#include "apiserver/registry/conversion.h"
#include "base/json/parse.h"
#include "base/json/write.h"
#include "openapi/typed.h"
#include "openapi/yaml.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kJsonPatch = "application/json-patch+json";
constexpr std::string_view kMergePatch = "application/merge-patch+json";
constexpr std::string_view kStrategicPatch = "application/strategic-merge-patch+json";

Status UnknownPatchType() {
  Status status = Status::UnsupportedMediaType("415: Unsupported Media Type");
  status.details.emplace();
  return status;
}

// The patched object as the error of an unusable result shows it: names sorted at the top.
std::string ShowObject(const json::Value& object) {
  std::vector<const json::Member*> members;
  for (const json::Member& member : object.members()) members.push_back(&member);
  std::ranges::sort(members, {}, [](const json::Member* m) { return m->name; });
  std::string out = "{";
  for (const json::Member* member : members) {
    if (out.size() > 1) out += ',';
    json::AppendString(member->name, &out);
    out += ':';
    json::Append(member->value, &out);
  }
  return out + '}';
}

// Whether a patch names metadata.managedFields, or in a JSON patch something that holds them.
bool LooksAtManagedFields(const json::Value& patch) {
  if (patch.IsObject()) return patch.Find({"metadata", "managedFields"}) != nullptr;
  return std::ranges::any_of(patch.elements(), [](const json::Value& operation) {
    for (const std::string_view name : {"path", "from"}) {
      const json::Value* pointer = operation.Find(name);
      if (pointer == nullptr || !pointer->IsString()) continue;
      const std::string_view path = pointer->AsString();
      if (path.empty() || path == "/metadata" || path.starts_with("/metadata/managedFields")) {
        return true;
      }
    }
    return false;
  });
}

Status UnusableResult(const std::string& shown, std::string_view reason) {
  return Status::Invalid({"", ""}, "", {FieldError::Invalid("patch", GoQuote(shown), reason)});
}

// Why the object cannot be used when the patch made it one of another kind, or "": upstream reads
// it as that first.
std::string WhyOfAnotherKind(json::Value& object, const ExpectedKind& expected,
                             const openapi::TypeTable& types, json::Arena& arena) {
  if (types.Get(expected.type).custom) return "";
  const openapi::Catalog& catalog = openapi::Catalog::BuiltIn();
  const std::string_view version = object.FindString({"apiVersion"});
  const std::string_view kind = object.FindString({"kind"});
  const std::string obstacle = KindObstacle(version, kind, expected, catalog);
  if (obstacle.empty()) return "";
  const size_t slash = version.find('/');
  const bool has_group = slash != std::string_view::npos;
  const openapi::ResourceInfo* other =
      catalog.FindKind(has_group ? version.substr(0, slash) : std::string_view(),
                       has_group ? version.substr(slash + 1) : version, kind);
  if (other == nullptr) return obstacle;
  const auto read = openapi::Normalize(object, other->type, types, arena, nullptr);
  return read ? obstacle : read.error();
}

}  // namespace

Result<void> ApplyPatch(std::string_view media_type, const json::Value& patch,
                        const ExpectedKind& kind, FieldValidation validation,
                        const openapi::TypeTable& types, json::Document& object,
                        std::vector<std::string>* warnings) {
  json::Arena& arena = object.arena;
  object.root.Set("kind", json::Value::String(kind.kind, arena), arena);
  const std::string version = kind.group.empty() ? std::string(kind.version)
                                                 : fmt::format("{}/{}", kind.group, kind.version);
  object.root.Set("apiVersion", json::Value::String(version, arena), arena);
  if (media_type == kJsonPatch) {
    KULISSE_TRY(openapi::ApplyJsonPatch(object.root, patch, arena));
  } else if (media_type == kMergePatch) {
    KULISSE_TRY(openapi::ApplyMergePatch(object.root, patch, arena));
  } else {
    KULISSE_TRY(openapi::ApplyStrategicMergePatch(object.root, patch, kind.type, types, arena));
  }
  if (!object.root.IsObject()) {
    return std::unexpected(
        UnusableResult(json::ToString(object.root), "the result of the patch is no object"));
  }
  const json::Value patched = object.root.CloneSharingStrings(arena);  // for errors
  KeepManagedFieldsReset(object.root, arena);
  const std::string other = WhyOfAnotherKind(object.root, kind, types, arena);
  if (!other.empty()) return std::unexpected(UnusableResult(ShowObject(patched), other));
  openapi::NormalizeReport report;
  report.keeps_empty_lists = true;
  const auto normalized = openapi::Normalize(object.root, kind.type, types, arena, &report,
                                             openapi::TouchedMembers(patch));
  if (!normalized) return std::unexpected(UnusableResult(ShowObject(patched), normalized.error()));
  // Upstream walks the patched document by name at the top.
  std::ranges::stable_sort(report.unknown_fields, {},
                           [](const std::string& path) { return path.substr(0, path.find('.')); });
  const auto reported =
      ReportFields(FieldTexts("unknown", report.unknown_fields), validation, warnings);
  if (!reported) return std::unexpected(UnusableResult(ShowObject(patched), reported.error()));
  return {};
}

Result<Mutation> ResourceHandlers::PatchMutation(RequestState& state,
                                                 const openapi::ResourceInfo& resource,
                                                 FieldValidation validation,
                                                 RequestContext* context) {
  const std::string media_type = MediaTypeOf(state.request);
  if (media_type != kJsonPatch && media_type != kMergePatch && media_type != kStrategicPatch) {
    return std::unexpected(UnknownPatchType());
  }
  if (media_type == kStrategicPatch && resource.custom) {
    return std::unexpected(Status::UnsupportedMediaType(
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"));
  }
  std::vector<std::string> duplicates;
  auto parsed = json::Parse(state.request.body, &duplicates);
  if (!parsed) {
    return std::unexpected(
        Status::BadRequest(fmt::format("error decoding patch: {}", parsed.error().message)));
  }
  if (media_type != kJsonPatch && parsed->root.IsNull()) {
    return std::unexpected(Status::BadRequest("Invalid JSON Patch"));
  }
  if (media_type != kJsonPatch && !parsed->root.IsObject()) {
    return std::unexpected(Status::BadRequest(
        fmt::format("{}json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                    media_type == kStrategicPatch ? "" : "error decoding patch: ",
                    openapi::GoWordOf(parsed->root))));
  }
  if (media_type == kJsonPatch) duplicates.clear();
  context->shows_managed_fields = LooksAtManagedFields(parsed->root);
  auto patch = std::make_shared<json::Document>(std::move(*parsed));
  const ExpectedKind kind{resource.group, resource.version, resource.kind, resource.type};
  auto* warnings = &state.warnings;
  const size_t warnings_before = warnings->size();
  const openapi::TypeTable& types = store_.types();
  const std::string name = state.info.name;
  const std::string request_ns = state.info.ns;
  return [=, &resource, &types](json::Document& object) -> Result<void> {
    warnings->resize(warnings_before);  // of an earlier try
    const bool converts = resource.storage != &resource;
    if (converts) ConvertFromStorage(resource, types, object);
    KULISSE_TRY(ApplyPatch(media_type, patch->root, kind, validation, types, object, warnings));
    const auto reported = ReportFields(FieldTexts("duplicate", duplicates), validation, warnings);
    if (!reported) return std::unexpected(Status::BadRequest(reported.error()));
    if (resource.namespaced) KULISSE_TRY(CheckNamespaceOfUrl(object.root, request_ns));
    KULISSE_TRY(CheckNameOfUrl(object.root.FindString({"metadata", "name"}), name));
    if (converts) ConvertToStorage(resource, types, object);
    return {};
  };
}

Result<HttpResponse> ResourceHandlers::Patch(RequestState& state) {
  const std::string_view subresource =
      state.subresource == nullptr ? std::string_view() : state.subresource->name;
  if (MediaTypeOf(state.request) == kApplyPatch) {
    return subresource == "scale" ? ApplyScale(state) : Apply(state, subresource);
  }
  if (subresource == "scale") return WriteScale(state, true);
  KULISSE_ASSIGN(const WriteOptions options, ParseWriteOptions(state.info.query, "PatchOptions",
                                                               state.request.Find("User-Agent")));
  if (!state.info.query.Text("force").empty()) {
    return std::unexpected(Status::Invalid(
        {"meta.k8s.io", "PatchOptions"}, "",
        {FieldError::Forbidden("force", "may not be specified for non-apply patch")}));
  }
  RequestContext context = Context(state, options);
  KULISSE_ASSIGN(const Mutation mutation,
                 PatchMutation(state, *state.resource, options.field_validation, &context));
  KULISSE_ASSIGN(const WriteResult result, store_.Update(context, *state.resource->storage,
                                                         NameOf(state), subresource, mutation));
  return ObjectResponse(state, 200, *result.record, result.record->revision());
}

}  // namespace kulisse::apiserver
