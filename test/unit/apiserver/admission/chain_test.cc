// Goal: plugins run in the real server's order, see only what they asked for, and the names of
// flags are checked as kube-apiserver does.
#include "apiserver/admission/chain.h"

#include "test/unit/apiserver/admission/admission_support.h"

namespace kulisse::apiserver {
namespace {

class Recorder final : public AdmissionPlugin {
 public:
  Recorder(std::string name, AdmissionInterest interest, std::vector<std::string>* calls)
      : name_(std::move(name)), interest_(std::move(interest)), calls_(calls) {}
  [[nodiscard]] AdmissionInterest Interest() const override { return interest_; }
  Result<void> Mutate(AdmissionAttributes& attributes) const override {
    calls_->push_back(name_ + " mutates " + std::string(attributes.name));
    return {};
  }
  Result<void> Validate(const AdmissionAttributes& attributes) const override {
    calls_->push_back(name_ + " validates " + std::string(attributes.name));
    if (attributes.undo != nullptr) {
      attributes.undo->push_back([this] { calls_->push_back(name_ + " undoes"); });
    }
    return {};
  }

 private:
  const std::string name_;
  const AdmissionInterest interest_;
  std::vector<std::string>* const calls_;
};

class AdmissionChainTest : public AdmissionTest {
 protected:
  using Calls = std::vector<std::string>;
  void Append(std::string name, AdmissionInterest interest) {
    chain_->Append(std::make_unique<Recorder>(std::move(name), std::move(interest), &calls_));
  }
  Calls calls_;
};

TEST_F(AdmissionChainTest, RunsPluginsInOrderOnWhatTheyWant) {
  Append("all", {kOnCreate | kOnUpdate | kOnDelete, {}});
  Append("maps", {kOnCreate, {"configmaps"}});
  Given("v1/configmaps", "metadata: {name: a}");
  EXPECT_EQ(calls_,
            (Calls{"all mutates a", "maps mutates a", "all validates a", "maps validates a"}));
  calls_.clear();
  EXPECT_EQ(Outcome(Replace("v1/configmaps", "{metadata: {name: a}, data: {k: v}}")), "ok");
  EXPECT_EQ(calls_, (Calls{"all mutates a", "all validates a"}));
  calls_.clear();
  EXPECT_EQ(Outcome(Delete("v1/configmaps", "a")), "ok");
  EXPECT_EQ(calls_, (Calls{"all mutates a", "all validates a"}));
}

TEST_F(AdmissionChainTest, UndoesWhatAFailedWriteTook) {
  Append("all", {kOnCreate | kOnUpdate, {}});
  Given("v1/configmaps", "metadata: {name: a}");
  calls_.clear();
  EXPECT_EQ(Outcome(Create("v1/configmaps", "metadata: {name: a}")),
            "409 configmaps \"a\" already exists");
  EXPECT_EQ(calls_, (Calls{"all mutates a", "all validates a", "all undoes"}));
  calls_.clear();
  context_.dry_run = true;
  EXPECT_EQ(Outcome(Create("v1/configmaps", "metadata: {name: b}")), "ok");
  EXPECT_EQ(calls_, (Calls{"all mutates b", "all validates b", "all undoes"}));
}

TEST_F(AdmissionChainTest, ARenewalIsAnUpdateForWhoWantsToSeeIt) {
  constexpr std::string_view kLeases = "coordination.k8s.io/v1/leases";
  constexpr std::string_view kOld = "2026-01-01T00:00:00.000000Z";
  constexpr std::string_view kNew = "2026-01-01T00:00:10.000000Z";
  Given(kLeases, "{metadata: {name: a}, spec: {renewTime: '" + std::string(kOld) + "'}}");
  int updates = 0;
  const auto renew = [&](std::string_view from, std::string_view to, const std::string& name) {
    const auto renewal = [&](const storage::Record& /*current*/, std::string* json) {
      const size_t at = json->find(from);
      if (at == std::string::npos) return false;
      json->replace(at, from.size(), to);
      return true;
    };
    const auto update = [&](json::Document& lease) -> Result<void> {
      ++updates;
      lease.root.Find("spec")->Set("renewTime", json::Value::String(to, lease.arena), lease.arena);
      return {};
    };
    return Show(resources_->Renew(context_, Resource(kLeases), {ns_, name}, renewal, update),
                {"spec", "renewTime"});
  };
  const std::string quoted_old = '"' + std::string(kOld) + '"';
  const std::string quoted_new = '"' + std::string(kNew) + '"';
  EXPECT_EQ(renew(kOld, kNew, "a"), quoted_new);
  EXPECT_EQ(updates, 0);
  EXPECT_EQ(renew("not there", kOld, "a"), quoted_old);
  EXPECT_EQ(updates, 1);
  EXPECT_EQ(renew(kOld, kNew, "b"), "404 leases.coordination.k8s.io \"b\" not found");
  Append("all", {kOnUpdate, {}});
  EXPECT_EQ(renew(kOld, kNew, "a"), quoted_new);
  EXPECT_EQ(updates, 2);
  EXPECT_EQ(calls_, (Calls{"all mutates a", "all validates a"}));
}

TEST_F(AdmissionChainTest, DoesNotValidateWhatTheStrategyRefuses) {
  Append("all", {kOnCreate, {}});
  EXPECT_EQ(Create("v1/configmaps", "metadata: {name: A_B}").error().code, 422);
  EXPECT_EQ(calls_, (Calls{"all mutates A_B"}));
}

TEST_F(AdmissionChainTest, ChecksNames) {
  struct Row {
    AdmissionOptions options;
    std::string want;
  };
  const Row rows[] = {
      {{}, ""},
      {{{"Priority"}, {"ServiceAccount"}}, ""},
      {{{"Priorities"}, {}}, "enable-admission-plugins plugin \"Priorities\" is unknown"},
      {{{}, {"Priorities"}}, "disable-admission-plugins plugin \"Priorities\" is unknown"},
      {{{"Priority"}, {"Priority"}},
       "[Priority] in enable-admission-plugins and disable-admission-plugins overlapped"},
      {{{"ImagePolicyWebhook"}, {}},
       "enable-admission-plugins plugin \"ImagePolicyWebhook\" is not built into Kulisse"},
      {{{}, {"ImagePolicyWebhook"}}, ""},
  };
  for (const Row& row : rows) {
    const auto checked = CheckPluginNames(row.options);
    EXPECT_EQ(checked ? "" : checked.error(), row.want);
  }
}

class WithoutServiceAccounts : public AdmissionTest {
 protected:
  WithoutServiceAccounts() : AdmissionTest({{}, {"ServiceAccount", "Priority"}}) {}
};

TEST_F(WithoutServiceAccounts, DisabledPluginsDoNothing) {
  const auto pod =
      Create("v1/pods", "{metadata: {name: a}, spec: {containers: [{name: c, image: i}]}}");
  EXPECT_EQ(Show(pod, {"spec", "serviceAccountName"}), "-");
  EXPECT_EQ(Show(pod, {"spec", "priority"}), "-");
  EXPECT_NE(Show(pod, {"spec", "tolerations"}), "-");
}

}  // namespace
}  // namespace kulisse::apiserver
