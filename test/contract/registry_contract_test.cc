// Goal: every resource of the catalog behaves the same in create, get, update, delete and watch.
// Method: the same sequence runs for each row of the catalog over the memory store on virtual time;
// what upstream's resttest runs for each kind. Kinds that are only asked (reviews, bindings) have
// no storage and are left out.
#include <gtest/gtest.h>

#include <map>

#include "apiserver/registry/bootstrap.h"
#include "apiserver/registry/kind_rules.h"
#include "apiserver/registry/resource_store.h"
#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/virtual_runtime.h"
#include "openapi/typed.h"

namespace kulisse::apiserver {
namespace {

using openapi::ResourceInfo;

// The same of KWOK's custom resources.
std::string KwokMembersOf(std::string_view storage_name) {
  static const std::map<std::string_view, std::string> kMembers = {
      {"stages.kwok.x-k8s.io", R"("spec":{"resourceRef":{"kind":"Pod"}})"},
      {"metrics.kwok.x-k8s.io", R"("spec":{"path":"/metrics/p","metrics":[]})"},
      {"logs.kwok.x-k8s.io", R"("spec":{"logs":[]})"},
      {"clusterlogs.kwok.x-k8s.io", R"("spec":{"logs":[]})"},
      {"execs.kwok.x-k8s.io", R"("spec":{"execs":[]})"},
      {"clusterexecs.kwok.x-k8s.io", R"("spec":{"execs":[]})"},
      {"attaches.kwok.x-k8s.io", R"("spec":{"attaches":[]})"},
      {"clusterattaches.kwok.x-k8s.io", R"("spec":{"attaches":[]})"},
      {"portforwards.kwok.x-k8s.io", R"("spec":{"forwards":[]})"},
      {"clusterportforwards.kwok.x-k8s.io", R"("spec":{"forwards":[]})"},
      {"resourceusages.kwok.x-k8s.io", R"("spec":{})"},
      {"clusterresourceusages.kwok.x-k8s.io", R"("spec":{})"},
  };
  return kMembers.at(storage_name);
}

// For the name "a", signed by a key of its own.
constexpr std::string_view kCertificateRequest =
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIR01HNENBUUF3RERFS01BZ0dBMVVF"
    "QXd3QllUQlpNQk1HQnlxR1NNNDlBZ0VHQ0NxR1NNNDlBd0VIQTBJQQpCQ0JKektQZlI5VmdQNmpsV0E4"
    "UGQ1QnZlRnpUb1QxSVVzWVBqVkdPU255NDYzdXEvd2t1ZU04VVlYNE04ckpnCldWQklLb2l2T2xSMCtM"
    "Ni9wc3hQcG9TZ0FEQUtCZ2dxaGtqT1BRUURBZ05JQURCRkFpQlFxVnRjZ2h1N1FLc2IKMmxaemRLZ1pW"
    "QnJkdUpOSTlUWUlRM3BYeUtTVnNnSWhBSjNkT2tUVElLWnBJaFNzWDZEd1lLS2tGcUNWUkhTVwpTZXZU"
    "VUsxMFllcFgKLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==";

// What a kind needs besides metadata to be valid: members of its object.
std::string MembersOf(std::string_view storage_name) {
  static const std::string kPod = R"("spec":{"containers":[{"name":"c","image":"i"}]})";
  static const std::string kTemplate =
      R"("template":{"metadata":{"labels":{"a":"b"}},)" + kPod + "}";
  static const std::string kWorkload =
      R"("spec":{"selector":{"matchLabels":{"a":"b"}},)" + kTemplate + "}";
  static const std::string kJob =
      R"("spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c",)"
      R"("image":"i"}]}}})";
  static const std::string kRule =
      R"({"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],"resources":["pods"]})";
  static const std::map<std::string_view, std::string> kMembers = {
      {"certificatesigningrequests.certificates.k8s.io",
       R"("spec":{"signerName":"example.com/s","usages":["any"],"request":")" +
           std::string(kCertificateRequest) + R"("})"},
      {"ingressclasses.networking.k8s.io", R"("spec":{"controller":"example.com/c"})"},
      {"resourceslices.resource.k8s.io",
       R"("spec":{"driver":"d","allNodes":true,"pool":{"name":"p","resourceSliceCount":1}})"},
      {"flowschemas.flowcontrol.apiserver.k8s.io",
       R"("spec":{"priorityLevelConfiguration":{"name":"p"}})"},
      {"mutatingadmissionpolicies.admissionregistration.k8s.io",
       R"("spec":{"reinvocationPolicy":"Never","matchConstraints":{"resourceRules":[)" + kRule +
           R"(]},"mutations":[{"patchType":"JSONPatch","jsonPatch":{"expression":"[JSONPatch{}]"}}]})"},
      {"mutatingadmissionpolicybindings.admissionregistration.k8s.io",
       R"("spec":{"policyName":"p"})"},
      {"prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
       R"("spec":{"type":"Limited","limited":{"limitResponse":{"type":"Reject"}}})"},
      {"validatingadmissionpolicies.admissionregistration.k8s.io",
       R"("spec":{"validations":[{"expression":"true"}],"matchConstraints":{"resourceRules":[)" +
           kRule + "]}}"},
      {"validatingadmissionpolicybindings.admissionregistration.k8s.io",
       R"("spec":{"policyName":"p","validationActions":["Deny"]})"},
      {"clusterrolebindings.rbac.authorization.k8s.io",
       R"("roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"r"})"},
      {"controllerrevisions.apps", R"("revision":1,"data":{})"},
      {"cronjobs.batch", R"("spec":{"schedule":"@daily","jobTemplate":{)" + kJob + "}}"},
      {"csistoragecapacities.storage.k8s.io", R"("storageClassName":"s")"},
      {"endpointslices.discovery.k8s.io", R"("addressType":"IPv4","endpoints":[])"},
      {"horizontalpodautoscalers.autoscaling",
       R"("spec":{"maxReplicas":1,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment",)"
       R"("name":"d"}})"},
      {"ingresses.networking.k8s.io",
       R"("spec":{"defaultBackend":{"service":{"name":"s","port":{"number":80}}}})"},
      {"jobs.batch", kJob},
      {"persistentvolumeclaims",
       R"("spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}})"},
      {"persistentvolumes",
       R"("spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Gi"},)"
       R"("hostPath":{"path":"/p"}})"},
      {"replicationcontrollers", R"("spec":{"selector":{"a":"b"},)" + kTemplate + "}"},
      {"rolebindings.rbac.authorization.k8s.io",
       R"("roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"r"})"},
      {"runtimeclasses.node.k8s.io", R"("handler":"h")"},
      {"servicecidrs.networking.k8s.io", R"("spec":{"cidrs":["10.1.0.0/16"]})"},
      {"services", R"("spec":{"ports":[{"port":80}]})"},
      {"storageclasses.storage.k8s.io", R"("provisioner":"p")"},
      {"volumeattachments.storage.k8s.io",
       R"("spec":{"attacher":"a","nodeName":"n","source":{"persistentVolumeName":"p"}})"},
      {"volumeattributesclasses.storage.k8s.io", R"("driverName":"d","parameters":{"a":"b"})"},
      {"daemonsets.apps", kWorkload},
      {"deployments.apps", kWorkload},
      {"pods", kPod},
      {"podtemplates", kTemplate},
      {"replicasets.apps", kWorkload},
      {"statefulsets.apps", kWorkload},
  };
  if (storage_name.ends_with(".kwok.x-k8s.io")) return KwokMembersOf(storage_name);
  const auto it = kMembers.find(storage_name);
  return it == kMembers.end() ? "" : it->second;
}

