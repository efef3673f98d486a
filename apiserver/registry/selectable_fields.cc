#include "apiserver/registry/selectable_fields.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace kulisse::apiserver {

namespace {

enum class Form : uint8_t { kString, kBool, kInt, kNever };

struct SelectableField {
  std::string_view storage_name;
  std::string_view label;  // what clients write
  std::string_view path;   // dots between names, in the storage version
  Form form = Form::kString;

  // What an object without the field is selected by; such values are not kept.
  [[nodiscard]] std::string_view default_value() const {
    switch (form) {
      case Form::kBool:
        return "false";
      case Form::kInt:
        return "0";
      default:
        return "";
    }
  }
};

constexpr std::string_view kCsr = "certificatesigningrequests.certificates.k8s.io";
constexpr std::string_view kSlices = "resourceslices.resource.k8s.io";

// Sorted by storage name. kNever: accepted in selectors, never set.
constexpr auto kFields = std::to_array<SelectableField>({
    {kCsr, "spec.signerName", "spec.signerName"},
    {"events", "involvedObject.kind", "involvedObject.kind"},
    {"events", "involvedObject.namespace", "involvedObject.namespace"},
    {"events", "involvedObject.name", "involvedObject.name"},
    {"events", "involvedObject.uid", "involvedObject.uid"},
    {"events", "involvedObject.apiVersion", "involvedObject.apiVersion"},
    {"events", "involvedObject.resourceVersion", "involvedObject.resourceVersion"},
    {"events", "involvedObject.fieldPath", "involvedObject.fieldPath"},
    {"events", "reason", "reason"},
    {"events", "reportingComponent", "reportingComponent"},
    {"events", "source", "source.component"},
    {"events", "type", "type"},
    {"jobs.batch", "status.successful", "status.succeeded", Form::kInt},
    {"namespaces", "status.phase", "status.phase"},
    {"nodes", "spec.unschedulable", "spec.unschedulable", Form::kBool},
    {"pods", "spec.nodeName", "spec.nodeName"},
    {"pods", "spec.restartPolicy", "spec.restartPolicy"},
    {"pods", "spec.schedulerName", "spec.schedulerName"},
    {"pods", "spec.serviceAccountName", "spec.serviceAccountName"},
    {"pods", "spec.hostNetwork", "spec.hostNetwork", Form::kBool},
    {"pods", "status.phase", "status.phase"},
    {"pods", "status.podIP", "status.podIP"},
    {"pods", "status.podIPs", "status.podIPs", Form::kNever},
    {"pods", "status.nominatedNodeName", "status.nominatedNodeName"},
    {"replicationcontrollers", "status.replicas", "status.replicas", Form::kInt},
    {kSlices, "spec.nodeName", "spec.nodeName"},
    {kSlices, "spec.driver", "spec.driver"},
    {"secrets", "type", "type"},
    {"services", "spec.clusterIP", "spec.clusterIP"},
    {"services", "spec.type", "spec.type"},
});

// events.k8s.io/v1 selects the same events by other names.
struct Alias {
  std::string_view label;
  std::string_view stored;
};
constexpr auto kEventsV1Aliases = std::to_array<Alias>({
    {"regarding.kind", "involvedObject.kind"},
    {"regarding.namespace", "involvedObject.namespace"},
    {"regarding.name", "involvedObject.name"},
    {"regarding.uid", "involvedObject.uid"},
    {"regarding.apiVersion", "involvedObject.apiVersion"},
    {"regarding.resourceVersion", "involvedObject.resourceVersion"},
    {"regarding.fieldPath", "involvedObject.fieldPath"},
    {"reason", "reason"},
    {"reportingController", "reportingComponent"},
    {"type", "type"},
});

std::span<const SelectableField> FieldsOf(std::string_view storage_name) {
  const auto range =
      std::ranges::equal_range(kFields, storage_name, {}, &SelectableField::storage_name);
  return {range.begin(), range.end()};
}

// The name under which a field is stored: itself for most.
std::string_view StoredName(const openapi::ResourceInfo& resource, std::string_view label) {
  if (resource.group == "events.k8s.io") {
    const auto it = std::ranges::find(kEventsV1Aliases, label, &Alias::label);
    return it == kEventsV1Aliases.end() ? std::string_view() : it->stored;
  }
  if (resource.storage_name == "pods" && label == "spec.host") return "spec.nodeName";
  return label;
}

const json::Value* FindPath(const json::Value& object, std::string_view path) {
  const json::Value* value = &object;
  while (!path.empty() && value != nullptr) {
    const size_t dot = path.find('.');
    value = value->Find(path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return value;
}

}  // namespace

void CollectSelectableFields(const openapi::ResourceInfo& resource, const json::Value& object,
                             std::vector<storage::Pair>* fields, std::vector<std::string>* texts) {
  const auto rows = FieldsOf(resource.storage_name);
  texts->reserve(texts->size() + rows.size());  // views into it must stay valid
  for (const SelectableField& row : rows) {
    if (row.form == Form::kNever) continue;
    const json::Value* value = FindPath(object, row.path);
    if (value == nullptr) continue;
    std::string_view text;
    if (value->IsString()) {
      text = value->AsString();
    } else if (value->IsBool()) {
      text = value->AsBool() ? "true" : "false";
    } else if (value->IsInt()) {
      text = texts->emplace_back(std::to_string(value->AsInt()));
    }
    if (!text.empty() && text != row.default_value()) fields->emplace_back(row.label, text);
  }
}

bool IsSelectableField(const openapi::ResourceInfo& resource, std::string_view field) {
  if (field == "metadata.name") return true;
  if (field == "metadata.namespace") return resource.namespaced;
  const std::string_view stored = StoredName(resource, field);
  return std::ranges::any_of(FieldsOf(resource.storage_name), [stored](const auto& row) {
    return row.label == stored && !stored.empty();
  });
}

bool HasOwnSelectableFields(const openapi::ResourceInfo& resource) {
  return !FieldsOf(resource.storage_name).empty();
}

bool Selection::Matches(const openapi::ResourceInfo& resource, std::string_view ns,
                        std::string_view name, const storage::Record& record) const {
  if (!labels.empty() &&
      !labels.Matches([&record](std::string_view label) { return record.Label(label); })) {
    return false;
  }
  if (fields.empty()) return true;
  return fields.Matches([&](std::string_view field) -> std::optional<std::string_view> {
    if (field == "metadata.name") return name;
    if (field == "metadata.namespace") return ns;
    const std::string_view stored = StoredName(resource, field);
    if (const auto value = record.Field(stored)) return value;
    for (const SelectableField& row : FieldsOf(resource.storage_name)) {
      if (row.label == stored) return row.default_value();
    }
    return std::nullopt;
  });
}

NameView SplitKey(const openapi::ResourceInfo& resource, std::string_view key) {
  key.remove_prefix(resource.storage_name.size() + 1);
  if (!resource.namespaced) return {"", key};
  const size_t slash = key.find('/');
  return {key.substr(0, slash), key.substr(slash + 1)};
}

}  // namespace kulisse::apiserver
