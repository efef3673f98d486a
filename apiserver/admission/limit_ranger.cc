// LimitRanger: limit ranges of a namespace give containers their default requests and limits, and
// bound what containers, pods and claims may ask for. Upstream: plugin/pkg/admission/limitranger.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "apiserver/admission/fields.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/admission/resource_list.h"
#include "base/text.h"

namespace kulisse::apiserver {

namespace {

using Kind = AdmissionCache::Kind;
using openapi::Quantity;
using Refusals = std::vector<std::string>;

constexpr std::string_view kAnnotation = "kubernetes.io/limit-ranger";
// Amounts up to this are compared in thousandths.
constexpr int64_t kMilliValueMax = std::numeric_limits<int64_t>::max() / 1000;

// What something asks for.
struct Asked {
  ResourceList requests;
  ResourceList limits;
};

const Quantity* FindAmount(const ResourceList& list, std::string_view name) {
  const auto it = list.find(name);
  return it == list.end() ? nullptr : &it->second;
}

// One entry of spec.limits, as it applies to one resource.
struct Constraint {
  std::string_view type;  // "Container", "Pod", "PersistentVolumeClaim"
  std::string_view resource;
  Quantity enforced;

  void CheckMin(const Asked& asked, Refusals* refusals) const {
    const Quantity* request = FindAmount(asked.requests, resource);
    const Quantity* limit = FindAmount(asked.limits, resource);
    if (request == nullptr) {
      refusals->push_back(Text("minimum") + ".  No request is specified");
    } else if (*request < enforced) {
      refusals->push_back(Text("minimum") + ", but request is " + request->ToString());
    } else if (limit != nullptr && *limit < enforced) {
      refusals->push_back(Text("minimum") + ", but limit is " + limit->ToString());
    }
  }

  void CheckMax(const Asked& asked, Refusals* refusals) const {
    const Quantity* request = FindAmount(asked.requests, resource);
    const Quantity* limit = FindAmount(asked.limits, resource);
    if (limit == nullptr) {
      refusals->push_back(Text("maximum") + ".  No limit is specified");
    } else if (*limit > enforced) {
      refusals->push_back(Text("maximum") + ", but limit is " + limit->ToString());
    } else if (request != nullptr && *request > enforced) {
      refusals->push_back(Text("maximum") + ", but request is " + request->ToString());
    }
  }

  // For claims, which have no limits.
  void CheckMaxRequest(const Asked& asked, Refusals* refusals) const {
    const Quantity* request = FindAmount(asked.requests, resource);
    if (request == nullptr) {
      refusals->push_back(Text("maximum") + ".  No request is specified");
    } else if (*request > enforced) {
      refusals->push_back(Text("maximum") + ", but request is " + request->ToString());
    }
  }

  void CheckRatio(const Asked& asked, Refusals* refusals) const {
    const std::string text = fmt::format("{} max limit to request ratio per {} is {}", resource,
                                         type, enforced.ToString());
    const Quantity* request = FindAmount(asked.requests, resource);
    const Quantity* limit = FindAmount(asked.limits, resource);
    if (request == nullptr || request->Sign() == 0) {
      refusals->push_back(text + ", but no request is specified or request is 0");
      return;
    }
    if (limit == nullptr || limit->Sign() == 0) {
      refusals->push_back(text + ", but no limit is specified or limit is 0");
      return;
    }
    const double ratio = RatioOf(*limit, *request);
    const bool exact = enforced.Value() <= kMilliValueMax;
    const double most = static_cast<double>(exact ? enforced.MilliValue() : enforced.Value());
    if (ratio * (exact ? 1000 : 1) > most) {
      refusals->push_back(fmt::format("{}, but provided ratio is {:.6f}", text, ratio));
    }
  }

 private:
  [[nodiscard]] std::string Text(std::string_view bound) const {
    return fmt::format("{} {} usage per {} is {}", bound, resource, type, enforced.ToString());
  }