class RegistryContract : public testing::TestWithParam<const ResourceInfo*> {
 protected:
  RegistryContract() : runtime_(123) {
    storage::StoreOptions options;
    options.durability = storage::Durability::kMemory;
    auto store = storage::Store::Open(options, runtime_);
    EXPECT_TRUE(store.has_value());
    store_ = std::move(*store);
    resources_ = std::make_unique<ResourceStore>(*store_, openapi::Catalog::BuiltIn(),
                                                 openapi::TypeTable::BuiltIn(), runtime_);
    CreateBootstrapObjects(*resources_, {"127.0.0.1", 6443});
    // Their names say what they serve.
    context_.trusted =
        resource().kind == "APIService" || resource().kind == "CustomResourceDefinition";
  }

  [[nodiscard]] const ResourceInfo& resource() const { return *GetParam(); }
  [[nodiscard]] std::string ns() const { return resource().namespaced ? "default" : ""; }

  json::Document Object(const std::string& metadata) {
    std::string text = R"({"metadata":)" + metadata;
    const std::string members = MembersOf(resource().storage_name);
    if (!members.empty()) text += "," + members;
    auto document = json::Parse(text + "}");
    EXPECT_TRUE(document.has_value());
    const auto normalized = openapi::Normalize(document->root, resource().type, resources_->types(),
                                               document->arena, nullptr);
    EXPECT_TRUE(normalized.has_value()) << normalized.error();
    return std::move(*document);
  }

