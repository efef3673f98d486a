// NodeRestriction: a kubelet may change its own node, the pods on it, and little else. Off unless
// asked for. Upstream: plugin/pkg/admission/noderestriction.
// Limits: what nodes may ask of tokens, certificate requests and the status of claims is left to
// authorization.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "apiserver/admission/fields.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/registry/resource_store.h"
#include "base/status.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kUserPrefix = "system:node:";
constexpr std::string_view kGroup = "system:nodes";
constexpr std::string_view kLeaseNamespace = "kube-node-lease";
constexpr std::string_view kMirrorAnnotation = "kubernetes.io/config.mirror";
constexpr std::string_view kRestrictedNamespace = "node-restriction.kubernetes.io";

// Labels of Kubernetes' own namespaces that kubelets may set.
constexpr std::string_view kKubeletLabels[] = {
    "kubernetes.io/hostname",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "beta.kubernetes.io/instance-type",
    "node.kubernetes.io/instance-type",
    "kubernetes.io/os",
    "kubernetes.io/arch",
    "beta.kubernetes.io/os",
    "beta.kubernetes.io/arch",
};
constexpr std::string_view kKubeletNamespaces[] = {"kubelet.kubernetes.io", "node.kubernetes.io"};

// The node that asks; nothing for other users.
std::optional<std::string_view> NodeOf(const RequestContext& context) {
  if (!context.user.starts_with(kUserPrefix)) return std::nullopt;
  if (std::ranges::find(context.groups, kGroup) == context.groups.end()) return std::nullopt;
  return std::string_view(context.user).substr(kUserPrefix.size());
}

// Whether `ns` is the namespace or below it.
bool IsIn(std::string_view ns, std::string_view of) {
  return ns == of ||
         (ns.size() > of.size() && ns.ends_with(of) && ns[ns.size() - of.size() - 1] == '.');
}

bool MaySetLabel(std::string_view label) {
  const size_t slash = label.find('/');
  const std::string_view ns = slash == std::string_view::npos ? "" : label.substr(0, slash);
  if (IsIn(ns, kRestrictedNamespace)) return false;
  if (!IsIn(ns, "kubernetes.io") && !IsIn(ns, "k8s.io")) return true;
  if (std::ranges::find(kKubeletLabels, label) != std::end(kKubeletLabels)) return true;
  return std::ranges::any_of(kKubeletNamespaces,
                             [ns](std::string_view allowed) { return IsIn(ns, allowed); });
}

bool Same(const json::Value* a, const json::Value* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return *a == *b;
}

// Labels that differ and that a kubelet may not set, "a, b".
std::string ForbiddenLabels(const json::Value& object, const json::Value* old) {
  const json::Value none;
  const json::Value* labels = object.Find({"metadata", "labels"});
  const json::Value* before = old == nullptr ? nullptr : old->Find({"metadata", "labels"});
  const json::Value& a = labels == nullptr ? none : *labels;
  const json::Value& b = before == nullptr ? none : *before;
  std::set<std::string_view> forbidden;
  for (const json::Value* map : {&a, &b}) {
    for (const json::Member& member : map->members()) {
      if (Same(a.Find(member.name), b.Find(member.name))) continue;
      if (!MaySetLabel(member.name)) forbidden.insert(member.name);
    }
  }
  return fmt::format("{}", fmt::join(forbidden, ", "));
}

class NodeRestriction final : public AdmissionPlugin {
 public:
  explicit NodeRestriction(const storage::Store& store) : store_(store) {}

  [[nodiscard]] AdmissionInterest Interest() const override {
    return {kOnCreate | kOnUpdate | kOnDelete,
            {"nodes", "pods", "leases.coordination.k8s.io", "csinodes.storage.k8s.io",
             "resourceslices.resource.k8s.io"}};
  }

  // Parts of this process are no nodes' users.
  [[nodiscard]] bool IgnoresRenewals(const openapi::ResourceInfo& /*resource*/) const override {
    return true;
  }

  Result<void> Mutate(AdmissionAttributes& attributes) const override {
    const auto node = NodeOf(attributes.context);
    if (!node) return {};
    std::string refusal;
    if (node->empty()) {
      refusal =
          fmt::format("could not determine node from user {}", GoQuote(attributes.context.user));
    } else if (attributes.operation != AdmissionOperation::kDelete) {
      refusal = RefuseWrite(attributes, *node);
    } else if (attributes.resource.storage_name != "pods") {
      refusal = RefuseNamed(attributes, *node);
    }
    return Answer(attributes, refusal);
  }

  // Deletes of what must be looked at first.
  Result<void> Validate(const AdmissionAttributes& attributes) const override {
    const auto node = NodeOf(attributes.context);
    if (!node || attributes.operation != AdmissionOperation::kDelete) return {};
    std::string refusal;
    const std::string quoted = GoQuote(*node);
    if (attributes.Is("pods") && attributes.old->FindString({"spec", "nodeName"}) != *node) {
      refusal =
          fmt::format("node {} can only delete pods with spec.nodeName set to itself", quoted);
    }
    if (attributes.Is("resourceslices.resource.k8s.io") &&
        attributes.old->FindString({"spec", "nodeName"}) != *node) {
      refusal = "can only delete ResourceSlice with the same NodeName as the requesting node";
    }
    return Answer(attributes, refusal);
  }

 private:
  static Result<void> Answer(const AdmissionAttributes& attributes, const std::string& refusal) {
    if (refusal.empty()) return {};
    return std::unexpected(AdmissionForbidden(attributes, refusal));
  }

