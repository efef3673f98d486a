// Rules of definitions of custom resources: the object itself. What all versions say alike the real
// server keeps once, beside the versions, and paths name that place; so do ours.
// Upstream: apiextensions-apiserver/pkg/apis/apiextensions/validation.
#include <algorithm>
#include <array>
#include <map>

#include "base/json/value.h"
#include "base/text.h"
#include "openapi/validation/schema_defaults.h"
#include "openapi/validation/schemas.h"
#include "openapi/validation/webhook_client.h"

namespace kulisse::openapi {

namespace {

constexpr size_t kSelectableFieldsMax = 8;
constexpr size_t kDeprecationWarningBytesMax = 256;
constexpr std::string_view kColumnTypes = "must be one of boolean,date,integer,number,string";
constexpr std::string_view kColumnFormats =
    "must be one of byte,date,date-time,double,float,int32,int64,password";
constexpr std::string_view kApproval = "api-approved.kubernetes.io";
constexpr std::string_view kApprovalProposal =
    "see https://github.com/kubernetes/enhancements/pull/1111";

void CheckLabel(std::string_view text, std::string_view prefix, const Path& path, Walk& walk) {
  const Messages messages = Dns1035Label(prefix.empty() ? text : ToLower(text));
  if (!messages.empty()) walk.Invalid(path, text, fmt::format("{}{}", prefix, Join(messages, ",")));
}

// --- a spec as the server keeps it

// What versions have that may be the same in all.
enum Shared : uint8_t { kSchema, kSubresources, kColumns, kSelectableFields };
constexpr size_t kSharedCount = 4;
struct SharedNames {
  std::string_view in_version;
  std::string_view in_spec;
};
constexpr std::array<SharedNames, kSharedCount> kShared = {{
    {"schema", "validation"},
    {"subresources", "subresources"},
    {"additionalPrinterColumns", "additionalPrinterColumns"},
    {"selectableFields", "selectableFields"},
}};

// An empty list is none.
const Value* Given(const Value& version, Shared what) {
  const Value* value = Member(version, kShared[what].in_version);
  return value != nullptr && value->IsArray() && value->size() == 0 ? nullptr : value;
}

class SpecView {
 public:
  explicit SpecView(const Value& spec) : versions_(List(spec, "versions")) {
    for (size_t i = 0; i < kSharedCount; ++i) {
      const auto what = static_cast<Shared>(i);
      const auto same = [&](const Value& version) {
        const Value* a = Given(version, what);
        const Value* b = Given(versions_[0], what);
        return a == nullptr || b == nullptr ? a == b : *a == *b;
      };
      same_[i] = !versions_.empty() && std::ranges::all_of(versions_, same);
    }
  }

  [[nodiscard]] std::span<const Value> versions() const { return versions_; }
  // What all versions say, or null.
  [[nodiscard]] const Value* OfAll(Shared what) const {
    return same_[what] ? Given(versions_[0], what) : nullptr;
  }
  // What this one says and not all, or null.
  [[nodiscard]] const Value* Of(const Value& version, Shared what) const {
    return same_[what] ? nullptr : Given(version, what);
  }
  [[nodiscard]] bool HasStatus(const Value& version) const {
    const Value* subresources =
        same_[kSubresources] ? OfAll(kSubresources) : Given(version, kSubresources);
    return subresources != nullptr && Member(*subresources, "status") != nullptr;
  }
  [[nodiscard]] bool AnyHasStatus() const {
    return std::ranges::any_of(versions_, [this](const Value& v) { return HasStatus(v); });
  }
  // The versions without what is kept beside them.
  [[nodiscard]] Value VersionsAlone(const Value& list, json::Arena& arena) const {
    Value copy = list.Clone(arena);
    for (Value& version : copy.elements()) {
      for (size_t i = 0; i < kSharedCount; ++i) {
        if (same_[i]) version.Remove(kShared[i].in_version);
      }
    }
    return copy;
  }

