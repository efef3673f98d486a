// Cluster is a whole cluster as a library: an API server over a store, and the simulator on it. On
// a VirtualRuntime with the memory store it lives and dies in a unit test in milliseconds; the
// program puts a RealRuntime under it and lets it listen.
//
//   VirtualRuntime runtime(1);
//   auto store = storage::Store::Open({.durability = storage::Durability::kMemory}, runtime);
//   Cluster cluster({.nodes = 3}, **store, runtime);
//   KULISSE_ASSERT(cluster.Start().has_value());
//   runtime.RunFor(1s);   // three nodes are Ready
//
// Owns: API server and simulator. Borrows: store and runtime, which must outlive it.
// Threads: construction, Start(), Stop() and destruction from one thread. With a RealRuntime, stop
//   the runtime before Stop(): the simulator runs on its loop.
// Errors: in words, for a person who starts it.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apiserver/api_server.h"
#include "simulator/client/client.h"
#include "simulator/controllers/applied_objects.h"
#include "simulator/controllers/namespace_controller.h"
#include "simulator/controllers/node_taint_controller.h"
#include "simulator/controllers/quota_controller.h"
#include "simulator/controllers/service_account_controller.h"
#include "simulator/kubelet/kubelet.h"
#include "simulator/kubelet/node_groups.h"
#include "simulator/stage/config.h"
#include "simulator/usage/usage_model.h"
#include "simulator/usage/usage_pages.h"

namespace kulisse::simulator {

struct ClusterOptions {
  apiserver::ApiServerOptions api = {};
  // Where to listen; nothing: reached in process only.
  std::optional<apiserver::net::ServerOptions> listen = {};
  // Where to listen besides, without TLS, for whoever comes (ApiServer::ListenUnsecured).
  std::optional<apiserver::net::ServerOptions> listen_unsecured = {};
  bool simulate = true;
  // The certificate that signed the server's, in PEM, for the pods of every namespace; "" for none.
  std::string root_ca = {};
  // Nodes to make, node-0 and so on, and those of the groups; what is there stays.
  size_t nodes = 0;
  std::vector<NodeGroup> node_groups = {};
  SimulatorConfig simulator = {};
};

class Cluster {
 public:
  Cluster(ClusterOptions options, storage::Store& store, Runtime& runtime);
  ~Cluster();

  // Starts the API, makes the nodes, and has the loop start the simulator. A listening API is not
  // ready before api().SetReady().
  std::expected<void, std::string> Start();
  // Ends the simulator, then the API server. Idempotent.
  void Stop();

  [[nodiscard]] apiserver::ApiServer& api() { return api_; }
  [[nodiscard]] Client& client() { return client_; }
  // Null without simulation, and before Start().
  [[nodiscard]] const Kubelet* kubelet() const { return kubelet_.get(); }

 private:
  [[nodiscard]] apiserver::ApiServerOptions ApiOptions() const;
  std::expected<void, std::string> StartSimulator();
  // Has the objects of the API that configure the simulator take effect.
  void ApplyObjects();

  ClusterOptions options_;
  Runtime& runtime_;
  std::unique_ptr<UsageModel> usage_;  // null without simulation
  std::unique_ptr<UsagePages> usage_pages_;
  apiserver::ApiServer api_;
  Client client_;
  std::shared_ptr<Kubelet> kubelet_;
  std::vector<std::unique_ptr<AppliedObjects>> applied_;
  std::unique_ptr<NamespaceController> namespaces_;
  std::unique_ptr<ServiceAccountController> service_accounts_;
  std::unique_ptr<NodeTaintController> node_taints_;
  std::unique_ptr<QuotaController> quotas_;
};

}  // namespace kulisse::simulator
