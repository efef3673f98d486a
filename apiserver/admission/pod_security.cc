// PodSecurity: labels of a namespace say which Pod Security Standard its pods must keep (enforce),
// and for which clients are warned (warn). Upstream: k8s.io/pod-security-admission/admission.
// The audit labels are checked and otherwise have no effect, as there is no audit log.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "apiserver/admission/fields.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/admission/pod_security_checks.h"
#include "apiserver/registry/resource_store.h"
#include "base/limits.h"

namespace kulisse::apiserver {

namespace {

using Lookup = std::optional<std::string_view>;

constexpr std::string_view kPrefix = "pod-security.kubernetes.io/";

// What a namespace asks for.
struct Policy {
  LevelVersion enforce;
  LevelVersion warn;
  FieldErrors errors;  // of the labels
};

std::optional<SecurityLevel> ParseLevel(std::string_view text) {
  if (text == "privileged") return SecurityLevel::kPrivileged;
  if (text == "baseline") return SecurityLevel::kBaseline;
  if (text == "restricted") return SecurityLevel::kRestricted;
  return std::nullopt;
}

// "latest" or "v1.N" without leading zeros.
std::optional<int> ParseVersion(std::string_view text) {
  if (text == "latest") return LevelVersion::kLatest;
  if (!text.starts_with("v1.")) return std::nullopt;
  const std::string_view digits = text.substr(3);
  int minor = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), minor);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
  if (digits != std::to_string(minor)) return std::nullopt;
  return minor;
}

// Sets what the labels of one mode say; returns whether its level is there and good. A bad level
// counts as `bad_level`, a bad version as the latest.
template <class Label>
bool ReadMode(const Label& label, std::string_view mode, SecurityLevel bad_level, LevelVersion* out,
              FieldErrors* errors) {
  const std::string level_name = fmt::format("{}{}", kPrefix, mode);
  const std::string version_name = level_name + "-version";
  const auto refuse = [errors](const std::string& name, std::string_view value,
                               std::string_view why) {
    errors->push_back(
        FieldError::Invalid(fmt::format("metadata.labels[{}]", name), GoQuote(value), why));
  };
  bool good = false;
  if (const Lookup value = label(level_name)) {
    const auto level = ParseLevel(*value);
    good = level.has_value();
    out->level = level.value_or(bad_level);
    if (!good) refuse(level_name, *value, "must be one of privileged, baseline, restricted");
  }
  if (const Lookup value = label(version_name)) {
    const auto minor = ParseVersion(*value);
    out->minor = minor.value_or(LevelVersion::kLatest);
    if (!minor) refuse(version_name, *value, "must be \"latest\" or \"v1.x\"");
  }
  return good;
}

template <class Label>
Policy ReadPolicy(const Label& label) {
  Policy policy;
  LevelVersion audit;
  const bool enforces =
      ReadMode(label, "enforce", SecurityLevel::kRestricted, &policy.enforce, &policy.errors);
  ReadMode(label, "audit", SecurityLevel::kPrivileged, &audit, &policy.errors);
  ReadMode(label, "warn", SecurityLevel::kPrivileged, &policy.warn, &policy.errors);
  const std::string warn = fmt::format("{}warn", kPrefix);
  if (enforces && !label(warn) && policy.enforce.level > policy.warn.level) {
    policy.warn.level = policy.enforce.level;
    if (!label(warn + "-version")) policy.warn.minor = policy.enforce.minor;
  }
  return policy;
}

Policy PolicyOf(const storage::Record& ns) {
  return ReadPolicy([&](std::string_view name) { return ns.Label(name); });
}

Policy PolicyOf(const json::Value& ns) {
  return ReadPolicy([&](std::string_view name) -> Lookup {
    const json::Value* value = ns.Find({"metadata", "labels", name});
    if (value == nullptr || !value->IsString()) return std::nullopt;
    return value->AsString();
  });
}