  [[nodiscard]] double RatioOf(const Quantity& limit, const Quantity& request) const {
    if (std::max({limit.Value(), request.Value(), enforced.Value()}) <= kMilliValueMax) {
      return static_cast<double>(limit.MilliValue()) / static_cast<double>(request.MilliValue());
    }
    return static_cast<double>(limit.Value()) / static_cast<double>(request.Value());
  }
};

// Holds what one thing asks for against one entry of spec.limits.
void CheckEntry(const json::Value& entry, const Asked& asked, Refusals* refusals) {
  using Check = void (Constraint::*)(const Asked&, Refusals*) const;
  const std::string_view type = entry.FindString({"type"});
  const bool claim = type == "PersistentVolumeClaim";
  const std::pair<std::string_view, Check> checks[] = {
      {"min", &Constraint::CheckMin},
      {"max", claim ? &Constraint::CheckMaxRequest : &Constraint::CheckMax},
      {"maxLimitRequestRatio", claim ? nullptr : &Constraint::CheckRatio},
  };
  for (const auto& [field, check] : checks) {
    if (check == nullptr) continue;
    for (const auto& [name, amount] : ResourceListOf(entry.Find(field))) {
      (Constraint{type, name, amount}.*check)(asked, refusals);
    }
  }
}

Asked AskedBy(const json::Value& holder) {
  return {ResourceListOf(holder.Find({"resources", "requests"})),
          ResourceListOf(holder.Find({"resources", "limits"}))};
}

void CheckPod(const json::Value& entry, const json::Value& spec, Refusals* refusals) {
  const std::string_view type = entry.FindString({"type"});
  if (type == "Container") {
    for (const std::string_view list : {"containers", "initContainers"}) {
      for (const json::Value& container : ListAt(spec, list)) {
        CheckEntry(entry, AskedBy(container), refusals);
      }
    }
  }
  if (type == "Pod") {
    CheckEntry(entry, {PodResources(spec, "requests"), PodResources(spec, "limits")}, refusals);
  }
}

// Go's utilerrors.Aggregate: the same text once, several in brackets.
std::string Aggregate(const Refusals& refusals) {
  Refusals distinct;
  for (const std::string& refusal : refusals) {
    if (std::ranges::find(distinct, refusal) == distinct.end()) distinct.push_back(refusal);
  }
  return distinct.size() == 1 ? distinct[0] : "[" + Join(distinct, ", ") + "]";
}

// Fills in what a container leaves out (`field`: "requests" or "limits"); returns the names.
std::vector<std::string> FillIn(json::Value& container, std::string_view field,
                                const json::Value& defaults, json::Arena& arena) {
  std::vector<std::string> names;
  for (const json::Member& member : defaults.members()) {
    json::Value& amounts =
        container.SetDefaultObject("resources", arena).SetDefaultObject(field, arena);
    if (amounts.Find(member.name) != nullptr) continue;
    amounts.Set(member.name, member.value.Clone(arena), arena);
    names.emplace_back(member.name);
  }
  std::ranges::sort(names);
  return names;
}

// The defaults for containers; of several entries the last one counts.
json::Value ContainerDefaults(const json::Value& range, std::string_view field,
                              json::Arena& arena) {
  json::Value merged = json::Value::Object();
  const json::Value* spec = range.Find("spec");
  if (spec == nullptr) return merged;
  for (const json::Value& entry : ListAt(*spec, "limits")) {
    if (entry.FindString({"type"}) != "Container") continue;
    for (const json::Member& member : MapAt(entry, field)) {
      merged.Set(member.name, member.value.Clone(arena), arena);
    }
  }
  return merged;
}

void SetDefaults(const json::Value& range, json::Document& pod) {
  json::Arena& arena = pod.arena;
  const json::Value requests = ContainerDefaults(range, "defaultRequest", arena);
  const json::Value limits = ContainerDefaults(range, "default", arena);
  std::vector<std::string> notes;
  json::Value& spec = pod.root.SetDefaultObject("spec", arena);
  const std::pair<std::string_view, std::string_view> lists[] = {
      {"containers", "container"}, {"initContainers", "init container"}};
  for (const auto& [list, what] : lists) {
    json::Value* containers = spec.Find(list);
    if (containers == nullptr) continue;
    for (json::Value& container : containers->elements()) {
      const auto set_limits = FillIn(container, "limits", limits, arena);
      const auto set_requests = FillIn(container, "requests", requests, arena);
      const std::string_view name = container.FindString({"name"});
      if (!set_requests.empty()) {
        notes.push_back(fmt::format("{} request for {} {}", Join(set_requests, ", "), what, name));
      }
      if (!set_limits.empty()) {
        notes.push_back(fmt::format("{} limit for {} {}", Join(set_limits, ", "), what, name));
      }
    }
  }
  if (notes.empty()) return;
  pod.root.SetDefaultObject("metadata", arena)
      .SetDefaultObject("annotations", arena)
      .Set(kAnnotation, json::Value::String("LimitRanger plugin set: " + Join(notes, "; "), arena),
           arena);
}

class LimitRanger final : public AdmissionPlugin {
 public:
  explicit LimitRanger(const AdmissionCache& cache) : cache_(cache) {}

  [[nodiscard]] AdmissionInterest Interest() const override {
    return {kOnCreate | kOnUpdate, {"pods", "persistentvolumeclaims"}};
  }

  Result<void> Mutate(AdmissionAttributes& attributes) const override {
    if (!Concerns(attributes) || attributes.resource.storage_name != "pods") return {};
    for (const CachedObjectPtr& range : cache_.List(Kind::kLimitRanges, attributes.ns)) {
      SetDefaults(range->root(), *attributes.object);
    }
    return {};
  }

  Result<void> Validate(const AdmissionAttributes& attributes) const override {
    if (!Concerns(attributes)) return {};
    for (const CachedObjectPtr& range : cache_.List(Kind::kLimitRanges, attributes.ns)) {
      const json::Value* range_spec = range->root().Find("spec");
      const json::Value* spec = attributes.root().Find("spec");
      if (range_spec == nullptr || spec == nullptr) continue;
      Refusals refusals;
      for (const json::Value& entry : ListAt(*range_spec, "limits")) {
        if (attributes.resource.storage_name == "pods") {
          CheckPod(entry, *spec, &refusals);
        } else if (entry.FindString({"type"}) == "PersistentVolumeClaim") {
          CheckEntry(entry, {AskedBy(*spec).requests, {}}, &refusals);
        }
      }
      if (refusals.empty()) continue;
      return std::unexpected(AdmissionForbidden(attributes, Aggregate(refusals)));
    }
    return {};
  }

 private:
  // New pods and those that are resized; claims always. Not what is being deleted.
  static bool Concerns(const AdmissionAttributes& attributes) {
    const bool update = attributes.operation == AdmissionOperation::kUpdate;
    const bool pod = attributes.resource.storage_name == "pods";
    if (attributes.subresource != (pod && update ? "resize" : "")) return false;
    return !update || attributes.old->Find({"metadata", "deletionTimestamp"}) == nullptr;
  }

  const AdmissionCache& cache_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> MakeLimitRanger(const AdmissionOptions& /*options*/,
                                                 const AdmissionParts& parts) {
  return std::make_unique<LimitRanger>(parts.cache);
}

}  // namespace kulisse::apiserver
