// Goal: leases of nodes are renewed in turn, as Update() would renew them, whoever else writes
// them. Method: clusters in virtual time; a lease that random writes of several managers have
// changed is renewed both ways, byte for byte.
#include "simulator/kubelet/node_lease.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <string>

#include "apiserver/registry/field_manager.h"
#include "apiserver/registry/resource_store.h"
#include "base/random.h"
#include "simulator/kubelet/lease_text.h"
#include "test/unit/simulator/cluster_support.h"

namespace kulisse::simulator {

using namespace std::chrono_literals;

namespace {

using apiserver::ObjectName;
using json::Document;
using json::Value;
using storage::Record;
using storage::RecordPtr;

constexpr std::chrono::seconds kDuration = 40s;

class NodeLeaseTest : public VirtualClusterTest {
 protected:
  const openapi::ResourceInfo& resource() {
    return cluster_->client().Resource("coordination.k8s.io", "v1", "leases");
  }
  RecordPtr Lease(const std::string& node) {
    return cluster_->client().Get(resource(), {"kube-node-lease", node});
  }
  std::string RenewTime(const std::string& node) {
    return std::string(
        apiserver::ResourceStore::Decode(*Lease(node)).root.FindString({"spec", "renewTime"}));
  }
  // Renewals of the node's lease while `passed` goes by.
  int CountRenewals(const std::string& node, Duration passed) {
    int renewals = 0;
    std::string last = RenewTime(node);
    for (Duration at{}; at < passed; at += 50ms) {
      runtime_->RunFor(50ms);
      if (const std::string now = RenewTime(node); now != std::exchange(last, now)) ++renewals;
    }
    return renewals;
  }
};

// Other writers of the lease, and ourselves: what they do to it.
using Edit = std::function<void(Document&, Random&)>;

void SetText(Document& object, std::initializer_list<std::string_view> path, std::string_view name,
             std::string_view value) {
  Value* parent = &object.root;
  for (const std::string_view step : path) parent = &parent->SetDefaultObject(step, object.arena);
  parent->Set(name, Value::String(value, object.arena), object.arena);
}

const std::vector<Edit>& Edits() {
  static const std::vector<Edit> edits = {
      [](Document& o, Random&) { SetText(o, {"metadata", "labels"}, "a", "b"); },
      [](Document& o, Random& random) {
        SetText(o, {"metadata", "annotations"}, "note", std::to_string(random.Below(1000)));
      },
      [](Document& o, Random&) { o.root.Find("metadata")->Remove("annotations"); },
      [](Document& o, Random&) { o.root.Find("metadata")->Remove("ownerReferences"); },
      [](Document& o, Random&) { SetText(o, {"spec"}, "holderIdentity", "another"); },
      [](Document& o, Random&) {
        SetText(o, {"spec"}, "renewTime", "2026-01-02T03:04:05.000000Z");
      },
      [](Document& o, Random&) { o.root.Find("spec")->Remove("renewTime"); },
      [](Document& o, Random& random) {
        o.root.SetDefaultObject("spec", o.arena)
            .Set("leaseTransitions", Value::Int(static_cast<int64_t>(random.Below(3))), o.arena);
      },
      [](Document& o, Random&) { o.root.Find("spec")->Remove("leaseTransitions"); },
      [](Document& o, Random&) {
        Value none = Value::Array();
        none.PushBack(Value::Object(), o.arena);
        o.root.Find("metadata")->Set("managedFields", std::move(none), o.arena);
      },
  };
  return edits;
}

}  // namespace

TEST_F(NodeLeaseTest, ARenewalInTheTextIsWhatAnUpdateMakes) {
  constexpr uint64_t kSeed = 20'261'123;
  SCOPED_TRACE(kSeed);
  Random random(kSeed);
  Start({.nodes = 1});
  runtime_->RunFor(5s);
  apiserver::ResourceStore& store = cluster_->api().resources();
  const ObjectName name{"kube-node-lease", "node-0"};
  const std::string self(cluster_->client().manager());
  int quick = 0, left = 0;
  for (int i = 0; i < 3000; ++i) {
    runtime_->RunFor(std::chrono::milliseconds(random.Below(3000)));
    if (random.Below(3) == 0) {
      Client writer(store, random.Below(2) == 0 ? self : "another");
      const Edit& edit = Edits()[random.Below(Edits().size())];
      (void)writer.Update(resource(), name, "", [&](Document& object) -> Result<void> {
        edit(object, random);
        return {};
      });
    } else if (random.Below(20) == 0) {
      ASSERT_TRUE(cluster_->client().Delete(resource(), name).has_value());
      runtime_->RunFor(kDuration);
    }
    const RecordPtr current = Lease("node-0");
    ASSERT_NE(current, nullptr);
    const LeaseWrite write{self, "node-0", kDuration, runtime_->Now()};
    std::string json(current->json());
    if (!RenewLeaseText(write, *current, &json)) {
      EXPECT_EQ(json, current->json());
      ++left;
      continue;
    }
    ++quick;
    storage::RecordContent content = current->Content();
    content.json = json;
    auto context = apiserver::RequestContext::Internal(self);
    context.dry_run = true;
    const auto updated = store.Update(context, resource(), name, "", RenewalOf(write));
    ASSERT_TRUE(updated.has_value()) << updated.error().message;
    ASSERT_EQ(Record::Encode(content, current->revision()), updated->record->bytes());
  }
  EXPECT_GT(quick, 500);
  EXPECT_GT(left, 500);
}

TEST_F(NodeLeaseTest, WhatAnotherHasWrittenIsPutRightByTheNextRenewal) {
  Start({.nodes = 1});
  runtime_->RunFor(5s);
  Client other(cluster_->api().resources(), "other");
  ASSERT_TRUE(other
                  .Update(resource(), {"kube-node-lease", "node-0"}, "",
                          [](Document& object) -> Result<void> {
                            SetText(object, {"spec"}, "holderIdentity", "thief");
                            SetText(object, {"metadata", "labels"}, "kept", "yes");
                            return {};
                          })
                  .has_value());
  runtime_->RunFor(kDuration / 4);
  const Document lease = apiserver::ResourceStore::Decode(*Lease("node-0"));
  EXPECT_EQ(lease.root.FindString({"spec", "holderIdentity"}), "node-0");
  EXPECT_EQ(lease.root.FindString({"metadata", "labels", "kept"}), "yes");
}

TEST_F(NodeLeaseTest, EachLeaseIsRenewedOnceInEachQuarterOfItsDurationWhileNodesComeAndGo) {
  Start({.nodes = 30});
  runtime_->RunFor(20s);
  for (const char* node : {"node-0", "node-17", "node-9"}) {
    EXPECT_EQ(CountRenewals(node, 100s), 10) << node;
  }
  const auto& nodes = cluster_->client().Resource("", "v1", "nodes");
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(cluster_->client().Delete(nodes, {"", "node-" + std::to_string(i)}).has_value());
  }
  EXPECT_NEAR(CountRenewals("node-25", 100s), 10, 1);
}

// No tick has much more to do than another.
TEST_F(NodeLeaseTest, RenewalsAreSpreadEvenly) {
  Start({.nodes = 400});
  runtime_->RunFor(20s);
  const NodeLeases& leases = *cluster_->kubelet()->leases();
  for (int i = 0; i < 40; ++i) {
    const uint64_t before = leases.renewals();
    runtime_->RunFor(1s);
    EXPECT_NEAR(static_cast<double>(leases.renewals() - before), 40, 11);
  }
}

}  // namespace kulisse::simulator
