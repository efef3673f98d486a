#include "apiserver/registry/pod_warnings.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <span>
#include <string_view>

#include "apiserver/registry/app_armor.h"
#include "base/status.h"
#include "base/text.h"
#include "openapi/label_syntax.h"
#include "openapi/quantity.h"

namespace kulisse::apiserver {

namespace {

using json::Value;

// So many of one number, or in one volume, are compared with each other.
constexpr size_t kPortsCompared = 100;
constexpr size_t kPathsCompared = 1000;

constexpr std::string_view kContainerLists[] = {"initContainers", "containers",
                                                "ephemeralContainers"};

std::span<const Value> Elements(const Value& object, std::string_view name) {
  const Value* list = object.Find(name);
  if (list == nullptr || !list->IsArray()) return {};
  return list->elements();
}

// --- labels and annotations that are old

constexpr auto kOldNodeLabels = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"},
    {"beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"},
    {"failure-domain.beta.kubernetes.io/region",
     "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead"},
    {"failure-domain.beta.kubernetes.io/zone",
     "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead"},
    {"beta.kubernetes.io/instance-type",
     "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead"},
    {"app.kubernetes.io/created-by", "deprecated since v1.9"},
    {"scheduler.alpha.kubernetes.io/preferAvoidPods",
     "deprecated since v1.22; use Taints and Tolerations instead"},
    {"node-role.kubernetes.io/master", "use \"node-role.kubernetes.io/control-plane\" instead"},
});

constexpr auto kOldAnnotations = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"scheduler.alpha.kubernetes.io/critical-pod",
     "non-functional in v1.16+; use the \"priorityClassName\" field instead"},
    {"security.alpha.kubernetes.io/sysctls",
     "non-functional in v1.11+; use the \"sysctls\" field instead"},
    {"security.alpha.kubernetes.io/unsafe-sysctls",
     "non-functional in v1.11+; use the \"sysctls\" field instead"},
});
constexpr std::string_view kSeccompOfPod = "seccomp.security.alpha.kubernetes.io/pod";
constexpr std::string_view kSeccompOfContainer = "container.seccomp.security.alpha.kubernetes.io/";
constexpr std::string_view kUseSeccomp =
    "non-functional in v1.27+; use the \"seccompProfile\" field instead";

// "" for a label that is not old.
std::string_view AdviceOn(std::string_view label) {
  const auto* row = std::ranges::find(kOldNodeLabels, label,
                                      &std::pair<std::string_view, std::string_view>::first);
  return row == kOldNodeLabels.end() ? std::string_view() : row->second;
}

void WarnOfLabel(std::string_view label, const std::string& at, Warnings& warnings) {
  const std::string_view advice = AdviceOn(label);
  if (!advice.empty()) warnings.Add(fmt::format("{}: {} is {}", at, label, advice));
}

void WarnOfNodeTerm(const Value& term, bool values, const std::string& path, Warnings& warnings) {
  size_t index = 0;
  for (const Value& expression : Elements(term, "matchExpressions")) {
    const std::string at = fmt::format("{}.matchExpressions[{}]", path, index++);
    WarnOfLabel(expression.FindString({"key"}), at + ".key", warnings);
    if (!values) continue;
    size_t value_index = 0;
    for (const Value& value : Elements(expression, "values")) {
      for (const std::string& message : openapi::LabelValueErrors(value.AsString())) {
        warnings.Add(fmt::format("{}.values[{}]: {} is invalid, {}", at, value_index,
                                 value.AsString(), message));
      }
      ++value_index;
    }
  }
}

