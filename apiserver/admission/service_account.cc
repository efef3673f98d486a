// ServiceAccount: every pod runs as a service account of its namespace, gets its token as a volume
// and its image pull secrets. Upstream: plugin/pkg/admission/serviceaccount.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "apiserver/admission/fields.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/registry/object_meta.h"

namespace kulisse::apiserver {

namespace {

using Kind = AdmissionCache::Kind;
using Names = std::set<std::string_view, std::less<>>;

constexpr std::string_view kDefaultName = "default";
constexpr std::string_view kVolumePrefix = "kube-api-access-";
constexpr std::string_view kMountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr std::string_view kMirrorAnnotation = "kubernetes.io/config.mirror";
constexpr std::string_view kEnforceAnnotation = "kubernetes.io/enforce-mountable-secrets";
constexpr int64_t kTokenSeconds = 60 * 60 + 7;  // upstream's mark of tokens that it asked for
constexpr int64_t kVolumeMode = 0644;

const json::Value* PodSpec(const AdmissionAttributes& attributes) {
  return attributes.root().Find("spec");
}

bool IsMirrorPod(const AdmissionAttributes& attributes) {
  return attributes.root().Find({"metadata", "annotations", kMirrorAnnotation}) != nullptr;
}

// Whether a pod refers to a secret anywhere: its pull secrets, environments, and volumes, whose
// sources name them secret, secretRef, secretName and the like.
bool RefersToSecret(const json::Value& spec) {
  if (!ListAt(spec, "imagePullSecrets").empty()) return true;
  for (const std::string_view list : {"initContainers", "containers", "ephemeralContainers"}) {
    for (const json::Value& container : ListAt(spec, list)) {
      for (const json::Value& from : ListAt(container, "envFrom")) {
        if (from.Find("secretRef") != nullptr) return true;
      }
      for (const json::Value& env : ListAt(container, "env")) {
        if (env.Find({"valueFrom", "secretKeyRef"}) != nullptr) return true;
      }
    }
  }
  for (const json::Value& volume : ListAt(spec, "volumes")) {
    for (const json::Member& source : volume.members()) {
      if (source.name == "secret") return true;
      for (const std::string_view name : {"secretRef", "nodePublishSecretRef"}) {
        if (source.value.Find(name) != nullptr) return true;
      }
      if (source.name == "azureFile" && source.value.Find("secretName") != nullptr) return true;
      for (const json::Value& projection : ListAt(source.value, "sources")) {
        if (projection.Find("secret") != nullptr) return true;
      }
    }
  }
  return false;
}

Names NamesOf(const json::Value& account, std::string_view list) {
  Names names;
  for (const json::Value& reference : ListAt(account, list)) {
    names.insert(reference.FindString({"name"}));
  }
  return names;
}

// What `kubernetes.io/enforce-mountable-secrets` forbids the containers of one list; "" when
// nothing. `what` is "container ", "init container " ….
std::string ForbiddenSecretOf(const json::Value& spec, std::string_view list, std::string_view what,
                              const Names& allowed, std::string_view account) {
  for (const json::Value& container : ListAt(spec, list)) {
    const std::string_view name = container.FindString({"name"});
    for (const json::Value& env : ListAt(container, "env")) {
      const json::Value* reference = env.Find({"valueFrom", "secretKeyRef"});
      if (reference == nullptr || allowed.contains(reference->FindString({"name"}))) continue;
      return fmt::format(
          "{} {} with envVar {} referencing secret.secretName=\"{}\" is not allowed because "
          "service account {} does not reference that secret",
          what, name, env.FindString({"name"}), reference->FindString({"name"}), account);
    }
    for (const json::Value& from : ListAt(container, "envFrom")) {
      const json::Value* reference = from.Find("secretRef");
      if (reference == nullptr || allowed.contains(reference->FindString({"name"}))) continue;
      return fmt::format(
          "{} {} with envFrom referencing secret.secretName=\"{}\" is not allowed because service "
          "account {} does not reference that secret",
          what, name, reference->FindString({"name"}), account);
    }
  }
  return "";
}

// The same for a whole new pod.
std::string ForbiddenSecret(const json::Value& spec, const CachedObject& account) {
  const Names secrets = NamesOf(account.root(), "secrets");
  for (const json::Value& volume : ListAt(spec, "volumes")) {
    const json::Value* secret = volume.Find("secret");
    if (secret == nullptr || secrets.contains(secret->FindString({"secretName"}))) continue;
    return fmt::format(
        "volume with secret.secretName=\"{}\" is not allowed because service account {} does not "
        "reference that secret",
        secret->FindString({"secretName"}), account.name());
  }
  std::string refusal =
      ForbiddenSecretOf(spec, "initContainers", "init container", secrets, account.name());
  if (refusal.empty()) {
    refusal = ForbiddenSecretOf(spec, "containers", "container", secrets, account.name());
  }
  if (!refusal.empty()) return refusal;
  const Names pull_secrets = NamesOf(account.root(), "imagePullSecrets");
  size_t index = 0;
  for (const json::Value& reference : ListAt(spec, "imagePullSecrets")) {
    const std::string_view name = reference.FindString({"name"});
    if (!pull_secrets.contains(name)) {
      return fmt::format(
          "imagePullSecrets[{}].name=\"{}\" is not allowed because service account {} does not "
          "reference that imagePullSecret",
          index, name, account.name());
    }
    ++index;
  }
  return "";
}

// Go's strconv.ParseBool, whose errors count as false.
bool IsTrue(std::string_view text) {
  static constexpr std::string_view kTrue[] = {"1", "t", "T", "TRUE", "true", "True"};
  return std::ranges::find(kTrue, text) != std::end(kTrue);
}

json::Value ObjectOf(std::string_view name, json::Value value, json::Arena& arena) {
  json::Value object = json::Value::Object();
  object.AppendRef(name, std::move(value), arena);
  return object;
}

json::Value ListOf(json::Value element, json::Arena& arena) {
  json::Value list = json::Value::Array();
  list.PushBack(std::move(element), arena);
  return list;
}

// The volume with token, certificate of the cluster and namespace.
json::Value TokenVolume(std::string_view name, json::Arena& arena) {
  const auto text = [](std::string_view value) { return json::Value::StringRef(value); };
  json::Value token = json::Value::Object();
  token.AppendRef("expirationSeconds", json::Value::Int(kTokenSeconds), arena);
  token.AppendRef("path", text("token"), arena);

  json::Value certificate = ObjectOf("key", text("ca.crt"), arena);
  certificate.AppendRef("path", text("ca.crt"), arena);
  json::Value config_map = ObjectOf("name", text("kube-root-ca.crt"), arena);
  config_map.AppendRef("items", ListOf(std::move(certificate), arena), arena);

  json::Value field = ObjectOf("apiVersion", text("v1"), arena);
  field.AppendRef("fieldPath", text("metadata.namespace"), arena);
  json::Value file = ObjectOf("path", text("namespace"), arena);
  file.AppendRef("fieldRef", std::move(field), arena);
  json::Value downward = ObjectOf("items", ListOf(std::move(file), arena), arena);

  json::Value sources = json::Value::Array();
  sources.PushBack(ObjectOf("serviceAccountToken", std::move(token), arena), arena);
  sources.PushBack(ObjectOf("configMap", std::move(config_map), arena), arena);
  sources.PushBack(ObjectOf("downwardAPI", std::move(downward), arena), arena);
  json::Value projected = ObjectOf("sources", std::move(sources), arena);
  projected.AppendRef("defaultMode", json::Value::Int(kVolumeMode), arena);

  json::Value volume = ObjectOf("name", json::Value::String(name, arena), arena);
  volume.AppendRef("projected", std::move(projected), arena);
  return volume;
}

// Mounts the token in every container that has nothing at its path yet; returns whether one had
// not.
bool MountToken(json::Value& spec, std::string_view volume, json::Arena& arena) {
  bool mounted = false;
  for (const std::string_view list : {"initContainers", "containers"}) {
    json::Value* containers = spec.Find(list);
    if (containers == nullptr) continue;
    for (json::Value& container : containers->elements()) {
      json::Value& mounts = ListIn(container, "volumeMounts", arena);
      const bool taken = std::ranges::any_of(mounts.elements(), [](const json::Value& mount) {
        return mount.FindString({"mountPath"}) == kMountPath;
      });
      if (taken) continue;
      json::Value mount = ObjectOf("name", json::Value::String(volume, arena), arena);
      mount.AppendRef("readOnly", json::Value::Bool(true), arena);
      mount.AppendRef("mountPath", json::Value::StringRef(kMountPath), arena);
      mounts.PushBack(std::move(mount), arena);
      mounted = true;
    }
  }
  return mounted;
}

class ServiceAccount final : public AdmissionPlugin {
 public:
  ServiceAccount(const AdmissionOptions& options, const AdmissionParts& parts)
      : cache_(parts.cache),
        runtime_(parts.runtime),
        default_is_made_(options.default_service_accounts_are_made) {}

