#include "test/sim/day_workload.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "apiserver/registry/selectable_fields.h"
#include "base/assert.h"
#include "openapi/yaml.h"

namespace kulisse::sim {

using namespace std::chrono_literals;

namespace {

constexpr Duration kInsistPause = 1s;
constexpr size_t kNamespaces = 6;

// A sort of pods: what stands in its metadata and its spec besides name, node and container.
struct PodSort {
  std::string_view metadata;
  std::string_view spec;
  bool held = false;  // goes on only when it is released
};

constexpr auto kPodSorts = std::to_array<PodSort>({
    {"labels: {app: a}", ""},
    {"labels: {app: b}", "hostNetwork: true, "},
    {"labels: {app: c}", "initContainers: [{name: i, image: i}], "},
    {"ownerReferences: [{apiVersion: batch/v1, kind: Job, name: j, uid: "
     "1b0dd6d0-3f5f-4c66-8f3a-2b6d4f0e1a55}]",
     "restartPolicy: Never, "},
    {"ownerReferences: [{apiVersion: batch/v1, kind: Job, name: j, uid: "
     "1b0dd6d0-3f5f-4c66-8f3a-2b6d4f0e1a55}], "
     "labels: {pod-job-failure.stage.kwok.x-k8s.io: 'true'}",
     "restartPolicy: OnFailure, "},
    {"labels: {pod-container-crash.stage.kwok.x-k8s.io: 'true'}, "
     "annotations: {pod-container-crash.stage.kwok.x-k8s.io/times: '3'}",
     ""},
    {"labels: {pod-container-running-failed.stage.kwok.x-k8s.io: 'true'}",
     "restartPolicy: Never, "},
    {"labels: {pod-image-pull-error.stage.kwok.x-k8s.io: 'true'}, "
     "annotations: {pod-image-pull-error.stage.kwok.x-k8s.io/delay: 20m, "
     "pod-image-pull-error.stage.kwok.x-k8s.io/jitter-delay: 30m, "
     "pod-image-pull-back-off.stage.kwok.x-k8s.io/delay: 20m, "
     "pod-image-pull-back-off.stage.kwok.x-k8s.io/jitter-delay: 30m}",
     "", true},
    {"labels: {pod-readiness-flapping.stage.kwok.x-k8s.io: 'true'}, "
     "annotations: {pod-readiness-lost.stage.kwok.x-k8s.io/delay: 20m, "
     "pod-readiness-lost.stage.kwok.x-k8s.io/jitter-delay: 30m, "
     "pod-readiness-regained.stage.kwok.x-k8s.io/delay: 20m, "
     "pod-readiness-regained.stage.kwok.x-k8s.io/jitter-delay: 30m}",
     ""},
    {"labels: {pod-slow-start.stage.kwok.x-k8s.io: 'true'}", ""},
    {"labels: {pod-slow-termination.stage.kwok.x-k8s.io: 'true'}", ""},
    {"labels: {pod-init-in-order.stage.kwok.x-k8s.io: 'true'}",
     "initContainers: [{name: i, image: i}, {name: s, image: s, restartPolicy: Always}], "},
    {"finalizers: [example.com/hold]", "", true},
});

constexpr auto kNodeTroubles = std::to_array<std::string_view>({
    "node-pressure.stage.kwok.x-k8s.io: MemoryPressure",
    "node-drain.stage.kwok.x-k8s.io: 'true'",
    "node-death.stage.kwok.x-k8s.io: 'true'",
    "node-not-ready.stage.kwok.x-k8s.io: 'true'",
});

// Stages of the API: one that takes the place of a shipped one, one of its own, one that is wrong.
constexpr auto kStageSpecs = std::to_array<std::string_view>({
    "metadata: {name: pod-image-pull-back-off}\n"
    "spec: {resourceRef: {kind: Pod}, selector: {matchExpressions: [{key: "
    "'.status.containerStatuses.[].state.waiting.reason', operator: In, values: [ErrImagePull]}]}, "
    "delay: {durationMilliseconds: 60000}, next: {event: {type: Warning, reason: BackOff, message: "
    "own}}}",
    "metadata: {name: own}\n"
    "spec: {resourceRef: {kind: Pod}, selector: {matchLabels: {app: a}, matchExpressions: [{key: "
    ".metadata.annotations.seen, operator: DoesNotExist}, {key: .status.phase, operator: In, "
    "values: [Running]}]}, next: {patches: [{root: metadata, template: 'annotations: {seen: "
    "\"yes\"}'}]}}",
    "metadata: {name: wrong}\n"
    "spec: {resourceRef: {kind: Pod}, selector: {matchExpressions: [{key: '.[', operator: "
    "Exists}]}, next: {delete: true}}",
});
constexpr auto kStageNames =
    std::to_array<std::string_view>({"pod-image-pull-back-off", "own", "wrong"});

json::Document Parse(const std::string& yaml) {
  auto document = openapi::ParseYaml(yaml);
  KULISSE_ASSERT(document.has_value());
  return std::move(*document);
}

bool Passes(const Status& status) {
  return status.code == 503 || status.code == 429 || status.code == 504;
}

}  // namespace

DayWorkload::DayWorkload(simulator::Client& client, Runtime& runtime,
                         const WorkloadOptions& options)
    : client_(client),
      runtime_(runtime),
      options_(options),
      random_(options.seed),
      pods_(client.Resource("", "v1", "pods")),
      nodes_(client.Resource("", "v1", "nodes")),
      namespaces_(client.Resource("", "v1", "namespaces")),
      stages_(client.Resource("kwok.x-k8s.io", "v1alpha1", "stages")) {}

void DayWorkload::Start() {
  AddNamespaces();
  runtime_.ScheduleAfter(options_.pause, [this] { Act(); });
}

void DayWorkload::Stop() {
  stopped_ = true;
  while (!held_.empty()) ReleasePod();
  while (!labelled_.empty()) UnlabelNode();
  RemoveStages();
  CollectPods();
}

void DayWorkload::Act() {
  if (stopped_) return;
  struct Choice {
    uint64_t weight;
    void (DayWorkload::*act)();
  };
  static constexpr auto kChoices = std::to_array<Choice>({
      {400, &DayWorkload::CreatePod},
      {300, &DayWorkload::DeletePod},
      {100, &DayWorkload::ReleasePod},
      {20, &DayWorkload::KillNode},
      {30, &DayWorkload::AddNode},
      {10, &DayWorkload::CollectPods},
      {30, &DayWorkload::LabelNode},
      {35, &DayWorkload::UnlabelNode},
      {3, &DayWorkload::DeleteNamespace},
      {20, &DayWorkload::AddNamespaces},
      {2, &DayWorkload::ChangeStage},
      {2, &DayWorkload::RemoveStages},
  });
  uint64_t sum = 0;
  for (const Choice& choice : kChoices) sum += choice.weight;
  uint64_t drawn = random_.Below(sum);
  size_t index = 0;
  while (drawn >= kChoices[index].weight) drawn -= kChoices[index++].weight;
  ++done_;
  (this->*kChoices[index].act)();
  runtime_.ScheduleAfter(options_.pause, [this] { Act(); });
}

void DayWorkload::Insist(const Write& write) {
  const auto done = write();
  if (done || !Passes(done.error())) return;
  runtime_.ScheduleAfter(kInsistPause, [this, write] { Insist(write); });
}

void DayWorkload::Create(const openapi::ResourceInfo& resource, const std::string& ns,
                         const std::string& yaml) {
  const auto object = std::make_shared<const json::Document>(Parse(yaml));
  Insist([this, &resource, ns, object]() -> Result<void> {
    KULISSE_TRY(client_.Create(resource, ns, object->Clone()));
    return {};
  });
}

void DayWorkload::Patch(const openapi::ResourceInfo& resource, const Name& name,
                        const std::string& yaml) {
  const auto patch = std::make_shared<const json::Document>(Parse(yaml));
  Insist([this, &resource, name, patch]() -> Result<void> {
    KULISSE_TRY(client_.Patch(resource, name, "", simulator::PatchType::kMerge, patch->root));
    return {};
  });
}

void DayWorkload::Delete(const openapi::ResourceInfo& resource, const Name& name) {
  Insist([this, &resource, name] { return client_.Delete(resource, name); });
}

void DayWorkload::Touch(const storage::Key& key) {
  if (key.resource != "pods" && key.resource != "nodes") return;
  const json::Document patch =
      Parse(fmt::format("metadata: {{annotations: {{touched: '{}'}}}}", ++names_));
  (void)client_.Patch(key.resource == "pods" ? pods_ : nodes_, {key.ns, key.name}, "",
                      simulator::PatchType::kMerge, patch.root);
}

// --- pods

std::string DayWorkload::AnyNamespace() {
  const uint64_t index = random_.Below(kNamespaces + 1);
  return index == kNamespaces ? "default" : fmt::format("team-{}", index);
}

void DayWorkload::CreatePod() {
  if (alive_.size() >= options_.pods_max) DeletePod();
  const PodSort& sort = kPodSorts[random_.Below(kPodSorts.size())];
  const Name name{AnyNamespace(), fmt::format("pod-{}", ++names_)};
  Create(pods_, name.ns,
         fmt::format("metadata: {{name: {}, {}}}\nspec: {{nodeName: {}, {}containers: [{{name: c, "
                     "image: i}}]}}",
                     name.name, sort.metadata, AnyNode(), sort.spec));
  alive_.push_back(name);
  if (sort.held) held_.push_back(name);
}

void DayWorkload::DeletePod() {
  if (alive_.empty()) return;
  const size_t index = random_.Below(alive_.size());
  const Name name = std::exchange(alive_[index], alive_.back());
  alive_.pop_back();
  const bool now = random_.Below(4) == 0;
  Insist([this, name, now]() -> Result<void> {
    if (now) return client_.Delete(pods_, name);
    KULISSE_TRY(client_.DeleteGracefully(pods_, name));
    return {};
  });
}

void DayWorkload::ReleasePod() {
  if (held_.empty()) return;
  const Name name = std::exchange(held_[random_.Below(held_.size())], held_.back());
  held_.pop_back();
  Patch(pods_, name,
        "metadata: {finalizers: null, labels: {pod-image-pull-error.stage.kwok.x-k8s.io: null}}");
}

// --- nodes

std::string DayWorkload::NodeName(uint64_t index) { return fmt::format("node-{}", index); }

void DayWorkload::KillNode() { Delete(nodes_, {"", AnyNode()}); }

// What the garbage collector of pods does: those of nodes that are gone go.
void DayWorkload::CollectPods() {
  const auto snapshot = client_.store().Latest();
  const auto cursor = snapshot->Scan("pods", "", "");
  while (const storage::RecordPtr record = cursor->Next()) {
    const std::string node(record->Field("spec.nodeName").value_or(""));
    if (client_.Get(nodes_, {"", node}) != nullptr) continue;
    const auto name = apiserver::SplitKey(pods_, cursor->key());
    Delete(pods_, {std::string(name.ns), std::string(name.name)});
  }
}

void DayWorkload::AddNode() {
  for (uint64_t tries = 0; tries < options_.nodes; ++tries) {
    const std::string node = AnyNode();
    if (client_.Get(nodes_, {"", node}) != nullptr) continue;
    return Create(nodes_, "", fmt::format("metadata: {{name: {}, labels: {{type: kwok}}}}", node));
  }
}

void DayWorkload::LabelNode() {
  const std::string node = AnyNode();
  labelled_.push_back(node);
  Patch(nodes_, {"", node},
        fmt::format("metadata: {{labels: {{{}}}, annotations: "
                    "{{node-not-ready.stage.kwok.x-k8s.io/delay: 1m, "
                    "node-not-ready.stage.kwok.x-k8s.io/jitter-delay: 1h}}}}",
                    kNodeTroubles[random_.Below(kNodeTroubles.size())]));
}

void DayWorkload::UnlabelNode() {
  if (labelled_.empty()) return;
  const std::string node =
      std::exchange(labelled_[random_.Below(labelled_.size())], labelled_.back());
  labelled_.pop_back();
  std::string labels;
  for (const std::string_view trouble : kNodeTroubles) {
    labels += fmt::format("{}: null, ", trouble.substr(0, trouble.find(':')));
  }
  Patch(nodes_, {"", node}, fmt::format("metadata: {{labels: {{{}}}}}", labels));
}

// --- namespaces and stages

void DayWorkload::DeleteNamespace() {
  const Name name{"", fmt::format("team-{}", random_.Below(kNamespaces))};
  Insist([this, name]() -> Result<void> {
    KULISSE_TRY(client_.DeleteGracefully(namespaces_, name));
    return {};
  });
}

void DayWorkload::AddNamespaces() {
  for (size_t i = 0; i < kNamespaces; ++i) {
    const std::string name = fmt::format("team-{}", i);
    if (client_.Get(namespaces_, {"", name}) != nullptr) continue;
    Create(namespaces_, "", fmt::format("metadata: {{name: {}}}", name));
  }
}

void DayWorkload::ChangeStage() {
  const size_t index = random_.Below(kStageSpecs.size());
  Create(stages_, "", std::string(kStageSpecs[index]));
}

void DayWorkload::RemoveStages() {
  for (const std::string_view name : kStageNames) Delete(stages_, {"", std::string(name)});
}

}  // namespace kulisse::sim