void WarnOfNodes(const Value& spec, const std::string& path, Warnings& warnings) {
  if (const Value* selector = spec.Find("nodeSelector")) {
    for (const json::Member& label : selector->members()) {
      const std::string_view advice = AdviceOn(label.name);
      if (advice.empty()) continue;
      warnings.Add(fmt::format("{}spec.nodeSelector[{}]: {}", path, label.name, advice));
    }
  }
  const Value* affinity = spec.Find({"affinity", "nodeAffinity"});
  if (affinity == nullptr) return;
  constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
  constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";
  const std::string at = path + "spec.affinity.nodeAffinity";
  if (const Value* required = affinity->Find(kRequired)) {
    size_t index = 0;
    for (const Value& term : Elements(*required, "nodeSelectorTerms")) {
      WarnOfNodeTerm(term, false,
                     fmt::format("{}.{}.nodeSelectorTerms[{}]", at, kRequired, index++), warnings);
    }
  }
  size_t index = 0;
  for (const Value& term : Elements(*affinity, kPreferred)) {
    const Value* preference = term.Find("preference");
    const std::string term_path = fmt::format("{}.{}[{}].preference", at, kPreferred, index++);
    if (preference != nullptr) WarnOfNodeTerm(*preference, true, term_path, warnings);
  }
}

void WarnOfAnnotations(const Value& pod, const std::string& path, Warnings& warnings) {
  const Value* annotations = pod.Find({"metadata", "annotations"});
  if (annotations == nullptr) return;
  for (const auto& [key, advice] : kOldAnnotations) {
    if (annotations->Find(key) == nullptr) continue;
    warnings.Add(fmt::format("{}metadata.annotations[{}]: {}", path, key, advice));
  }
}

// Whether the pod as a whole has the profile that an annotation names.
bool IsProfileOf(const Value& spec, std::string_view annotation) {
  const Value* of_pod = spec.Find({"securityContext", "appArmorProfile"});
  json::Arena arena;
  const auto profile = AppArmorProfileOf(annotation, arena);
  return of_pod != nullptr && profile && *of_pod == *profile;
}

// Annotations that stand in for profiles in the security context. Those of AppArmor become fields
// in pods.
void WarnOfProfiles(const Value& pod, const Value& spec, const std::string& path,
                    Warnings& warnings) {
  const Value* annotations = pod.Find({"metadata", "annotations"});
  if (annotations == nullptr) return;
  const auto warn = [&](const std::string& key, std::string_view advice) {
    if (annotations->Find(key) == nullptr) return;
    warnings.Add(fmt::format("{}metadata.annotations[{}]: {}", path, key, advice));
  };
  if (spec.Find({"securityContext", "seccompProfile"}) == nullptr) {
    warn(std::string(kSeccompOfPod), kUseSeccomp);
  }
  for (const std::string_view list : kContainerLists) {
    for (const Value& container : Elements(spec, list)) {
      const std::string name(container.FindString({"name"}));
      if (container.Find({"securityContext", "seccompProfile"}) == nullptr) {
        warn(std::string(kSeccompOfContainer) + name, kUseSeccomp);
      }
      const Value* annotation = annotations->Find(std::string(kAppArmorAnnotation) + name);
      if (!path.empty() && annotation != nullptr &&
          container.Find({"securityContext", "appArmorProfile"}) == nullptr &&
          !IsProfileOf(spec, annotation->AsString())) {
        warn(std::string(kAppArmorAnnotation) + name,
             "deprecated since v1.30; use the \"appArmorProfile\" field instead");
      }
    }
  }
}

// --- amounts

bool IsFractional(const Value* amounts, std::string_view resource) {
  const Value* value = amounts == nullptr ? nullptr : amounts->Find(resource);
  if (value == nullptr || !value->IsString() || !value->AsString().ends_with('m')) return false;
  const auto amount = openapi::Quantity::Parse(value->AsString());
  return amount && amount->MilliValue() % 1000 != 0;
}

// REQUIRES: IsFractional(). `at` names the list of amounts.
void WarnOfFraction(const Value& amounts, std::string_view resource, const std::string& at,
                    Warnings& warnings) {
  warnings.Add(fmt::format("{}[{}]: fractional byte value {} is invalid, must be an integer", at,
                           resource, GoQuote(amounts.FindString({resource}))));
}

