// PATCH with application/apply-patch+yaml: server-side apply, which makes the object if it is not
// there. Upstream: handlers/patch.go (applyPatcher).
#include <fmt/format.h>

#include "apiserver/handlers/resource_handlers.h"
#include "apiserver/registry/field_manager.h"
#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/text.h"
#include "openapi/typed.h"
#include "openapi/yaml.h"

namespace kulisse::apiserver {

namespace {

// How often an apply turns from update to create and back, when others delete and create.
constexpr int kApplyTriesMax = 3;

struct Configuration {
  json::Document document;
  std::vector<std::string> duplicates;
};

Result<Configuration> DecodeConfiguration(const HttpRequest& request) {
  Configuration configuration;
  // Programs send JSON, which is read faster; what is not quite JSON is YAML.
  std::vector<std::string> doubled;
  if (auto document = json::Parse(request.body, &doubled);
      document && document->root.IsObject() && doubled.empty()) {
    configuration.document = std::move(*document);
    return configuration;
  }
  auto parsed = openapi::ParseYaml(request.body, &configuration.duplicates);
  if (!parsed) {
    return std::unexpected(Status::BadRequest(
        fmt::format("error decoding YAML: error converting YAML to JSON: {}", parsed.error())));
  }
  configuration.document = std::move(*parsed);
  json::Value& root = configuration.document.root;
  if (root.IsNull()) root = json::Value::Object();
  if (root.IsObject()) return configuration;
  return std::unexpected(Status::BadRequest(
      fmt::format("error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot "
                  "unmarshal {} into Go value of type map[string]interface {{}}",
                  openapi::GoWordOf(root))));
}

// Keys that came twice are an error or a warning, after all else.
Result<void> ReportDuplicates(const Configuration& configuration, FieldValidation validation,
                              std::vector<std::string>* warnings) {
  if (configuration.duplicates.empty() || validation == FieldValidation::kIgnore) return {};
  const std::string error =
      fmt::format("error converting YAML to JSON: yaml: unmarshal errors:\n  {}",
                  Join(configuration.duplicates, "\n  "));
  if (validation == FieldValidation::kStrict) {
    return std::unexpected(Status::BadRequest("error strict decoding YAML: " + error));
  }
  warnings->insert(warnings->end(), configuration.duplicates.begin(),
                   configuration.duplicates.end());
  return {};
}

Result<void> CheckApplied(const RequestState& state, const json::Value& object) {
  if (state.resource->namespaced) KULISSE_TRY(CheckNamespaceOfUrl(object, state.info.ns));
  return RequireNameOfUrl(object.FindString({"metadata", "name"}), state.info.name);
}

// The managers that a mutation sees in the object, as text; they leave it.
std::string TakeManagers(json::Document& object) {
  json::Value* metadata = object.root.Find("metadata");
  if (metadata == nullptr) return "";
  const json::Value* managed = metadata->Find("managedFields");
  if (managed == nullptr) return "";
  std::string text = json::ToString(*managed);
  metadata->Remove("managedFields");
  return text;
}

}  // namespace

Result<HttpResponse> ResourceHandlers::Apply(RequestState& state, std::string_view subresource) {
  KULISSE_ASSIGN(const WriteOptions options, ParseApplyOptions(state.info.query));
  KULISSE_ASSIGN(const Configuration configuration, DecodeConfiguration(state.request));
  const openapi::ResourceInfo& stored = *state.resource->storage;
  RequestContext context = Context(state, options);
  context.shows_managed_fields = true;
  context.gives_managed_fields = true;
  const AppliedConfig applied{configuration.document.root, options.force};
  const auto apply = [&](std::string_view managers,
                         const json::Value* live) -> Result<json::Document> {
    FieldManager manager(
        store_.catalog(), store_.types(), stored,
        {.manager = options.field_manager, .served = state.resource, .subresource = subresource},
        store_.runtime().Now());
    KULISSE_ASSIGN(AppliedObject result, manager.Apply(managers, live, applied));
    SetManagedFields(result.managed_fields, result.object);
    KULISSE_TRY(ReportDuplicates(configuration, options.field_validation, &state.warnings));
    KULISSE_TRY(CheckApplied(state, result.object.root));
    return std::move(result.object);
  };
  const size_t warnings_before = state.warnings.size();
  const auto mutation = [&](json::Document& object) -> Result<void> {
    state.warnings.resize(warnings_before);  // of an earlier try
    const std::string managers = TakeManagers(object);
    KULISSE_ASSIGN(object, apply(managers, &object.root));
    return {};
  };
  for (int tries = 1;; ++tries) {
    auto result = store_.Update(context, stored, NameOf(state), subresource, mutation);
    const bool missing = !result && result.error().IsNotFound() && subresource.empty();
    if (missing) {
      state.warnings.resize(warnings_before);
      KULISSE_ASSIGN(json::Document object, apply("", nullptr));
      const std::string_view uid = object.root.FindString({"metadata", "uid"});
      if (!uid.empty()) {
        return std::unexpected(Status::Conflict(
            state.resource->group_resource(), state.info.name,
            fmt::format("uid mismatch: the provided object specified uid {}, and no existing "
                        "object was found",
                        uid)));
      }
      object.root.SetDefaultObject("metadata", object.arena).Remove("resourceVersion");
      result = store_.Create(context, stored, NameOf(state).ns, std::move(object));
      if (!result && result.error().IsAlreadyExists() && tries < kApplyTriesMax) continue;
    }
    if (!result) return std::unexpected(std::move(result).error());
    return ObjectResponse(state, result->created ? 201 : 200, *result->record,
                          result->record->revision());
  }
}

Result<HttpResponse> ResourceHandlers::ApplyScale(RequestState& state) {
  KULISSE_ASSIGN(const WriteOptions options, ParseApplyOptions(state.info.query));
  KULISSE_ASSIGN(const Configuration configuration, DecodeConfiguration(state.request));
  RequestContext context = Context(state, options);
  context.shows_managed_fields = true;
  context.gives_managed_fields = true;
  context.scales = true;
  const AppliedConfig applied{configuration.document.root, options.force};
  const auto mutation = [&](json::Document& object) -> Result<void> {
    const std::string managers = TakeManagers(object);
    FieldManager manager(store_.catalog(), store_.types(), *state.resource,
                         {.manager = options.field_manager,
                          .served = state.resource,
                          .subresource = state.subresource->name},
                         store_.runtime().Now());
    json::Document scale = ScaleOf(object.root);
    KULISSE_ASSIGN(const auto result,
                   manager.ApplyScale(managers, scale.root, state.subresource->type, applied));
    scale.root.SetDefaultObject("spec", scale.arena)
        .Set("replicas", json::Value::Int(result.first), scale.arena);
    KULISSE_TRY(CheckScale(scale.root, state.info.name));
    object.root.SetDefaultObject("spec", object.arena)
        .Set("replicas", json::Value::Int(result.first), object.arena);
    SetManagedFields(result.second, object);
    return ReportDuplicates(configuration, options.field_validation, &state.warnings);
  };
  KULISSE_ASSIGN(const WriteResult result,
                 store_.Update(context, *state.resource, NameOf(state), "", mutation));
  return ScaleResponse(state, *result.record);
}

}  // namespace kulisse::apiserver
