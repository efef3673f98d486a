// Goal: whatever stages play on whatever pod, its status is consistent with its spec and with what
// it was before, in every state that a client can see. Method: random pods that are resized, given
// ephemeral containers and deleted at random times, through each combination of shipped sets in
// virtual time; PodChecker reads every event.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "test/unit/simulator/cluster_support.h"
#include "test/unit/simulator/pod_checker.h"

namespace kulisse::simulator {

using namespace std::chrono_literals;

namespace {

constexpr uint64_t kSeed = 20'261'123;
constexpr size_t kPods = 40;
constexpr size_t kWrongShown = 20;

struct Sets {
  std::vector<std::string> names;
  bool strict;
  std::vector<std::string_view> labels;  // what the sets know, of which pods get one
};

const std::vector<std::string_view> kFailures = {"pod-container-running-failed",
                                                 "pod-init-container-running-failed"};
const std::vector<std::string_view> kContainers = {
    "pod-container-crash", "pod-job-failure",      "pod-image-pull-error", "pod-readiness-flapping",
    "pod-slow-start",      "pod-slow-termination", "pod-init-in-order"};

class PodInvariantsTest : public SimulatedClusterTest, public testing::WithParamInterface<Sets> {
 protected:
  uint64_t Draw(uint64_t bound) { return random_.Next() % bound; }
  bool Chance(uint64_t one_in) { return Draw(one_in) == 0; }
  std::string_view OneOf(std::initializer_list<std::string_view> texts) {
    return texts.begin()[Draw(texts.size())];
  }

  std::string Container(const std::string& name, std::string_view more) {
    std::string text = fmt::format("{{name: {}, image: 'i{}:1'{}", name, Draw(3), more);
    if (Chance(4)) {
      text += fmt::format(", command: [sh, -c, '{}']",
                          OneOf({"sleep 20; exit 1", "exit 0", "sleep 30", "sleep inf"}));
    }
    if (Chance(2)) {
      text +=
          ", resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 200m, memory: 128Mi}}";
    }
    return text + "}";
  }
  std::string RandomPod(size_t number) {
    std::string containers;
    for (uint64_t i = 0, count = 1 + Draw(3); i < count; ++i) {
      containers += Container(fmt::format("c{}", i), "") + ", ";
    }
    std::string inits;
    for (uint64_t i = 0, count = Chance(2) ? 0 : 1 + Draw(3); i < count; ++i) {
      inits += Container(fmt::format("i{}", i), Chance(3) ? ", restartPolicy: Always" : "") + ", ";
    }
    std::string metadata;
    const auto& labels = GetParam().labels;
    const std::string_view label = labels.empty() ? "" : labels[Draw(labels.size())];
    const bool fits = !label.contains("init-container") || !inits.empty();
    if (!label.empty() && fits && !Chance(4)) {
      metadata += fmt::format(
          ", labels: {{{0}.stage.kwok.x-k8s.io: 'true'}}, annotations: "
          "{{{0}.stage.kwok.x-k8s.io/times: '{1}'}}",
          label, 1 + Draw(3));
    }
    const bool job = Chance(3);
    if (job) metadata += ", ownerReferences: [{apiVersion: batch/v1, kind: Job, name: j, uid: u}]";
    if (Chance(5)) metadata += ", finalizers: [example.com/hold]";
    std::string spec = fmt::format(
        "restartPolicy: {}, terminationGracePeriodSeconds: {}",
        job ? OneOf({"Never", "OnFailure"}) : OneOf({"Always", "Always", "OnFailure", "Never"}),
        Draw(40));
    if (Chance(4)) spec += ", hostNetwork: true";
    if (Chance(4)) spec += ", readinessGates: [{conditionType: example.com/gate}]";
    if (Chance(6)) spec += fmt::format(", activeDeadlineSeconds: {}", 1 + Draw(90));
    return fmt::format(
        "{{metadata: {{name: p{}{}}}, spec: {{nodeName: node-{}, {}, containers: [{}], "
        "initContainers: [{}]}}}}",
        number, metadata, Draw(2), spec, containers, inits);
  }