void WarnOfAmounts(const Value& container, const std::string& path, Warnings& warnings) {
  const Value* resources = container.Find("resources");
  for (const std::string_view resource : {"memory", "ephemeral-storage"}) {
    for (const std::string_view list : {"limits", "requests"}) {
      const Value* amounts = resources->Find(list);
      if (!IsFractional(amounts, resource)) continue;
      WarnOfFraction(*amounts, resource, fmt::format("{}.resources.{}", path, list), warnings);
    }
  }
}

// --- ports

struct Port {
  std::string path;
  const Value* port;
};

int64_t NumberOf(const Value& port, std::string_view name) {
  const Value* value = port.Find(name);
  return value != nullptr && value->IsInt() ? value->AsInt() : 0;
}

void WarnOfPort(const Port& port, const Port& other, Warnings& warnings) {
  const std::string_view ip = port.port->FindString({"hostIP"});
  const std::string_view other_ip = other.port->FindString({"hostIP"});
  const int64_t number = NumberOf(*port.port, "hostPort");
  const int64_t other_number = NumberOf(*other.port, "hostPort");
  const auto warn = [&](std::string_view how) {
    warnings.Add(fmt::format("{}: {} port definition with {}", port.path, how, other.path));
  };
  if (ip == other_ip && number == other_number) {
    warn("duplicate");
  } else if (number == 0 || other_number == 0) {
    warn("overlapping");
  } else if (number == other_number && ip.empty() != other_ip.empty()) {
    warn("dangerously ambiguous");
  }
}

void WarnOfPorts(const Value& spec, const std::string& path, Warnings& warnings) {
  std::map<std::pair<int64_t, std::string_view>, std::vector<Port>> ports;
  std::map<std::string_view, std::string> names;
  std::vector<std::string> of_names;  // these come last
  for (const std::string_view list : kContainerLists) {
    size_t index = 0;
    for (const Value& container : Elements(spec, list)) {
      const size_t container_index = index++;
      size_t port_index = 0;
      for (const Value& value : Elements(container, "ports")) {
        Port port{fmt::format("{}spec.{}[{}].ports[{}]", path, list, container_index, port_index++),
                  &value};
        const std::string_view name = value.FindString({"name"});
        const std::string_view ip = value.FindString({"hostIP"});
        const std::string_view protocol = value.FindString({"protocol"});
        const int64_t number = NumberOf(value, "containerPort");
        if (!ip.empty() && NumberOf(value, "hostPort") == 0) {
          warnings.Add(
              fmt::format("{}: hostIP set without hostPort: {{Name:{} HostPort:0 ContainerPort:{} "
                          "Protocol:{} HostIP:{}}}",
                          port.path, name, number, protocol, ip));
        }
        if (!name.empty()) {
          const auto [it, is_new] = names.emplace(name, port.path);
          if (!is_new) {
            of_names.push_back(
                fmt::format("{}: duplicate port name {} with {}, services and probes that select "
                            "ports by name will use {}",
                            port.path, GoQuote(name), it->second, it->second));
          }
        }
        std::vector<Port>& others = ports[{number, protocol}];
        if (others.size() >= kPortsCompared) continue;
        for (const Port& other : others) WarnOfPort(port, other, warnings);
        others.push_back(std::move(port));
      }
    }
  }
  for (std::string& text : of_names) warnings.Add(std::move(text));
}

// --- paths within volumes

// What a path comes from, in words: `ConfigMap "a"`.
struct PathSource {
  std::string_view kind;  // "" within a volume that has one source
  std::string_view name;
  bool named = false;

  [[nodiscard]] std::string ToString() const {
    return named ? fmt::format("{} {}", kind, GoQuote(name)) : std::string(kind);
  }
};

struct VolumePath {
  std::string_view path;
  PathSource source;

  [[nodiscard]] std::string ToString() const {
    return source.kind.empty() ? GoQuote(path)
                               : fmt::format("{} ({})", GoQuote(path), source.ToString());
  }
};

// Whether one is the other or below it.
bool Overlap(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  return b.starts_with(a) && (b.size() == a.size() || b[a.size()] == '/');
}

