// PodRules is what kubelets do to pods of their own accord, where it is asked for: they refuse pods
// that the node has no room for or that do not suit it, fail those that outlive their
// spec.activeDeadlineSeconds, and evict pods, one after the other, while the node is under
// pressure. All nodes do so, or those that the annotation kubelet-rules.kwok.x-k8s.io says.
//
// Owns: what pods take of their nodes, and timers. Borrows: all that it is constructed with.
// Threads: the runtime's loop. Limits: about 300 bytes for a pod on a node with rules, nothing for
// others.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/runtime.h"
#include "simulator/client/client.h"
#include "simulator/kubelet/event_recorder.h"
#include "simulator/kubelet/pod_admission.h"
#include "simulator/stage/pod_status.h"

namespace kulisse::simulator {

class PodRules {
 public:
  // `by_default`: of nodes without the annotation. `recheck` is called with pods ("namespace/name")
  // that were put off while the list was not complete.
  PodRules(Runtime& runtime, Client& client, TemplateEnvironment& environment, bool by_default,
           std::function<void(const std::string& pod)> recheck);

  // `known`: the node was there before.
  void NodeChanged(const std::string& name, const json::Value& node, bool known);
  void NodeRemoved(const std::string& name);
  // All nodes, or all pods, will be told anew.
  void ForgetNodes();
  void ForgetPods();
  // All pods of the list have been told: those that are new may be taken now.
  void Listed();

  // Whether any node has rules; otherwise there is nothing to tell.
  [[nodiscard]] bool any() const { return !nodes_.empty(); }
  // Whether the node takes the pod or has taken it; one that it refuses is Failed from now on.
  [[nodiscard]] bool Admits(const std::string& node, const std::string& pod,
                            const storage::Record& record);
  void PodChanged(const std::string& node, const std::string& pod, const storage::Record& record);
  void PodRemoved(const std::string& node, const std::string& pod);

 private:
  struct Node {
    NodeUse use;
    std::vector<std::string> pressures;
    bool evicting = false;  // a timer is under way
  };
  struct Refusal {
    std::string_view type, reason, message;
  };

  void CountPods(const std::string& name, Node& node);
  [[nodiscard]] Node* Find(const std::string& name);
  [[nodiscard]] bool Refuse(const std::string& pod, const json::Value& object, const Node& node,
                            const std::string& node_name);
  void Patch(const std::string& pod, const json::Value& object, const json::Value& status,
             const Refusal& event);
  void Watch(const std::string& pod, Duration delay);
  void CheckDeadline(const std::string& pod);
  void ScheduleEviction(const std::string& name, Duration delay);
  void EvictOne(const std::string& name);

  Runtime& runtime_;
  Client& client_;
  TemplateEnvironment& environment_;
  const bool by_default_;
  const std::function<void(const std::string&)> recheck_;
  const openapi::ResourceInfo& pods_;
  const openapi::ResourceInfo& nodes_resource_;
  EventRecorder events_;

  std::unordered_map<std::string, Node> nodes_;  // those with rules
  std::set<std::string> put_off_;                // pods
  std::set<std::string> deadlines_;              // pods with a timer
  bool listed_ = false;
  // Timers hold it weakly, and do nothing once the rules are gone.
  std::shared_ptr<PodRules*> self_;
};

}  // namespace kulisse::simulator