  // What users do to pods that are there. Some of it is refused: then nothing happens.
  void Disturb(const std::string& name) {
    Client& client = cluster_->client();
    const auto patch = [&](std::string_view subresource, std::string_view text) {
      const auto parsed = openapi::ParseYaml(text);
      (void)client.Patch(pods(), {"default", name}, subresource, PatchType::kStrategic,
                         parsed->root);
    };
    switch (Draw(6)) {
      case 0:
        return patch("resize",
                     "spec: {containers: [{name: c0, resources: {requests: {cpu: 150m}}}]}");
      case 1:
        return patch(
            "ephemeralcontainers",
            "spec: {ephemeralContainers: [{name: debug, image: d, terminationMessagePolicy: "
            "File, imagePullPolicy: Always}]}");
      case 2:
        return patch("status", "status: {conditions: [{type: example.com/gate, status: 'True'}]}");
      case 3:
        return patch("", "metadata: {finalizers: null}");
      default:
        (void)client.DeleteGracefully(pods(), {"default", name});
    }
  }

  // Reads what happened, and notes what is wrong.
  void ReadEvents(storage::Watcher& watcher) {
    const auto events = watcher.Read();
    ASSERT_TRUE(events.has_value());
    for (const storage::EventPtr& event : *events) {
      json::Document now = apiserver::ResourceStore::Decode(*event->object);
      const auto before = seen_.find(event->key.name);
      for (const std::string& wrong :
           checker_.Check(now.root, before == seen_.end() ? nullptr : &before->second.root)) {
        Note(event->key.name, wrong);
      }
      if (event->type == storage::EventType::kDeleted) {
        seen_.erase(event->key.name);
      } else {
        seen_.insert_or_assign(event->key.name, std::move(now));
      }
      ++events_;
    }
  }
  void Note(const std::string& name, const std::string& wrong) {
    if (++wrong_count_ > kWrongShown) return;
    const auto it = seen_.find(name);
    ADD_FAILURE() << name << ": " << wrong << "\n before: "
                  << (it == seen_.end() ? "nothing" : json::ToString(it->second.root));
  }

  Random random_{kSeed};
  PodChecker checker_{GetParam().strict};
  std::map<std::string, json::Document> seen_;
  size_t events_ = 0;
  size_t wrong_count_ = 0;
};

TEST_P(PodInvariantsTest, EveryStateThatCanBeSeenIsConsistent) {
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  ClusterOptions options{.nodes = 2};
  options.simulator.stage_sets = GetParam().names;
  Start(std::move(options), kSeed);
  auto watcher = std::move(*store_->Watch("pods", "", store_->Latest()->revision()));
  for (size_t i = 0; i < kPods; ++i) {
    Create(pods(), RandomPod(i));
    if (Chance(3)) Run(1s);
  }
  for (int step = 0; step < 300; ++step) {
    Run(Chance(4) ? 15s : 500ms);
    ReadEvents(*watcher);
    if (Chance(3) && !seen_.empty()) {
      Disturb(std::next(seen_.begin(), static_cast<ptrdiff_t>(Draw(seen_.size())))->first);
    }
  }
  Run(10min);
  ReadEvents(*watcher);
  for (const auto& [name, pod] : seen_) {
    for (const std::string& wrong : checker_.CheckSettled(pod.root)) Note(name, wrong);
  }
  EXPECT_GT(events_, kPods * 2);
  EXPECT_EQ(wrong_count_, 0U);
}

INSTANTIATE_TEST_SUITE_P(Sets, PodInvariantsTest,
                         testing::Values(Sets{{"fast"}, false, {}}, Sets{{"general"}, false, {}},
                                         Sets{{"fast", "chaos"}, false, kFailures},
                                         Sets{{"general", "chaos"}, false, kFailures},
                                         Sets{{"fast", "containers"}, false, kContainers},
                                         Sets{{"general", "containers"}, false, kContainers},
                                         Sets{{"kubelet"}, true, {}},
                                         Sets{{"kubelet", "containers"}, true, kContainers}),
                         [](const auto& set) {
                           std::string name;
                           for (const std::string& part : set.param.names) name += part;
                           return name;
                         });

}  // namespace
}  // namespace kulisse::simulator
