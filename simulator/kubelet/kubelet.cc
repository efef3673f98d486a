#include "simulator/kubelet/kubelet.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "base/text.h"
#include "simulator/kubelet/pod_names.h"
#include "simulator/limits.h"

namespace kulisse::simulator {

namespace {

using json::Value;
using storage::EventType;
using storage::Key;
using storage::Record;
using storage::RecordPtr;

constexpr size_t kNodeAddressesMax = 2;  // dual stack
constexpr std::string_view kNodeNameField = "spec.nodeName";
constexpr std::string_view kPodIpField = "status.podIP";

std::string_view NodeNameOf(const Record& pod) { return pod.Field(kNodeNameField).value_or(""); }

Key PodKeyOf(const Value& pod) {
  return {"pods", std::string(pod.FindString({"metadata", "namespace"})),
          std::string(pod.FindString({"metadata", "name"}))};
}

std::vector<std::string> PodAddressesOf(const Value& pod) {
  std::vector<std::string> addresses;
  if (const Value* ips = pod.Find({"status", "podIPs"})) {
    for (const Value& ip : ips->elements()) addresses.emplace_back(ip.FindString({"ip"}));
  }
  const std::string_view first = pod.FindString({"status", "podIP"});
  if (addresses.empty() && !first.empty()) addresses.emplace_back(first);
  return addresses;
}

// The addresses that nobody else may be given: those of a pod that has not ended. `pod` may be
// null.
std::vector<std::string> HeldAddresses(const Record* pod) {
  if (pod == nullptr || HasEnded(*pod)) return {};
  const auto address = pod->Field(kPodIpField);
  if (!address) return {};
  // Nearly all have one, which is near the end of the text: no need to parse it.
  const std::string only = fmt::format(R"("podIPs":[{{"ip":"{}"}}])", *address);
  if (pod->json().rfind(only) != std::string_view::npos) return {std::string(*address)};
  return PodAddressesOf(apiserver::ResourceStore::Decode(*pod).root);
}

std::vector<std::string> NodeAddresses(const Value& node) {
  std::vector<std::string> result;
  const Value* addresses = node.Find({"status", "addresses"});
  for (const std::string_view type : {"InternalIP", "ExternalIP"}) {
    if (!addresses) break;
    for (const Value& address : addresses->elements()) {
      if (address.FindString({"type"}) == type && result.size() < kNodeAddressesMax) {
        result.emplace_back(address.FindString({"address"}));
      }
    }
  }
  return result;
}

std::vector<std::string> NodePodCidrs(const Value& node) {
  std::vector<std::string> cidrs;
  if (const Value* list = node.Find({"spec", "podCIDRs"})) {
    for (const Value& cidr : list->elements()) {
      if (cidr.IsString()) cidrs.emplace_back(cidr.AsString());
    }
  }
  const std::string_view single = node.FindString({"spec", "podCIDR"});
  if (cidrs.empty() && !single.empty()) cidrs.emplace_back(single);
  return cidrs;
}

}  // namespace

// What templates ask for while one stage plays on one object.
class Kubelet::Environment final : public TemplateEnvironment {
 public:
  explicit Environment(Kubelet& kubelet) : kubelet_(kubelet) {}

  void Begin(const Value& object) {
    object_ = &object;
    given_.clear();
    taken_.clear();
    full_cidr_.clear();
  }
  // Addresses that the object did not get after all are free again; it has them when a stage
  // failed after it was patched.
  void End(bool succeeded) {
    const Value& object = *std::exchange(object_, nullptr);
    if (succeeded || taken_.empty()) return;
    const RecordPtr now = kubelet_.client_.store().Get(PodKeyOf(object));
    const auto held = now ? HeldAddresses(now.get()) : std::vector<std::string>();
    std::erase_if(taken_, [&](const auto& taken) {
      return std::ranges::find(held, taken.second) != held.end();
    });
    kubelet_.addresses_.Return(taken_);
  }
  // The CIDR in which there was no address for the object; "" when there was.
  [[nodiscard]] const std::string& full_cidr() const { return full_cidr_; }
  [[nodiscard]] const Value* object() const { return object_; }

