#include "openapi/validation/resources.h"

#include <algorithm>
#include <map>

#include "openapi/label_syntax.h"
#include "openapi/quantity.h"

namespace kulisse::openapi {

namespace {

constexpr std::string_view kContainerResources[] = {"cpu", "memory", "ephemeral-storage"};
constexpr std::string_view kIntegerResources[] = {"pods",
                                                  "resourcequotas",
                                                  "services",
                                                  "replicationcontrollers",
                                                  "secrets",
                                                  "configmaps",
                                                  "persistentvolumeclaims",
                                                  "services.nodeports",
                                                  "services.loadbalancers"};
constexpr std::string_view kRequestResources[] = {
    "requests.cpu", "requests.memory", "requests.storage",        "requests.ephemeral-storage",
    "limits.cpu",   "limits.memory",   "limits.ephemeral-storage"};

template <size_t N>
bool IsOneOf(std::string_view name, const std::string_view (&names)[N]) {
  return std::ranges::find(names, name) != std::end(names);
}

bool IsHugePages(std::string_view name) { return name.starts_with("hugepages-"); }
bool IsQuotaHugePages(std::string_view name) {
  return IsHugePages(name) || name.starts_with("requests.hugepages-");
}
bool IsStandardQuota(std::string_view name) {
  return IsOneOf(name, kContainerResources) || IsOneOf(name, kIntegerResources) ||
         IsOneOf(name, kRequestResources) || IsQuotaHugePages(name);
}
bool IsStandard(std::string_view name) { return IsStandardQuota(name) || name == "storage"; }
bool IsNative(std::string_view name) {
  return name.find('/') == std::string_view::npos ||
         name.find("kubernetes.io/") != std::string_view::npos;
}
bool HasOnePart(std::string_view name) { return name.find('/') == std::string_view::npos; }

bool IsDivisible(std::string_view name, const Quantity& amount) {
  const auto size = Quantity::Parse(name.substr(std::string_view("hugepages-").size()));
  if (!size || size->Sign() <= 0 || size->MilliValue() % 1000 != 0) return false;
  return amount.Value() % size->Value() == 0;
}

struct Seen {
  bool cpu_or_memory = false;
  bool huge_pages = false;
};

using NameCheck = void (*)(std::string_view name, const Path& path, Walk& walk);

void CheckAmount(const json::Member& member, const Path& path, NameCheck check_name, Seen* seen,
                 Walk& walk) {
  const std::string_view name = member.name;
  const std::string_view text = member.value.IsString() ? member.value.AsString() : "";
  check_name(name, path, walk);
  CheckResourceAmount(name, text, path, walk);
  if (name == "cpu" || name == "memory") seen->cpu_or_memory = true;
  if (!IsHugePages(name)) return;
  seen->huge_pages = true;
  const auto amount = Quantity::Parse(text);
  if (amount && !IsDivisible(name, *amount)) {
    walk.Invalid(path, text, fmt::format("{} is not positive integer multiple of {}", text, name));
  }
}

void CheckRequestAgainstLimit(const json::Member& request, const Value* limits,
                              const Path& requests_path, const Path& limits_path, Walk& walk) {
  const Value* limit = limits == nullptr ? nullptr : limits->Find(request.name);
  const bool overcommit = IsOvercommitAllowed(request.name);
  if (limit == nullptr || !limit->IsString()) {
    if (!overcommit) {
      walk.Required(limits_path, "Limit must be set for non overcommitable resources");
    }
    return;
  }
  const std::string_view text = request.value.IsString() ? request.value.AsString() : "";
  if (text == limit->AsString()) return;
  const auto asked = Quantity::Parse(text);
  const auto most = Quantity::Parse(limit->AsString());
  if (!asked || !most) return;
  const auto refuse = [&](std::string_view how) {
    walk.Invalid(requests_path, text,
                 fmt::format("must be {} {} limit of {}", how, request.name, limit->AsString()));
  };
  if (!overcommit && *asked != *most) {
    refuse("equal to");
  } else if (*asked > *most) {
    refuse("less than or equal to");
  }
}

void CheckClaimNames(const Value& requirements, const Path& path, Walk& walk) {
  const auto claims = List(requirements, "claims");
  if (claims.empty()) return;
  std::vector<std::string> known;
  if (walk.pod().spec != nullptr) {
    for (const Value& claim : List(*walk.pod().spec, "resourceClaims")) {
      known.emplace_back(Text(claim, "name"));
    }
  }
  std::ranges::sort(known);
  const Path list = path["claims"];
  std::unordered_set<std::string> seen;
  size_t index = 0;
  for (const Value& claim : claims) {
    const Path at = list[index++];
    const std::string_view name = Text(claim, "name");
    const std::string_view request = Text(claim, "request");
    if (name.empty()) {
      walk.Required(at);
      continue;
    }
    if (!request.empty()) walk.Check(at["request"], request, Dns1123Label);
    const std::string key =
        request.empty() ? std::string(name) : fmt::format("{}/{}", name, request);
    const bool whole_taken = seen.contains(std::string(name));
    if (whole_taken || !seen.insert(key).second) walk.Duplicate(at, whole_taken ? name : key);
    if (std::ranges::binary_search(known, name)) continue;
    std::string detail = "must be one of the names in pod.spec.resourceClaims";
    detail += known.empty() ? " which is empty" : ": ";
    for (const std::string& one : known) detail += (&one == known.data() ? "" : ", ") + one;
    walk.NotFound(at, name, detail);
  }
}

void CheckRequirements(const Value& requirements, const Path& path, NameCheck check_name,
                       Walk& walk) {
  const Value* limits = Member(requirements, "limits");
  const Value* requests = Member(requirements, "requests");
  const Path limits_path = path["limits"];
  const Path requests_path = path["requests"];
  Seen seen;
  if (limits != nullptr) {
    for (const json::Member& member : limits->members()) {
      CheckAmount(member, limits_path.Key(member.name), check_name, &seen, walk);
    }
  }
  if (requests != nullptr) {
    for (const json::Member& member : requests->members()) {
      CheckAmount(member, requests_path.Key(member.name), check_name, &seen, walk);
      CheckRequestAgainstLimit(member, limits, requests_path, limits_path, walk);
    }
  }
  if (seen.huge_pages && !seen.cpu_or_memory) {
    walk.Forbidden(path, "HugePages require cpu or memory");
  }
  CheckClaimNames(requirements, path, walk);
}

void Requirements(const Value& requirements, const Path& path, Walk& walk) {
  CheckRequirements(requirements, path, CheckContainerResourceName, walk);
}

void CheckPodResourceName(std::string_view name, const Path& path, Walk& walk) {
  if (!CheckResourceName(name, path, walk)) return;
  if (name == "cpu" || name == "memory" || IsHugePages(name)) return;
  walk.NotSupported(path, name, {"cpu", "hugepages-", "memory"});
}

using Amounts = std::map<std::string_view, Quantity>;

Amounts AmountsOf(const Value& container, std::string_view list) {
  Amounts amounts;
  const Value* given = container.Find({"resources", list});
  if (given == nullptr) return amounts;
  for (const json::Member& member : given->members()) {
    const auto amount = Quantity::Parse(member.value.AsString());
    if (amount) amounts.emplace(member.name, *amount);
  }
  return amounts;
}

void AddAmounts(Amounts* to, const Amounts& more) {
  for (const auto& [name, amount] : more) {
    const auto [it, is_new] = to->emplace(name, amount);
    if (!is_new) it->second += amount;
  }
}

void RaiseAmounts(Amounts* to, const Amounts& other) {
  for (const auto& [name, amount] : other) {
    const auto [it, is_new] = to->emplace(name, amount);
    if (!is_new && amount > it->second) it->second = amount;
  }
}

// What the containers of a pod say together: those that run beside each other, or what an init
// container needs before, whichever is more.
Amounts OfAllContainers(const Value& spec, std::string_view list) {
  Amounts total;
  for (const Value& container : List(spec, "containers")) {
    AddAmounts(&total, AmountsOf(container, list));
  }
  Amounts sidecars;
  Amounts initial;
  for (const Value& container : List(spec, "initContainers")) {
    Amounts own = AmountsOf(container, list);
    if (Text(container, "restartPolicy") == "Always") {
      AddAmounts(&total, own);
      AddAmounts(&sidecars, own);
      RaiseAmounts(&initial, sidecars);
    } else {
      AddAmounts(&own, sidecars);
      RaiseAmounts(&initial, own);
    }
  }
  RaiseAmounts(&total, initial);
  return total;
}

// What the pod says as a whole holds its containers.
void CheckAgainstContainers(const Value& spec, const Path& path, Walk& walk) {
  const Amounts requests = AmountsOf(spec, "requests");
  const Amounts limits = AmountsOf(spec, "limits");
  const Path requests_path = path["requests"];
  for (const auto& [name, amount] : OfAllContainers(spec, "requests")) {
    const auto of_pod = requests.find(name);
    if (of_pod == requests.end() || amount <= of_pod->second) continue;
    walk.Invalid(requests_path.Key(name), of_pod->second.ToString(),
                 fmt::format("must be greater than or equal to aggregate container requests of {}",
                             amount.ToString()));
  }
  const Path limits_path = path["limits"];
  for (const auto& [name, amount] : OfAllContainers(spec, "limits")) {
    const auto of_pod = limits.find(name);
    if (!IsHugePages(name) || of_pod == limits.end() || amount <= of_pod->second) continue;
    walk.Invalid(limits_path.Key(name), of_pod->second.ToString(),
                 fmt::format("must be greater than or equal to aggregate container limits of {}",
                             amount.ToString()));
  }
  const Path list = path["containers"];
  size_t index = 0;
  for (const Value& container : List(spec, "containers")) {
    const Path at = list[index++];
    for (const auto& [name, amount] : AmountsOf(container, "limits")) {
      const auto of_pod = limits.find(name);
      if (of_pod == limits.end() || amount <= of_pod->second) continue;
      walk.Invalid(
          at.Key(name)["limits"], amount.ToString(),
          fmt::format("must be less than or equal to pod limits of {}", of_pod->second.ToString()));
    }
  }
}

// Of the whole pod; rule of pod specs.
void PodResources(const Value& spec, const Path& path, Walk& walk) {
  const Value* resources = Member(spec, "resources");
  if (resources == nullptr) return;
  const Path at = path["resources"];
  if (spec.FindString({"os", "name"}) == "windows") {
    return walk.Forbidden(at, "may not be set for a windows pod");
  }
  if (resources->Find("claims") != nullptr) {
    walk.Forbidden(at["claims"], "claims may not be set for Resources at pod-level");
  }
  CheckRequirements(*resources, at, CheckPodResourceName, walk);
  CheckAgainstContainers(spec, at, walk);
}

// Rule of pod specs: overhead is checked as limits are.
void Overhead(const Value& spec, const Path& path, Walk& walk) {
  const Value* overhead = Member(spec, "overhead");
  if (overhead == nullptr) return;
  const Path at = path["overhead"];
  const Path limits = at["limits"];
  Seen seen;
  for (const json::Member& member : overhead->members()) {
    CheckAmount(member, limits.Key(member.name), CheckContainerResourceName, &seen, walk);
  }
}

// Of a runtime class.
void RuntimeOverhead(const Value& overhead, const Path& path, Walk& walk) {
  const Value* fixed = Member(overhead, "podFixed");
  if (fixed == nullptr) return;
  const Path limits = path["limits"];
  Seen seen;
  for (const json::Member& member : fixed->members()) {
    CheckAmount(member, limits.Key(member.name), CheckContainerResourceName, &seen, walk);
  }
}

void NotNegative(const Value& amount, const Path& path, Walk& walk) {
  if (amount.IsString() && amount.AsString().starts_with('-')) {
    walk.Invalid(path, amount.AsString(), "must be greater than or equal to 0");
  }
}

constexpr NamedCheck kChecks[] = {
    {"notNegative", NotNegative},   {"runtimeOverhead", RuntimeOverhead}, {"overhead", Overhead},
    {"podResources", PodResources}, {"resources", Requirements},
};

}  // namespace

bool CheckResourceName(std::string_view name, const Path& path, Walk& walk) {
  if (IsOneOf(name, kContainerResources)) return true;
  const Messages messages = LabelKeyErrors(name);
  walk.Messages(path, name, messages);
  if (!messages.empty()) return false;
  if (!HasOnePart(name) || IsStandard(name)) return true;
  walk.Invalid(path, name, "must be a standard resource type or fully qualified");
  return false;
}

void CheckContainerResourceName(std::string_view name, const Path& path, Walk& walk) {
  if (IsOneOf(name, kContainerResources)) return;
  CheckResourceName(name, path, walk);
  if (HasOnePart(name)) {
    if (!IsHugePages(name)) {
      walk.Invalid(path, name, "must be a standard resource for containers");
    }
  } else if (!IsNative(name) && !IsExtendedResource(name)) {
    walk.Invalid(path, name, "doesn't follow extended resource name standard");
  }
}

bool IsStandardQuotaResource(std::string_view name) { return IsStandardQuota(name); }

void CheckQuotaResourceName(std::string_view name, const Path& path, Walk& walk) {
  CheckResourceName(name, path, walk);
  if (HasOnePart(name) && !IsStandardQuota(name)) {
    walk.Invalid(path, name, "must be a standard resource for quota");
  }
}

void CheckResourceAmount(std::string_view name, std::string_view amount, const Path& path,
                         Walk& walk) {
  if (amount.starts_with('-')) {
    walk.Invalid(path, amount, "must be greater than or equal to 0");
  }
  if (!IsOneOf(name, kIntegerResources) && !IsExtendedResource(name)) return;
  const auto quantity = Quantity::Parse(amount);
  if (quantity && quantity->MilliValue() % 1000 != 0) {
    walk.Invalid(path, amount, "must be an integer");
  }
}

bool IsExtendedResource(std::string_view name) {
  if (IsNative(name) || name.starts_with("requests.")) return false;
  return LabelKeyErrors(fmt::format("requests.{}", name)).empty();
}

bool IsOvercommitAllowed(std::string_view name) { return IsNative(name) && !IsHugePages(name); }

std::span<const NamedCheck> ResourceChecks() { return kChecks; }

}  // namespace kulisse::openapi
