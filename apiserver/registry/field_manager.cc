#include "apiserver/registry/field_manager.h"

#include <vector>

#include "apiserver/registry/reset_fields.h"
#include "apiserver/registry/versioned_comparison.h"
#include "base/assert.h"
#include "base/json/parse.h"
#include "base/json/write.h"
#include "openapi/managed_fields/path_element.h"
#include "openapi/typed.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kScale = "scale";

using openapi::ManagedFields;
using openapi::ManagerId;
using openapi::ResourceInfo;

// What an object of each type is before it has any fields.
class EmptyObjects {
 public:
  explicit EmptyObjects(const openapi::TypeTable& types) : objects_(types.types().size()) {
    for (const ResourceInfo& resource : openapi::Catalog::BuiltIn().resources()) {
      Make(resource.type, types);
      for (const auto& subresource : resource.subresources) Make(subresource.type, types);
    }
  }
  [[nodiscard]] const json::Document& Of(openapi::TypeId type) const { return objects_[type]; }

 private:
  void Make(openapi::TypeId type, const openapi::TypeTable& types) {
    if (type == openapi::kNoType || !objects_[type].root.IsNull()) return;
    json::Document& object = objects_[type];
    object.root = json::Value::Object();
    object.root.SetDefaultObject("metadata", object.arena);  // which custom resources have, too
    const auto normalized = openapi::Normalize(object.root, type, types, object.arena, nullptr);
    KULISSE_ASSERT(normalized.has_value());
  }

  std::vector<json::Document> objects_;
};

// Takes metadata.managedFields out of the object; null when there is none.
json::Value TakeManagedFields(json::Document& object) {
  json::Value taken;
  json::Value* metadata = object.root.Find("metadata");
  if (metadata == nullptr) return taken;
  if (json::Value* managed = metadata->Find("managedFields")) {
    taken = std::move(*managed);
    metadata->Remove("managedFields");
  }
  return taken;
}

ManagedFields ParseStored(std::string_view text, json::Arena& arena) {
  auto managed = ManagedFields::Parse(text, arena);
  KULISSE_ASSERT(managed.has_value());  // we wrote it
  return std::move(*managed);
}

}  // namespace

const json::Value& EmptyObject(openapi::TypeId type, const openapi::TypeTable& types) {
  static const EmptyObjects objects(types);
  return objects.Of(type).root;
}

FieldManager::FieldManager(const openapi::Catalog& catalog, const openapi::TypeTable& types,
                           const ResourceInfo& stored, const FieldWriter& writer, SystemTime now)
    : catalog_(catalog),
      types_(types),
      stored_(stored),
      served_(writer.served == nullptr ? stored : *writer.served),
      writer_(writer),
      now_(FormatTime(now)) {}

ManagerId FieldManager::Self(bool applied) {
  std::string manager;
  openapi::AppendEscaped(writer_.manager.empty() ? "unknown" : writer_.manager, &manager);
  return {.manager = arena_.Copy(manager),
          .applied = applied,
          .api_version = arena_.Copy(served_.api_version()),
          .subresource = writer_.subresource};
}

std::string FieldManager::Track(ManagedFields managed, const json::Value& before,
                                const json::Value& after) {
  VersionedComparison comparison(catalog_, types_, stored_, writer_.subresource, before, after,
                                 arena_);
  managed.Update([&](std::string_view version) { return comparison.In(version); }, Self(false),
                 now_, arena_);
  return managed.ToText();
}

std::string FieldManager::Create(json::Document& object, bool given) {
  const json::Value sent = TakeManagedFields(object);
  ManagedFields managed;
  if (sent.IsArray() && !ManagedFields::IsReset(sent)) {
    managed = ManagedFields::FromJson(sent, arena_).value_or(ManagedFields());
  }
  if (given && !managed.empty()) return managed.ToText();
  return Track(std::move(managed), EmptyObject(stored_.type, types_), object.root);
}

std::string FieldManager::Update(std::string_view current, const json::Value& old,
                                 json::Document& object, bool given) {
  const json::Value sent = TakeManagedFields(object);
  if (given) return ManagedFields::FromJson(sent, arena_).value_or(ManagedFields()).ToText();
  if (writer_.subresource == kScale) return UpdateScale(current, old, object.root);
  if (!KeepsManagers(writer_.subresource)) return std::string(current);
  std::optional<ManagedFields> managed;
  if (sent.IsArray() && writer_.subresource.empty() && json::ToString(sent) != current) {
    if (ManagedFields::IsReset(sent)) return "";
    managed = ManagedFields::FromJson(sent, arena_);
    if (managed && managed->empty()) managed.reset();
  }
  // An object whose managers were forgotten has none until somebody applies.
  if (!managed && current.empty()) return "";
  VersionedComparison comparison(catalog_, types_, stored_, writer_.subresource, old, object.root,
                                 arena_);
  const ManagerId self = Self(false);
  if (!managed) {
    if (comparison.In(self.api_version)->empty()) return std::string(current);
    managed = ManagedFields::ParseUnread(current);
    KULISSE_ASSERT(managed.has_value());  // we wrote it
  }
  managed->Update([&](std::string_view version) { return comparison.In(version); }, self, now_,
                  arena_);
  return managed->ToText();
}

void SetManagedFields(std::string_view managed_fields, json::Document& object) {
  if (managed_fields.empty()) return;
  auto managed = json::ParseInto(managed_fields, object.arena);
  KULISSE_ASSERT(managed.has_value());  // we wrote it
  object.root.SetDefaultObject("metadata", object.arena)
      .Set("managedFields", std::move(*managed), object.arena);
}

bool SameManagersButTimes(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  json::Arena arena;
  return ManagedFields::SameButTimes(ParseStored(a, arena), ParseStored(b, arena));
}

}  // namespace kulisse::apiserver