  [[nodiscard]] SystemTime Now() const override { return kubelet_.runtime_.Now(); }
  [[nodiscard]] SystemTime StartTime() const override { return kubelet_.start_time_; }
  uint64_t RandomBits() override { return kubelet_.runtime_.RandomBits(); }
  [[nodiscard]] std::string NodeIP() const override { return kubelet_.options_.node_ip; }
  [[nodiscard]] std::string NodeName() const override { return kubelet_.options_.node_name; }
  [[nodiscard]] int64_t NodePort() const override { return kubelet_.options_.node_port; }

  std::vector<std::string> NodeIPsWith(std::string_view node) override {
    const Node* found = kubelet_.FindNode(node);
    if (found && !found->addresses.empty()) return found->addresses;
    if (kubelet_.options_.node_ip.empty()) return {};
    return {kubelet_.options_.node_ip};
  }

  std::expected<std::vector<std::string>, std::string> PodIPsWith(
      const PodReference& pod) override {
    const bool is_unknown = !pod.node.empty() && kubelet_.FindNode(pod.node) == nullptr;
    if (pod.host_network || is_unknown) return NodeIPsWith(pod.node);
    if (!given_.empty()) return given_;
    const auto current = object_ ? PodAddressesOf(*object_) : std::vector<std::string>();
    auto given = kubelet_.addresses_.Give(std::string(pod.node), current, &taken_);
    if (!given) {
      full_cidr_ = std::move(given).error();
      return std::unexpected(fmt::format("no IP addresses available in {}", full_cidr_));
    }
    given_ = std::move(*given);
    return given_;
  }

 private:
  Kubelet& kubelet_;
  const Value* object_ = nullptr;
  std::vector<std::string> given_;
  PodAddresses::Taken taken_;
  std::string full_cidr_;
};

class Kubelet::PlainDelegate : public PlayerDelegate {
 public:
  explicit PlainDelegate(Kubelet& kubelet) : kubelet_(kubelet), environment_(kubelet) {}

  TemplateEnvironment& BeginPlay(const Value& object) override {
    environment_.Begin(object);
    return environment_;
  }
  void EndPlay(bool succeeded) override { environment_.End(succeeded); }

 protected:
  Kubelet& kubelet_;
  Environment environment_;
};

class Kubelet::NodeDelegate final : public PlainDelegate {
 public:
  using PlainDelegate::PlainDelegate;

  void Restarted() override {
    kubelet_.nodes_.clear();
    kubelet_.addresses_.ForgetNodes();
    kubelet_.rules_->ForgetNodes();
    if (kubelet_.leases_) kubelet_.leases_->Clear();
  }
  void Listed() override {
    if (kubelet_.leases_) kubelet_.leases_->RemoveUntold();
    if (std::exchange(kubelet_.others_started_, true)) return;
    for (size_t i = 1; i < kubelet_.players_.size(); ++i) kubelet_.players_[i]->Start();
  }
  void Changed(EventType type, const Key& key, const RecordPtr& record,
               const Record* /*previous*/) override {
    if (type == EventType::kDeleted) {
      kubelet_.NodeRemoved(key.name);
    } else {
      kubelet_.NodeChanged(key, record);
    }
  }
  bool Plays(const Key& key, const Record&) override { return kubelet_.nodes_.contains(key.name); }
};

class Kubelet::PodDelegate final : public PlainDelegate {
 public:
  using PlainDelegate::PlainDelegate;