class VolumePaths {
 public:
  // `what` names the volume's source in warnings.
  VolumePaths(std::string_view volume, PathSource what, Warnings& warnings)
      : volume_(volume), what_(what), warnings_(warnings) {}

  void Add(std::string_view path, const PathSource& source) {
    while (path.ends_with('/')) path.remove_suffix(1);
    if (path.empty() || paths_.size() >= kPathsCompared) return;
    const VolumePath added{path, source};
    for (const VolumePath& other : paths_) {
      if (!Overlap(path, other.path)) continue;
      warnings_.Add(fmt::format("volume {} ({}): overlapping paths: {} with {}", GoQuote(volume_),
                                what_.ToString(), added.ToString(), other.ToString()));
    }
    paths_.push_back(added);
  }
  void AddItems(const Value& source, const PathSource& name) {
    for (const Value& item : Elements(source, "items")) Add(item.FindString({"path"}), name);
  }

 private:
  std::string_view volume_;
  PathSource what_;
  Warnings& warnings_;
  std::vector<VolumePath> paths_;
};

PathSource Named(std::string_view kind, const Value& source, std::string_view field) {
  return {kind, source.FindString({field}), true};
}

void WarnOfProjection(const Value& projected, std::string_view volume, Warnings& warnings) {
  VolumePaths paths(volume, {.kind = "Projected", .name = {}}, warnings);
  for (const Value& source : Elements(projected, "sources")) {
    if (const Value* map = source.Find("configMap")) {
      paths.AddItems(*map, Named("ConfigMap", *map, "name"));
    } else if (const Value* secret = source.Find("secret")) {
      paths.AddItems(*secret, Named("Secret", *secret, "name"));
    } else if (const Value* fields = source.Find("downwardAPI")) {
      paths.AddItems(*fields, {.kind = "DownwardAPI", .name = {}});
    } else if (const Value* token = source.Find("serviceAccountToken")) {
      paths.Add(token->FindString({"path"}), {.kind = "ServiceAccountToken", .name = {}});
    } else if (const Value* bundle = source.Find("clusterTrustBundle")) {
      const bool has_name = bundle->Find("name") != nullptr;
      paths.Add(bundle->FindString({"path"}),
                Named("ClusterTrustBundle", *bundle, has_name ? "name" : "signerName"));
    } else if (const Value* certificate = source.Find("podCertificate")) {
      paths.Add(certificate->FindString({"certificateChainPath"}),
                {.kind = "PodCertificate chain", .name = {}});
      paths.Add(certificate->FindString({"keyPath"}), {.kind = "PodCertificate key", .name = {}});
      paths.Add(certificate->FindString({"credentialBundlePath"}),
                {.kind = "PodCertificate credential bundle", .name = {}});
    } else {
      warnings.Add(fmt::format("volume {} (Projected) has no sources provided", GoQuote(volume)));
    }
  }
}

void WarnOfVolumePaths(const Value& spec, Warnings& warnings) {
  for (const Value& volume : Elements(spec, "volumes")) {
    const std::string_view name = volume.FindString({"name"});
    const auto check = [&](const Value& source, const PathSource& what) {
      if (Elements(source, "items").size() < 2) return;
      VolumePaths(name, what, warnings).AddItems(source, {});
    };
    if (const Value* map = volume.Find("configMap")) {
      check(*map, Named("ConfigMap", *map, "name"));
    } else if (const Value* secret = volume.Find("secret")) {
      check(*secret, Named("Secret", *secret, "secretName"));
    } else if (const Value* fields = volume.Find("downwardAPI")) {
      check(*fields, {.kind = "DownwardAPI", .name = {}});
    } else if (const Value* projected = volume.Find("projected")) {
      WarnOfProjection(*projected, name, warnings);
    }
  }
}

// --- lists and volumes

