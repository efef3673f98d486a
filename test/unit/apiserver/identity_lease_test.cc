#include "apiserver/identity_lease.h"

#include <gtest/gtest.h>

#include <optional>

#include "apiserver/api_server.h"
#include "base/limits.h"
#include "base/virtual_runtime.h"

namespace kulisse::apiserver {
namespace {

class IdentityLeaseTest : public testing::Test {
 protected:
  IdentityLeaseTest() : runtime_(1) {
    storage::StoreOptions options;
    options.durability = storage::Durability::kMemory;
    auto store = storage::Store::Open(options, runtime_);
    EXPECT_TRUE(store.has_value());
    store_ = std::move(*store);
    server_.emplace(ApiServerOptions{}, *store_, runtime_);
    server_->StartInProcess();
  }

  // What the path of the only lease says, "" without a lease.
  std::string Read(std::initializer_list<std::string_view> path) {
    const auto* leases = server_->resources().catalog().Find("coordination.k8s.io", "v1", "leases");
    const auto cursor = store_->Latest()->Scan(leases->storage_name, "kube-system", "");
    const storage::RecordPtr record = cursor->Next();
    if (record == nullptr) return "";
    EXPECT_EQ(cursor->Next(), nullptr);
    return std::string(ResourceStore::Decode(*record).root.FindString(path));
  }

  VirtualRuntime runtime_;
  std::unique_ptr<storage::Store> store_;
  std::optional<ApiServer> server_;
};

TEST(IdentityLeaseNameTest, IsThatOfARealServerOnTheSameHost) {
  EXPECT_EQ(IdentityLease::NameOn("vm"), "apiserver-wlv32tlttr4jl3gtroqexyxapa");
}

TEST_F(IdentityLeaseTest, IsThereAsLongAsTheServer) {
  EXPECT_EQ(Read({"metadata", "name"}), "");
  {
    const IdentityLease lease(server_->resources(), runtime_, "10.0.0.1:6443");
    EXPECT_TRUE(Read({"metadata", "name"}).starts_with("apiserver-"));
    EXPECT_EQ(Read({"metadata", "labels", "apiserver.kubernetes.io/identity"}), "kube-apiserver");
    EXPECT_EQ(Read({"metadata", "annotations", "kubernetes.io/peer-advertise-address"}),
              "10.0.0.1:6443");
  }
  EXPECT_EQ(Read({"metadata", "name"}), "");
}

TEST_F(IdentityLeaseTest, IsRenewedInTime) {
  const IdentityLease lease(server_->resources(), runtime_, "10.0.0.1:6443");
  const std::string first = Read({"spec", "renewTime"});
  const storage::Revision before = store_->head();
  runtime_.RunFor(3 * kIdentityLeaseRenewPeriod + 1s);
  EXPECT_EQ(store_->head().value, before.value + 3);
  EXPECT_GT(Read({"spec", "renewTime"}), first);
}

TEST_F(IdentityLeaseTest, TakesThePlaceOfOneThatWasLeft) {
  const IdentityLease left(server_->resources(), runtime_, "10.0.0.1:6443");
  const std::string holder = Read({"spec", "holderIdentity"});
  const IdentityLease lease(server_->resources(), runtime_, "10.0.0.2:6443");
  EXPECT_NE(Read({"spec", "holderIdentity"}), holder);
  EXPECT_EQ(Read({"metadata", "annotations", "kubernetes.io/peer-advertise-address"}),
            "10.0.0.2:6443");
}

TEST_F(IdentityLeaseTest, ComesBackWhenItIsDeleted) {
  const IdentityLease lease(server_->resources(), runtime_, "10.0.0.1:6443");
  const auto* leases = server_->resources().catalog().Find("coordination.k8s.io", "v1", "leases");
  const ObjectName name{"kube-system", Read({"metadata", "name"})};
  ASSERT_TRUE(
      server_->resources().Delete(RequestContext::Internal("test"), *leases, name, {}).has_value());
  runtime_.RunFor(kIdentityLeaseRenewPeriod + 1s);
  EXPECT_EQ(Read({"metadata", "name"}), name.name);
}

}  // namespace
}  // namespace kulisse::apiserver