  // The rules of kinds by their name: nodes, leases, CSI nodes. "" when nothing is refused.
  static std::string RefuseNamed(const AdmissionAttributes& attributes, std::string_view node) {
    const std::string& kind = attributes.resource.storage_name;
    if (kind == "nodes" && attributes.name != node) {
      return fmt::format("node {} is not allowed to modify node {}", GoQuote(node),
                         GoQuote(attributes.name));
    }
    if (kind == "leases.coordination.k8s.io") {
      if (attributes.ns != kLeaseNamespace) {
        return fmt::format("can only access leases in the {} system namespace",
                           GoQuote(kLeaseNamespace));
      }
      if (attributes.name != node) {
        return "can only access node lease with the same name as the requesting node";
      }
    }
    if (kind == "csinodes.storage.k8s.io" && attributes.name != node) {
      return "can only access CSINode with the same name as the requesting node";
    }
    return "";
  }

  std::string RefuseWrite(const AdmissionAttributes& attributes, std::string_view node) const {
    if (std::string refusal = RefuseNamed(attributes, node); !refusal.empty()) return refusal;
    const std::string& kind = attributes.resource.storage_name;
    if (kind == "nodes") return RefuseNode(attributes, node);
    if (kind == "pods") return RefusePod(attributes, node);
    if (kind == "resourceslices.resource.k8s.io" &&
        attributes.operation == AdmissionOperation::kCreate &&
        attributes.root().FindString({"spec", "nodeName"}) != node) {
      return "can only create ResourceSlice with the same NodeName as the requesting node";
    }
    return "";
  }

  static std::string RefuseNode(const AdmissionAttributes& attributes, std::string_view node) {
    const std::string quoted = GoQuote(node);
    const json::Value& root = attributes.root();
    const json::Value* old = attributes.old;
    const std::string labels = ForbiddenLabels(root, old);
    if (attributes.operation == AdmissionOperation::kCreate) {
      if (labels.empty()) return "";
      return fmt::format("node {} is not allowed to set the following labels: {}", quoted, labels);
    }
    if (!Same(root.Find({"spec", "taints"}), old->Find({"spec", "taints"}))) {
      return fmt::format("node {} is not allowed to modify taints", quoted);
    }
    if (!Same(root.Find({"metadata", "ownerReferences"}),
              old->Find({"metadata", "ownerReferences"}))) {
      return fmt::format("node {} is not allowed to modify ownerReferences", quoted);
    }
    return labels.empty() ? "" : "is not allowed to modify labels: " + labels;
  }

  std::string RefusePod(const AdmissionAttributes& attributes, std::string_view node) const {
    const std::string quoted = GoQuote(node);
    const std::string_view subresource = attributes.subresource;
    if (subresource.empty()) {
      if (attributes.operation == AdmissionOperation::kCreate) {
        return RefuseMirrorPod(attributes, node);
      }
      return fmt::format(
          "unexpected operation \"UPDATE\", node {} can only create and delete mirror pods",
          quoted);
    }
    if (subresource == "status") {
      const json::Value& old = *attributes.old;
      if (old.FindString({"spec", "nodeName"}) != node) {
        return fmt::format(
            "node {} can only update pod status for pods with spec.nodeName set to itself", quoted);
      }
      if (!Same(attributes.root().Find({"metadata", "labels"}), old.Find({"metadata", "labels"}))) {
        return fmt::format("node {} cannot update labels through pod status", quoted);
      }
      return "";
    }
    if (subresource == "eviction") {
      const storage::RecordPtr pod =
          store_.Get({"pods", std::string(attributes.ns), std::string(attributes.name)});
      if (pod == nullptr || pod->Field("spec.nodeName").value_or("") == node) return "";
      return fmt::format("node {} can only evict pods with spec.nodeName set to itself", node);
    }
    return fmt::format("unexpected pod subresource {}, only 'status' and 'eviction' are allowed",
                       GoQuote(subresource));
  }

  std::string RefuseMirrorPod(const AdmissionAttributes& attributes, std::string_view node) const {
    const std::string quoted = GoQuote(node);
    const json::Value& root = attributes.root();
    if (root.Find({"metadata", "annotations", kMirrorAnnotation}) == nullptr) {
      return fmt::format("pod does not have {} annotation, node {} can only create mirror pods",
                         GoQuote(kMirrorAnnotation), quoted);
    }
    if (root.FindString({"spec", "nodeName"}) != node) {
      return fmt::format("node {} can only create pods with spec.nodeName set to itself", quoted);
    }
    const json::Value* metadata = root.Find("metadata");
    const auto owners = ListAt(*metadata, "ownerReferences");
    if (owners.size() > 1) {
      return fmt::format("node {} can only create pods with a single owner reference set to itself",
                         quoted);
    }
    if (owners.empty() || owners[0].FindString({"apiVersion"}) != "v1" ||
        owners[0].FindString({"kind"}) != "Node" || owners[0].FindString({"name"}) != node) {
      return fmt::format("node {} can only create pods with an owner reference set to itself",
                         quoted);
    }
    if (!BoolAt(owners[0], "controller").value_or(false)) {
      return fmt::format(
          "node {} can only create pods with a controller owner reference set to itself", quoted);
    }
    if (BoolAt(owners[0], "blockOwnerDeletion").value_or(false)) {
      return fmt::format("node {} must not set blockOwnerDeletion on an owner reference", quoted);
    }
    const storage::RecordPtr record = store_.Get({"nodes", "", std::string(node)});
    const std::string_view uid = owners[0].FindString({"uid"});
    if (record == nullptr || record->uid() == uid) return "";
    return fmt::format("node {} UID mismatch: expected {} got {}", node, uid, record->uid());
  }

  const storage::Store& store_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> MakeNodeRestriction(const AdmissionOptions& /*options*/,
                                                     const AdmissionParts& parts) {
  return std::make_unique<NodeRestriction>(parts.resources.store());
}

}  // namespace kulisse::apiserver