// Volumes of plugins that are gone, and since when.
constexpr auto kGoneVolumes = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"},
    {"gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"},
    {"scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
    {"flocker", "deprecated in v1.22, non-functional in v1.25+"},
    {"storageos", "deprecated in v1.22, non-functional in v1.25+"},
    {"quobyte", "deprecated in v1.22, non-functional in v1.25+"},
    {"glusterfs", "deprecated in v1.25, non-functional in v1.26+"},
    {"cephfs", "deprecated in v1.28, non-functional in v1.31+"},
    {"rbd", "deprecated in v1.28, non-functional in v1.31+"},
});

// Elements whose `key` an earlier one has too. Lists are short: no set is worth its memory.
void WarnOfRepeated(const Value& spec, std::string_view list, std::string_view key,
                    const std::string& path, Warnings& warnings) {
  const auto elements = Elements(spec, list);
  for (size_t i = 1; i < elements.size(); ++i) {
    const std::string_view text = elements[i].FindString({key});
    const auto is_same = [&](const Value& e) { return e.FindString({key}) == text; };
    if (std::any_of(elements.begin(), elements.begin() + static_cast<ptrdiff_t>(i), is_same)) {
      warnings.Add(
          fmt::format("{}spec.{}[{}].{}: duplicate {} {}", path, list, i, key, key, GoQuote(text)));
    }
  }
}

void WarnOfEnvironment(const Value& container, const std::string& path, Warnings& warnings) {
  const auto variables = Elements(container, "env");
  for (size_t i = 1; i < variables.size(); ++i) {
    const std::string_view name = variables[i].FindString({"name"});
    const auto is_same = [&](const Value& v) { return v.FindString({"name"}) == name; };
    if (std::none_of(variables.begin(), variables.begin() + static_cast<ptrdiff_t>(i), is_same)) {
      continue;
    }
    // "$(X)more" adds to the earlier X; anything else hides it.
    const std::string reference = fmt::format("$({})", name);
    const std::string_view value = variables[i].FindString({"value"});
    const bool adds = variables[i].Find("valueFrom") == nullptr && value != reference &&
                      value.find(reference) != std::string_view::npos;
    if (adds) continue;
    warnings.Add(fmt::format(
        "{}.env[{}]: hides previous definition of {}, which may be dropped when using apply", path,
        i, GoQuote(name)));
  }
}

void WarnOfVolumes(const Value& spec, const std::string& path, Warnings& warnings) {
  const auto volumes = Elements(spec, "volumes");
  for (size_t i = 0; i < volumes.size(); ++i) {
    if (const Value* claim = volumes[i].Find({"ephemeral", "volumeClaimTemplate", "spec"})) {
      WarnOfClaimSpec(*claim,
                      fmt::format("{}spec.volumes[{}].ephemeral.volumeClaimTemplate.spec", path, i),
                      warnings);
    }
    for (const auto& [name, text] : kGoneVolumes) {
      if (volumes[i].Find(name) == nullptr) continue;
      warnings.Add(fmt::format("{}spec.volumes[{}].{}: {}", path, i, name, text));
    }
  }
}

// A term without a selector.
void WarnOfPodTerms(const Value& spec, const std::string& path, Warnings& warnings) {
  const Value* affinity = spec.Find("affinity");
  if (affinity == nullptr) return;
  for (const std::string_view kind : {"podAffinity", "podAntiAffinity"}) {
    const Value* terms = affinity->Find(kind);
    if (terms == nullptr) continue;
    const auto check = [&](std::string_view list, std::string_view member) {
      size_t index = 0;
      for (const Value& element : Elements(*terms, list)) {
        const size_t i = index++;
        const Value* term = member.empty() ? &element : element.Find(member);
        if (term == nullptr || term->Find("labelSelector") != nullptr) continue;
        warnings.Add(
            fmt::format("{}spec.affinity.{}.{}[{}].{}{}labelSelector: a null "
                        "labelSelector results in matching no pod",
                        path, kind, list, i, member, member.empty() ? "" : "."));
      }
    };
    check("requiredDuringSchedulingIgnoredDuringExecution", "");
    check("preferredDuringSchedulingIgnoredDuringExecution", "podAffinityTerm");
  }
}

