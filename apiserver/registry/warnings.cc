#include "apiserver/registry/warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <string_view>

#include "apiserver/registry/object_meta.h"
#include "apiserver/registry/pod_warnings.h"
#include "base/assert.h"
#include "base/text.h"
#include "openapi/validation/schemas.h"

namespace kulisse::apiserver {

namespace {

using json::Value;

bool IsEmpty(const Value* list) { return list == nullptr || list->size() == 0; }

bool Same(const Value* a, const Value* b) {
  return a == nullptr || b == nullptr ? a == b : *a == *b;
}

// --- pods and their templates

// Names from which pods get theirs should be DNS labels.
void WarnOfName(const Value& object, std::string_view use, Warnings& warnings) {
  const std::string_view name = object.FindString({"metadata", "name"});
  const std::vector<std::string> wrong = CheckName(NameRule::kLabel, name);
  if (wrong.empty()) return;
  warnings.Add(
      fmt::format("metadata.name: this is used in {}, which can result in surprising "
                  "behavior; a DNS label is recommended: [{}]",
                  use, fmt::join(wrong, " ")));
}

// Kinds with a template: where it is, and whether the name is a part of pods' names.
struct Templated {
  std::string_view storage_name;
  std::array<std::string_view, 3> path;  // of the template; "" at the end of a shorter one
  bool names_pods;
};

constexpr auto kTemplated = std::to_array<Templated>({
    {"cronjobs.batch", {"spec", "jobTemplate", "spec"}, true},
    {"daemonsets.apps", {"spec", "", ""}, false},
    {"deployments.apps", {"spec", "", ""}, true},
    {"jobs.batch", {"spec", "", ""}, true},
    {"podtemplates", {"", "", ""}, false},
    {"replicasets.apps", {"spec", "", ""}, true},
    {"replicationcontrollers", {"spec", "", ""}, true},
    {"statefulsets.apps", {"spec", "", ""}, false},
});

const Value* TemplateOf(const Value& object, const Templated& row) {
  const Value* at = &object;
  for (const std::string_view name : row.path) {
    if (at != nullptr && !name.empty()) at = at->Find(name);
  }
  return at == nullptr ? nullptr : at->Find("template");
}

void WarnOfTemplate(const Templated& row, const Value& object, const Value* old,
                    Warnings& warnings) {
  if (row.names_pods && old == nullptr) WarnOfName(object, "Pod names and hostnames", warnings);
  const Value* pod = TemplateOf(object, row);
  if (pod == nullptr || (old != nullptr && Same(pod, TemplateOf(*old, row)))) return;
  std::string path;
  for (const std::string_view name : row.path) {
    if (!name.empty()) path += std::string(name) + ".";
  }
  WarnOfPod(*pod, path + "template.", warnings);
}

// --- other kinds

struct OldAnnotation {
  std::string_view storage_name;
  std::string_view key;
  std::string_view advice;
  bool when_new = false;  // not while the object has it already
};

constexpr auto kOldAnnotations = std::to_array<OldAnnotation>({
    {"persistentvolumeclaims", "volume.beta.kubernetes.io/storage-class",
     "deprecated since v1.8; use \"storageClassName\" attribute instead"},
    {"persistentvolumes", "volume.beta.kubernetes.io/storage-class",
     "deprecated since v1.8; use \"storageClassName\" attribute instead"},
    {"persistentvolumes", "volume.beta.kubernetes.io/mount-options",
     "deprecated since v1.31; use \"mountOptions\" attribute instead"},
    {"serviceaccounts", "kubernetes.io/enforce-mountable-secrets",
     "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets", true},
});

const Value* AnnotationOf(const Value& object, std::string_view key) {
  return object.Find({"metadata", "annotations", key});
}

void WarnOfAnnotations(std::string_view kind, const Value& object, const Value* old,
                       Warnings& warnings) {
  for (const OldAnnotation& row : kOldAnnotations) {
    if (row.storage_name != kind || AnnotationOf(object, row.key) == nullptr) continue;
    if (row.when_new && old != nullptr && AnnotationOf(*old, row.key) != nullptr) continue;
    warnings.Add(fmt::format("metadata.annotations[{}]: {}", row.key, row.advice));
  }
  constexpr std::string_view kIngressClass = "kubernetes.io/ingress.class";
  if (kind == "ingresses.networking.k8s.io" && old == nullptr &&
      AnnotationOf(object, kIngressClass) != nullptr &&
      object.Find({"spec", "ingressClassName"}) == nullptr) {
    warnings.Add(
        fmt::format("annotation {} is deprecated, please use 'spec.ingressClassName' "
                    "instead",
                    GoQuote(kIngressClass)));
  }
}

void WarnOfService(const Value& service, Warnings& warnings) {
  static const Value kEmpty;
  const Value* found = service.Find("spec");
  const Value& spec = found == nullptr ? kEmpty : *found;
  const std::string_view type = spec.FindString({"type"});
  const bool external_ips = !IsEmpty(spec.Find("externalIPs"));
  const bool headless = type == "ClusterIP" && spec.FindString({"clusterIP"}) == "None";
  if (headless) {
    if (!spec.FindString({"loadBalancerIP"}).empty()) {
      warnings.Add("spec.loadBalancerIP is ignored for headless services");
    }
    if (external_ips) warnings.Add("spec.externalIPs is ignored for headless services");
    if (spec.FindString({"sessionAffinity"}) != "None") {
      warnings.Add("spec.SessionAffinity is ignored for headless services");
    }
  }
  if (external_ips && !headless && type != "ExternalName") {
    warnings.Add(
        "spec.externalIPs is deprecated and may no longer be implemented in some clusters");
  }
  if (type == "ExternalName" && external_ips) {
    warnings.Add("spec.externalIPs is ignored when spec.type is \"ExternalName\"");
  }
  if (type != "ExternalName" && !spec.FindString({"externalName"}).empty()) {
    warnings.Add("spec.externalName is ignored when spec.type is not \"ExternalName\"");
  }
  if (spec.FindString({"trafficDistribution"}) == "PreferClose") {
    warnings.Add("spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"");
  }
}

void WarnOfDriver(const Value& driver, const Value* old, Warnings& warnings) {
  const Value* requests = driver.Find({"spec", "tokenRequests"});
  if (IsEmpty(requests) || driver.Find({"spec", "serviceAccountTokenInSecrets"}) != nullptr) return;
  if (old != nullptr && Same(requests, old->Find({"spec", "tokenRequests"}))) return;
  warnings.Add(
      "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to "
      "prevent possible logging of tokens in volume attributes");
}

// --- definitions of custom resources

// Whether servers look at the format of values of the type.
bool IsKnownFormat(std::string_view type, std::string_view format) {
  static constexpr std::string_view kOfStrings[] = {
      "bsonobjectid", "byte",     "cidr",     "creditcard",  "date",         "datetime",
      "duration",     "email",    "hexcolor", "hostname",    "ipv4",         "ipv6",
      "isbn",         "isbn10",   "isbn13",   "k8slongname", "k8sshortname", "mac",
      "password",     "rgbcolor", "ssn",      "uri",         "uuid",         "uuid3",
      "uuid4",        "uuid5"};
  if (type == "integer") return format == "int32" || format == "int64";
  if (type == "number") return format == "float" || format == "double";
  if (!type.empty() && type != "string") return false;
  std::string name(format);
  std::erase(name, '-');
  return std::ranges::find(kOfStrings, name) != std::end(kOfStrings);
}

std::set<std::string_view> UnknownFormats(const Value& definition) {
  std::set<std::string_view> formats;
  const Value* versions = definition.Find({"spec", "versions"});
  if (versions == nullptr) return formats;
  for (const Value& version : versions->elements()) {
    const Value* root = version.Find({"schema", "openAPIV3Schema"});
    if (root == nullptr) continue;
    const bool stopped = openapi::SchemaHas(*root, [&formats](const Value& schema) {
      const std::string_view format = schema.FindString({"format"});
      const bool known = format.empty() || IsKnownFormat(schema.FindString({"type"}), format);
      if (!known) formats.insert(format);
      return false;
    });
    KULISSE_ASSERT(!stopped);
  }
  return formats;
}

void WarnOfFormats(const Value& definition, const Value* old, Warnings& warnings) {
  const std::set<std::string_view> before =
      old == nullptr ? std::set<std::string_view>() : UnknownFormats(*old);
  for (const std::string_view format : UnknownFormats(definition)) {
    if (before.contains(format)) continue;
    warnings.Add(fmt::format("unrecognized format {}", GoQuote(format)));
  }
}

}  // namespace

void AddWarnings(const openapi::ResourceInfo& resource, const json::Value& object,
                 const json::Value* old, std::vector<std::string>* list) {
  if (list == nullptr) return;
  Warnings warnings(list);
  const std::string_view kind = resource.storage_name;
  if (kind == "pods") {
    if (old != nullptr) return;
    WarnOfName(object, "the Pod's hostname", warnings);
    WarnOfPod(object, "", warnings);
    return;
  }
  WarnOfAnnotations(kind, object, old, warnings);
  if (kind == "customresourcedefinitions.apiextensions.k8s.io") {
    return WarnOfFormats(object, old, warnings);
  }
  if (kind == "persistentvolumeclaims") {
    if (const Value* spec = object.Find("spec")) WarnOfClaimSpec(*spec, "spec", warnings);
    return;
  }
  if (kind == "services") return WarnOfService(object, warnings);
  if (kind == "csidrivers.storage.k8s.io") return WarnOfDriver(object, old, warnings);
  if (kind == "persistentvolumes" &&
      object.FindString({"spec", "persistentVolumeReclaimPolicy"}) == "Recycle") {
    warnings.Add(
        "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, "
        "the recommended approach is to use dynamic provisioning.");
  }
  const auto row = std::ranges::find(kTemplated, kind, &Templated::storage_name);
  if (row != kTemplated.end()) WarnOfTemplate(*row, object, old, warnings);
  const Value* limit = object.Find({"spec", "revisionHistoryLimit"});
  if (kind == "statefulsets.apps" && limit != nullptr && limit->IsInt() && limit->AsInt() < 0) {
    warnings.Add(
        "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= "
        "0 is recommended");
  }
}

std::string_view DeleteWarning(const openapi::ResourceInfo& resource) {
  if (resource.storage_name != "jobs.batch") return "";
  return "child pods are preserved by default when jobs are deleted; set "
         "propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress "
         "this warning";
}

}  // namespace kulisse::apiserver
