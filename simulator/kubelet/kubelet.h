// Kubelet simulates the nodes and the pods on them: it knows the nodes, hands out addresses, keeps
// the leases, and has a StagePlayer for each kind that stages are about.
//
// Pods are played when they are bound to a node that exists and is managed; a pod that is bound
// before waits for its node. A node without spec.podCIDR gets one (unless options.cidr is set).
//
// Owns: its players. Borrows: runtime and client, which must outlive it.
// Threads: the runtime's loop, or any while the loop stands still (before and after its life).
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "simulator/kubelet/event_recorder.h"
#include "simulator/kubelet/node_cidrs.h"
#include "simulator/kubelet/node_lease.h"
#include "simulator/kubelet/pod_addresses.h"
#include "simulator/kubelet/pod_rules.h"
#include "simulator/kubelet/stage_player.h"
#include "simulator/stage/config.h"

namespace kulisse::simulator {

class Kubelet {
 public:
  // Stages that are no good are logged and left out. The error is of the options. `usage` is what
  // their expressions ask about load; it may be null, and must outlive the kubelet.
  static std::expected<std::unique_ptr<Kubelet>, std::string> Create(
      Runtime& runtime, Client& client, SimulatorConfig config, UsageFunctions* usage = nullptr);
  ~Kubelet();

  // Lists nodes, then everything else, and plays from then on. REQUIRES: on the loop.
  void Start();
  // The Stage object of that name is this one from now on, or (null) is gone. It counts instead of
  // a stage of the same name from elsewhere, and takes effect at once on the objects there are.
  // Returns what is wrong with it: then there is none of that name. REQUIRES: on the loop.
  std::expected<void, std::string> SetStage(const std::string& name, const json::Value* object);

  [[nodiscard]] size_t nodes() const { return nodes_.size(); }
  [[nodiscard]] const NodeLeases* leases() const { return leases_.get(); }
  [[nodiscard]] NodeCidrs& cidrs() { return cidrs_; }
  // By kind, for metrics and tests; null when no stage is about the kind.
  [[nodiscard]] const StagePlayer* Player(std::string_view kind) const;

 private:
  class Environment;
  class PlainDelegate;
  class NodeDelegate;
  class PodDelegate;

  struct PlacedStage {
    Lifecycle::StagePtr stage;
    const openapi::ResourceInfo* resource = nullptr;  // of the objects that it is about
  };
  struct Node {
    std::vector<std::string> addresses;  // internal first, at most two
  };

  Kubelet(Runtime& runtime, Client& client, SimulatorOptions options, UsageFunctions* usage);

  [[nodiscard]] std::expected<PlacedStage, std::string> Compile(const json::Value& object) const;
  // The stages of one kind as they are now.
  [[nodiscard]] Lifecycle LifecycleOf(const openapi::ResourceInfo& resource) const;
  StagePlayer& AddPlayer(const openapi::ResourceInfo& resource);
  // Has the kind's player, which is made if need be, play the stages as they are now.
  void Refresh(const openapi::ResourceInfo& resource);
  [[nodiscard]] bool Manages(const json::Value& node) const;
  void NodeChanged(const storage::Key& key, const storage::RecordPtr& record);
  void NodeRemoved(const std::string& name);
  void AssignCidr(const std::string& name, std::vector<std::string>* cidrs);
  // `previous`: what it was, where phase or address tell them apart; otherwise null.
  void PodChanged(storage::EventType type, const storage::Key& key, const storage::Record& record,
                  const storage::Record* previous);
  void PodRemoved(const storage::Key& key, const storage::Record& record);
  // There is no address for the pod: it waits for one, and says so.
  void NoAddress(const json::Value& pod, const std::string& cidr);
  void RecheckPod(const std::string& pod);
  [[nodiscard]] Node* FindNode(std::string_view name);

  Runtime& runtime_;
  Client& client_;
  const SimulatorOptions options_;
  const SystemTime start_time_;
  const openapi::ResourceInfo& nodes_resource_;

  CelEnvironment cel_;
  std::vector<PlacedStage> given_;              // shipped and from files
  std::map<std::string, PlacedStage> objects_;  // of the API, by name

  std::unordered_map<std::string, Node> nodes_;
  PodAddresses addresses_;
  EventRecorder events_;
  NodeCidrs cidrs_;
  std::unique_ptr<Environment> environment_;  // of what is done beside stages
  std::unique_ptr<PodRules> rules_;
  // Pods ("namespace/name") bound to nodes that are not there, by node.
  std::map<std::string, std::set<std::string>, std::less<>> waiting_;
  std::unique_ptr<NodeLeases> leases_;
  std::vector<std::unique_ptr<PlayerDelegate>> delegates_;
  std::vector<std::unique_ptr<StagePlayer>> players_;  // that of nodes first, if there is one
  StagePlayer* pods_ = nullptr;
  bool others_started_ = false;
};

}  // namespace kulisse::simulator