// Where kinds keep the pods that they are about.
struct TemplateRow {
  std::string_view storage_name;
  std::initializer_list<std::string_view> path;  // of what has metadata and spec
};
const TemplateRow* FindTemplate(std::string_view storage_name) {
  static const TemplateRow kRows[] = {
      {"replicationcontrollers", {"spec", "template"}},
      {"podtemplates", {"template"}},
      {"replicasets.apps", {"spec", "template"}},
      {"deployments.apps", {"spec", "template"}},
      {"statefulsets.apps", {"spec", "template"}},
      {"daemonsets.apps", {"spec", "template"}},
      {"jobs.batch", {"spec", "template"}},
      {"cronjobs.batch", {"spec", "jobTemplate", "spec", "template"}},
  };
  const auto* row = std::ranges::find(kRows, storage_name, &TemplateRow::storage_name);
  return row == std::end(kRows) ? nullptr : row;
}

bool SameImages(const json::Value& spec, const json::Value& old, std::string_view list) {
  return std::ranges::equal(ListAt(spec, list), ListAt(old, list),
                            [](const json::Value& a, const json::Value& b) {
                              return a.FindString({"image"}) == b.FindString({"image"});
                            });
}

// Whether an update changes what is checked: images, or new ephemeral containers.
bool IsSignificant(const json::Value& spec, const json::Value& old) {
  if (!SameImages(spec, old, "containers") || !SameImages(spec, old, "initContainers")) return true;
  const auto before = ListAt(old, "ephemeralContainers");
  return std::ranges::any_of(
      ListAt(spec, "ephemeralContainers"), [&](const json::Value& container) {
        const auto it = std::ranges::find_if(before, [&](const json::Value& candidate) {
          return candidate.FindString({"name"}) == container.FindString({"name"});
        });
        return it == before.end() || it->FindString({"image"}) != container.FindString({"image"});
      });
}

// What existing pods violate, counted by violation.
struct PodCount {
  std::string first;  // pod by name
  size_t count = 0;
};

std::vector<std::string> PodWarnings(const std::map<std::string, PodCount>& counts) {
  std::vector<std::string> warnings;
  for (const auto& [violation, pods] : counts) {
    const size_t others = pods.count - 1;
    std::string who = pods.first;
    if (others == 1) who += " (and 1 other pod)";
    if (others > 1) who += fmt::format(" (and {} other pods)", others);
    warnings.push_back(who + ": " + violation);
  }
  std::ranges::sort(warnings);
  return warnings;
}

class PodSecurity final : public AdmissionPlugin {
 public:
  explicit PodSecurity(const AdmissionParts& parts)
      : cache_(parts.cache), store_(parts.resources.store()) {}

  [[nodiscard]] AdmissionInterest Interest() const override {
    return {kOnCreate | kOnUpdate,
            {"namespaces", "pods", "replicationcontrollers", "podtemplates", "replicasets.apps",
             "deployments.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch",
             "cronjobs.batch"}};
  }

  Result<void> Validate(const AdmissionAttributes& attributes) const override {
    if (attributes.resource.storage_name == "namespaces") return ValidateNamespace(attributes);
    if (attributes.resource.storage_name == "pods") return ValidatePod(attributes);
    ValidateTemplate(attributes);
    return {};
  }

 private:
  static void Warn(const AdmissionAttributes& attributes, std::string warning) {
    std::vector<std::string>* warnings = attributes.context.warnings;
    if (warnings == nullptr) return;
    // A write that is computed anew says it once.
    if (std::ranges::find(*warnings, warning) == warnings->end()) {
      warnings->push_back(std::move(warning));
    }
  }

  static void WarnOfViolations(const AdmissionAttributes& attributes, const LevelVersion& standard,
                               const std::vector<SecurityViolation>& violations) {
    if (violations.empty()) return;
    Warn(attributes, fmt::format("would violate PodSecurity \"{}\": {}", standard.ToString(),
                                 DescribeViolations(violations, true)));
  }

  [[nodiscard]] std::optional<Policy> NamespacePolicy(const AdmissionAttributes& attributes) const {
    const CachedObjectPtr ns = cache_.Get(AdmissionCache::Kind::kNamespaces, "", attributes.ns);
    if (ns == nullptr) return std::nullopt;
    return PolicyOf(ns->record());
  }

