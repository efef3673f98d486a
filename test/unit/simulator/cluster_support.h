// A whole cluster in virtual time, and one whose objects are written as YAML and seen through jq.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json/write.h"
#include "base/virtual_runtime.h"
#include "openapi/yaml.h"
#include "simulator/cluster.h"
#include "simulator/jq/jq.h"

namespace kulisse::simulator {

class VirtualClusterTest : public testing::Test {
 protected:
  void Start(ClusterOptions options, uint64_t seed = 1) {
    cluster_.reset();
    store_.reset();
    runtime_ = std::make_unique<VirtualRuntime>(seed);
    storage::StoreOptions store_options;
    store_options.durability = storage::Durability::kMemory;
    auto store = storage::Store::Open(store_options, *runtime_);
    ASSERT_TRUE(store.has_value());
    store_ = std::move(*store);
    Restart(std::move(options));
  }
  // A new process on the same store.
  void Restart(ClusterOptions options) {
    cluster_.reset();
    cluster_ = std::make_unique<Cluster>(std::move(options), *store_, *runtime_);
    const auto started = cluster_->Start();
    ASSERT_TRUE(started.has_value()) << started.error();
  }

  std::unique_ptr<VirtualRuntime> runtime_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<Cluster> cluster_;
};

class SimulatedClusterTest : public VirtualClusterTest {
 protected:
  void Start(ClusterOptions options, uint64_t seed = 7) {
    VirtualClusterTest::Start(std::move(options), seed);
    Run(std::chrono::seconds(1));
  }
  void Restart(ClusterOptions options) {
    VirtualClusterTest::Restart(std::move(options));
    Run(std::chrono::seconds(1));
  }
  void Run(Duration duration) { runtime_->RunFor(duration); }

  const openapi::ResourceInfo& pods() { return cluster_->client().Resource("", "v1", "pods"); }
  const openapi::ResourceInfo& nodes() { return cluster_->client().Resource("", "v1", "nodes"); }

  void Create(const openapi::ResourceInfo& resource, const std::string& yaml) {
    auto object = openapi::ParseYaml(yaml);
    ASSERT_TRUE(object.has_value()) << object.error() << "\n" << yaml;
    const auto created = cluster_->client().Create(resource, resource.namespaced ? "default" : "",
                                                   std::move(*object));
    ASSERT_TRUE(created.has_value()) << created.error().message << "\n" << yaml;
  }
  // `spec` is added to a container on node-0: ", hostNetwork: true".
  void CreatePod(const std::string& name, const std::string& spec = "",
                 const std::string& metadata = "") {
    Create(pods(), "{metadata: {name: " + name + metadata +
                       "}, spec: {nodeName: node-0, containers: [{name: c, image: i}]" + spec +
                       "}}");
  }
  void Patch(const openapi::ResourceInfo& resource, const apiserver::ObjectName& name,
             std::string_view subresource, std::string_view merge_patch) {
    const auto patch = openapi::ParseYaml(merge_patch);
    ASSERT_TRUE(patch.has_value()) << patch.error();
    const auto changed =
        cluster_->client().Patch(resource, name, subresource, PatchType::kMerge, patch->root);
    ASSERT_TRUE(changed.has_value()) << changed.error().message;
  }

  // What the expression gives for the object, as JSON; "gone" when it is not there.
  std::string See(const openapi::ResourceInfo& resource, const apiserver::ObjectName& name,
                  std::string_view expression) {
    const auto record = cluster_->client().Get(resource, name);
    return record ? Evaluate(apiserver::ResourceStore::Decode(*record).root, expression) : "gone";
  }
  static std::string Evaluate(const json::Value& object, std::string_view expression) {
    const auto program = Jq::Compile(expression);
    EXPECT_TRUE(program.has_value()) << expression;
    std::vector<const json::Value*> results;
    json::Arena arena;
    EXPECT_TRUE(program->Evaluate(object, arena, &results).has_value()) << expression;
    return results.empty() ? "nothing" : json::ToString(*results[0]);
  }
  std::string SeePod(const std::string& name, std::string_view expression) {
    return See(pods(), {"default", name}, expression);
  }
  std::string SeeNode(std::string_view expression, const std::string& name = "node-0") {
    return See(nodes(), {"", name}, expression);
  }
  // What the expression gives for the events about the object, one a line.
  std::string SeeEvents(const std::string& about, std::string_view expression) {
    std::string lines;
    const auto snapshot = store_->Latest();
    const auto cursor = snapshot->Scan("events", "", "");
    while (const storage::RecordPtr record = cursor->Next()) {
      const json::Document event = apiserver::ResourceStore::Decode(*record);
      if (event.root.FindString({"involvedObject", "name"}) != about) continue;
      lines += (lines.empty() ? "" : "\n") + Evaluate(event.root, expression);
    }
    return lines;
  }
};

}  // namespace kulisse::simulator
