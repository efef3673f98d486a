#include "apiserver/registry/last_applied.h"

#include <string>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "openapi/managed_fields/compare.h"
#include "openapi/managed_fields/typed_object.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kAnnotation = "kubectl.kubernetes.io/last-applied-configuration";
// Of all keys and values together. Upstream: validation.TotalAnnotationSizeLimitB.
constexpr size_t kAnnotationsBytesMax = 256 << 10;

std::string_view AnnotationOf(const json::Value& object) {
  return object.FindString({"metadata", "annotations", kAnnotation});
}

size_t AnnotationsBytes(const json::Value& annotations) {
  size_t bytes = 0;
  for (const json::Member& member : annotations.members()) {
    bytes += member.name.size() + (member.value.IsString() ? member.value.AsString().size() : 0);
  }
  return bytes;
}

}  // namespace

std::optional<openapi::FieldSet> LastAppliedFields(const json::Value& live, openapi::TypeId type,
                                                   const openapi::TypeTable& types,
                                                   json::Arena& arena) {
  const std::string_view text = AnnotationOf(live);
  if (text.empty()) return std::nullopt;
  const auto last = json::ParseInto(text, arena);
  if (!last || !last->IsObject()) return std::nullopt;
  if (last->FindString({"apiVersion"}) != live.FindString({"apiVersion"})) return std::nullopt;
  if (!openapi::ValidateTyped(*last, type, types).empty()) return std::nullopt;
  openapi::FieldSet fields = openapi::FieldsOf(*last, type, types, arena);
  const openapi::Comparison since = openapi::CompareObjects(*last, live, type, types, {}, arena);
  for (const openapi::FieldSet* changed : {&since.modified, &since.added, &since.removed}) {
    fields = openapi::Difference(fields, *changed, arena);
  }
  return fields;
}

void UpdateLastApplied(const json::Value& config, json::Document& object) {
  if (AnnotationOf(object.root).empty()) return;
  json::Document copy;
  copy.root = config.Clone(copy.arena);
  if (json::Value* annotations = copy.root.Find({"metadata", "annotations"})) {
    annotations->Remove(kAnnotation);
  }
  json::Value* annotations = object.root.Find({"metadata", "annotations"});
  const std::string text = json::ToSortedString(copy.root) + "\n";
  annotations->Set(kAnnotation, json::Value::String(text, object.arena), object.arena);
  if (AnnotationsBytes(*annotations) > kAnnotationsBytesMax) annotations->Remove(kAnnotation);
}

}  // namespace kulisse::apiserver
