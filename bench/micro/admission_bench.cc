// What admission costs a pod's create, in process CPU: the registry over the memory store, without
// admission, with the default plugins in a plain namespace, and in one with a limit range, a quota
// and a Pod Security level; the plugins by themselves; and the look for empty lists in a write.
//
//   admission_bench [PODS]    (20000)
#include <fmt/format.h>
#include <time.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "apiserver/admission/plugins.h"
#include "apiserver/authz/authorizer.h"
#include "apiserver/registry/bootstrap.h"
#include "apiserver/registry/empty_lists.h"
#include "apiserver/registry/resource_store.h"
#include "base/assert.h"
#include "base/virtual_runtime.h"
#include "openapi/defaulting.h"
#include "openapi/typed.h"
#include "openapi/yaml.h"

namespace kulisse::apiserver {
namespace {

double CpuSeconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

class Bench {
 public:
  explicit Bench(bool admission) : runtime_(1) {
    storage::StoreOptions options;
    options.durability = storage::Durability::kMemory;
    store_ = std::move(*storage::Store::Open(options, runtime_));
    resources_ = std::make_unique<ResourceStore>(*store_, openapi::Catalog::BuiltIn(),
                                                 openapi::TypeTable::BuiltIn(), runtime_);
    cache_ = std::make_unique<AdmissionCache>(*store_, openapi::Catalog::BuiltIn());
    chain_ = std::make_unique<AdmissionChain>(openapi::Catalog::BuiltIn(), *cache_);
    AppendPlugins({}, {*cache_, *resources_, runtime_, authorizer_}, chain_.get());
    if (admission) resources_->UseAdmission(*chain_);
    CreateBootstrapObjects(*resources_, {"127.0.0.1", 6443});
    Create("serviceaccounts", "metadata: {name: default}");
  }

  void Create(std::string_view resource_name, std::string_view yaml) {
    const openapi::ResourceInfo& resource = Resource(resource_name);
    const auto created = resources_->Create(
        context_, resource, resource.namespaced ? "default" : "", Parse(resource, yaml));
    KULISSE_ASSERT(created.has_value());
  }

  // A limit range, a quota that somebody counted, and a level that is enforced.
  void Restrict() {
    Create("limitranges",
           "{metadata: {name: l}, spec: {limits: [{type: Container, defaultRequest: {cpu: 10m}, "
           "max: {cpu: '1'}, default: {cpu: 100m}}]}}");
    Create("resourcequotas", "{metadata: {name: q}, spec: {hard: {pods: 1M, requests.cpu: 1M}}}");
    Update("resourcequotas", "q", "status",
           "status: {hard: {pods: 1M, requests.cpu: 1M}, used: {pods: '0', requests.cpu: '0'}}");
    Update("namespaces", "default", "",
           "metadata: {labels: {pod-security.kubernetes.io/enforce: baseline}}");
  }

  // Microseconds of CPU for each of `count` pods.
  double CreatePods(int count) {
    const openapi::ResourceInfo& pods = Resource("pods");
    const json::Document pod = Pod();
    const double before = CpuSeconds();
    for (int i = 0; i < count; ++i) {
      json::Document copy = pod.Clone();
      copy.root.SetDefaultObject("metadata", copy.arena)
          .Set("name", json::Value::String(fmt::format("pod-{}", i), copy.arena), copy.arena);
      KULISSE_ASSERT(resources_->Create(context_, pods, "default", std::move(copy)).has_value());
    }
    return (CpuSeconds() - before) / count * 1e6;
  }

  // The look for empty lists, which every write pays.
  double FindEmptyLists(int count) {
    const openapi::ResourceInfo& pods = Resource("pods");
    json::Document pod = Pod();
    openapi::ApplyDefaults(pod.root, pods.type, resources_->types(), pod.arena);
    const double before = CpuSeconds();
    for (int i = 0; i < count; ++i) {
      const EmptyLists lists(pod, pods, resources_->types());
    }
    return (CpuSeconds() - before) / count * 1e6;
  }

