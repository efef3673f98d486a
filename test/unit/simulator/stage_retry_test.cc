// Goal: a stage whose write fails goes on as KWOK's does: the same failures are tried again, after
// the same pauses, from the same step on, with the object that matched.
// Method: test/golden/retries.json is what real KWOK did (test/differential/retries.py); the same
// stages play in virtual time, and an admission plugin refuses the same writes.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "apiserver/admission/chain.h"
#include "base/json/parse.h"
#include "simulator/limits.h"
#include "test/unit/simulator/cluster_support.h"

namespace kulisse::simulator {
namespace {

using apiserver::AdmissionAttributes;
using apiserver::AdmissionOperation;
using json::Value;

struct Failure {
  Status status;
  int times = 0;
};

// Refuses writes of config maps, each as often as is asked, and notes when they were tried: those
// that add finalizers or `b` to the data, deletes, and what is made for another.
class Refusals final : public apiserver::AdmissionPlugin {
 public:
  explicit Refusals(Runtime& runtime) : runtime_(runtime) {}

  std::map<std::string, Failure> failures;
  mutable std::map<std::string, std::vector<MonotonicTime>> tries;

  [[nodiscard]] apiserver::AdmissionInterest Interest() const override {
    return {apiserver::kOnCreate | apiserver::kOnUpdate | apiserver::kOnDelete, {"configmaps"}};
  }
  Result<void> Validate(const AdmissionAttributes& attributes) const override {
    constexpr std::string_view kMade = "made-by-";
    std::string name(attributes.name);
    if (attributes.operation == AdmissionOperation::kCreate) {
      if (!name.starts_with(kMade)) return {};
      name.erase(0, kMade.size());
    }
    if (attributes.operation == AdmissionOperation::kUpdate && !Adds(attributes, {"data", "b"}) &&
        !Adds(attributes, {"metadata", "finalizers"})) {
      return {};
    }
    std::vector<MonotonicTime>& tried = tries[name];
    tried.push_back(runtime_.MonotonicNow());
    const auto failure = failures.find(name);
    if (failure == failures.end() || std::cmp_greater(tried.size(), failure->second.times)) {
      return {};
    }
    return std::unexpected(failure->second.status);
  }

 private:
  static bool Adds(const AdmissionAttributes& attributes,
                   std::initializer_list<std::string_view> path) {
    return attributes.root().Find(path) != nullptr && attributes.old->Find(path) == nullptr;
  }

  Runtime& runtime_;
};

class StageRetryTest : public SimulatedClusterTest {
 protected:
  // `stages`: JSON, with --- between.
  void StartWith(const std::string& stages) {
    ClusterOptions options;
    ASSERT_TRUE(AddConfig("retries", stages, &options.simulator).has_value());
    Start(std::move(options));
    cache_ = std::make_unique<apiserver::AdmissionCache>(*store_, cluster_->client().catalog());
    chain_ = std::make_unique<apiserver::AdmissionChain>(cluster_->client().catalog(), *cache_);
    auto refusals = std::make_unique<Refusals>(*runtime_);
    refusals_ = refusals.get();
    chain_->Append(std::move(refusals));
    cluster_->api().resources().UseAdmission(*chain_);
  }
  void TearDown() override { cluster_.reset(); }  // before the chain that it uses

  const openapi::ResourceInfo& config_maps() {
    return cluster_->client().Resource("", "v1", "configmaps");
  }
  void CreateMap(const std::string& name) {
    Create(config_maps(),
           "{metadata: {name: " + name + ", labels: {case: " + name + "}}, data: {first: 'yes'}}");
  }
  // The pauses between tries; each is KWOK's with up to a fifth on top.
  std::vector<Duration> Pauses(const std::string& name) {
    const std::vector<MonotonicTime>& tries = refusals_->tries[name];
    std::vector<Duration> pauses;
    for (size_t i = 1; i < tries.size(); ++i) pauses.push_back(tries[i] - tries[i - 1]);
    return pauses;
  }
  std::string SeeMap(const std::string& name, std::string_view expression) {
    return See(config_maps(), {"default", name}, expression);
  }

