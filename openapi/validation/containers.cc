// Containers, their ports, environment, mounts, probes and handlers. Upstream: core/validation,
// validateContainerCommon and around it.
#include <algorithm>

#include "base/text.h"
#include "openapi/quantity.h"
#include "openapi/validation/walk.h"

namespace kulisse::openapi {

namespace {

constexpr size_t kRestartRulesMax = 20;
constexpr size_t kExitCodesMax = 255;

// --- environment

bool IsTextInBrackets(std::string_view path, std::string_view* name, std::string_view* key) {
  if (!path.ends_with("']")) return false;
  const size_t open = path.find("['");
  if (open == std::string_view::npos || open == 0) return false;
  *name = path.substr(0, open);
  *key = path.substr(open + 2, path.size() - open - 4);
  return true;
}

// What a downward API field may be, besides labels and annotations by key.
constexpr std::string_view kConvertible[] = {
    "metadata.annotations", "metadata.labels", "metadata.name",      "metadata.namespace",
    "metadata.uid",         "spec.nodeName",   "spec.restartPolicy", "spec.serviceAccountName",
    "spec.schedulerName",   "status.phase",    "status.hostIP",      "status.hostIPs",
    "status.podIP",         "status.podIPs"};
constexpr std::initializer_list<const char*> kEnvFields = {"metadata.name",
                                                           "metadata.namespace",
                                                           "metadata.uid",
                                                           "spec.nodeName",
                                                           "spec.serviceAccountName",
                                                           "status.hostIP",
                                                           "status.hostIPs",
                                                           "status.podIP",
                                                           "status.podIPs"};
constexpr std::initializer_list<const char*> kVolumeFields = {"metadata.annotations",
                                                              "metadata.labels", "metadata.name",
                                                              "metadata.namespace", "metadata.uid"};

// The error of converting a field label, or "".
std::string ConversionError(std::string_view version, std::string_view label) {
  if (version != "v1") return fmt::format("unsupported pod version: {}", version);
  std::string_view name;
  std::string_view key;
  if (IsTextInBrackets(label, &name, &key)) {
    if (name == "metadata.annotations" || name == "metadata.labels") return "";
    return fmt::format("field label does not support subscript: {}", label);
  }
  const bool known =
      label == "spec.host" || std::ranges::find(kConvertible, label) != std::end(kConvertible);
  return known ? "" : fmt::format("field label not supported: {}", label);
}

void CheckField(const Value& field, const Path& path, std::initializer_list<const char*> fields,
                Walk& walk) {
  const std::string_view version = Text(field, "apiVersion");
  const std::string_view label = Text(field, "fieldPath");
  if (version.empty()) return walk.Required(path["apiVersion"]);
  if (label.empty()) return walk.Required(path["fieldPath"]);
  if (const std::string error = ConversionError(version, label); !error.empty()) {
    return walk.Invalid(path["fieldPath"], label,
                        fmt::format("error converting fieldPath: {}", error));
  }
  std::string_view name;
  std::string_view key;
  if (!IsTextInBrackets(label, &name, &key)) {
    return walk.Enum(path["fieldPath"], label == "spec.host" ? "spec.nodeName" : label, fields);
  }
  const std::string lower = ToLower(key);
  walk.Check(path, name == "metadata.annotations" ? std::string_view(lower) : key,
             FindFormat("qualified-name"));
}

bool IsHugePages(std::string_view resource) {
  return resource.starts_with("requests.hugepages-") || resource.starts_with("limits.hugepages-");
}

void CheckDivisor(std::string_view resource, std::string_view divisor, const Path& path,
                  Walk& walk) {
  if (divisor.empty() || divisor == "0") return;
  if (resource == "limits.cpu" || resource == "requests.cpu") {
    if (divisor != "1m" && divisor != "1") {
      walk.Invalid(path["divisor"], resource,
                   "only divisor's values 1m and 1 are supported with the cpu resource");
    }
    return;
  }
  std::string_view what;
  if (resource.ends_with(".memory")) what = "memory";
  if (resource.ends_with(".ephemeral-storage")) what = "local ephemeral storage";
  if (IsHugePages(resource)) what = "hugepages";
  constexpr std::string_view kUnits[] = {"1",   "1k",  "1M",  "1G",  "1T",  "1P", "1E",
                                         "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"};
  if (what.empty() || std::ranges::find(kUnits, divisor) != std::end(kUnits)) return;
  walk.Invalid(path["divisor"], resource,
               fmt::format("only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, "
                           "1Pi, 1Ei are supported with the {} resource",
                           what));
}

void CheckResourceField(const Value& field, const Path& path, bool in_volume, Walk& walk) {
  const std::string_view resource = Text(field, "resource");
  if (in_volume && Text(field, "containerName").empty()) {
    walk.Required(path["containerName"]);
  } else if (resource.empty()) {
    walk.Required(path["resource"]);
  } else if (!IsHugePages(resource)) {
    walk.Enum(path["resource"], resource,
              {"limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu",
               "requests.ephemeral-storage", "requests.memory"});
  }
  CheckDivisor(resource, Text(field, "divisor"), path, walk);
}

void EnvSource(const Value& variable, const Path& at, Walk& walk) {
  static const TypeId kSource = TypeOf("core.v1.EnvVarSource");
  const Value* from = Member(variable, "valueFrom");
  if (from == nullptr) return;
  const Path path = at["valueFrom"];
  if (const Value* field = Member(*from, "fieldRef")) {
    CheckField(*field, path["fieldRef"], kEnvFields, walk);
  }
  if (const Value* field = Member(*from, "resourceFieldRef")) {
    CheckResourceField(*field, path["resourceFieldRef"], false, walk);
  }
  walk.Struct(*from, kSource, path);
  if (from->size() == 0) {
    walk.Invalid(path, "",
                 "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
                 "`secretKeyRef` or `fileKeyRef`");
  } else if (!Text(variable, "value").empty()) {
    walk.Invalid(path, "", "may not be specified when `value` is not empty");
  } else if (from->size() > 1) {
    walk.Invalid(path, "", "may not have more than one field specified at a time");
  }
}

void DownwardFile(const Value& file, const Path& path, Walk& walk) {
  const Value* field = Member(file, "fieldRef");
  const Value* resource = Member(file, "resourceFieldRef");
  if (field != nullptr) {
    CheckField(*field, path["fieldRef"], kVolumeFields, walk);
    if (resource != nullptr) {
      walk.Invalid(path, "resource",
                   "fieldRef and resourceFieldRef can not be specified simultaneously");
    }
  } else if (resource != nullptr) {
    CheckResourceField(*resource, path["resourceFieldRef"], true, walk);
  } else {
    walk.Required(path, "one of fieldRef and resourceFieldRef is required");
  }
}

// Errors name the list, not the element.
void EnvFrom(const Value& container, const Path& path, Walk& walk) {
  static const TypeId kSource = TypeOf("core.v1.EnvFromSource");
  const Path list = path["envFrom"];
  size_t index = 0;
  for (const Value& source : List(container, "envFrom")) {
    walk.Struct(source, kSource, list[index++]);
    const bool map = Member(source, "configMapRef") != nullptr;
    const bool secret = Member(source, "secretRef") != nullptr;
    if (!map && !secret) {
      walk.Invalid(list, "", "must specify one of: `configMapRef` or `secretRef`");
    } else if (map && secret) {
      walk.Invalid(list, "", "may not have more than one field specified at a time");
    }
  }
}

// --- mounts

void CheckPropagation(const Value& mount, const Value& container, const Path& list, Walk& walk) {
  const std::string_view mode = Text(mount, "mountPropagation");
  if (!mode.empty()) {
    const Path path = list["mountPropagation"];
    walk.Enum(path, mode, {"Bidirectional", "HostToContainer", "None"});
    const Value* privileged = container.Find({"securityContext", "privileged"});
    if (mode == "Bidirectional" &&
        (privileged == nullptr || !privileged->IsBool() || !privileged->AsBool())) {
      walk.Forbidden(path,
                     "Bidirectional mount propagation is available only to privileged containers");
    }
  }
  const std::string_view recursive = Text(mount, "recursiveReadOnly");
  if (recursive.empty() || recursive == "Disabled") return;
  const Path path = list["recursiveReadOnly"];
  if (recursive != "Enabled" && recursive != "IfPossible") {
    return walk.NotSupported(path, recursive, {"Disabled", "Enabled", "IfPossible"});
  }
  if (!True(mount, "readOnly")) {
    walk.Forbidden(path, "may only be specified when readOnly is true");
  }
  if (!mode.empty() && mode != "None") {
    walk.Forbidden(path, "may only be specified when mountPropagation is None or not specified");
  }
}

void CheckSubPaths(const Value& mount, const Path& list, const Path& at, Walk& walk) {
  const std::string_view sub = Text(mount, "subPath");
  const std::string_view expression = Text(mount, "subPathExpr");
  if (!sub.empty()) walk.Check(list["subPath"], sub, RelativePath);
  if (expression.empty()) return;
  if (!sub.empty()) {
    walk.Invalid(at["subPathExpr"], expression, "subPathExpr and subPath are mutually exclusive");
  }
  walk.Check(list["subPathExpr"], expression, RelativePath);
}

// Texts of a field of all elements.
NameSet Names(const Value& container, std::string_view list, std::string_view field) {
  NameSet names;
  for (const Value& element : List(container, list)) names.Insert(Text(element, field));
  return names;
}

void VolumeMounts(const Value& container, const Path& path, Walk& walk) {
  const auto mounts = List(container, "volumeMounts");
  if (mounts.empty()) return;
  const NameSet device_names = Names(container, "volumeDevices", "name");
  const NameSet device_paths = Names(container, "volumeDevices", "devicePath");
  const Path list = path["volumeMounts"];
  NameSet points;
  size_t index = 0;
  for (const Value& mount : mounts) {
    const Path at = list[index++];
    const std::string_view name = Text(mount, "name");
    const std::string_view point = Text(mount, "mountPath");
    if (name.empty()) walk.Required(at["name"]);
    if (walk.pod().FindVolume(name) == nullptr) walk.NotFound(at["name"], name);
    if (point.empty()) walk.Required(at["mountPath"]);
    if (!points.Insert(point)) walk.Invalid(at["mountPath"], point, "must be unique");
    if (device_names.Has(name)) {
      walk.Invalid(at["name"], name, "must not already exist in volumeDevices");
    }
    if (device_paths.Has(point)) {
      walk.Invalid(at["mountPath"], point, "must not already exist as a path in volumeDevices");
    }
    CheckSubPaths(mount, list, at, walk);
    CheckPropagation(mount, container, list, walk);
  }
}

void CheckDevice(const Value& device, const Path& at, NameSet* names, NameSet* paths, Walk& walk) {
  const std::string_view name = Text(device, "name");
  const std::string_view point = Text(device, "devicePath");
  const Value* volume = walk.pod().FindVolume(name);
  if (name.empty()) walk.Required(at["name"]);
  if (names->Has(name)) walk.Invalid(at["name"], name, "must be unique");
  if (volume == nullptr) {
    walk.NotFound(at["name"], name);
  } else if (Member(*volume, "persistentVolumeClaim") == nullptr &&
             Member(*volume, "ephemeral") == nullptr) {
    walk.Invalid(at["name"], name,
                 "can only use volume source type of PersistentVolumeClaim or Ephemeral for block "
                 "mode");
  }
  if (point.empty()) walk.Required(at["devicePath"]);
  if (paths->Has(point)) walk.Invalid(at["devicePath"], point, "must be unique");
  if (!PathWithoutBacksteps(point).empty()) {
    walk.Invalid(at["devicePath"], point, "can not contain backsteps ('..')");
  } else {
    paths->Insert(point);
  }
}

void VolumeDevices(const Value& container, const Path& path, Walk& walk) {
  const auto devices = List(container, "volumeDevices");
  if (devices.empty()) return;
  const NameSet mount_names = Names(container, "volumeMounts", "name");
  const NameSet mount_paths = Names(container, "volumeMounts", "mountPath");
  const Path list = path["volumeDevices"];
  NameSet names;
  NameSet paths;
  size_t index = 0;
  for (const Value& device : devices) {
    const Path at = list[index++];
    CheckDevice(device, at, &names, &paths, walk);
    const std::string_view name = Text(device, "name");
    const std::string_view point = Text(device, "devicePath");
    if (mount_names.Has(name)) {
      walk.Invalid(at["name"], name, "must not already exist in volumeMounts");
    }
    if (mount_paths.Has(point)) {
      walk.Invalid(at["devicePath"], point, "must not already exist as a path in volumeMounts");
    }
    if (!name.empty()) names.Insert(name);
  }
}

// --- handlers

void CheckSleep(const Value& sleep, const Path& path, Walk& walk) {
  const auto grace = Int(*walk.pod().spec, "terminationGracePeriodSeconds");
  const int64_t seconds = Int(sleep, "seconds").value_or(0);
  if (!grace || (seconds >= 0 && seconds <= *grace)) return;
  walk.Invalid(
      path, seconds,
      fmt::format("must be non-negative and less than terminationGracePeriodSeconds ({})", *grace));
}

// Of a probe or a lifecycle hook: one of the ways to act.
void Handler(const Value& handler, const Path& path, Walk& walk) {
  struct Row {
    std::string_view field;
    TypeId type;
  };
  static const Row kRows[] = {
      {"exec", TypeOf("core.v1.ExecAction")},
      {"httpGet", TypeOf("core.v1.HTTPGetAction")},
      {"tcpSocket", TypeOf("core.v1.TCPSocketAction")},
      {"grpc", TypeOf("core.v1.GRPCAction")},
  };
  bool any = false;
  for (const Row& row : kRows) {
    const Value* action = Member(handler, row.field);
    if (action == nullptr) continue;
    if (any) {
      walk.Forbidden(path[row.field], "may not specify more than 1 handler type");
    } else {
      walk.Struct(*action, row.type, path[row.field]);
    }
    any = true;
  }
  if (const Value* sleep = Member(handler, "sleep")) {
    if (any) {
      walk.Forbidden(path["sleep"], "may not specify more than 1 handler type");
    } else {
      CheckSleep(*sleep, path["sleep"], walk);
    }
    any = true;
  }
  if (!any) walk.Required(path, "must specify a handler type");
}

void HttpHeaders(const Value& action, const Path& path, Walk& walk) {
  for (const Value& header : List(action, "httpHeaders")) {
    walk.Check(path["httpHeaders"], Text(header, "name"), HttpHeaderName);
  }
}

void CheckProbes(const Value& container, const Path& path, Walk& walk) {
  static const TypeId kProbe = TypeOf("core.v1.Probe");
  for (const std::string_view name : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    const Value* probe = Member(container, name);
    if (probe == nullptr) continue;
    const Path at = path[name];
    walk.Struct(*probe, kProbe, at);
    if (name == "readinessProbe") {
      if (const Value* seconds = Member(*probe, "terminationGracePeriodSeconds")) {
        walk.Invalid(at["terminationGracePeriodSeconds"], *seconds,
                     "must not be set for readinessProbes");
      }
    } else if (Int(*probe, "successThreshold").value_or(0) != 1) {
      walk.Invalid(at["successThreshold"], Int(*probe, "successThreshold").value_or(0),
                   "must be 1");
    }
  }
}

void CheckLifecycle(const Value& container, const Path& path, Walk& walk) {
  const Value* lifecycle = Member(container, "lifecycle");
  if (lifecycle == nullptr) return;
  const Path at = path["lifecycle"];
  for (const std::string_view name : {"postStart", "preStop"}) {
    if (const Value* hook = Member(*lifecycle, name)) Handler(*hook, at[name], walk);
  }
}

// --- restart rules

void ResizePolicy(const Value& container, const Path& path, Walk& walk) {
  const auto policies = List(container, "resizePolicy");
  if (policies.empty()) return;
  const Path list = path["resizePolicy"];
  const bool never = Text(*walk.pod().spec, "restartPolicy") == "Never";
  NameSet resources;
  size_t index = 0;
  for (const Value& policy : policies) {
    const std::string_view resource = Text(policy, "resourceName");
    const std::string_view restart = Text(policy, "restartPolicy");
    if (!resources.Insert(resource)) walk.Duplicate(list[index], resource);
    ++index;
    if (resource.empty()) {
      walk.Required(list);
    } else {
      walk.Enum(list, resource, {"cpu", "memory"});
    }
    if (restart.empty()) {
      walk.Required(list);
    } else {
      walk.Enum(list, restart, {"NotRequired", "RestartContainer"});
    }
    if (never && restart != "NotRequired") {
      walk.Invalid(list, restart, "must be 'NotRequired' when pod `restartPolicy` is 'Never'");
    }
  }
}

void CheckRestartRule(const Value& rule, const Path& at, Walk& walk) {
  walk.Enum(at["action"], Text(rule, "action"), {"Restart", "RestartAllContainers"});
  const Value* codes = Member(rule, "exitCodes");
  if (codes == nullptr) return walk.Required(at["exitCodes"], "must be specified");
  const Path path = at["exitCodes"];
  walk.Enum(path["operator"], Text(*codes, "operator"), {"In", "NotIn"});
  const size_t count = List(*codes, "values").size();
  if (count > kExitCodesMax) walk.TooMany(path["values"], count, kExitCodesMax);
}

void CheckRestartPolicy(const Value& container, const Path& path, Walk& walk) {
  const std::string_view policy = Text(container, "restartPolicy");
  const auto rules = List(container, "restartPolicyRules");
  if (Member(container, "restartPolicy") == nullptr) {
    if (rules.empty()) return;
    walk.Required(path["restartPolicy"], "must specify restartPolicy when restart rules are used");
  } else {
    walk.Enum(path["restartPolicy"], policy, {"Always", "Never", "OnFailure"});
  }
  const Path list = path["restartPolicyRules"];
  if (rules.size() > kRestartRulesMax) walk.TooMany(list, rules.size(), kRestartRulesMax);
  size_t index = 0;
  for (const Value& rule : rules) CheckRestartRule(rule, list[index++], walk);
}

void CheckHostPorts(const Value& container, const Path& path, std::unordered_set<std::string>* seen,
                    Walk& walk) {
  const Path list = path["ports"];
  size_t index = 0;
  for (const Value& port : List(container, "ports")) {
    const Path at = list[index++];
    const int64_t number = Int(port, "hostPort").value_or(0);
    if (number == 0) continue;
    const std::string text =
        fmt::format("{}/{}/{}", Text(port, "protocol"), Text(port, "hostIP"), number);
    if (!seen->insert(text).second) walk.Duplicate(at["hostPort"], text);
  }
}

// --- lists of containers; rules of pod specs

TypeId ContainerType() {
  static const TypeId kContainer = TypeOf("core.v1.Container");
  return kContainer;
}

void Containers(const Value& spec, const Path& path, Walk& walk) {
  const auto containers = List(spec, "containers");
  const Path list = path["containers"];
  if (containers.empty()) return walk.Required(list);
  NameSet names;
  std::unordered_set<std::string> ports;
  size_t index = 0;
  for (const Value& container : containers) {
    const Path at = list[index++];
    walk.Struct(container, ContainerType(), at);
    const std::string_view name = Text(container, "name");
    if (!names.Insert(name)) walk.Duplicate(at["name"], name);
    CheckLifecycle(container, at, walk);
    CheckProbes(container, at, walk);
    CheckRestartPolicy(container, at, walk);
  }
  index = 0;
  for (const Value& container : containers) CheckHostPorts(container, list[index++], &ports, walk);
}

void CheckInitContainer(const Value& container, const Path& at, Walk& walk) {
  const bool sidecar = Text(container, "restartPolicy") == "Always";
  if (sidecar) {
    CheckLifecycle(container, at, walk);
    CheckProbes(container, at, walk);
    return;
  }
  for (const std::string_view field :
       {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"}) {
    if (Member(container, field) == nullptr) continue;
    walk.Forbidden(at[field], "may not be set for init containers without restartPolicy=Always");
  }
}

void InitContainers(const Value& spec, const Path& path, Walk& walk) {
  const auto containers = List(spec, "initContainers");
  if (containers.empty()) return;
  NameSet names = Names(spec, "containers", "name");
  const Path list = path["initContainers"];
  size_t index = 0;
  for (const Value& container : containers) {
    const Path at = list[index++];
    walk.Struct(container, ContainerType(), at);
    CheckRestartPolicy(container, at, walk);
    const std::string_view name = Text(container, "name");
    if (names.Has(name)) {
      walk.Duplicate(at["name"], name);
    } else if (!name.empty()) {
      names.Insert(name);
    }
    std::unordered_set<std::string> ports;
    CheckHostPorts(container, list[size_t{0}], &ports, walk);
    CheckInitContainer(container, at, walk);
    if (Text(container, "restartPolicy") == "Always") continue;
    size_t policy_index = 0;
    for (const Value& policy : List(container, "resizePolicy")) {
      const Path policies = at["resizePolicy"];
      const Path policy_at = policies[policy_index++];
      if (Text(policy, "restartPolicy") != "RestartContainer") continue;
      walk.Invalid(policy_at["restartPolicy"], "RestartContainer",
                   "must not be set to 'RestartContainer' for non-sidecar initContainers");
    }
  }
}

void CheckEphemeralFields(const Value& container, const Path& at, Walk& walk) {
  constexpr std::string_view kNotAllowed = "cannot be set for an Ephemeral Container";
  for (const std::string_view field :
       {"ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules",
        "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"}) {
    const Value* value = Member(container, field);
    if (value != nullptr && value->size() > 0) walk.Forbidden(at[field], kNotAllowed);
  }
  const Path mounts = at["volumeMounts"];
  size_t index = 0;
  for (const Value& mount : List(container, "volumeMounts")) {
    const Path mount_at = mounts[index++];
    for (const std::string_view field : {"subPath", "subPathExpr"}) {
      if (!Text(mount, field).empty()) walk.Forbidden(mount_at[field], kNotAllowed);
    }
  }
}

void CheckImageBlanks(const Value& container, const Path& at, Walk& walk) {
  const std::string_view image = Text(container, "image");
  if (TrimSpace(image).size() == image.size()) return;
  walk.Invalid(at["image"], image, "must not have leading or trailing whitespace");
}

void EphemeralContainers(const Value& spec, const Path& path, Walk& walk) {
  static const TypeId kEphemeral = TypeOf("core.v1.EphemeralContainer");
  const auto containers = List(spec, "ephemeralContainers");
  if (containers.empty()) return;
  NameSet others;
  for (const std::string_view list : {"containers", "initContainers"}) {
    for (const Value& container : List(spec, list)) others.Insert(Text(container, "name"));
  }
  NameSet names = others;
  const Path list = path["ephemeralContainers"];
  size_t index = 0;
  for (const Value& container : containers) {
    const Path at = list[index++];
    walk.Struct(container, kEphemeral, at);
    CheckImageBlanks(container, at, walk);
    const std::string_view name = Text(container, "name");
    if (!names.Insert(name)) walk.Duplicate(at["name"], name);
    const std::string_view target = Text(container, "targetContainerName");
    if (!target.empty() && !others.Has(target)) {
      walk.NotFound(at["targetContainerName"], target);
    }
    CheckEphemeralFields(container, at, walk);
  }
}

// Images of pods (and not of templates) have no blanks around them. Rule of pods.
void ImageBlanks(const Value& pod, const Path& path, Walk& walk) {
  const Value* spec = Member(pod, "spec");
  if (spec == nullptr) return;
  const Path at = path["spec"];
  for (const std::string_view name : {"containers", "initContainers"}) {
    const Path list = at[name];
    size_t index = 0;
    for (const Value& container : List(*spec, name)) {
      CheckImageBlanks(container, list[index++], walk);
    }
  }
}

constexpr NamedCheck kChecks[] = {
    {"containers", Containers},
    {"downwardFile", DownwardFile},
    {"envFrom", EnvFrom},
    {"envSource", EnvSource},
    {"ephemeralContainers", EphemeralContainers},
    {"handler", Handler},
    {"httpHeaders", HttpHeaders},
    {"imageBlanks", ImageBlanks},
    {"initContainers", InitContainers},
    {"resizePolicy", ResizePolicy},
    {"volumeDevices", VolumeDevices},
    {"volumeMounts", VolumeMounts},
};

}  // namespace

std::span<const NamedCheck> ContainerChecks() { return kChecks; }

}  // namespace kulisse::openapi
