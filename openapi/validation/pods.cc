// Rules of pods and pod templates that go across fields. Upstream: core/validation,
// ValidatePodSpec, ValidatePodTemplateSpec and below.
#include <algorithm>

#include "base/text.h"
#include "openapi/label_syntax.h"
#include "openapi/validation/pod_profiles.h"
#include "openapi/validation/walk.h"

namespace kulisse::openapi {

namespace {

constexpr size_t kNameserversMax = 3;
constexpr size_t kSearchPathsMax = 32;
constexpr size_t kSearchBytesMax = 2048;
constexpr size_t kHostnameBytesMax = 64;
constexpr std::string_view kMirrorAnnotation = "kubernetes.io/config.mirror";
constexpr std::string_view kDeletionCost = "controller.kubernetes.io/pod-deletion-cost";
constexpr std::string_view kContainerLists[] = {"initContainers", "containers",
                                                "ephemeralContainers"};

// Calls `visit(container, path)` for every container, init containers first.
template <typename Visit>
void ForEachContainer(const Value& spec, const Path& path, Visit visit) {
  for (const std::string_view name : kContainerLists) {
    const Path list = path[name];
    size_t index = 0;
    for (const Value& container : List(spec, name)) visit(container, list[index++]);
  }
}

// --- metadata of pods and templates

void CheckPodAnnotations(const Value& annotations, const Value& spec, const Path& path,
                         Walk& walk) {
  if (annotations.Find(kMirrorAnnotation) != nullptr && Text(spec, "nodeName").empty()) {
    walk.Invalid(path.Key(kMirrorAnnotation), Text(annotations, kMirrorAnnotation),
                 "must set spec.nodeName if mirror pod annotation is set");
  }
  if (const Value* cost = annotations.Find(kDeletionCost)) {
    const std::string_view text = cost->AsString();
    const auto number = ParseInt64(text);
    const bool plain = text == "0" || (!text.starts_with('+') && !text.starts_with('0') &&
                                       !text.starts_with("-0"));
    if (!plain || !number || *number > INT32_MAX || *number < INT32_MIN) {
      walk.Invalid(path.Key(kDeletionCost), text, "must be a 32bit integer");
    }
  }
  CheckProfileAnnotations(annotations, spec, path, walk);
}

void PodSpec(const Value& spec, const Value* metadata, const Path& path, Walk& walk) {
  static const TypeId kPodSpec = TypeOf("core.v1.PodSpec");
  walk.pod() = PodScope();
  walk.pod().spec = &spec;
  walk.pod().metadata = metadata;
  const Value* host_users = spec.Find("hostUsers");
  walk.pod().host_users = host_users == nullptr || !host_users->IsBool() || host_users->AsBool();
  walk.Struct(spec, kPodSpec, path);
}

void TokensNeedAccount(const Value& spec, const Path& path, Walk& walk) {
  if (!Text(spec, "serviceAccountName").empty()) return;
  const Path volumes = path["volumes"];
  size_t index = 0;
  for (const Value& volume : List(spec, "volumes")) {
    const Path at = volumes[index++];
    const Value* projected = Member(volume, "projected");
    if (projected == nullptr) continue;
    const Path projected_at = at["projected"];
    const Path sources = projected_at["sources"];
    size_t source_index = 0;
    for (const Value& source : List(*projected, "sources")) {
      const Path source_at = sources[source_index++];
      if (Member(source, "serviceAccountToken") == nullptr) continue;
      walk.Forbidden(source_at["serviceAccountToken"],
                     "must not be specified when serviceAccountName is not set");
    }
  }
}

// Rule of pods.
void Pod(const Value& pod, const Path& path, Walk& walk) {
  static const Value kNone = Value::Object();
  const Value* metadata = pod.Find("metadata");
  const Value* spec = pod.Find("spec");
  if (metadata == nullptr) metadata = &kNone;
  if (spec == nullptr) spec = &kNone;
  if (const Value* annotations = Member(*metadata, "annotations")) {
    CheckPodAnnotations(*annotations, *spec, path["metadata"]["annotations"], walk);
  }
  PodSpec(*spec, metadata, path["spec"], walk);
  TokensNeedAccount(*spec, path["spec"], walk);
}

// Rule of new pods.
void NewPod(const Value& pod, const Path& path, Walk& walk) {
  const Value* spec = pod.Find("spec");
  if (spec == nullptr) return;
  if (!IsEmpty(spec->Find("ephemeralContainers"))) {
    walk.Forbidden(path["spec"]["ephemeralContainers"], "cannot be set on create");
  }
  if (!Text(*spec, "nodeName").empty() && !IsEmpty(spec->Find("schedulingGates"))) {
    walk.Forbidden(path["spec"]["nodeName"],
                   "cannot be set until all schedulingGates have been cleared");
  }
  CheckProfilesMatch(pod, path, walk);
}

// Rule of templates. Paths of their labels leave "metadata" out.
void Template(const Value& pod, const Path& path, Walk& walk) {
  static const Value kNone = Value::Object();
  static const TypeId kMeta = TypeOf("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  const Value* metadata = Member(pod, "metadata");
  const Value* spec = Member(pod, "spec");
  if (spec == nullptr) spec = &kNone;
  if (metadata != nullptr) {
    walk.Struct(*metadata, kMeta, path);
    if (const Value* annotations = Member(*metadata, "annotations")) {
      CheckPodAnnotations(*annotations, *spec, path["annotations"], walk);
    }
  }
  PodSpec(*spec, nullptr, path["spec"], walk);
  if (!IsEmpty(spec->Find("ephemeralContainers"))) {
    walk.Forbidden(path["spec"]["ephemeralContainers"],
                   "ephemeral containers not allowed in pod template");
  }
}

// --- rules of pod specs

void ResourceClaims(const Value& spec, const Path& path, Walk& walk) {
  static const TypeId kClaim = TypeOf("core.v1.PodResourceClaim");
  NameSet names;
  const Path list = path["resourceClaims"];
  size_t index = 0;
  for (const Value& claim : List(spec, "resourceClaims")) {
    const Path at = list[index++];
    const std::string_view name = Text(claim, "name");
    if (name.empty()) {
      walk.Required(at["name"]);
    } else if (!names.Insert(name)) {
      walk.Duplicate(at["name"], name);
    } else {
      walk.Check(at["name"], name, Dns1123Label);
    }
    const Value* by_name = Member(claim, "resourceClaimName");
    const Value* by_template = Member(claim, "resourceClaimTemplateName");
    if (by_name != nullptr && by_template != nullptr) {
      walk.Invalid(at, claim, kClaim,
                   "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be "
                   "specified");
    }
    if (by_name == nullptr && by_template == nullptr) {
      walk.Invalid(at, claim, kClaim,
                   "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
    }
    for (const std::string_view field : {"resourceClaimName", "resourceClaimTemplateName"}) {
      if (Member(claim, field) == nullptr) continue;
      walk.Check(at[field], Text(claim, field), Dns1123Subdomain);
    }
  }
}

void HostNetworkPorts(const Value& spec, const Path& path, Walk& walk) {
  if (!True(spec, "hostNetwork")) return;
  const bool in_pod = walk.pod().metadata != nullptr;
  const Path list = path["containers"];
  size_t index = 0;
  for (const Value& container : List(spec, "containers")) {
    const Path at = list[index++];
    const Path ports = at["ports"];
    size_t port_index = 0;
    for (const Value& port : List(container, "ports")) {
      const Path port_at = ports[port_index++];
      const int64_t host = Int(port, "hostPort").value_or(0);
      if ((!in_pod && host == 0) || host == Int(port, "containerPort").value_or(0)) continue;
      walk.Invalid(port_at["hostPort"], host,
                   "must match `containerPort` when `hostNetwork` is true");
    }
  }
}

void CheckSearches(const Value& config, const Path& path, Walk& walk) {
  const auto searches = List(config, "searches");
  const Path list = path["searches"];
  if (searches.size() > kSearchPathsMax) {
    walk.Invalid(list, *config.Find("searches"),
                 fmt::format("must not have more than {} search paths", kSearchPathsMax));
  }
  size_t bytes = searches.empty() ? 0 : searches.size() - 1;
  for (const Value& search : searches) bytes += search.size();
  if (bytes > kSearchBytesMax) {
    walk.Invalid(list, *config.Find("searches"),
                 fmt::format("must not have more than {} characters (including spaces) in the "
                             "search list",
                             kSearchBytesMax));
  }
  size_t index = 0;
  for (const Value& search : searches) {
    const Path at = list[index++];
    if (!search.IsString() || search.AsString() == ".") continue;
    std::string_view text = search.AsString();
    if (text.ends_with('.')) text.remove_suffix(1);
    walk.Check(at, text, Dns1123SubdomainWithUnderscore);
  }
}

void DnsConfig(const Value& spec, const Path& path, Walk& walk) {
  const Value* config = Member(spec, "dnsConfig");
  const Path at = path["dnsConfig"];
  if (Text(spec, "dnsPolicy") == "None") {
    if (config == nullptr) {
      return walk.Required(at, "must provide `dnsConfig` when `dnsPolicy` is None");
    }
    if (IsEmpty(config->Find("nameservers"))) {
      return walk.Required(at["nameservers"],
                           "must provide at least one DNS nameserver when `dnsPolicy` is None");
    }
  }
  if (config == nullptr) return;
  const auto servers = List(*config, "nameservers");
  const Path list = at["nameservers"];
  if (servers.size() > kNameserversMax) {
    walk.Invalid(list, *config->Find("nameservers"),
                 fmt::format("must not have more than {} nameservers", kNameserversMax));
  }
  size_t index = 0;
  for (const Value& server : servers) {
    const Path server_at = list[index++];
    if (server.IsString()) walk.Check(server_at, server.AsString(), Ip);
  }
  CheckSearches(*config, at, walk);
  const Path options = at["options"];
  index = 0;
  for (const Value& option : List(*config, "options")) {
    if (Text(option, "name").empty()) walk.Required(options[index], "must not be empty");
    ++index;
  }
}

void SchedulingGates(const Value& spec, const Path& path, Walk& walk) {
  NameSet seen;
  const Path list = path["schedulingGates"];
  size_t index = 0;
  for (const Value& gate : List(spec, "schedulingGates")) {
    const Path at = list[index++];
    const std::string_view name = Text(gate, "name");
    walk.Check(at, name, LabelKeyErrors);
    if (!seen.Insert(name)) walk.Duplicate(at, name);
  }
}

// --- spreading, affinity, tolerations

void CheckLabelKeys(const Value& term, std::string_view field, const Value* selector,
                    const Path& path, Walk& walk) {
  const auto keys = List(term, field);
  if (keys.empty()) return;
  const Path list = path[field];
  if (selector == nullptr) {
    return walk.Forbidden(list, "must not be specified when labelSelector is not set");
  }
  size_t index = 0;
  for (const Value& key : keys) {
    const Path at = list[index++];
    if (key.IsString()) walk.Check(at, key.AsString(), LabelKeyErrors);
  }
}

void MatchLabelKeys(const Value& term, const Path& path, Walk& walk) {
  const auto matches = List(term, "matchLabelKeys");
  const auto mismatches = List(term, "mismatchLabelKeys");
  if (matches.empty() && mismatches.empty()) return;
  const Value* selector = Member(term, "labelSelector");
  CheckLabelKeys(term, "matchLabelKeys", selector, path, walk);
  CheckLabelKeys(term, "mismatchLabelKeys", selector, path, walk);
  if (selector != nullptr) {
    NameSet keys;
    for (const json::Member& label : Map(*selector, "matchLabels")) keys.Insert(label.name);
    for (const Value& expression : List(*selector, "matchExpressions")) {
      const std::string_view key = Text(expression, "key");
      const auto it = std::ranges::find_if(
          matches, [&](const Value& v) { return v.IsString() && v.AsString() == key; });
      if (it != matches.end() && keys.Has(key)) {
        walk.Invalid(path[static_cast<size_t>(it - matches.begin())], key,
                     "exists in both matchLabelKeys and labelSelector");
      }
      keys.Insert(key);
    }
  }
  NameSet taken;
  for (const Value& key : mismatches) taken.Insert(key.IsString() ? key.AsString() : "");
  const Path list = path["matchLabelKeys"];
  size_t index = 0;
  for (const Value& key : matches) {
    const Path at = list[index++];
    if (!key.IsString() || !taken.Has(key.AsString())) continue;
    walk.Invalid(at, key.AsString(), "exists in both matchLabelKeys and mismatchLabelKeys");
  }
}

void MinDomains(const Value& constraint, const Path& path, Walk& walk) {
  const auto domains = Int(constraint, "minDomains");
  if (!domains) return;
  if (*domains <= 0) walk.Invalid(path["minDomains"], *domains, "must be greater than zero");
  const std::string_view action = Text(constraint, "whenUnsatisfiable");
  if (action == "DoNotSchedule") return;
  walk.Invalid(
      path["minDomains"], *domains,
      fmt::format("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {}", action));
}

// No two constraints are about the same key and action; errors are at the earlier one.
void SpreadConstraints(const Value& spec, const Path& path, Walk& walk) {
  const auto constraints = List(spec, "topologySpreadConstraints");
  if (constraints.size() < 2) return;
  std::unordered_set<std::string> seen;
  const Path list = path["topologySpreadConstraints"];
  for (size_t i = constraints.size(); i-- > 0;) {
    const std::string text = fmt::format("{{{}, {}}}", Text(constraints[i], "topologyKey"),
                                         Text(constraints[i], "whenUnsatisfiable"));
    const Path at = list[i];
    if (!seen.insert(text).second) walk.Duplicate(at["{topologyKey, whenUnsatisfiable}"], text);
  }
}

void AffinityNamespaces(const Value& term, const Path& path, Walk& walk) {
  for (const Value& name : List(term, "namespaces")) {
    if (name.IsString()) walk.Check(path["namespace"], name.AsString(), Dns1123Label);
  }
}

void CheckTolerationValue(const Value& toleration, std::string_view op, const Path& path,
                          Walk& walk) {
  const std::string_view value = Text(toleration, "value");
  if (op.empty() || op == "Equal") {
    std::string all;
    for (const std::string& message : LabelValueErrors(value)) {
      all += (all.empty() ? "" : ";") + message;
    }
    if (!all.empty()) walk.Invalid(path["operator"], value, all);
  } else if (op == "Exists") {
    if (!value.empty()) {
      walk.Invalid(path["operator"], value, "value must be empty when `operator` is 'Exists'");
    }
  } else if (op == "Lt" || op == "Gt") {
    walk.NotSupported(path["operator"], op, {"Equal", "Exists", "Lt", "Gt"});
  } else {
    walk.NotSupported(path["operator"], op, {"Equal", "Exists"});
  }
}

void Toleration(const Value& toleration, const Path& path, Walk& walk) {
  const std::string_view key = Text(toleration, "key");
  const std::string_view op = Text(toleration, "operator");
  const std::string_view effect = Text(toleration, "effect");
  if (!key.empty()) walk.Check(path["key"], key, LabelKeyErrors);
  if (key.empty() && op != "Exists") {
    walk.Invalid(path["operator"], op,
                 "operator must be Exists when `key` is empty, which means \"match all values and "
                 "all keys\"");
  }
  if (Int(toleration, "tolerationSeconds") && effect != "NoExecute") {
    walk.Invalid(path["effect"], effect,
                 "effect must be 'NoExecute' when `tolerationSeconds` is set");
  }
  CheckTolerationValue(toleration, op, path, walk);
}

// --- hosts and operating systems

void HostUsers(const Value& spec, const Path& path, Walk& walk) {
  if (walk.pod().host_users) return;
  constexpr std::string_view kDetail = "when `hostUsers` is false";
  if (True(spec, "hostNetwork")) walk.Forbidden(path["hostNetwork"], kDetail);
  if (True(spec, "hostPID")) walk.Forbidden(path["HostPID"], kDetail);
  if (True(spec, "hostIPC")) walk.Forbidden(path["HostIPC"], kDetail);
  ForEachContainer(spec, path, [&](const Value& container, const Path& at) {
    if (IsEmpty(container.Find("volumeDevices"))) return;
    walk.Forbidden(at["volumeDevices"], kDetail);
  });
}

void HostnameOverride(const Value& spec, const Path& path, Walk& walk) {
  if (Member(spec, "hostnameOverride") == nullptr) return;
  const Path at = path["hostnameOverride"];
  const std::string_view name = Text(spec, "hostnameOverride");
  if (True(spec, "setHostnameAsFQDN")) {
    walk.Forbidden(at, "may not be specified when setHostnameAsFQDN is true");
  }
  if (True(spec, "hostNetwork")) {
    walk.Forbidden(at, "may not be specified when hostNetwork is true");
  }
  if (name.size() > kHostnameBytesMax) walk.TooLong(at, kHostnameBytesMax);
  walk.Check(at, name, Dns1123Subdomain);
}

void ForbidFields(const Value& object, std::initializer_list<std::string_view> fields,
                  const Path& path, std::string_view detail, Walk& walk) {
  for (const std::string_view field : fields) {
    const Value* value = Member(object, field);
    if (value == nullptr || (value->IsBool() && !value->AsBool() && field.starts_with("host"))) {
      continue;
    }
    walk.Forbidden(path[field], detail);
  }
}

void CheckWindows(const Value& spec, const Path& path, Walk& walk) {
  constexpr std::string_view kDetail = "cannot be set for a windows pod";
  if (const Value* context = Member(spec, "securityContext")) {
    ForbidFields(*context, {"appArmorProfile", "seLinuxOptions"}, path["securityContext"], kDetail,
                 walk);
    if (Member(spec, "hostUsers") != nullptr) walk.Forbidden(path["hostUsers"], kDetail);
    ForbidFields(spec, {"hostPID", "hostIPC"}, path, kDetail, walk);
    ForbidFields(*context, {"seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls"},
                 path["securityContext"], kDetail, walk);
    ForbidFields(spec, {"shareProcessNamespace"}, path, kDetail, walk);
    ForbidFields(*context,
                 {"runAsUser", "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy",
                  "seLinuxChangePolicy"},
                 path["securityContext"], kDetail, walk);
  }
  ForEachContainer(spec, path, [&](const Value& container, const Path& at) {
    const Value* context = Member(container, "securityContext");
    if (context == nullptr) return;
    ForbidFields(*context,
                 {"appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities",
                  "readOnlyRootFilesystem", "privileged", "allowPrivilegeEscalation", "procMount",
                  "runAsUser", "runAsGroup"},
                 at["securityContext"], kDetail, walk);
  });
}

void OperatingSystem(const Value& spec, const Path& path, Walk& walk) {
  const Value* os = Member(spec, "os");
  if (os == nullptr) return;
  const std::string_view name = Text(*os, "name");
  if (name.empty()) return walk.Required(path["os"]["name"]);
  if (name == "windows") return CheckWindows(spec, path, walk);
  if (name != "linux") return walk.NotSupported(path["os"], name, {"linux", "windows"});
  constexpr std::string_view kDetail = "windows options cannot be set for a linux pod";
  if (spec.Find({"securityContext", "windowsOptions"}) != nullptr) {
    walk.Forbidden(path["securityContext"]["windowsOptions"], kDetail);
  }
  ForEachContainer(spec, path, [&](const Value& container, const Path& at) {
    if (container.Find({"securityContext", "windowsOptions"}) == nullptr) return;
    walk.Forbidden(at["securityContext"]["windowsOptions"], kDetail);
  });
}

void WindowsHostProcess(const Value& spec, const Path& path, Walk& walk) {
  const Value* of_pod = spec.Find({"securityContext", "windowsOptions", "hostProcess"});
  size_t all = 0;
  size_t host = 0;
  ForEachContainer(spec, path, [&](const Value& container, const Path& at) {
    ++all;
    const Value* own = container.Find({"securityContext", "windowsOptions", "hostProcess"});
    if (own != nullptr && of_pod != nullptr && !(*own == *of_pod)) {
      walk.Invalid(at["securityContext"]["windowsOptions"]["hostProcess"], *own,
                   fmt::format("pod hostProcess value must be identical if both are specified, was "
                               "{}",
                               of_pod->AsBool()));
    }
    const Value* is = own != nullptr ? own : of_pod;
    if (is != nullptr && is->IsBool() && is->AsBool()) ++host;
  });
  if (host == 0) return;
  if (host != all) {
    walk.Invalid(path, "",
                 "If pod contains any hostProcess containers then all containers must be "
                 "HostProcess containers");
  }
  if (!True(spec, "hostNetwork")) {
    walk.Invalid(path["hostNetwork"], Value::Bool(false),
                 "hostNetwork must be true if pod contains any hostProcess containers");
  }
}

void FileKeyVolumes(const Value& spec, const Path& path, Walk& walk) {
  ForEachContainer(spec, path, [&](const Value& container, const Path& at) {
    const Path env = at["env"];
    size_t index = 0;
    for (const Value& variable : List(container, "env")) {
      const Path variable_at = env[index++];
      const Value* key = variable.Find({"valueFrom", "fileKeyRef"});
      if (key == nullptr) continue;
      const std::string_view name = Text(*key, "volumeName");
      const Value* volume = walk.pod().FindVolume(name);
      const Path from = variable_at["valueFrom"];
      const Path name_at = from["fileKeyRef"];
      if (volume == nullptr) {
        walk.NotFound(name_at["volumeName"], name);
      } else if (Member(*volume, "emptyDir") == nullptr) {
        walk.Invalid(name_at["volumeName"], name, "referenced volume must be of type emptyDir");
      }
    }
  });
}

// --- security

// Fields that this version of the API has in the spec, and the server in its security context.
void PodSecurity(const Value& /*context*/, const Path& path, Walk& walk) {
  const Value* spec = walk.pod().spec;
  if (spec == nullptr || !True(*spec, "shareProcessNamespace") || !True(*spec, "hostPID")) return;
  walk.Invalid(path["shareProcessNamespace"], Value::Bool(true),
               "ShareProcessNamespace and HostPID cannot both be enabled");
}

bool IsSysctlName(std::string_view name) {
  const auto segment = [](std::string_view text) {
    const auto edge = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !text.empty() && edge(text.front()) && edge(text.back()) &&
           std::ranges::all_of(text, [&](char c) { return edge(c) || c == '-' || c == '_'; });
  };
  if (name.size() > 253) return false;
  for (;;) {
    const size_t end = name.find_first_of("./");
    if (!segment(name.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    name.remove_prefix(end + 1);
  }
}

bool IsOfNamespace(std::string_view sysctl, std::string_view ns) {
  std::string dotted(sysctl);
  const size_t first = dotted.find_first_of("./");
  if (first != std::string::npos && dotted[first] == '/') std::ranges::replace(dotted, '/', '.');
  if (ns == "net") return dotted.starts_with("net.");
  return dotted.starts_with("fs.mqueue.") || dotted == "kernel.sem" ||
         dotted.starts_with("kernel.shm") || dotted.starts_with("kernel.msg");
}

void Sysctls(const Value& context, const Path& path, Walk& walk) {
  NameSet names;
  const Path list = path["sysctls"];
  size_t index = 0;
  for (const Value& sysctl : List(context, "sysctls")) {
    const Path element = list[index++];
    const Path at = element["name"];
    const std::string_view name = Text(sysctl, "name");
    if (name.empty()) {
      walk.Required(at);
    } else if (!IsSysctlName(name)) {
      walk.Invalid(at, name,
                   "must have at most 253 characters and match regex "
                   "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
    } else if (names.Has(name)) {
      walk.Duplicate(at, name);
    }
    names.Insert(name);
    if (walk.pod().spec == nullptr) continue;
    if (True(*walk.pod().spec, "hostNetwork") && IsOfNamespace(name, "net")) {
      walk.Invalid(at, name, "may not be specified when 'hostNetwork' is true");
    } else if (True(*walk.pod().spec, "hostIPC") && IsOfNamespace(name, "ipc")) {
      walk.Invalid(at, name, "may not be specified when 'hostIPC' is true");
    }
  }
}

void Seccomp(const Value& profile, const Path& path, Walk& walk) {
  const Value* local = Member(profile, "localhostProfile");
  if (Text(profile, "type") != "Localhost") {
    if (local == nullptr) return;
    walk.Invalid(path["localhostProfile"], profile, TypeOf("core.v1.SeccompProfile"),
                 "can only be set when seccomp type is Localhost");
  } else if (local == nullptr) {
    walk.Required(path["localhostProfile"], "must be set when seccomp type is Localhost");
  } else {
    walk.Check(path["localhostProfile"], local->AsString(), RelativePath);
  }
}

void AppArmor(const Value& profile, const Path& path, Walk& walk) {
  const std::string_view type = Text(profile, "type");
  const Value* local = Member(profile, "localhostProfile");
  const Path at = path["localhostProfile"];
  if (type.empty()) {
    walk.Required(path["type"], "type is required when appArmorProfile is set");
  } else if (type == "RuntimeDefault" || type == "Unconfined") {
    if (local != nullptr) {
      walk.Invalid(at, *local, "can only be set when AppArmor type is Localhost");
    }
  } else if (type != "Localhost") {
    walk.NotSupported(path["type"], type, {"Localhost", "RuntimeDefault", "Unconfined"});
  } else if (local == nullptr || local->size() == 0) {
    walk.Required(at, "must be set when AppArmor type is Localhost");
  } else if (TrimSpace(local->AsString()).size() != local->size()) {
    walk.Invalid(at, local->AsString(), "must not be padded with whitespace");
  } else if (local->size() > 4095) {
    walk.TooLong(at, 4095);
  }
}

void ContainerSecurity(const Value& context, const Path& path, Walk& walk) {
  static const TypeId kContext = TypeOf("core.v1.SecurityContext");
  const Value* escalation = Member(context, "allowPrivilegeEscalation");
  if (escalation == nullptr || !escalation->IsBool() || escalation->AsBool()) return;
  if (True(context, "privileged")) {
    walk.Invalid(path, context, kContext,
                 "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
  }
  const Value* capabilities = Member(context, "capabilities");
  if (capabilities == nullptr) return;
  for (const Value& capability : List(*capabilities, "add")) {
    if (!capability.IsString() || capability.AsString() != "CAP_SYS_ADMIN") continue;
    walk.Invalid(path, context, kContext,
                 "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` "
                 "CAP_SYS_ADMIN");
  }
}

void ProcMount(const Value& context, const Path& path, Walk& walk) {
  if (!walk.pod().host_users || Text(context, "procMount") != "Unmasked") return;
  walk.Invalid(path["procMount"], "Unmasked", "`hostUsers` must be false to use `Unmasked`");
}

constexpr NamedCheck kChecks[] = {
    {"affinityNamespaces", AffinityNamespaces},
    {"appArmor", AppArmor},
    {"containerSecurity", ContainerSecurity},
    {"dnsConfig", DnsConfig},
    {"fileKeyVolumes", FileKeyVolumes},
    {"hostNetworkPorts", HostNetworkPorts},
    {"hostUsers", HostUsers},
    {"hostnameOverride", HostnameOverride},
    {"matchLabelKeys", MatchLabelKeys},
    {"minDomains", MinDomains},
    {"newPod", NewPod},
    {"operatingSystem", OperatingSystem},
    {"pod", Pod},
    {"podSecurity", PodSecurity},
    {"procMount", ProcMount},
    {"resourceClaims", ResourceClaims},
    {"schedulingGates", SchedulingGates},
    {"seccomp", Seccomp},
    {"spreadConstraints", SpreadConstraints},
    {"sysctls", Sysctls},
    {"template", Template},
    {"toleration", Toleration},
    {"windowsHostProcess", WindowsHostProcess},
};

}  // namespace

std::span<const NamedCheck> PodChecks() { return kChecks; }

}  // namespace kulisse::openapi