  // A create by the plugins alone, without the registry.
  double Admit(int count) {
    const openapi::ResourceInfo& pods = Resource("pods");
    json::Document pod = Pod();
    openapi::ApplyDefaults(pod.root, pods.type, resources_->types(), pod.arena);
    const double before = CpuSeconds();
    for (int i = 0; i < count; ++i) {
      json::Document copy = pod.Clone();
      AdmissionAttributes attributes{
          AdmissionOperation::kCreate, pods, "", "default", "a", &copy, nullptr, context_};
      KULISSE_ASSERT(chain_->Mutate(attributes).has_value());
      KULISSE_ASSERT(chain_->Validate(attributes).has_value());
    }
    const double both = CpuSeconds() - before;
    const double start = CpuSeconds();
    for (int i = 0; i < count; ++i) (void)pod.Clone();
    return (both - (CpuSeconds() - start)) / count * 1e6;
  }

 private:
  const openapi::ResourceInfo& Resource(std::string_view name) const {
    return *resources_->catalog().Find("", "v1", name);
  }
  json::Document Parse(const openapi::ResourceInfo& resource, std::string_view yaml) const {
    auto object = openapi::ParseYaml(yaml);
    KULISSE_ASSERT(object.has_value());
    KULISSE_ASSERT(
        openapi::Normalize(object->root, resource.type, resources_->types(), object->arena, nullptr)
            .has_value());
    return std::move(*object);
  }
  json::Document Pod() const {
    return Parse(Resource("pods"),
                 "{metadata: {name: a, labels: {app: bench}}, spec: {containers: [{name: main, "
                 "image: 'registry/app:1', resources: {requests: {cpu: 100m, memory: 64Mi}}}]}}");
  }
  void Update(std::string_view resource_name, const std::string& name, std::string_view subresource,
              std::string_view yaml) {
    const openapi::ResourceInfo& resource = Resource(resource_name);
    const json::Document wanted = Parse(resource, yaml);
    const auto updated = resources_->Update(
        context_, resource, {resource.namespaced ? "default" : "", name}, subresource,
        [&](json::Document& object) -> Result<void> {
          for (const std::string_view part : {"metadata", "status"}) {
            const json::Value* given = wanted.root.Find(part);
            if (given == nullptr) continue;
            json::Value& own = object.root.SetDefaultObject(part, object.arena);
            for (const json::Member& member : given->members()) {
              if (member.value.IsNull()) continue;
              own.Set(member.name, member.value.Clone(object.arena), object.arena);
            }
          }
          return {};
        });
    KULISSE_ASSERT(updated.has_value());
  }

  VirtualRuntime runtime_;
  BootstrapAuthorizer authorizer_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<ResourceStore> resources_;
  std::unique_ptr<AdmissionCache> cache_;
  std::unique_ptr<AdmissionChain> chain_;
  const RequestContext context_ = RequestContext::Internal("bench");
};

int Main(int pods) {
  fmt::print("create a pod without admission: {:.1f} us\n", Bench(false).CreatePods(pods));
  Bench plain(true);
  fmt::print("the plugins alone, plain namespace: {:.2f} us\n", plain.Admit(pods));
  fmt::print("the look for empty lists: {:.2f} us\n", plain.FindEmptyLists(pods));
  fmt::print("create a pod, plain namespace: {:.1f} us\n", plain.CreatePods(pods));
  Bench restricted(true);
  restricted.Restrict();
  fmt::print("create a pod, with limit range, quota and level: {:.1f} us\n",
             restricted.CreatePods(pods));
  return 0;
}

}  // namespace
}  // namespace kulisse::apiserver

int main(int argc, char** argv) {
  constexpr int kPods = 20'000;
  return kulisse::apiserver::Main(argc > 1 ? std::atoi(argv[1]) : kPods);
}