  [[nodiscard]] AdmissionInterest Interest() const override {
    return {kOnCreate | kOnUpdate, {"pods"}};
  }

  Result<void> Mutate(AdmissionAttributes& attributes) const override {
    if (attributes.operation != AdmissionOperation::kCreate || !attributes.Is("pods")) return {};
    if (IsMirrorPod(attributes)) return ValidateMirrorPod(attributes);
    json::Arena& arena = attributes.object->arena;
    json::Value& spec = attributes.object->root.SetDefaultObject("spec", arena);
    if (spec.FindString({"serviceAccountName"}).empty()) {
      // The second name is the one of v1beta3, which upstream still writes.
      for (const std::string_view name : {"serviceAccountName", "serviceAccount"}) {
        spec.Set(name, json::Value::StringRef(kDefaultName), arena);
      }
    }
    CachedObjectPtr account;
    KULISSE_TRY(FindAccount(attributes, &account));
    const json::Value* root = account == nullptr ? nullptr : &account->root();
    std::optional<bool> automount = BoolAt(spec, "automountServiceAccountToken");
    if (!automount && root != nullptr) automount = BoolAt(*root, "automountServiceAccountToken");
    if (automount.value_or(true)) AddToken(spec, arena);
    if (root != nullptr && ListAt(spec, "imagePullSecrets").empty() &&
        !ListAt(*root, "imagePullSecrets").empty()) {
      spec.Set("imagePullSecrets", root->Find("imagePullSecrets")->Clone(arena), arena);
    }
    return Check(attributes, account);
  }

