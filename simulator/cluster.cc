#include "simulator/cluster.h"

#include <utility>

#include "simulator/kubelet/node_factory.h"

namespace kulisse::simulator {

namespace {

constexpr std::string_view kUser = "system:kulisse:simulator";

// What the simulator's controllers do and the API server may rely on.
ClusterOptions WithPromises(ClusterOptions options) {
  options.api.admission.default_service_accounts_are_made = options.simulate;
  return options;
}

}  // namespace

Cluster::Cluster(ClusterOptions options, storage::Store& store, Runtime& runtime)
    : options_(WithPromises(std::move(options))),
      runtime_(runtime),
      api_(options_.api, store, runtime),
      client_(api_.resources(), kUser) {}

Cluster::~Cluster() { Stop(); }

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
  auto kubelet = Kubelet::Create(runtime_, client_, std::move(options_.simulator));
  if (!kubelet) return std::unexpected(std::move(kubelet).error());
  kubelet_ = std::move(*kubelet);
  std::vector<NodeGroup> groups = options_.node_groups;
  if (options_.nodes > 0) groups.insert(groups.begin(), NodeGroup{.count = options_.nodes});
  const auto made = NodeFactory(client_, kubelet_->cidrs()).CreateMissing(groups);
  if (!made) return std::unexpected("cannot make the nodes: " + made.error().message);
  runtime_.Post([kubelet = std::weak_ptr(kubelet_)] {
    if (const auto alive = kubelet.lock()) alive->Start();
  });
  stages_ = std::make_unique<StageController>(client_, runtime_, *kubelet_);
  stages_->Start();
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

void Cluster::Stop() {
  quotas_.reset();
  node_taints_.reset();
  service_accounts_.reset();
  namespaces_.reset();
  stages_.reset();
  kubelet_.reset();
  api_.Stop();
}

}  // namespace kulisse::simulator
