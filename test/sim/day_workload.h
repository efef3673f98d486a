// DayWorkload is what people and controllers do to a cluster: every few seconds of virtual time
// one thing, drawn at random. Pods of many sorts come and go, nodes die, are cut off, drained and
// put under pressure, namespaces go, Stages change.
//
// A write that the store refuses is tried again a second later, as clients do.
//
// Borrows: the cluster's client and the runtime, which must outlive it. Threads: the loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/runtime.h"
#include "simulator/client/client.h"

namespace kulisse::sim {

struct WorkloadOptions {
  uint64_t seed = 0;
  size_t nodes = 0;     // node-0 … are there from the start
  size_t pods_max = 0;  // about as many live at a time
  Duration pause = std::chrono::seconds(5);
};

class DayWorkload {
 public:
  DayWorkload(simulator::Client& client, Runtime& runtime, const WorkloadOptions& options);

  void Start();
  // Nothing new from now on; what holds objects back (labels, finalizers, own Stages) goes.
  void Stop();
  // Somebody else's write to a pod or a node: counts in an annotation.
  void Touch(const storage::Key& key);

  [[nodiscard]] uint64_t done() const { return done_; }

 private:
  using Name = apiserver::ObjectName;
  using Write = std::function<Result<void>()>;

  void Act();
  // Makes the write, again and again while the store refuses it; other errors are answers.
  void Insist(const Write& write);

  void CreatePod();
  void DeletePod();
  void ReleasePod();
  void KillNode();
  void CollectPods();
  void AddNode();
  void LabelNode();
  void UnlabelNode();
  void DeleteNamespace();
  void AddNamespaces();
  void ChangeStage();
  void RemoveStages();

  void Patch(const openapi::ResourceInfo& resource, const Name& name, const std::string& yaml);
  void Create(const openapi::ResourceInfo& resource, const std::string& ns,
              const std::string& yaml);
  void Delete(const openapi::ResourceInfo& resource, const Name& name);
  [[nodiscard]] std::string AnyNode() { return NodeName(random_.Below(options_.nodes)); }
  [[nodiscard]] static std::string NodeName(uint64_t index);
  [[nodiscard]] std::string AnyNamespace();

  simulator::Client& client_;
  Runtime& runtime_;
  const WorkloadOptions options_;
  Random random_;
  const openapi::ResourceInfo& pods_;
  const openapi::ResourceInfo& nodes_;
  const openapi::ResourceInfo& namespaces_;
  const openapi::ResourceInfo& stages_;
  bool stopped_ = false;
  uint64_t done_ = 0;
  uint64_t names_ = 0;
  std::vector<Name> alive_;            // pods that were made, perhaps gone meanwhile
  std::vector<Name> held_;             // pods with a finalizer or a label that holds them back
  std::vector<std::string> labelled_;  // nodes
};

}  // namespace kulisse::sim
