// What an update of a pod may change, and what its status may be. Upstream: core/validation,
// ValidatePodUpdate, ValidatePodStatusUpdate.
#include <algorithm>
#include <limits>

#include "base/text.h"
#include "openapi/label_syntax.h"
#include "openapi/validation/go_diff.h"
#include "openapi/validation/walk.h"

namespace kulisse::openapi {

namespace {

constexpr std::string_view kAppArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";
constexpr std::string_view kMirrorAnnotation = "kubernetes.io/config.mirror";

void CheckAnnotationUpdates(const Value& pod, const Value& old, const Path& path, Walk& walk) {
  const Value* now = Part(pod, "metadata").Find("annotations");
  const Value* before = Part(old, "metadata").Find("annotations");
  const auto special = [](std::string_view key) -> std::string_view {
    if (key.starts_with(kAppArmorPrefix)) return "AppArmor annotations";
    return key == kMirrorAnnotation ? "mirror pod annotation" : "";
  };
  if (before != nullptr) {
    for (const json::Member& member : before->members()) {
      const std::string_view what = special(member.name);
      if (what.empty()) continue;
      const Value* value = now == nullptr ? nullptr : now->Find(member.name);
      if (value != nullptr && *value == member.value) continue;
      walk.Forbidden(path.Key(member.name), fmt::format("may not remove or update {}", what));
    }
  }
  if (now == nullptr) return;
  for (const json::Member& member : now->members()) {
    const std::string_view what = special(member.name);
    if (what.empty() || (before != nullptr && before->Find(member.name) != nullptr)) continue;
    walk.Forbidden(path.Key(member.name), fmt::format("may not add {}", what));
  }
}

// Whether the rest is worth looking at.
bool CheckContainers(const Value& spec, const Value& old, std::string_view field, const Path& path,
                     Walk& walk) {
  const auto now = List(spec, field);
  const Path list = path[field];
  if (now.size() != List(old, field).size()) {
    walk.Forbidden(list, "pod updates may not add or remove containers");
    return false;
  }
  size_t index = 0;
  for (const Value& container : now) {
    const Path at = list[index++];
    const std::string_view image = Text(container, "image");
    if (image.empty()) walk.Required(at["image"]);
    if (TrimSpace(image).size() != image.size()) {
      walk.Invalid(at["image"], image, "must not have leading or trailing whitespace");
    }
  }
  return true;
}

// False when nothing more is compared.
bool CheckDeadline(const Value& spec, const Value& old, const Path& path, Walk& walk) {
  constexpr std::string_view kField = "activeDeadlineSeconds";
  const auto now = Int(spec, kField);
  const auto before = Int(old, kField);
  const Path at = path[kField];
  if (!now) {
    if (before) {
      walk.Invalid(at, static_cast<const Value*>(nullptr),
                   "must not update from a positive integer to nil value");
    }
    return true;
  }
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  if (*now < 0 || *now > kMax) {
    walk.Invalid(at, *now, InclusiveRange(0, kMax));
    return false;
  }
  if (before && *before < *now) {
    walk.Invalid(at, *now, "must be less than or equal to previous value");
    return false;
  }
  return true;
}

bool SameToleration(const Value& a, const Value& b) {
  for (const std::string_view field : {"key", "operator", "value", "effect"}) {
    if (!SameMember(a, b, field)) return false;
  }
  return true;
}

void CheckTolerations(const Value& spec, const Value& old, const Path& path, Walk& walk) {
  static const TypeId kToleration = TypeOf("core.v1.Toleration");
  if (SameMember(spec, old, "tolerations")) return;
  const auto now = List(spec, "tolerations");
  const Path list = path["tolerations"];
  for (const Value& before : List(old, "tolerations")) {
    const bool kept = std::ranges::any_of(
        now, [&](const Value& toleration) { return SameToleration(toleration, before); });
    if (!kept) {
      walk.Forbidden(list, "existing toleration can not be modified except its tolerationSeconds");
      break;
    }
  }
  size_t index = 0;
  for (const Value& toleration : now) walk.Struct(toleration, kToleration, list[index++]);
}

void CheckGates(const Value& spec, const Value& old, const Path& path, Walk& walk) {
  NameSet before;
  for (const Value& gate : List(old, "schedulingGates")) before.Insert(Text(gate, "name"));
  const Path list = path["schedulingGates"];
  size_t index = 0;
  for (const Value& gate : List(spec, "schedulingGates")) {
    const Path at = list[index++];
    const std::string_view name = Text(gate, "name");
    if (before.Has(name)) continue;
    walk.Forbidden(
        at["name"],
        fmt::format("only deletion is allowed, but found new scheduling gate '{}'", name));
  }
}

// --- pods that wait for their scheduling gates may have their node narrowed down

bool HasOnlyAdditions(const Value& term, const Value& old) {
  const auto starts_with = [&](std::string_view field) {
    const auto now = List(term, field);
    const auto before = List(old, field);
    return now.size() >= before.size() && std::equal(before.begin(), before.end(), now.begin());
  };
  const bool was_empty = IsEmpty(old.Find("matchExpressions")) && IsEmpty(old.Find("matchFields"));
  if (was_empty) {
    return IsEmpty(term.Find("matchExpressions")) && IsEmpty(term.Find("matchFields"));
  }
  return starts_with("matchExpressions") && starts_with("matchFields");
}

void CheckNodeNarrowing(const Value& spec, const Value& old, const Path& path, Walk& walk) {
  for (const json::Member& label : Map(old, "nodeSelector")) {
    const Value* now = Part(spec, "nodeSelector").Find(label.name);
    if (now != nullptr && *now == label.value) continue;
    walk.Invalid(path["nodeSelector"], spec.Find("nodeSelector"),
                 "only additions to spec.nodeSelector are allowed (no mutations or deletions)");
    break;
  }
  constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
  const Value* required = old.Find({"affinity", "nodeAffinity", kRequired});
  if (required == nullptr) return;
  const auto before = List(*required, "nodeSelectorTerms");
  const Value* now_required = spec.Find({"affinity", "nodeAffinity", kRequired});
  const auto now =
      now_required == nullptr ? std::span<const Value>() : List(*now_required, "nodeSelectorTerms");
  const Path affinity = path["affinity"];
  const Path node = affinity["nodeAffinity"];
  const Path required_at = node[kRequired];
  const Path terms = required_at["nodeSelectorTerms"];
  if (!before.empty() && before.size() != now.size()) {
    return walk.Invalid(terms,
                        now_required == nullptr ? nullptr : now_required->Find("nodeSelectorTerms"),
                        "no additions/deletions to non-empty NodeSelectorTerms list are allowed");
  }
  for (size_t i = 0; i < before.size(); ++i) {
    if (HasOnlyAdditions(now[i], before[i])) continue;
    walk.Invalid(terms[i], now[i], "only additions are allowed (no mutations or deletions)");
  }
}

// --- the rest of the spec stays as it is

void CopyMember(Value& to, const Value& from, std::string_view name, json::Arena& arena) {
  if (const Value* value = from.Find(name)) {
    to.Set(name, value->Clone(arena), arena);
  } else {
    to.Remove(name);
  }
}

// The new spec, with what may change as it was.
Value WithoutAllowedChanges(const Value& spec, const Value& old, json::Arena& arena) {
  Value munged = spec.Clone(arena);
  for (const std::string_view name : {"containers", "initContainers"}) {
    const auto before = List(old, name);
    Value* list = munged.Find(name);
    if (list == nullptr) continue;
    size_t index = 0;
    for (Value& container : list->elements()) {
      CopyMember(container, before[index++], "image", arena);
    }
  }
  for (const std::string_view name : {"activeDeadlineSeconds", "schedulingGates", "tolerations"}) {
    CopyMember(munged, old, name, arena);
  }
  const auto grace = Int(spec, "terminationGracePeriodSeconds");
  if (grace == 1 && Int(old, "terminationGracePeriodSeconds").value_or(0) < 0) {
    CopyMember(munged, old, "terminationGracePeriodSeconds", arena);
  }
  if (IsEmpty(old.Find("schedulingGates"))) return munged;
  CopyMember(munged, old, "nodeSelector", arena);
  const Value* node = old.Find({"affinity", "nodeAffinity"});
  Value* affinity = munged.Find("affinity");
  if (affinity != nullptr && affinity->IsObject()) {
    CopyMember(*affinity, Part(old, "affinity"), "nodeAffinity", arena);
    if (affinity->size() == 0 && old.Find("affinity") == nullptr) munged.Remove("affinity");
  } else if (node != nullptr) {
    CopyMember(munged.SetDefaultObject("affinity", arena), Part(old, "affinity"), "nodeAffinity",
               arena);
  }
  return munged;
}

void PodUpdate(const Value& pod, const Path& path, Walk& walk) {
  const Value& old_pod = *walk.old();
  const Value& spec = Part(pod, "spec");
  const Value& old = Part(old_pod, "spec");
  CheckAnnotationUpdates(pod, old_pod, path["metadata"]["annotations"], walk);
  if (spec == old) return;
  const Path at = path["spec"];
  if (!CheckContainers(spec, old, "containers", at, walk)) return;
  if (!CheckContainers(spec, old, "initContainers", at, walk)) return;
  if (!CheckDeadline(spec, old, at, walk)) return;
  CheckTolerations(spec, old, at, walk);
  CheckGates(spec, old, at, walk);
  if (!IsEmpty(old.Find("schedulingGates"))) CheckNodeNarrowing(spec, old, at, walk);
  json::Arena arena;
  const Value munged = WithoutAllowedChanges(spec, old, arena);
  if (munged == old) return;
  walk.Forbidden(
      at,
      "pod updates may not change fields other than "
      "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
      "`spec.tolerations` (only additions to existing tolerations),"
      "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously "
      "negative)\n" +
          GoDiff(old, munged, TypeOf("core.v1.PodSpec")));
}

// --- status

void CheckConditions(const Value& status, const Path& path, Walk& walk) {
  const Path list = path["conditions"];
  size_t index = 0;
  for (const Value& condition : List(status, "conditions")) {
    const Path at = list[index++];
    const int64_t generation = Int(condition, "observedGeneration").value_or(0);
    if (generation < 0) {
      walk.Invalid(at["observedGeneration"], generation, "must be a non-negative integer");
    }
    const std::string_view type = Text(condition, "type");
    if (type == "PodScheduled" || type == "Ready" || type == "Initialized") continue;
    walk.Check(at["Type"], type, LabelKeyErrors);
  }
}

const Value* FindNamed(std::span<const Value> list, std::string_view name) {
  const auto it = std::ranges::find_if(
      list, [&](const Value& element) { return Text(element, "name") == name; });
  return it == list.end() ? nullptr : &*it;
}

const Value* Terminated(const Value& status) { return status.Find({"state", "terminated"}); }

// Whether a container's own rules, or the pod's policy, start it again after the exit code.
bool ShouldRestart(const Value* container, std::string_view pod_policy, int64_t code) {
  std::string_view policy = pod_policy;
  if (container != nullptr) {
    for (const Value& rule : List(*container, "restartPolicyRules")) {
      const Value* codes = rule.Find("exitCodes");
      if (codes == nullptr) continue;
      const bool listed = std::ranges::any_of(List(*codes, "values"), [&](const Value& value) {
        return value.IsInt() && value.AsInt() == code;
      });
      if (listed == (Text(*codes, "operator") == "In")) return true;
    }
    if (const std::string_view own = Text(*container, "restartPolicy"); !own.empty()) policy = own;
  }
  return policy == "Always" || (policy == "OnFailure" && code != 0);
}

// A container that has ended runs again only if it may be started again.
void CheckTransitions(const Value& status, const Value& old, const Value& spec,
                      std::string_view field, std::string_view containers, const Path& path,
                      Walk& walk) {
  const auto now = List(status, field);
  const Path list = path[field];
  const std::string_view policy = Text(spec, "restartPolicy");
  size_t index = 0;
  for (const Value& before : List(old, field)) {
    const Path at = list[index++];
    const Value* ended = Terminated(before);
    if (ended == nullptr) continue;
    const std::string_view name = Text(before, "name");
    const Value* after = FindNamed(now, name);
    if (after == nullptr || Terminated(*after) != nullptr) continue;
    const Value* container = containers.empty() ? nullptr : FindNamed(List(spec, containers), name);
    const int64_t code = Int(*ended, "exitCode").value_or(0);
    if (!containers.empty() && ShouldRestart(container, policy, code)) continue;
    walk.Forbidden(at["state"], "may not be transitioned to non-terminated state");
  }
}

void CheckIps(const Value& status, const Value& old, std::string_view field, const Path& path,
              Walk& walk) {
  const auto ips = List(status, field);
  const Path list = path[field];
  if (SameMember(status, old, field)) return;
  size_t index = 0;
  size_t v4 = 0;
  std::string bad;
  for (const Value& entry : ips) {
    const Path at = list[index++];
    const std::string_view ip = Text(entry, "ip");
    const bool known = std::ranges::any_of(
        List(old, field), [&](const Value& before) { return Text(before, "ip") == ip; });
    if (!known) walk.Check(at, ip, Ip);
    const auto address = ParseIp(ip);
    if (address && address->v4) ++v4;
    if (!address && bad.empty()) bad = fmt::format("invalid IP[{}]: {}", index - 1, ip);
  }
  if (ips.size() < 2 || (ips.size() == 2 && v4 == 1)) return;
  if (!bad.empty()) {
    walk.Internal(list, fmt::format("failed to check for dual stack with error:{}", bad));
  }
  walk.Invalid(list, *status.Find(field), TypeOf("core.v1.PodIP"),
               "may specify no more than one IP for each IP family");
}

void CheckNominatedNode(const Value& pod, const Value& old_pod, const Path& path, Walk& walk) {
  const std::string_view name = pod.FindString({"status", "nominatedNodeName"});
  if (name.empty() || name == old_pod.FindString({"status", "nominatedNodeName"})) return;
  walk.Check(path["nominatedNodeName"], name, Dns1123Subdomain);
  if (old_pod.FindString({"spec", "nodeName"}).empty()) return;
  walk.Forbidden(path["nominatedNodeName"],
                 "may not be set on pods that are already bound to a node");
}

void PodStatus(const Value& pod, const Path& path, Walk& walk) {
  const Value& old_pod = *walk.old();
  const Value& status = Part(pod, "status");
  const Value& old = Part(old_pod, "status");
  const Value& spec = Part(old_pod, "spec");
  CheckAnnotationUpdates(pod, old_pod, path["metadata"]["annotations"], walk);
  const Path at = path["status"];
  CheckConditions(status, at, walk);
  CheckNominatedNode(pod, old_pod, at, walk);
  const int64_t generation = Int(status, "observedGeneration").value_or(0);
  if (generation < 0) {
    walk.Invalid(at["observedGeneration"], generation, "must be a non-negative integer");
  }
  CheckTransitions(status, old, spec, "containerStatuses", "containers", at, walk);
  CheckTransitions(status, old, spec, "initContainerStatuses", "initContainers", at, walk);
  CheckTransitions(status, old, spec, "ephemeralContainerStatuses", "", at, walk);
  CheckIps(status, old, "podIPs", at, walk);
  const auto host_ips = List(status, "hostIPs");
  if (host_ips.empty()) return;
  if (Text(status, "hostIP") != Text(host_ips[0], "ip")) {
    const Path list = at["hostIPs"];
    const Path first = list[size_t{0}];
    walk.Invalid(first["ip"], Text(host_ips[0], "ip"), "must be equal to `hostIP`");
  }
  CheckIps(status, old, "hostIPs", at, walk);
}

constexpr NamedCheck kChecks[] = {
    {"podStatus", PodStatus},
    {"podUpdate", PodUpdate},
};

}  // namespace

std::span<const NamedCheck> PodUpdateChecks() { return kChecks; }

}  // namespace kulisse::openapi