  Result<void> Validate(const AdmissionAttributes& attributes) const override {
    if (attributes.operation == AdmissionOperation::kUpdate) {
      return attributes.Is("pods", "ephemeralcontainers") ? ValidateEphemeral(attributes)
                                                          : Result<void>();
    }
    if (!attributes.Is("pods")) return {};
    if (IsMirrorPod(attributes)) return ValidateMirrorPod(attributes);
    CachedObjectPtr account;
    KULISSE_TRY(FindAccount(attributes, &account));
    return Check(attributes, account);
  }

 private:
  // The account of the pod; null when it is the one that is about to be made.
  Result<void> FindAccount(const AdmissionAttributes& attributes, CachedObjectPtr* account) const {
    const std::string_view name = attributes.root().FindString({"spec", "serviceAccountName"});
    if (name.empty()) {
      return std::unexpected(AdmissionForbidden(
          attributes, fmt::format("no service account specified for pod {}/{}", attributes.ns,
                                  attributes.root().FindString({"metadata", "name"}))));
    }
    *account = cache_.Get(Kind::kServiceAccounts, attributes.ns, name);
    if (*account != nullptr || (default_is_made_ && name == kDefaultName)) return {};
    return std::unexpected(AdmissionForbidden(
        attributes, fmt::format("error looking up service account {}/{}: serviceaccount \"{}\" not "
                                "found",
                                attributes.ns, name, name)));
  }

  static bool EnforcesSecrets(const CachedObjectPtr& account) {
    return account != nullptr &&
           IsTrue(account->root().FindString({"metadata", "annotations", kEnforceAnnotation}));
  }

  static Result<void> Check(const AdmissionAttributes& attributes, const CachedObjectPtr& account) {
    if (!EnforcesSecrets(account)) return {};
    const std::string refusal = ForbiddenSecret(*PodSpec(attributes), *account);
    if (refusal.empty()) return {};
    return std::unexpected(AdmissionForbidden(attributes, refusal));
  }

  static Result<void> ValidateMirrorPod(const AdmissionAttributes& attributes) {
    const json::Value& spec = *PodSpec(attributes);
    std::string_view refusal;
    if (!spec.FindString({"serviceAccountName"}).empty()) {
      refusal = "a mirror pod may not reference service accounts";
    } else if (RefersToSecret(spec)) {
      refusal = "a mirror pod may not reference secrets";
    } else {
      for (const json::Value& volume : ListAt(spec, "volumes")) {
        const json::Value* projected = volume.Find("projected");
        if (projected == nullptr) continue;
        for (const json::Value& source : ListAt(*projected, "sources")) {
          if (source.Find("serviceAccountToken") == nullptr) continue;
          refusal = "a mirror pod may not use ServiceAccountToken volume projections";
        }
      }
    }
    if (refusal.empty()) return {};
    return std::unexpected(AdmissionForbidden(attributes, refusal));
  }

  Result<void> ValidateEphemeral(const AdmissionAttributes& attributes) const {
    CachedObjectPtr account;
    KULISSE_TRY(FindAccount(attributes, &account));
    if (!EnforcesSecrets(account)) return {};
    std::string refusal =
        ForbiddenSecretOf(*PodSpec(attributes), "ephemeralContainers", "ephemeral container",
                          NamesOf(account->root(), "secrets"), account->name());
    if (refusal.empty()) return {};
    return std::unexpected(
        Status::Plain(500, std::move(refusal)));  // as upstream, which wraps it not
  }

  void AddToken(json::Value& spec, json::Arena& arena) const {
    std::string name;
    for (const json::Value& volume : ListAt(spec, "volumes")) {
      const std::string_view candidate = volume.FindString({"name"});
      if (!candidate.starts_with(kVolumePrefix)) continue;
      name = candidate;
      break;
    }
    const bool has_volume = !name.empty();
    if (!has_volume) name = GenerateName(kVolumePrefix, runtime_);
    if (MountToken(spec, name, arena) && !has_volume) {
      ListIn(spec, "volumes", arena).PushBack(TokenVolume(name, arena), arena);
    }
  }

  const AdmissionCache& cache_;
  Runtime& runtime_;
  const bool default_is_made_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> MakeServiceAccount(const AdmissionOptions& options,
                                                    const AdmissionParts& parts) {
  return std::make_unique<ServiceAccount>(options, parts);
}

}  // namespace kulisse::apiserver
