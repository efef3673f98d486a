#include "simulator/cluster.h"

#include <utility>

#include "simulator/kubelet/node_factory.h"

namespace kulisse::simulator {

namespace {

constexpr std::string_view kUser = "system:kulisse:simulator";

// What the simulator's controllers do and the API server may rely on.
ClusterOptions WithPromises(ClusterOptions options) {
  options.api.admission.default_service_accounts_are_made = options.simulate;
  AddShippedUsage(&options.simulator);
  return options;
}

constexpr std::pair<std::string_view, std::string_view> kUsageResources[] = {
    {"ResourceUsage", "resourceusages"},
    {"ClusterResourceUsage", "clusterresourceusages"},
    {"Metric", "metrics"}};

}  // namespace

Cluster::Cluster(ClusterOptions options, storage::Store& store, Runtime& runtime)
    : options_(WithPromises(std::move(options))),
      runtime_(runtime),
      usage_(options_.simulate
                 ? std::make_unique<UsageModel>(runtime, store, options_.simulator.usage)
                 : nullptr),
      usage_pages_(usage_ ? std::make_unique<UsagePages>(*usage_) : nullptr),
      api_(ApiOptions(), store, runtime),
      client_(api_.resources(), kUser) {}

Cluster::~Cluster() { Stop(); }

apiserver::ApiServerOptions Cluster::ApiOptions() const {
  apiserver::ApiServerOptions options = options_.api;
  options.usage = usage_pages_.get();
  return options;
}

std::expected<void, std::string> Cluster::Start() {
  if (options_.listen) {
    auto listening = api_.Listen(*options_.listen);
    if (listening && options_.listen_unsecured) {
      listening = api_.ListenUnsecured(*options_.listen_unsecured);
    }
    if (!listening) return listening;
  } else {
    api_.StartInProcess();
    api_.SetReady();
  }
  return options_.simulate ? StartSimulator() : std::expected<void, std::string>();
}

std::expected<void, std::string> Cluster::StartSimulator() {
  auto kubelet = Kubelet::Create(runtime_, client_, std::move(options_.simulator), usage_.get());
  if (!kubelet) return std::unexpected(std::move(kubelet).error());
  kubelet_ = std::move(*kubelet);
  std::vector<NodeGroup> groups = options_.node_groups;
  if (options_.nodes > 0) groups.insert(groups.begin(), NodeGroup{.count = options_.nodes});
  const auto plan = NodeFactory(client_, kubelet_->cidrs()).PlanMissing(groups);
  runtime_.Post([kubelet = std::weak_ptr(kubelet_)] {
    if (const auto alive = kubelet.lock()) alive->Start();
  });
  // The first nodes become Ready while the last are made.
  if (const auto made = NodeFactory::Create(client_, plan); !made) {
    return std::unexpected("cannot make the nodes: " + made.error().message);
  }
  ApplyObjects();
  namespaces_ = std::make_unique<NamespaceController>(client_, runtime_);
  namespaces_->Start();
  service_accounts_ =
      std::make_unique<ServiceAccountController>(client_, runtime_, std::move(options_.root_ca));
  service_accounts_->Start();
  node_taints_ = std::make_unique<NodeTaintController>(client_, runtime_);
  node_taints_->Start();
  quotas_ = std::make_unique<QuotaController>(client_, runtime_);
  quotas_->Start();
  return {};
}

void Cluster::ApplyObjects() {
  const auto add = [&](std::string_view resource, AppliedObjects::Apply apply) {
    applied_.push_back(
        std::make_unique<AppliedObjects>(client_, runtime_, resource, std::move(apply)));
    applied_.back()->Start();
  };
  add("stages", [this](const apiserver::ObjectName& name, const json::Value* object) {
    return kubelet_->SetStage(name.name, object);
  });
  for (const auto& [kind, resource] : kUsageResources) {
    add(resource, [this, kind](const apiserver::ObjectName& name, const json::Value* object) {
      return usage_->SetObject(kind, name.ns, name.name, object);
    });
  }
}

void Cluster::Stop() {
  quotas_.reset();
  node_taints_.reset();
  service_accounts_.reset();
  namespaces_.reset();
  applied_.clear();
  kubelet_.reset();
  api_.Stop();
}

}  // namespace kulisse::simulator