  std::unique_ptr<apiserver::AdmissionCache> cache_;
  std::unique_ptr<apiserver::AdmissionChain> chain_;
  Refusals* refusals_ = nullptr;
};

json::Document Recorded() {
  std::ifstream file(std::string(KULISSE_SOURCE_DIR) + "/test/golden/retries.json");
  std::stringstream text;
  text << file.rdbuf();
  auto parsed = json::Parse(text.str());
  EXPECT_TRUE(parsed.has_value());
  return std::move(*parsed);
}

TEST_F(StageRetryTest, FailuresAreTriedAgainAsKwokDoes) {
  const json::Document recorded = Recorded();
  std::string stages;
  for (const auto& [name, one] : recorded.root.members()) {
    stages += json::ToString(*one.Find("stage")) + "\n---\n";
  }
  StartWith(stages);
  for (const auto& [name, one] : recorded.root.members()) {
    const Value& failure = *one.Find("failure");
    Status status = Status::Plain(static_cast<int>(failure.Find("code")->AsInt()), "not now");
    status.reason = failure.FindString({"reason"});
    refusals_->failures[std::string(name)] = {status,
                                              static_cast<int>(failure.Find("times")->AsInt())};
    CreateMap(std::string(name));
  }
  Run(60s);
  for (const auto& [key, one] : recorded.root.members()) {
    const std::string name(key);
    SCOPED_TRACE(name);
    const std::vector<Duration> pauses = Pauses(name);
    const Value& expected = *one.Find("pauses");
    ASSERT_EQ(pauses.size(), expected.size());
    for (size_t i = 0; i < pauses.size(); ++i) {
      const auto pause = std::chrono::seconds(int64_t{1} << i);
      EXPECT_GE(pauses[i], pause);
      EXPECT_LT(pauses[i], pause + pause / 5.0);
      // The record cuts KWOK's to whole seconds.
      EXPECT_GE(expected.elements()[i].AsInt(), pause.count());
      EXPECT_LE(expected.elements()[i].AsInt(), pause.count() * 6 / 5);
    }
    const Value& object = *one.Find("object");
    EXPECT_EQ(SeeMap(name, "{data: (.data // {}), finalizers: (.metadata.finalizers // [])}"),
              object.IsString() ? "gone" : json::ToString(object));
    std::set<std::string> events;
    std::istringstream lines(SeeEvents(name, "[.reason, .count]"));
    for (std::string line; std::getline(lines, line);) events.insert(line);
    std::set<std::string> expected_events;
    for (const auto& [reason, count] : one.Find("events")->members()) {
      expected_events.insert("[\"" + std::string(reason) + "\"," + json::ToString(count) + "]");
    }
    EXPECT_EQ(events, expected_events);
  }
}

constexpr const char* kPatchOfB =
    "{apiVersion: kwok.x-k8s.io/v1alpha1, kind: Stage, metadata: {name: s}, spec: {resourceRef: "
    "{kind: ConfigMap}, selector: {matchExpressions: [{key: .data.first, operator: Exists}]}, "
    "steps: [{patch: {template: 'data: {first: null, b: {{ .data.first | quote }}}'}}]}}";

TEST_F(StageRetryTest, PausesDoubleUpToTheLongestAndNeverEnd) {
  StartWith(kPatchOfB);
  refusals_->failures["m"] = {.status = Status::Plain(503, "not now"), .times = 15};
  CreateMap("m");
  Run(std::chrono::hours(8));
  const std::vector<Duration> pauses = Pauses("m");
  ASSERT_EQ(pauses.size(), 15);
  for (size_t i = 0; i < pauses.size(); ++i) {
    const Duration pause =
        std::min<Duration>(std::chrono::seconds(int64_t{1} << i), kStageRetryPauseMax);
    EXPECT_GE(pauses[i], pause);
    EXPECT_LT(pauses[i], pause + pause / 5);
  }
  EXPECT_EQ(SeeMap("m", ".data.b"), "\"yes\"");
}

TEST_F(StageRetryTest, AChangeOfTheObjectBeginsAnew) {
  StartWith(kPatchOfB);
  refusals_->failures["m"] = {.status = Status::Plain(503, "not now"), .times = 5};
  CreateMap("m");
  Run(20s);  // four more tries, then 16 s of pause
  ASSERT_EQ(refusals_->tries["m"].size(), 5);
  Patch(config_maps(), {"default", "m"}, "", "{data: {first: changed}}");
  Run(100ms);
  EXPECT_EQ(SeeMap("m", ".data.b"), "\"changed\"");
  Run(60s);
  EXPECT_EQ(refusals_->tries["m"].size(), 6);
}

TEST_F(StageRetryTest, AnObjectThatGoesIsNotTriedAgain) {
  StartWith(kPatchOfB);
  refusals_->failures["m"] = {.status = Status::Plain(503, "not now"), .times = 1};
  CreateMap("m");
  Run(500ms);
  ASSERT_TRUE(cluster_->client().Delete(config_maps(), {"default", "m"}).has_value());
  Run(60s);
  EXPECT_EQ(cluster_->kubelet()->Player("ConfigMap")->pending(), 0);
  EXPECT_EQ(SeeMap("m", "."), "gone");
}

}  // namespace
}  // namespace kulisse::simulator