  Result<WriteResult> Create(const std::string& metadata) {
    return resources_->Create(context_, resource(), ns(), Object(metadata));
  }

  VirtualRuntime runtime_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<ResourceStore> resources_;
  RequestContext context_ = RequestContext::Internal("test");
};

TEST_P(RegistryContract, CreatesOnceAndGetsBack) {
  const auto created = Create(R"({"name":"a"})");
  ASSERT_TRUE(created.has_value()) << created.error().message;
  const auto again = Create(R"({"name":"a"})");
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, 409);
  EXPECT_EQ(again.error().reason, "AlreadyExists");
  const auto got = resources_->Get(resource(), {ns(), "a"});
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ((*got)->json(), created->record->json());
  const json::Document object = ResourceStore::Decode(**got);
  EXPECT_EQ(object.root.FindString({"metadata", "uid"}).size(), 36U);
  EXPECT_EQ(object.root.FindString({"metadata", "creationTimestamp"}), "2026-01-01T00:00:00Z");
  EXPECT_EQ(object.root.FindString({"metadata", "resourceVersion"}),
            std::to_string(created->revision.value));
  EXPECT_EQ(object.root.Find({"metadata", "generation"}) != nullptr, resource().has_generation);
}

TEST_P(RegistryContract, DrawsANameFromGenerateName) {
  const auto created = Create(R"({"generateName":"base-"})");
  ASSERT_TRUE(created.has_value()) << created.error().message;
  const json::Document object = ResourceStore::Decode(*created->record);
  const std::string_view name = object.root.FindString({"metadata", "name"});
  EXPECT_TRUE(name.starts_with("base-"));
  EXPECT_EQ(name.size(), 10U);
}

TEST_P(RegistryContract, RefusesForeignNamespaceAndMissingName) {
  const auto foreign = Create(R"({"name":"a","namespace":"other"})");
  ASSERT_FALSE(foreign.has_value());
  EXPECT_EQ(foreign.error().code, 400);
  const auto nameless = Create("{}");
  if (resource().kind == "LimitRange") {  // takes its uid for a name
    ASSERT_TRUE(nameless.has_value()) << nameless.error().message;
    return;
  }
  ASSERT_FALSE(nameless.has_value());
  EXPECT_EQ(nameless.error().code, 422);
}

TEST_P(RegistryContract, DryRunLeavesNothing) {
  RequestContext dry = context_;
  dry.dry_run = true;
  const storage::Revision before = store_->head();
  const auto created = resources_->Create(dry, resource(), ns(), Object(R"({"name":"a"})"));
  ASSERT_TRUE(created.has_value());
  EXPECT_EQ(created->record->revision().value, 0U);
  EXPECT_EQ(store_->head(), before);
  EXPECT_FALSE(resources_->Get(resource(), {ns(), "a"}).has_value());
}