  Result<void> ValidatePod(const AdmissionAttributes& attributes) const {
    static constexpr std::string_view kChecked[] = {"", "ephemeralcontainers", "resize"};
    if (std::ranges::find(kChecked, attributes.subresource) == std::end(kChecked)) return {};
    const auto policy = NamespacePolicy(attributes);
    if (!policy) return {};
    if (policy->enforce.level == SecurityLevel::kPrivileged &&
        policy->warn.level == SecurityLevel::kPrivileged) {
      return {};
    }
    const json::Value* metadata = attributes.root().Find("metadata");
    const json::Value* spec = attributes.root().Find("spec");
    if (spec == nullptr) return {};
    if (attributes.operation == AdmissionOperation::kUpdate) {
      const json::Value* old = attributes.old->Find("spec");
      if (old != nullptr && !IsSignificant(*spec, *old)) return {};
    }
    const auto violations = CheckPodSecurity(policy->enforce, metadata, *spec);
    if (!violations.empty()) {
      return std::unexpected(AdmissionForbidden(
          attributes, fmt::format("violates PodSecurity \"{}\": {}", policy->enforce.ToString(),
                                  DescribeViolations(violations, true))));
    }
    WarnOfViolations(attributes, policy->warn, CheckPodSecurity(policy->warn, metadata, *spec));
    return {};
  }

  // Templates are never refused: their pods will be.
  void ValidateTemplate(const AdmissionAttributes& attributes) const {
    if (!attributes.subresource.empty()) return;
    const auto policy = NamespacePolicy(attributes);
    if (!policy || policy->warn.level == SecurityLevel::kPrivileged) return;
    const TemplateRow* row = FindTemplate(attributes.resource.storage_name);
    const json::Value* pod = row == nullptr ? nullptr : attributes.root().Find(row->path);
    const json::Value* spec = pod == nullptr ? nullptr : pod->Find("spec");
    if (spec == nullptr) return;
    WarnOfViolations(attributes, policy->warn,
                     CheckPodSecurity(policy->warn, pod->Find("metadata"), *spec));
  }

  Result<void> ValidateNamespace(const AdmissionAttributes& attributes) const {
    if (!attributes.subresource.empty()) return {};
    const bool update = attributes.operation == AdmissionOperation::kUpdate;
    const Policy policy = PolicyOf(attributes.root());
    const Policy old = update ? PolicyOf(*attributes.old) : Policy();
    const auto same = [](const FieldError& a, const FieldError& b) {
      return a.path == b.path && a.detail == b.detail;
    };
    if (!policy.errors.empty() && !std::ranges::equal(policy.errors, old.errors, same)) {
      return std::unexpected(
          Status::Invalid(attributes.resource.group_kind(), attributes.name, policy.errors));
    }
    const bool stricter =
        policy.enforce.level > old.enforce.level || policy.enforce.minor != old.enforce.minor;
    if (update && stricter && policy.enforce.level != SecurityLevel::kPrivileged) {
      CheckExistingPods(attributes, policy.enforce);
    }
    return {};
  }

  void CheckExistingPods(const AdmissionAttributes& attributes,
                         const LevelVersion& standard) const {
    const std::string ns(attributes.name);
    std::map<std::string, PodCount> counts;
    size_t checked = 0;
    const storage::SnapshotPtr snapshot = store_.Latest();
    const auto cursor = snapshot->Scan("pods", ns, "");
    while (const storage::RecordPtr record = cursor->Next()) {
      if (checked == kNamespacePodsCheckedMax) break;
      ++checked;
      const json::Document pod = ResourceStore::Decode(*record);
      const json::Value* spec = pod.root.Find("spec");
      if (spec == nullptr) continue;
      const auto violations = CheckPodSecurity(standard, pod.root.Find("metadata"), *spec);
      if (violations.empty()) continue;
      PodCount& seen = counts[DescribeViolations(violations, false)];
      if (seen.count++ == 0) seen.first = pod.root.FindString({"metadata", "name"});
    }
    const uint64_t total = snapshot->Count("pods", ns);
    if (checked < total) {
      Warn(attributes, fmt::format("new PodSecurity enforce level only checked against the first "
                                   "{} of {} existing pods",
                                   checked, total));
    }
    if (counts.empty()) return;
    Warn(attributes, fmt::format("existing pods in namespace \"{}\" violate the new PodSecurity "
                                 "enforce level \"{}\"",
                                 ns, standard.ToString()));
    for (std::string& warning : PodWarnings(counts)) Warn(attributes, std::move(warning));
  }

  const AdmissionCache& cache_;
  storage::Store& store_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> MakePodSecurity(const AdmissionOptions& /*options*/,
                                                 const AdmissionParts& parts) {
  return std::make_unique<PodSecurity>(parts);
}

}  // namespace kulisse::apiserver