void WarnOfConstraints(const Value& spec, const std::string& path, Warnings& warnings) {
  const auto constraints = Elements(spec, "topologySpreadConstraints");
  for (size_t i = 0; i < constraints.size(); ++i) {
    const std::string at = fmt::format("{}spec.topologySpreadConstraints[{}]", path, i);
    WarnOfLabel(constraints[i].FindString({"topologyKey"}), at + ".topologyKey", warnings);
    if (constraints[i].Find("labelSelector") != nullptr) continue;
    warnings.Add(at + ".labelSelector: a null labelSelector results in matching no pod");
  }
}

void WarnOfContainers(const Value& spec, const std::string& path, Warnings& warnings) {
  for (const std::string_view list : kContainerLists) {
    const auto containers = Elements(spec, list);
    for (size_t i = 0; i < containers.size(); ++i) {
      const Value* resources = containers[i].Find("resources");
      const bool has_amounts = resources != nullptr && resources->size() > 0;
      if (!has_amounts && Elements(containers[i], "env").size() < 2) continue;
      const std::string at = fmt::format("{}spec.{}[{}]", path, list, i);
      if (has_amounts) WarnOfAmounts(containers[i], at, warnings);
      WarnOfEnvironment(containers[i], at, warnings);
    }
  }
}

// Whether there are several ports, or one that says where it is on the host.
bool HasPortsToCompare(const Value& spec) {
  size_t count = 0;
  for (const std::string_view list : kContainerLists) {
    for (const Value& container : Elements(spec, list)) {
      for (const Value& port : Elements(container, "ports")) {
        if (++count > 1 || port.Find("hostIP") != nullptr) return true;
      }
    }
  }
  return false;
}

}  // namespace

void WarnOfClaimSpec(const Value& spec, const std::string& path, Warnings& warnings) {
  const Value* resources = spec.Find("resources");
  if (resources == nullptr) return;
  for (const std::string_view list : {"requests", "limits"}) {
    const Value* amounts = resources->Find(list);
    if (!IsFractional(amounts, "storage")) continue;
    WarnOfFraction(*amounts, "storage", fmt::format("{}.resources.{}", path, list), warnings);
  }
}

void WarnOfPod(const Value& pod, const std::string& path, Warnings& warnings) {
  const Value* found = pod.Find("spec");
  if (found == nullptr) return;
  const Value& spec = *found;
  WarnOfNodes(spec, path, warnings);
  WarnOfConstraints(spec, path, warnings);
  WarnOfAnnotations(pod, path, warnings);
  WarnOfVolumes(spec, path, warnings);
  WarnOfVolumePaths(spec, warnings);
  WarnOfRepeated(spec, "hostAliases", "ip", path, warnings);
  WarnOfRepeated(spec, "imagePullSecrets", "name", path, warnings);
  const auto secrets = Elements(spec, "imagePullSecrets");
  for (size_t i = 0; i < secrets.size(); ++i) {
    if (!secrets[i].FindString({"name"}).empty()) continue;
    warnings.Add(fmt::format("{}spec.imagePullSecrets[{}].name: invalid empty name \"\"", path, i));
  }
  for (const std::string_view resource : {"memory", "ephemeral-storage"}) {
    const Value* overhead = spec.Find("overhead");
    if (!IsFractional(overhead, resource)) continue;
    WarnOfFraction(*overhead, resource, path + "spec.overhead", warnings);
  }
  WarnOfProfiles(pod, spec, path, warnings);
  WarnOfContainers(spec, path, warnings);
  if (HasPortsToCompare(spec)) WarnOfPorts(spec, path, warnings);
  // Of a pod itself it has become 1 by now.
  const Value* grace = spec.Find("terminationGracePeriodSeconds");
  if (!path.empty() && grace != nullptr && grace->IsInt() && grace->AsInt() < 0) {
    warnings.Add(path +
                 "spec.terminationGracePeriodSeconds: must be >= 0; negative values are "
                 "invalid and will be treated as 1");
  }
  WarnOfPodTerms(spec, path, warnings);
}

}  // namespace kulisse::apiserver