 private:
  std::span<const Value> versions_;
  std::array<bool, kSharedCount> same_{};
};

// --- parts of a version

void CheckJsonPath(std::string_view json_path, const Path& path, Walk& walk) {
  if (json_path.starts_with('.')) return;
  walk.Invalid(path, json_path, "must be a simple json path starting with .");
}

void CheckReplicasPath(const Value& scale, std::string_view field, std::string_view below,
                       const Path& path, Walk& walk) {
  const std::string_view json_path = Text(scale, field);
  const Path at = path[field];
  if (json_path.empty()) {
    walk.Required(at);
  } else if (!json_path.starts_with('.')) {
    CheckJsonPath(json_path, at, walk);
  } else if (!json_path.starts_with(fmt::format("{}.", below))) {
    walk.Invalid(at, json_path, fmt::format("should be a json path under {}", below));
  }
}

void CheckSubresources(const Value& subresources, const Path& path, Walk& walk) {
  const Value* scale = Member(subresources, "scale");
  if (scale == nullptr) return;
  const Path at = path["scale"];
  CheckReplicasPath(*scale, "specReplicasPath", ".spec", at, walk);
  CheckReplicasPath(*scale, "statusReplicasPath", ".status", at, walk);
  const std::string_view selector = Text(*scale, "labelSelectorPath");
  if (selector.empty()) return;
  CheckJsonPath(selector, at["labelSelectorPath"], walk);
  if (selector.starts_with('.') && !selector.starts_with(".spec.") &&
      !selector.starts_with(".status.")) {
    walk.Invalid(at["labelSelectorPath"], selector,
                 "should be a json path under either .spec or .status");
  }
}

void CheckColumn(const Value& column, const Path& path, Walk& walk) {
  constexpr std::string_view kTypes[] = {"boolean", "date", "integer", "number", "string"};
  constexpr std::string_view kFormats[] = {"byte",  "date",  "date-time", "double",
                                           "float", "int32", "int64",     "password"};
  const std::string_view type = Text(column, "type");
  const std::string_view format = Text(column, "format");
  const std::string_view json_path = Text(column, "jsonPath");
  if (Text(column, "name").empty()) walk.Required(path["name"]);
  if (type.empty()) {
    walk.Required(path["type"], kColumnTypes);
  } else if (std::ranges::find(kTypes, type) == std::end(kTypes)) {
    walk.Invalid(path["type"], type, kColumnTypes);
  }
  if (!format.empty() && std::ranges::find(kFormats, format) == std::end(kFormats)) {
    walk.Invalid(path["format"], format, kColumnFormats);
  }
  if (json_path.empty()) {
    walk.Required(path["JSONPath"]);
  } else {
    CheckJsonPath(json_path, path["JSONPath"], walk);
  }
}

void CheckColumns(const Value* columns, const Path& path, Walk& walk) {
  if (columns == nullptr) return;
  size_t index = 0;
  for (const Value& column : columns->elements()) CheckColumn(column, path[index++], walk);
}

void CheckSelectableFields(const Value& fields, const Value& schema, const Path& path, Walk& walk) {
  NameSet paths;
  size_t count = 0;
  size_t index = 0;
  for (const Value& field : fields.elements()) {
    const Path element = path[index++];
    const Path at = element["jsonPath"];
    const std::string_view json_path = Text(field, "jsonPath");
    if (json_path.empty()) {
      walk.Required(at);
      continue;
    }
    const FieldInSchema found = FindFieldInSchema(schema, json_path, false);
    if (!found.error.empty()) {
      walk.Invalid(at, json_path, "is an invalid path: " + found.error);
      continue;
    }
    if (found.first == "metadata") {
      walk.Invalid(at, json_path, "must not point to fields in metadata");
    }
    const std::string_view type = Text(*found.schema, "type");
    if (type != "string" && type != "boolean" && type != "integer") {
      walk.Invalid(at, json_path,
                   "must point to a field of type string, boolean or integer. Enum string fields "
                   "and strings with formats are allowed.");
    }
    if (paths.Insert(json_path)) {
      ++count;
    } else {
      walk.Duplicate(at, json_path);
    }
  }
  if (count > kSelectableFieldsMax) walk.TooMany(path, count, kSelectableFieldsMax);
}

// `path` is of that what has both.
void CheckSelectable(const Value* fields, const Value* validation, std::string_view none,
                     const Path& path, Walk& walk) {
  if (fields == nullptr) return;
  const Path at = path["selectableFields"];
  const Value* schema = validation == nullptr ? nullptr : Member(*validation, "openAPIV3Schema");
  if (schema == nullptr) return walk.Invalid(at, "", none);
  const std::string obstacle = StructuralObstacle(*schema);
  if (obstacle.empty()) return CheckSelectableFields(*fields, *schema, at, walk);
  walk.Invalid(path["schema"]["openAPIV3Schema"], "", obstacle);
}

// --- schemas

// With a status of its own, the schema of the whole must not rule over it.
void CheckRootFields(const Value& schema, const Path& path, Walk& walk) {
  // Go's names, in its order; JSON's are alike but for those in the second column.
  constexpr std::pair<std::string_view, std::string_view> kAllowed[] = {
      {"Description", "description"},
      {"Type", "type"},
      {"Format", "format"},
      {"Title", "title"},
      {"Maximum", "maximum"},
      {"ExclusiveMaximum", "exclusiveMaximum"},
      {"Minimum", "minimum"},
      {"ExclusiveMinimum", "exclusiveMinimum"},
      {"MaxLength", "maxLength"},
      {"MinLength", "minLength"},
      {"Pattern", "pattern"},
      {"MaxItems", "maxItems"},
      {"MinItems", "minItems"},
      {"UniqueItems", "uniqueItems"},
      {"MultipleOf", "multipleOf"},
      {"Required", "required"},
      {"Items", "items"},
      {"Properties", "properties"},
      {"ExternalDocs", "externalDocs"},
      {"Example", "example"},
      {"XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields"},
      {"XValidations", "x-kubernetes-validations"}};
  constexpr std::string_view kBeforeType[] = {"id", "$schema", "$ref"};
  const auto allowed = [&](std::string_view name) {
    return std::ranges::find(kAllowed, name,
                             &std::pair<std::string_view, std::string_view>::second) !=
           std::end(kAllowed);
  };
  const bool early = std::ranges::any_of(
      kBeforeType, [&](std::string_view name) { return Member(schema, name) != nullptr; });
  const std::string_view type = Text(schema, "type");
  if (!early && !type.empty() && type != "object") {
    return walk.Invalid(path["type"], type,
                        "only \"object\" is allowed as the type at the root of the schema if the "
                        "status subresource is enabled");
  }
  const auto is_other = [&](const json::Member& member) { return !allowed(member.name); };
  if (std::ranges::none_of(schema.members(), is_other)) return;
  static const TypeId kType =
      TypeOf("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps");
  std::string names;
  for (const auto& [name, json_name] : kAllowed)
    names.append(names.empty() ? "" : " ").append(name);
  walk.Invalid(path, schema, kType,
               fmt::format("only [{}] fields are allowed at the root of the schema if the status "
                           "subresource is enabled",
                           names));
}

void CheckValidation(const Value* validation, bool has_status, const Path& path, Walk& walk) {
  const Value* schema = validation == nullptr ? nullptr : Member(*validation, "openAPIV3Schema");
  if (schema == nullptr) return;
  const Path at = path["openAPIV3Schema"];
  const size_t errors_before = walk.error_count();
  if (has_status) CheckRootFields(*schema, at, walk);
  if (True(*schema, "nullable")) {
    walk.Forbidden(at["nullable"], "nullable cannot be true at the root");
  }
  const std::string obstacle = StructuralObstacle(*schema);
  SchemaState state{.structural = obstacle.empty(), .compiles_rules = false};
  if (state.structural) {
    const size_t errors = walk.error_count();
    CheckStructure(*schema, at, walk);
    if (walk.error_count() == errors) CheckSchemaDefaults(*schema, at, walk);
    state.compiles_rules = walk.error_count() == errors;
  }
  CheckSchema(*schema, state, at, walk);
  // Else the other rules have said it.
  if (!obstacle.empty() && walk.error_count() == errors_before) walk.Invalid(at, "", obstacle);
}

bool HasDefaults(const Value& version) {
  const Value* schema = Part(version, "schema").Find("openAPIV3Schema");
  return schema != nullptr &&
         SchemaHas(*schema, [](const Value& part) { return Member(part, "default") != nullptr; });
}

// --- versions

void CheckDeprecation(const Value& version, const Path& path, Walk& walk) {
  const Value* warning = Member(version, "deprecationWarning");
  if (warning == nullptr) return;
  const std::string_view text = warning->AsString();
  const Path at = path["deprecationWarning"];
  if (!True(version, "deprecated")) {
    return walk.Invalid(at, text, "can only be set for deprecated versions");
  }
  if (text.size() > kDeprecationWarningBytesMax) {
    walk.Invalid(at, text, "must be <= 256 characters long");
  }
  if (text.empty()) walk.Invalid(at, text, "must not be an empty string");
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  const auto control = std::ranges::find_if(text, is_control);
  if (control != text.end()) {
    walk.Invalid(at, text,
                 fmt::format("must only contain printable UTF-8 characters; non-printable "
                             "character found at index {}",
                             control - text.begin()));
  }
}

void CheckVersion(const SpecView& view, const Value& version, const Path& path, Walk& walk) {
  CheckLabel(Text(version, "name"), "", path["name"], walk);
  CheckDeprecation(version, path, walk);
  CheckValidation(view.Of(version, kSchema), view.HasStatus(version), path["schema"], walk);
  if (const Value* subresources = view.Of(version, kSubresources)) {
    CheckSubresources(*subresources, path["subresources"], walk);
  }
  CheckColumns(view.Of(version, kColumns), path["additionalPrinterColumns"], walk);
  CheckSelectable(view.Of(version, kSelectableFields), view.Of(version, kSchema),
                  "may only be set when `version.schema.openAPIV3Schema` is not included", path,
                  walk);
}

void CheckVersions(const Value& spec, const SpecView& view, const Path& path, Walk& walk) {
  const Path list = path["versions"];
  size_t index = 0;
  for (const Value& version : view.versions()) {
    const Path at = list[index++];
    const Value* schema = Part(version, "schema").Find("openAPIV3Schema");
    if (schema == nullptr || schema->IsNull()) walk.Required(at["schema"]["openAPIV3Schema"]);
  }
  if (True(spec, "preserveUnknownFields") && std::ranges::any_of(view.versions(), HasDefaults)) {
    walk.InvalidText(path["preserveUnknownFields"], "true",
                     "must be false in order to use defaults in the schema");
  }
  size_t stored = 0;
  bool unique = true;
  NameSet names;
  index = 0;
  for (const Value& version : view.versions()) {
    if (True(version, "storage")) ++stored;
    unique = names.Insert(Text(version, "name")) && unique;
    CheckVersion(view, version, list[index++], walk);
  }
  if (unique && stored == 1) return;
  static const TypeId kVersion = TypeOf(
      "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion");
  const auto refuse = [&](std::string_view detail) {
    const Value* versions = Member(spec, "versions");
    if (versions == nullptr) return walk.InvalidText(list, "null", detail);
    json::Arena arena;
    walk.Invalid(list, view.VersionsAlone(*versions, arena), kVersion, detail);
  };
  if (!unique) refuse("must contain unique version names");
  if (stored != 1) refuse("must have exactly one version marked as storage version");
}

// --- names

void CheckNames(const Value& names, const Path& path, Walk& walk) {
  constexpr std::string_view kMixed = "may have mixed case, but should otherwise match: ";
  for (const std::string_view field : {"plural", "singular", "kind", "listKind"}) {
    const std::string_view text = Text(names, field);
    const bool mixed = field == "kind" || field == "listKind";
    if (!text.empty()) CheckLabel(text, mixed ? kMixed : "", path[field], walk);
  }
  const auto check_list = [&](std::string_view field) {
    const Path list = path[field];
    size_t index = 0;
    for (const Value& name : List(names, field)) {
      CheckLabel(name.AsString(), "", list[index++], walk);
    }
  };
  check_list("shortNames");
  const std::string_view kind = Text(names, "kind");
  if (!kind.empty() && kind == Text(names, "listKind")) {
    walk.Invalid(path["listKind"], kind, "kind and listKind may not be the same");
  }
  check_list("categories");
}

// --- conversion

void CheckReviewVersions(std::span<const Value> versions, const Value* list, const Path& path,
                         Walk& walk) {
  if (versions.empty()) return walk.Required(path);
  NameSet seen;
  size_t index = 0;
  for (const Value& version : versions) {
    const Path at = path[index++];
    if (!seen.Insert(version.AsString())) {
      walk.Invalid(at, version.AsString(), "duplicate version");
    } else {
      walk.Check(at, version.AsString(), Dns1035Label);
    }
  }
  if (seen.Has("v1") || seen.Has("v1beta1")) return;
  walk.Invalid(path, *list, "must include at least one of v1, v1beta1");
}

void CheckConversion(const Value& spec, const Path& path, Walk& walk) {
  const Value* conversion = Member(spec, "conversion");
  if (conversion == nullptr) return;
  const Path at = path["conversion"];
  const std::string_view strategy = Text(*conversion, "strategy");
  if (strategy != "None" && True(spec, "preserveUnknownFields")) {
    walk.Invalid(at["strategy"], strategy, "must be None if spec.preserveUnknownFields is true");
  }
  if (strategy.empty()) {
    walk.Required(at["strategy"]);
  } else {
    walk.Enum(at["strategy"], strategy, {"None", "Webhook"});
  }
  const Value* webhook = Member(*conversion, "webhook");
  const Value* config = webhook == nullptr ? nullptr : Member(*webhook, "clientConfig");
  const Value* versions =
      webhook == nullptr ? nullptr : Member(*webhook, "conversionReviewVersions");
  const Path config_path = at["webhookClientConfig"];
  const Path versions_path = at["conversionReviewVersions"];
  if (strategy == "Webhook") {
    if (config == nullptr) {
      walk.Required(config_path, "required when strategy is set to Webhook");
    } else {
      CheckWebhookClient(*config, config_path, walk);
    }
    CheckReviewVersions(versions == nullptr ? std::span<const Value>() : versions->elements(),
                        versions, versions_path, walk);
    return;
  }
  constexpr std::string_view kUnset = "should not be set when strategy is not set to Webhook";
  if (config != nullptr) walk.Forbidden(config_path, kUnset);
  if (!IsEmpty(versions)) walk.Forbidden(versions_path, kUnset);
}

// --- the whole

void CheckName(const Value& definition, const Path& path, Walk& walk) {
  const std::string wanted =
      fmt::format("{}.{}", definition.FindString({"spec", "names", "plural"}),
                  definition.FindString({"spec", "group"}));
  for (const std::string_view field : {"generateName", "name"}) {
    const std::string_view name = definition.FindString({"metadata", field});
    if (name.empty() || name == wanted) continue;
    walk.Invalid(path["metadata"][field], name, "must be spec.names.plural+\".\"+spec.group");
  }
}

void CheckGroup(std::string_view group, const Path& path, Walk& walk) {
  if (group.empty()) return walk.Required(path);
  const Messages messages = Dns1123Subdomain(group);
  if (!messages.empty()) {
    walk.Invalid(path, group, Join(messages, ","));
  } else if (group.find('.') == group.npos) {
    walk.Invalid(path, group, "should be a domain with at least one dot");
  }
}

void CheckSpec(const Value& spec, const Path& path, Walk& walk) {
  const SpecView view(spec);
  CheckGroup(Text(spec, "group"), path["group"], walk);
  if (Text(spec, "scope").empty()) {
    walk.Required(path["scope"]);
  } else {
    walk.Enum(path["scope"], Text(spec, "scope"), {"Cluster", "Namespaced"});
  }
  CheckVersions(spec, view, path, walk);
  const std::string_view version = view.versions().empty() ? "" : Text(view.versions()[0], "name");
  if (!version.empty()) CheckLabel(version, "", path["version"], walk);
  const Value& names = Part(spec, "names");
  const Path names_path = path["names"];
  for (const std::string_view field : {"plural", "singular", "kind", "listKind"}) {
    if (Text(names, field).empty()) walk.Required(names_path[field]);
  }
  CheckNames(names, names_path, walk);
  CheckValidation(view.OfAll(kSchema), view.AnyHasStatus(), path["validation"], walk);
  if (const Value* subresources = view.OfAll(kSubresources)) {
    CheckSubresources(*subresources, path["subresources"], walk);
  }
  CheckColumns(view.OfAll(kColumns), path["additionalPrinterColumns"], walk);
  CheckSelectable(view.OfAll(kSelectableFields), view.OfAll(kSchema),
                  "may only be set when validations.schema is included", path, walk);
  CheckConversion(spec, path, walk);
}

void CheckStoredVersions(const Value& definition, const Path& path, Walk& walk) {
  const Value& status = Part(definition, "status");
  const auto stored = List(status, "storedVersions");
  const Path status_path = path["status"];
  const Path at = status_path["storedVersions"];
  const Value* list = Member(status, "storedVersions");
  if (stored.empty()) {
    return walk.Invalid(at, list, "must have at least one stored version");
  }
  std::map<std::string_view, size_t> gone;  // stored and not among the versions
  for (size_t i = 0; i < stored.size(); ++i) gone[stored[i].AsString()] = i;
  for (const Value& version : List(Part(definition, "spec"), "versions")) {
    const std::string_view name = Text(version, "name");
    const bool kept = gone.erase(name) > 0;
    if (!True(version, "storage") || kept) continue;
    walk.Invalid(at, list, fmt::format("must have the storage version {}", name));
  }
  for (const auto& [name, index] : gone) {
    walk.Invalid(at[index], name,
                 fmt::format("missing from spec.versions; {0} was previously a storage version, "
                             "and must remain in spec.versions until a storage migration ensures "
                             "no data remains persisted in {0} and removes {0} from "
                             "status.storedVersions",
                             name));
  }
}

// Groups of the Kubernetes project ask for a word that their API was approved.
enum class Approval : uint8_t { kMissing, kInvalid, kGiven };

Approval ApprovalOf(const Value& definition) {
  const std::string_view text = definition.FindString({"metadata", "annotations", kApproval});
  if (text.empty()) return Approval::kMissing;
  const size_t scheme = text.find("://");
  const bool is_url =
      scheme != text.npos && scheme > 0 && text.size() > scheme + 3 && text[scheme + 3] != '/';
  return is_url || text.starts_with("unapproved") ? Approval::kGiven : Approval::kInvalid;
}

void CheckApproval(const Value& definition, const Path& path, Walk& walk) {
  const std::string_view group = definition.FindString({"spec", "group"});
  const bool is_protected = group == "k8s.io" || group.ends_with(".k8s.io") ||
                            group == "kubernetes.io" || group.ends_with(".kubernetes.io");
  if (!is_protected) return;
  const Approval approval = ApprovalOf(definition);
  if (walk.old() != nullptr && ApprovalOf(*walk.old()) == approval) return;
  const Path metadata = path["metadata"];
  const Path annotations = metadata["annotations"];
  const Path at = annotations.Key(kApproval);
  if (approval == Approval::kMissing) {
    walk.Required(at, fmt::format("protected groups must have approval annotation \"{}\", {}",
                                  kApproval, kApprovalProposal));
  } else if (approval == Approval::kInvalid) {
    walk.Invalid(at, definition.FindString({"metadata", "annotations", kApproval}),
                 fmt::format("protected groups must have approval annotation \"{}\" with either a "
                             "URL or a reason starting with \"unapproved\", {}",
                             kApproval, kApprovalProposal));
  }
}

bool IsEstablished(const Value& definition) {
  return std::ranges::any_of(
      List(Part(definition, "status"), "conditions"), [](const Value& condition) {
        return Text(condition, "type") == "Established" && Text(condition, "status") == "True";
      });
}

void Immutable(const Value& definition, const Path& path, Walk& walk) {
  const Value& spec = Part(definition, "spec");
  const Value& old = Part(*walk.old(), "spec");
  const Value& names = Part(spec, "names");
  const Value& old_names = Part(old, "names");
  const auto keep = [&](const Value& now, const Value& before, std::string_view field,
                        const Path& at) {
    if (Text(now, field) != Text(before, field)) {
      walk.Invalid(at, Text(now, field), "field is immutable");
    }
  };
  const Path names_path = path["names"];
  if (IsEstablished(*walk.old())) {
    keep(spec, old, "scope", path["scope"]);
    keep(names, old_names, "kind", names_path["kind"]);
  }
  keep(spec, old, "group", path["group"]);
  keep(names, old_names, "plural", names_path["plural"]);
}

void DefinitionStatus(const Value& definition, const Path& path, Walk& walk) {
  const Path status = path["status"];
  CheckNames(Part(Part(definition, "status"), "acceptedNames"), status["acceptedNames"], walk);
}

void Definition(const Value& definition, const Path& path, Walk& walk) {
  if (walk.old() == nullptr) CheckName(definition, path, walk);
  const Path spec = path["spec"];
  CheckSpec(Part(definition, "spec"), spec, walk);
  if (walk.old() != nullptr) Immutable(definition, spec, walk);
  DefinitionStatus(definition, path, walk);
  CheckStoredVersions(definition, path, walk);
  CheckApproval(definition, path, walk);
  const bool preserved =
      walk.old() != nullptr && True(Part(*walk.old(), "spec"), "preserveUnknownFields");
  if (preserved || !True(Part(definition, "spec"), "preserveUnknownFields")) return;
  walk.InvalidText(spec["preserveUnknownFields"], "true",
                   "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
                   "spec.versions[*].schema instead");
}

constexpr NamedCheck kChecks[] = {
    {"definition", Definition},
    {"definitionStatus", DefinitionStatus},
};

}  // namespace

std::span<const NamedCheck> DefinitionChecks() { return kChecks; }

}  // namespace kulisse::openapi