TEST_P(RegistryContract, UpdatesAndRefusesAStaleRevision) {
  const auto created = Create(R"({"name":"a"})");
  ASSERT_TRUE(created.has_value());
  const auto label = [](json::Document& object) -> Result<void> {
    json::Value& metadata = object.root.SetDefaultObject("metadata", object.arena);
    metadata.SetDefaultObject("labels", object.arena)
        .Set("x", json::Value::StringRef("y"), object.arena);
    return {};
  };
  const auto updated = resources_->Update(context_, resource(), {ns(), "a"}, "", label);
  ASSERT_TRUE(updated.has_value()) << updated.error().message;
  EXPECT_GT(updated->revision, created->revision);
  EXPECT_EQ(updated->record->Label("x"), "y");
  const auto same = resources_->Update(context_, resource(), {ns(), "a"}, "", label);
  ASSERT_TRUE(same.has_value());
  EXPECT_FALSE(same->changed);
  EXPECT_EQ(same->record->revision(), updated->revision);
  const auto stale = resources_->Update(
      context_, resource(), {ns(), "a"}, "", [&](json::Document& object) -> Result<void> {
        object.root.Find("metadata")
            ->Set("resourceVersion",
                  json::Value::String(std::to_string(created->revision.value), object.arena),
                  object.arena);
        return {};
      });
  ASSERT_FALSE(stale.has_value());
  EXPECT_EQ(stale.error().reason, "Conflict");
}

TEST_P(RegistryContract, DeletesOnceAndWatchersSeeItAll) {
  auto watcher = store_->Watch(resource().storage_name, ns(), store_->head());
  ASSERT_TRUE(watcher.has_value());
  ASSERT_TRUE(Create(R"({"name":"a"})").has_value());
  DeleteOptions options;
  options.propagation_policy = "Background";
  const auto deleted = resources_->Delete(context_, resource(), {ns(), "a"}, options);
  ASSERT_TRUE(deleted.has_value()) << deleted.error().message;
  const bool deferred = resource().storage_name == "namespaces";  // until it is finalized
  EXPECT_EQ(deleted->deleted, !deferred);
  if (deferred) return;
  const auto again = resources_->Delete(context_, resource(), {ns(), "a"}, options);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, 404);
  const auto events = (*watcher)->Read();
  ASSERT_TRUE(events.has_value());
  ASSERT_EQ(events->size(), 2U);
  EXPECT_EQ((*events)[0]->type, storage::EventType::kAdded);
  EXPECT_EQ((*events)[1]->type, storage::EventType::kDeleted);
  EXPECT_EQ((*events)[1]->revision, deleted->revision);
}

TEST_P(RegistryContract, FinalizersHoldAnObjectUntilTheLastIsGone) {
  ASSERT_TRUE(Create(R"({"name":"a","finalizers":["example.com/hold"]})").has_value());
  DeleteOptions options;
  options.propagation_policy = "Background";
  const auto deleted = resources_->Delete(context_, resource(), {ns(), "a"}, options);
  ASSERT_TRUE(deleted.has_value());
  EXPECT_FALSE(deleted->deleted);
  EXPECT_TRUE(deleted->record->deleting());
  const auto released = resources_->Update(context_, resource(), {ns(), "a"}, "",
                                           [](json::Document& object) -> Result<void> {
                                             object.root.Find("metadata")->Remove("finalizers");
                                             return {};
                                           });
  ASSERT_TRUE(released.has_value()) << released.error().message;
  EXPECT_EQ(released->deleted, resource().storage_name != "namespaces");
}

TEST_P(RegistryContract, PreconditionsGuardADelete) {
  ASSERT_TRUE(Create(R"({"name":"a"})").has_value());
  DeleteOptions options;
  options.preconditions.uid = "not-it";
  const auto refused = resources_->Delete(context_, resource(), {ns(), "a"}, options);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, 409);
}

std::vector<const ResourceInfo*> StoredResources() {
  std::vector<const ResourceInfo*> rows;
  for (const ResourceInfo& resource : openapi::Catalog::BuiltIn().resources()) {
    // The names of IPAddresses are addresses: service_allocator_test has them.
    if (resource.storage == &resource && resource.Has(openapi::Verb::kCreate) &&
        resource.Has(openapi::Verb::kGet) && resource.kind != "IPAddress") {
      rows.push_back(&resource);
    }
  }
  return rows;
}

INSTANTIATE_TEST_SUITE_P(AllKinds, RegistryContract, testing::ValuesIn(StoredResources()),
                         [](const auto& row) {
                           std::string name(row.param->storage_name);
                           for (char& c : name) {
                             if (c == '.' || c == '-') c = '_';
                           }
                           return name;
                         });

}  // namespace
}  // namespace kulisse::apiserver