  void Restarted() override {
    kubelet_.waiting_.clear();
    kubelet_.addresses_.ForgetPods();
    kubelet_.rules_->ForgetPods();
  }
  void Listed() override { kubelet_.rules_->Listed(); }
  void Changed(EventType type, const Key& key, const RecordPtr& record,
               const Record* previous) override {
    if (type == EventType::kDeleted) {
      kubelet_.PodRemoved(key, *record);
    } else {
      kubelet_.PodChanged(type, key, *record, previous);
    }
  }
  bool Plays(const Key& key, const Record& record) override {
    const std::string_view node = NodeNameOf(record);
    if (kubelet_.FindNode(node) == nullptr) return false;
    PodRules& rules = *kubelet_.rules_;
    return !rules.any() || rules.Admits(std::string(node), PodName(key), record);
  }
  void EndPlay(bool succeeded) override {
    if (const std::string& cidr = environment_.full_cidr(); !succeeded && !cidr.empty()) {
      kubelet_.NoAddress(*environment_.object(), cidr);
    }
    PlainDelegate::EndPlay(succeeded);
  }
};

// --- construction

namespace {

const openapi::ResourceInfo& NodesOf(const openapi::Catalog& catalog) {
  const auto* resource = catalog.Find("", "v1", "nodes");
  KULISSE_ASSERT(resource != nullptr);
  return *resource;
}

}  // namespace

Kubelet::Kubelet(Runtime& runtime, Client& client, SimulatorOptions options, UsageFunctions* usage)
    : runtime_(runtime),
      client_(client),
      options_(std::move(options)),
      start_time_(runtime.Now()),
      nodes_resource_(NodesOf(client.catalog())),
      cel_(runtime, usage),
      addresses_(options_.cidr, [this](const std::string& pod) { RecheckPod(pod); }),
      events_(client, runtime) {
  environment_ = std::make_unique<Environment>(*this);
  rules_ = std::make_unique<PodRules>(runtime, client, *environment_, options_.kubelet_rules,
                                      [this](const std::string& pod) { RecheckPod(pod); });
  if (options_.node_lease_duration_seconds > 0) {
    leases_ = std::make_unique<NodeLeases>(
        runtime, client, std::chrono::seconds(options_.node_lease_duration_seconds));
  }
}

Kubelet::~Kubelet() = default;

std::expected<std::unique_ptr<Kubelet>, std::string> Kubelet::Create(Runtime& runtime,
                                                                     Client& client,
                                                                     SimulatorConfig config,
                                                                     UsageFunctions* usage) {
  for (const std::string_view cidr : Split(config.options.cidr, ',')) {
    if (cidr.empty() || IpPool::Parse(cidr)) continue;
    return std::unexpected(fmt::format("cidr: \"{}\" is no CIDR with room for addresses", cidr));
  }
  if (const auto added = AddShippedStages(&config); !added) {
    return std::unexpected("--stages: " + added.error());
  }
  std::unique_ptr<Kubelet> kubelet(new Kubelet(runtime, client, config.options, usage));
  for (const std::string& problem : config.problems) {
    log::Warning("simulator", "passed over", {{"what", problem}});
  }
  for (const StageSource& source : config.stages) {
    auto placed = kubelet->Compile(source.object.root);
    if (placed) {
      kubelet->given_.push_back(std::move(*placed));
    } else {
      log::Warning("simulator", "a stage is left out",
                   {{"where", source.origin}, {"error", placed.error()}});
    }
  }
  kubelet->AddPlayer(kubelet->nodes_resource_);  // nodes come first: pods need them
  for (const PlacedStage& placed : kubelet->given_) {
    if (kubelet->Player(placed.resource->kind) == nullptr) kubelet->AddPlayer(*placed.resource);
  }
  return kubelet;
}

std::expected<Kubelet::PlacedStage, std::string> Kubelet::Compile(const Value& object) const {
  auto stage = Stage::Parse(object, cel_);
  if (!stage) return std::unexpected(std::move(stage).error());
  const auto* resource = client_.catalog().FindKind(stage->group, stage->version, stage->kind);
  if (!resource || resource->storage != resource) {
    return std::unexpected(fmt::format(
        "Stage \"{}\": spec.resourceRef: objects of kind {} are not kept as {}{}{}", stage->name,
        stage->kind, stage->group, stage->group.empty() ? "" : "/", stage->version));
  }
  return PlacedStage{std::make_shared<const Stage>(std::move(*stage)), resource};
}

Lifecycle Kubelet::LifecycleOf(const openapi::ResourceInfo& resource) const {
  std::vector<Lifecycle::StagePtr> stages;
  for (const PlacedStage& placed : given_) {
    if (placed.resource == &resource && !objects_.contains(placed.stage->name)) {
      stages.push_back(placed.stage);
    }
  }
  for (const auto& [name, placed] : objects_) {
    if (placed.resource == &resource) stages.push_back(placed.stage);
  }
  return Lifecycle(std::move(stages));
}

StagePlayer& Kubelet::AddPlayer(const openapi::ResourceInfo& resource) {
  const bool pods = resource.group.empty() && resource.kind == "Pod";
  if (&resource == &nodes_resource_) {
    delegates_.push_back(std::make_unique<NodeDelegate>(*this));
  } else if (pods) {
    delegates_.push_back(std::make_unique<PodDelegate>(*this));
  } else {
    delegates_.push_back(std::make_unique<PlainDelegate>(*this));
  }
  players_.push_back(std::make_unique<StagePlayer>(runtime_, client_, resource,
                                                   LifecycleOf(resource), *delegates_.back()));
  if (pods) pods_ = players_.back().get();
  return *players_.back();
}

std::expected<void, std::string> Kubelet::SetStage(const std::string& name, const Value* object) {
  std::set<const openapi::ResourceInfo*> touched;
  const auto touch = [&] {
    for (const PlacedStage& placed : given_) {
      if (placed.stage->name == name) touched.insert(placed.resource);
    }
    if (const auto it = objects_.find(name); it != objects_.end()) {
      touched.insert(it->second.resource);
    }
  };
  touch();
  objects_.erase(name);
  std::string error;
  if (object) {
    auto placed = Compile(*object);
    if (placed) {
      objects_.emplace(name, std::move(*placed));
    } else {
      error = std::move(placed).error();
    }
  }
  touch();
  for (const auto* resource : touched) Refresh(*resource);
  if (!error.empty()) return std::unexpected(std::move(error));
  return {};
}

void Kubelet::Refresh(const openapi::ResourceInfo& resource) {
  for (const auto& player : players_) {
    if (&player->resource() == &resource) return player->SetLifecycle(LifecycleOf(resource));
  }
  StagePlayer& added = AddPlayer(resource);
  if (others_started_) added.Start();
}

void Kubelet::Start() { players_[0]->Start(); }

const StagePlayer* Kubelet::Player(std::string_view kind) const {
  for (const auto& player : players_) {
    if (player->resource().kind == kind) return player.get();
  }
  return nullptr;
}

// --- nodes

Kubelet::Node* Kubelet::FindNode(std::string_view name) {
  if (name.empty()) return nullptr;
  const auto it = nodes_.find(std::string(name));
  return it == nodes_.end() ? nullptr : &it->second;
}

bool Kubelet::Manages(const Value& node) const {
  const auto has = [&](const auto& pairs, std::string_view field) {
    return std::ranges::all_of(pairs, [&](const auto& pair) {
      const Value* value = node.Find({"metadata", field, pair.first});
      return value && value->IsString() && value->AsString() == pair.second;
    });
  };
  return (options_.manage_single_node.empty() ||
          options_.manage_single_node == node.FindString({"metadata", "name"})) &&
         has(options_.manage_labels, "labels") && has(options_.manage_annotations, "annotations");
}

void Kubelet::NodeChanged(const Key& key, const RecordPtr& record) {
  const json::Document object = apiserver::ResourceStore::Decode(*record);
  std::vector<std::string> cidrs = NodePodCidrs(object.root);
  for (const std::string& cidr : cidrs) cidrs_.MarkUsed(cidr);
  if (!Manages(object.root)) return NodeRemoved(key.name);
  const auto [it, added] = nodes_.try_emplace(key.name);
  it->second.addresses = NodeAddresses(object.root);
  rules_->NodeChanged(key.name, object.root, !added);
  if (cidrs.empty() && !addresses_.HasCidrs(key.name)) AssignCidr(key.name, &cidrs);
  if (!cidrs.empty()) addresses_.SetCidrs(key.name, std::move(cidrs));
  if (leases_ && !record->deleting()) leases_->Add(key.name, record->uid());
  const auto waiting = waiting_.find(key.name);
  if (waiting == waiting_.end()) return;
  const std::set<std::string> pods = std::move(waiting->second);
  waiting_.erase(waiting);
  // First all addresses that are in use, then whoever needs new ones.
  for (const std::string& pod : pods) {
    const RecordPtr now = client_.store().Get(PodKeyOf(pod));
    addresses_.Mark(key.name, HeldAddresses(now.get()));
  }
  for (const std::string& pod : pods) RecheckPod(pod);
}

void Kubelet::AssignCidr(const std::string& name, std::vector<std::string>* cidrs) {
  auto cidr = cidrs_.Take();
  if (!cidr) return;
  const auto set = [&](json::Document& object) -> Result<void> {
    if (!object.root.FindString({"spec", "podCIDR"}).empty()) return {};
    Value& spec = object.root.SetDefaultObject("spec", object.arena);
    spec.Set("podCIDR", Value::String(*cidr, object.arena), object.arena);
    Value list = Value::Array();
    list.PushBack(Value::String(*cidr, object.arena), object.arena);
    spec.Set("podCIDRs", std::move(list), object.arena);
    return {};
  };
  const auto updated = client_.Update(nodes_resource_, {"", name}, "", set);
  if (updated) {
    cidrs->push_back(std::move(*cidr));
    return;
  }
  cidrs_.Release(*cidr);
  if (!updated.error().IsNotFound()) {
    log::Warning("simulator", "node gets no podCIDR",
                 {{"node", name}, {"error", updated.error().message}});
  }
}

void Kubelet::NodeRemoved(const std::string& name) {
  const auto it = nodes_.find(name);
  if (it == nodes_.end()) return;
  nodes_.erase(it);
  rules_->NodeRemoved(name);
  for (const std::string& cidr : addresses_.CidrsOf(name)) cidrs_.Release(cidr);
  addresses_.SetCidrs(name, {});
  if (leases_) leases_->Remove(name);
}

// --- pods

void Kubelet::PodChanged(EventType type, const Key& key, const Record& record,
                         const Record* previous) {
  const std::string node(NodeNameOf(record));
  if (node.empty()) return;
  if (FindNode(node) == nullptr) waiting_[node].insert(PodName(key));
  if (rules_->any()) rules_->PodChanged(node, PodName(key), record);
  const bool ended = HasEnded(record);
  if (type == EventType::kModified &&
      (previous == nullptr || (HasEnded(*previous) == ended &&
                               previous->Field(kPodIpField) == record.Field(kPodIpField)))) {
    return;  // the addresses are those before
  }
  const auto held = HeldAddresses(&record);
  auto before = HeldAddresses(previous);
  std::erase_if(before, [&](const std::string& address) {
    return std::ranges::find(held, address) != held.end();
  });
  addresses_.Mark(node, held);
  if (!before.empty()) addresses_.Release(node, before);
  if (ended) addresses_.StopWaiting(PodName(key));
}

void Kubelet::PodRemoved(const Key& key, const Record& record) {
  const std::string node(NodeNameOf(record));
  if (const auto it = waiting_.find(node); it != waiting_.end()) {
    it->second.erase(PodName(key));
    if (it->second.empty()) waiting_.erase(it);
  }
  if (rules_->any()) rules_->PodRemoved(node, PodName(key));
  addresses_.StopWaiting(PodName(key));
  const auto held = HeldAddresses(&record);  // none of a pod that had ended: others may have them
  if (!held.empty()) addresses_.Release(node, held);
}

void Kubelet::NoAddress(const Value& pod, const std::string& cidr) {
  const Key key = PodKeyOf(pod);
  addresses_.Wait(cidr, PodName(key));
  const EventAction event{
      .type = "Warning",
      .reason = "FailedCreatePodSandBox",
      .message = "Failed to create pod sandbox: no IP addresses available in " + cidr};
  if (const auto recorded = events_.Record(pods_->resource(), key, pod, event); !recorded) {
    log::Warning("simulator", "event is lost", {{"error", recorded.error().message}});
  }
}

void Kubelet::RecheckPod(const std::string& pod) {
  const Key key = PodKeyOf(pod);
  if (pods_ != nullptr) pods_->Recheck(key.ns, key.name);
}

}  // namespace kulisse::simulator
