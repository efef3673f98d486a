#include "apiserver/registry/app_armor.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace kulisse::apiserver {

namespace {

using json::Value;

constexpr std::string_view kLocalhost = "localhost/";
constexpr size_t kProfileBytesMax = 4095;  // a path's

bool HasAnnotations(const Value* annotations) {
  return annotations != nullptr &&
         std::ranges::any_of(annotations->members(), [](const json::Member& member) {
           return member.name.starts_with(kAppArmorAnnotation);
         });
}

}  // namespace

std::optional<Value> AppArmorProfileOf(std::string_view annotation, json::Arena& arena) {
  Value profile = Value::Object();
  if (annotation == "unconfined" || annotation == "runtime/default") {
    profile.Set("type",
                Value::StringRef(annotation == "unconfined" ? "Unconfined" : "RuntimeDefault"),
                arena);
    return profile;
  }
  if (!annotation.starts_with(kLocalhost)) return std::nullopt;
  const std::string_view name = annotation.substr(kLocalhost.size());
  if (name.empty() || TrimSpace(name) != name || name.size() > kProfileBytesMax) {
    return std::nullopt;
  }
  profile.Set("type", Value::StringRef("Localhost"), arena);
  profile.Set("localhostProfile", Value::String(name, arena), arena);
  return profile;
}

void WriteAppArmorProfiles(json::Document& pod, std::vector<std::string>* warnings) {
  const Value* annotations = pod.root.Find({"metadata", "annotations"});
  Value* spec = pod.root.Find("spec");
  if (spec == nullptr || !HasAnnotations(annotations)) return;
  if (spec->FindString({"os", "name"}) == "windows") return;
  const Value* of_pod = spec->Find({"securityContext", "appArmorProfile"});
  for (const std::string_view list : {"initContainers", "containers"}) {
    Value* containers = spec->Find(list);
    if (containers == nullptr) continue;
    for (Value& container : containers->elements()) {
      const std::string key =
          std::string(kAppArmorAnnotation).append(container.FindString({"name"}));
      const Value* annotation = annotations->Find(key);
      if (annotation == nullptr || !annotation->IsString() ||
          container.Find({"securityContext", "appArmorProfile"}) != nullptr) {
        continue;
      }
      auto profile = AppArmorProfileOf(annotation->AsString(), pod.arena);
      if (profile && of_pod != nullptr && *of_pod == *profile) continue;
      if (profile) {
        container.SetDefaultObject("securityContext", pod.arena)
            .Set("appArmorProfile", std::move(*profile), pod.arena);
      }
      if (warnings == nullptr) continue;
      warnings->push_back(
          fmt::format("metadata.annotations[{}]: deprecated since v1.30; use the "
                      "\"appArmorProfile\" field instead",
                      key));
    }
  }
}

}  // namespace kulisse::apiserver
