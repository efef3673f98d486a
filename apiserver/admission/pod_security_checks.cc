#include "apiserver/admission/pod_security_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "apiserver/admission/fields.h"
#include "base/status.h"
#include "base/text.h"

namespace kulisse::apiserver {

namespace {

using json::Value;
using Names = std::vector<std::string>;
using SortedNames = std::set<std::string>;
using Outcome = std::optional<SecurityViolation>;

// The newest version in which a check changed: later ones are the same.
constexpr int kMinorMax = 35;

// What a check looks at.
struct PodView {
  const Value* metadata;
  const Value& spec;
  int minor;

  // Visits init containers, containers and ephemeral ones.
  template <class Visit>
  void EachContainer(const Visit& visit) const {
    for (const std::string_view list : {"initContainers", "containers", "ephemeralContainers"}) {
      for (const Value& container : ListAt(spec, list)) visit(container);
    }
  }
  // The names of the containers that are bad.
  template <class IsBad>
  [[nodiscard]] Names Containers(const IsBad& is_bad) const {
    Names names;
    EachContainer([&](const Value& container) {
      if (is_bad(container)) names.emplace_back(container.FindString({"name"}));
    });
    return names;
  }
  [[nodiscard]] bool IsWindows() const { return spec.FindString({"os", "name"}) == "windows"; }
  // Users of the pod are none on the host.
  [[nodiscard]] bool HasUserNamespace() const {
    return BoolAt(spec, "hostUsers") == std::optional(false);
  }
  [[nodiscard]] std::string_view Annotation(std::string_view name) const {
    return metadata == nullptr ? "" : metadata->FindString({"annotations", name});
  }
};

std::string_view Plural(std::string_view one, std::string_view many, size_t count) {
  return count == 1 ? one : many;
}

template <class List>
std::string Quoted(const List& names) {
  return fmt::format("\"{}\"", fmt::join(names, "\", \""));
}

// `container "a"`, `containers "a", "b"`.
std::string ContainersText(const Names& names) {
  return fmt::format("{} {}", Plural("container", "containers", names.size()), Quoted(names));
}

// `pod and container "a"`: who sets something bad. Empty when nobody does.
std::string Setters(bool pod, const Names& containers) {
  if (containers.empty()) return pod ? "pod" : "";
  return (pod ? "pod and " : "") + ContainersText(containers);
}

const Value* SecurityContext(const Value& holder) { return holder.Find("securityContext"); }

std::optional<bool> SecurityFlag(const Value& holder, std::string_view name) {
  const Value* context = SecurityContext(holder);
  return context == nullptr ? std::nullopt : BoolAt(*context, name);
}

template <size_t kSize>
bool Contains(const std::string_view (&names)[kSize], std::string_view name) {
  return std::ranges::find(names, name) != std::end(names);
}

// --- baseline

bool IsAllowedAppArmorType(std::string_view type) {
  return type == "RuntimeDefault" || type == "Localhost";
}

Outcome CheckAppArmorProfile(const PodView& pod) {
  constexpr std::string_view kPrefix = "container.apparmor.security.beta.kubernetes.io/";
  SortedNames bad_types;
  const auto is_bad = [&](const Value& holder) {
    const Value* profile = holder.Find({"securityContext", "appArmorProfile"});
    if (profile == nullptr || IsAllowedAppArmorType(profile->FindString({"type"}))) return false;
    bad_types.emplace(profile->FindString({"type"}));
    return true;
  };
  const bool pod_is_bad = is_bad(pod.spec);
  std::string setters = Setters(pod_is_bad, pod.Containers(is_bad));
  Names bad(bad_types.begin(), bad_types.end());
  SortedNames annotations;
  if (pod.metadata != nullptr) {
    for (const json::Member& member : MapAt(*pod.metadata, "annotations")) {
      const std::string_view value = member.value.AsString();
      const bool allowed =
          value.empty() || value == "runtime/default" || value.starts_with("localhost/");
      if (!member.name.starts_with(kPrefix) || allowed) continue;
      annotations.insert(fmt::format("{}={}", member.name, GoQuote(value)));
    }
  }
  if (!annotations.empty()) {
    bad.insert(bad.end(), annotations.begin(), annotations.end());
    if (!setters.empty()) setters += " and ";
    setters += Plural("annotation", "annotations", annotations.size());
  }
  if (setters.empty()) return std::nullopt;
  return SecurityViolation{
      std::string(Plural("forbidden AppArmor profile", "forbidden AppArmor profiles", bad.size())),
      fmt::format("{} must not set AppArmor profile type to {}", setters, Quoted(bad))};
}

// The names in securityContext.capabilities.`list`.
std::span<const Value> Capabilities(const Value& container, std::string_view list) {
  const Value* capabilities = container.Find({"securityContext", "capabilities"});
  return capabilities == nullptr ? std::span<const Value>() : ListAt(*capabilities, list);
}

Outcome CheckCapabilitiesBaseline(const PodView& pod) {
  static constexpr std::string_view kAllowed[] = {
      "AUDIT_WRITE",      "CHOWN",   "DAC_OVERRIDE", "FOWNER",  "FSETID", "KILL",      "MKNOD",
      "NET_BIND_SERVICE", "SETFCAP", "SETGID",       "SETPCAP", "SETUID", "SYS_CHROOT"};
  SortedNames forbidden;
  const Names bad = pod.Containers([&](const Value& container) {
    bool is_bad = false;
    for (const Value& capability : Capabilities(container, "add")) {
      if (Contains(kAllowed, capability.AsString())) continue;
      forbidden.emplace(capability.AsString());
      is_bad = true;
    }
    return is_bad;
  });
  if (bad.empty()) return std::nullopt;
  return SecurityViolation{"non-default capabilities",
                           fmt::format("{} must not include {} in securityContext.capabilities.add",
                                       ContainersText(bad), Quoted(forbidden))};
}

Outcome CheckHostNamespaces(const PodView& pod) {
  Names used;
  for (const std::string_view name : {"hostNetwork", "hostPID", "hostIPC"}) {
    if (BoolAt(pod.spec, name).value_or(false)) used.push_back(std::string(name) + "=true");
  }
  if (used.empty()) return std::nullopt;
  return SecurityViolation{"host namespaces", Join(used, ", ")};
}

Outcome CheckHostPathVolumes(const PodView& pod) {
  Names bad;
  for (const Value& volume : ListAt(pod.spec, "volumes")) {
    if (volume.Find("hostPath") != nullptr) bad.emplace_back(volume.FindString({"name"}));
  }
  if (bad.empty()) return std::nullopt;
  return SecurityViolation{
      "hostPath volumes",
      fmt::format("{} {}", Plural("volume", "volumes", bad.size()), Quoted(bad))};
}

Outcome CheckHostPorts(const PodView& pod) {
  SortedNames ports;
  const Names bad = pod.Containers([&](const Value& container) {
    bool is_bad = false;
    for (const Value& port : ListAt(container, "ports")) {
      const int64_t host_port = IntAt(port, "hostPort").value_or(0);
      if (host_port == 0) continue;
      ports.insert(std::to_string(host_port));
      is_bad = true;
    }
    return is_bad;
  });
  if (bad.empty()) return std::nullopt;
  return SecurityViolation{
      "hostPort",
      fmt::format("{} {} {} {}", ContainersText(bad), Plural("uses", "use", bad.size()),
                  Plural("hostPort", "hostPorts", ports.size()), fmt::join(ports, ", "))};
}

Outcome CheckHostProbes(const PodView& pod) {
  SortedNames hosts;
  SortedNames bad;
  const auto look = [&](const Value& container, const Value* handler) {
    if (handler == nullptr) return;
    for (const std::string_view kind : {"httpGet", "tcpSocket"}) {
      const std::string_view host = handler->FindString({kind, "host"});
      if (host.empty()) continue;
      hosts.emplace(host);
      bad.emplace(container.FindString({"name"}));
    }
  };
  pod.EachContainer([&](const Value& container) {
    for (const std::string_view probe : {"livenessProbe", "readinessProbe", "startupProbe"}) {
      look(container, container.Find(probe));
    }
    for (const std::string_view hook : {"postStart", "preStop"}) {
      look(container, container.Find({"lifecycle", hook}));
    }
  });
  if (bad.empty()) return std::nullopt;
  return SecurityViolation{
      "probe or lifecycle host",
      fmt::format("{} {} {} {}", ContainersText(Names(bad.begin(), bad.end())),
                  Plural("uses", "use", bad.size()),
                  Plural("probe or lifecycle host", "probe or lifecycle hosts", hosts.size()),
                  Quoted(hosts))};
}

Outcome CheckPrivileged(const PodView& pod) {
  const Names bad = pod.Containers(
      [](const Value& container) { return SecurityFlag(container, "privileged").value_or(false); });
  if (bad.empty()) return std::nullopt;
  return SecurityViolation{"privileged",
                           ContainersText(bad) + " must not set securityContext.privileged=true"};
}

Outcome CheckProcMount(const PodView& pod) {
  SortedNames types;
  const Names bad = pod.Containers([&](const Value& container) {
    const std::string_view type = container.FindString({"securityContext", "procMount"});
    if (type.empty() || type == "Default") return false;
    types.emplace(type);
    return true;
  });
  if (bad.empty()) return std::nullopt;
  return SecurityViolation{"procMount",
                           fmt::format("{} must not set securityContext.procMount to {}",
                                       ContainersText(bad), Quoted(types))};
}

Outcome CheckProcMountBaseline(const PodView& pod) {
  if (pod.minor >= 35 && pod.HasUserNamespace()) return std::nullopt;
  return CheckProcMount(pod);
}

Outcome CheckSeLinuxOptions(const PodView& pod) {
  static constexpr std::string_view kAllowed[] = {"", "container_t", "container_init_t",
                                                  "container_kvm_t"};
  SortedNames types;
  bool sets_user = false;
  bool sets_role = false;
  const auto is_bad = [&](const Value& holder) {
    const Value* options = holder.Find({"securityContext", "seLinuxOptions"});
    if (options == nullptr) return false;
    const std::string_view type = options->FindString({"type"});
    const bool type_allowed =
        Contains(kAllowed, type) || (pod.minor >= 31 && type == "container_engine_t");
    if (!type_allowed) types.emplace(type);
    const bool user = !options->FindString({"user"}).empty();
    const bool role = !options->FindString({"role"}).empty();
    sets_user |= user;
    sets_role |= role;
    return !type_allowed || user || role;
  };
  const bool pod_is_bad = is_bad(pod.spec);
  const std::string setters = Setters(pod_is_bad, pod.Containers(is_bad));
  if (setters.empty()) return std::nullopt;
  Names what;
  if (!types.empty()) {
    what.push_back(fmt::format("{} {}", Plural("type", "types", types.size()), Quoted(types)));
  }
  if (sets_user) what.emplace_back("user may not be set");
  if (sets_role) what.emplace_back("role may not be set");
  return SecurityViolation{
      "seLinuxOptions", fmt::format("{} set forbidden securityContext.seLinuxOptions: {}", setters,
                                    Join(what, "; "))};
}

// Before 1.19 profiles were annotations.
Outcome CheckSeccompAnnotations(const PodView& pod) {
  SortedNames forbidden;
  const auto look = [&](const std::string& name) {
    const std::string_view value = pod.Annotation(name);
    if (value.empty() || value == "runtime/default" || value == "docker/default" ||
        value.starts_with("localhost/")) {
      return;
    }
    forbidden.insert(fmt::format("{}={}", name, GoQuote(value)));
  };
  look("seccomp.security.alpha.kubernetes.io/pod");
  pod.EachContainer([&](const Value& container) {
    look(fmt::format("container.seccomp.security.alpha.kubernetes.io/{}",
                     container.FindString({"name"})));
  });
  if (forbidden.empty()) return std::nullopt;
  return SecurityViolation{
      "seccompProfile",
      fmt::format("forbidden {} {}", Plural("annotation", "annotations", forbidden.size()),
                  fmt::join(forbidden, ", "))};
}

// Profiles that are set, and not allowed.
Outcome CheckSeccompTypes(const PodView& pod) {
  SortedNames types;
  const auto is_bad = [&](const Value& holder) {
    const Value* profile = holder.Find({"securityContext", "seccompProfile"});
    if (profile == nullptr) return false;
    const std::string_view type = profile->FindString({"type"});
    if (type == "Localhost" || type == "RuntimeDefault") return false;
    types.emplace(type);
    return true;
  };
  const bool pod_is_bad = is_bad(pod.spec);
  const std::string setters = Setters(pod_is_bad, pod.Containers(is_bad));
  if (setters.empty()) return std::nullopt;
  return SecurityViolation{"seccompProfile",
                           fmt::format("{} must not set securityContext.seccompProfile.type to {}",
                                       setters, Quoted(types))};
}

Outcome CheckSeccompBaseline(const PodView& pod) {
  return pod.minor >= 19 ? CheckSeccompTypes(pod) : CheckSeccompAnnotations(pod);
}

struct AllowedSysctl {
  std::string_view name;
  int minor;  // since
};
constexpr AllowedSysctl kSysctls[] = {
    {"kernel.shm_rmid_forced", 0},
    {"net.ipv4.ip_local_port_range", 0},
    {"net.ipv4.tcp_syncookies", 0},
    {"net.ipv4.ping_group_range", 0},
    {"net.ipv4.ip_unprivileged_port_start", 0},
    {"net.ipv4.ip_local_reserved_ports", 27},
    {"net.ipv4.tcp_keepalive_time", 29},
    {"net.ipv4.tcp_fin_timeout", 29},
    {"net.ipv4.tcp_keepalive_intvl", 29},
    {"net.ipv4.tcp_keepalive_probes", 29},
    {"net.ipv4.tcp_rmem", 32},
    {"net.ipv4.tcp_wmem", 32},
};

Outcome CheckSysctls(const PodView& pod) {
  const Value* context = SecurityContext(pod.spec);
  if (context == nullptr) return std::nullopt;
  Names forbidden;
  for (const Value& sysctl : ListAt(*context, "sysctls")) {
    const std::string_view name = sysctl.FindString({"name"});
    const auto* row = std::ranges::find(kSysctls, name, &AllowedSysctl::name);
    if (row == std::end(kSysctls) || row->minor > pod.minor) forbidden.emplace_back(name);
  }
  if (forbidden.empty()) return std::nullopt;
  return SecurityViolation{"forbidden sysctls", Join(forbidden, ", ")};
}

Outcome CheckWindowsHostProcess(const PodView& pod) {
  const auto is_bad = [](const Value& holder) {
    const Value* options = holder.Find({"securityContext", "windowsOptions"});
    return options != nullptr && BoolAt(*options, "hostProcess").value_or(false);
  };
  const std::string setters = Setters(is_bad(pod.spec), pod.Containers(is_bad));
  if (setters.empty()) return std::nullopt;
  return SecurityViolation{
      "hostProcess", setters + " must not set securityContext.windowsOptions.hostProcess=true"};
}

// --- restricted

Outcome CheckAllowPrivilegeEscalation(const PodView& pod) {
  if (pod.minor >= 25 && pod.IsWindows()) return std::nullopt;
  const Names bad = pod.Containers([](const Value& container) {
    return SecurityFlag(container, "allowPrivilegeEscalation").value_or(true);
  });
  if (bad.empty()) return std::nullopt;
  return SecurityViolation{
      "allowPrivilegeEscalation != false",
      ContainersText(bad) + " must set securityContext.allowPrivilegeEscalation=false"};
}

Outcome CheckCapabilitiesRestricted(const PodView& pod) {
  if (pod.minor >= 25 && pod.IsWindows()) return std::nullopt;
  const Names keeping = pod.Containers([](const Value& container) {
    return std::ranges::none_of(Capabilities(container, "drop"), [](const Value& capability) {
      return capability.AsString() == "ALL";
    });
  });
  SortedNames forbidden;
  const Names adding = pod.Containers([&](const Value& container) {
    bool is_bad = false;
    for (const Value& capability : Capabilities(container, "add")) {
      if (capability.AsString() == "NET_BIND_SERVICE") continue;
      forbidden.emplace(capability.AsString());
      is_bad = true;
    }
    return is_bad;
  });
  Names details;
  if (!keeping.empty()) {
    details.push_back(ContainersText(keeping) +
                      " must set securityContext.capabilities.drop=[\"ALL\"]");
  }
  if (!adding.empty()) {
    details.push_back(fmt::format("{} must not include {} in securityContext.capabilities.add",
                                  ContainersText(adding), Quoted(forbidden)));
  }
  if (details.empty()) return std::nullopt;
  return SecurityViolation{"unrestricted capabilities", Join(details, "; ")};
}

Outcome CheckRestrictedVolumes(const PodView& pod) {
  static constexpr std::string_view kAllowed[] = {
      "configMap", "csi",   "downwardAPI",           "emptyDir",
      "ephemeral", "image", "persistentVolumeClaim", "projected",
      "secret"};
  Names bad;
  SortedNames types;
  for (const Value& volume : ListAt(pod.spec, "volumes")) {
    std::string_view type = "unknown";
    for (const json::Member& member : volume.members()) {
      if (member.name != "name") type = member.name;
    }
    if (Contains(kAllowed, type)) continue;
    bad.emplace_back(volume.FindString({"name"}));
    types.emplace(type);
  }
  if (bad.empty()) return std::nullopt;
  return SecurityViolation{
      "restricted volume types",
      fmt::format("{} {} {} {} {}", Plural("volume", "volumes", bad.size()), Quoted(bad),
                  Plural("uses", "use", bad.size()),
                  Plural("restricted volume type", "restricted volume types", types.size()),
                  Quoted(types))};
}

Outcome CheckRunAsNonRoot(const PodView& pod) {
  if (pod.minor >= 35 && pod.HasUserNamespace()) return std::nullopt;
  const auto says_false = [](const Value& holder) {
    return SecurityFlag(holder, "runAsNonRoot") == std::optional(false);
  };
  const std::string setters = Setters(says_false(pod.spec), pod.Containers(says_false));
  if (!setters.empty()) {
    return SecurityViolation{"runAsNonRoot != true",
                             setters + " must not set securityContext.runAsNonRoot=false"};
  }
  if (SecurityFlag(pod.spec, "runAsNonRoot").value_or(false)) return std::nullopt;
  const Names silent = pod.Containers(
      [](const Value& container) { return !SecurityFlag(container, "runAsNonRoot"); });
  if (silent.empty()) return std::nullopt;
  return SecurityViolation{
      "runAsNonRoot != true",
      fmt::format("pod or {} must set securityContext.runAsNonRoot=true", ContainersText(silent))};
}

Outcome CheckRunAsUser(const PodView& pod) {
  if (pod.minor >= 35 && pod.HasUserNamespace()) return std::nullopt;
  const auto is_bad = [](const Value& holder) {
    const Value* context = SecurityContext(holder);
    return context != nullptr && IntAt(*context, "runAsUser") == std::optional<int64_t>(0);
  };
  const std::string setters = Setters(is_bad(pod.spec), pod.Containers(is_bad));
  if (setters.empty()) return std::nullopt;
  return SecurityViolation{"runAsUser=0", setters + " must not set runAsUser=0"};
}

Outcome CheckSeccompRestricted(const PodView& pod) {
  if (pod.minor >= 25 && pod.IsWindows()) return std::nullopt;
  if (auto violation = CheckSeccompTypes(pod)) return violation;
  const auto is_silent = [](const Value& holder) {
    return holder.Find({"securityContext", "seccompProfile"}) == nullptr;
  };
  if (!is_silent(pod.spec)) return std::nullopt;
  const Names silent = pod.Containers(is_silent);
  if (silent.empty()) return std::nullopt;
  return SecurityViolation{
      "seccompProfile",
      fmt::format("pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or "
                  "\"Localhost\"",
                  ContainersText(silent))};
}

constexpr int kNever = 1'000;

struct CheckRow {
  SecurityLevel level;
  int minor;  // since
  Outcome (*check)(const PodView& pod);
  // From this version on a check of the restricted level takes its place there.
  int replaced_minor = kNever;
};

// By level, then by upstream's name of the check.
constexpr CheckRow kChecks[] = {
    {SecurityLevel::kBaseline, 0, CheckAppArmorProfile},
    {SecurityLevel::kBaseline, 0, CheckCapabilitiesBaseline, 22},
    {SecurityLevel::kBaseline, 0, CheckHostNamespaces},
    {SecurityLevel::kBaseline, 0, CheckHostPathVolumes, 0},
    {SecurityLevel::kBaseline, 0, CheckHostPorts},
    {SecurityLevel::kBaseline, 34, CheckHostProbes},
    {SecurityLevel::kBaseline, 0, CheckPrivileged},
    {SecurityLevel::kBaseline, 0, CheckProcMountBaseline, 35},
    {SecurityLevel::kBaseline, 0, CheckSeLinuxOptions},
    {SecurityLevel::kBaseline, 0, CheckSeccompBaseline, 19},
    {SecurityLevel::kBaseline, 0, CheckSysctls},
    {SecurityLevel::kBaseline, 0, CheckWindowsHostProcess},
    {SecurityLevel::kRestricted, 8, CheckAllowPrivilegeEscalation},
    {SecurityLevel::kRestricted, 22, CheckCapabilitiesRestricted},
    {SecurityLevel::kRestricted, 35, CheckProcMount},
    {SecurityLevel::kRestricted, 0, CheckRestrictedVolumes},
    {SecurityLevel::kRestricted, 0, CheckRunAsNonRoot},
    {SecurityLevel::kRestricted, 23, CheckRunAsUser},
    {SecurityLevel::kRestricted, 19, CheckSeccompRestricted},
};

}  // namespace

std::string LevelVersion::ToString() const {
  static constexpr std::string_view kNames[] = {"privileged", "baseline", "restricted"};
  return fmt::format("{}:{}", kNames[static_cast<size_t>(level)],
                     minor == kLatest ? "latest" : fmt::format("v1.{}", minor));
}

std::vector<SecurityViolation> CheckPodSecurity(const LevelVersion& standard,
                                                const json::Value* metadata,
                                                const json::Value& spec) {
  std::vector<SecurityViolation> violations;
  const bool latest = standard.minor == LevelVersion::kLatest || standard.minor > kMinorMax;
  const PodView pod{metadata, spec, latest ? kMinorMax : standard.minor};
  for (const CheckRow& row : kChecks) {
    if (row.level > standard.level || row.minor > pod.minor) continue;
    const bool replaced = row.level < standard.level && row.replaced_minor <= pod.minor;
    if (replaced) continue;
    if (auto violation = row.check(pod)) violations.push_back(std::move(*violation));
  }
  return violations;
}

std::string DescribeViolations(const std::vector<SecurityViolation>& violations,
                               bool with_details) {
  std::string text;
  for (const SecurityViolation& violation : violations) {
    if (!text.empty()) text += ", ";
    text += violation.reason;
    if (with_details && !violation.detail.empty()) text += " (" + violation.detail + ")";
  }
  return text;
}

}  // namespace kulisse::apiserver
