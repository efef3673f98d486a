// Goal: the cache is never behind the store, whoever writes, and finds at its start what is there.
#include "apiserver/admission/cache.h"

#include <thread>

#include "test/unit/apiserver/admission/admission_support.h"

namespace kulisse::apiserver {
namespace {

using Kind = AdmissionCache::Kind;

class AdmissionCacheTest : public AdmissionTest {};

TEST_F(AdmissionCacheTest, SeesAWriteWhenItIsAnswered) {
  EXPECT_EQ(cache_->Get(Kind::kServiceAccounts, "default", "a"), nullptr);
  EXPECT_TRUE(cache_->List(Kind::kServiceAccounts, "default").empty());
  Given("v1/serviceaccounts", "metadata: {name: a, labels: {v: one}}");
  const CachedObjectPtr first = cache_->Get(Kind::kServiceAccounts, "default", "a");
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->root().FindString({"metadata", "labels", "v"}), "one");

  EXPECT_EQ(Outcome(Replace("v1/serviceaccounts", "metadata: {name: a, labels: {v: two}}")), "ok");
  EXPECT_EQ(cache_->Get(Kind::kServiceAccounts, "default", "a")->record().Label("v"), "two");
  EXPECT_EQ(first->root().FindString({"metadata", "labels", "v"}), "one");  // immutable

  EXPECT_EQ(Outcome(Delete("v1/serviceaccounts", "a")), "ok");
  EXPECT_EQ(cache_->Get(Kind::kServiceAccounts, "default", "a"), nullptr);
  EXPECT_TRUE(cache_->List(Kind::kServiceAccounts, "default").empty());
}

// Watchers may hear of a namespace before its writer has told the cache, and create in it.
TEST_F(AdmissionCacheTest, FindsByNameWhatNoWriterHasToldYet) {
  const AdmissionCache untold(*store_, openapi::Catalog::BuiltIn());
  Given("v1/serviceaccounts", "metadata: {name: a}");
  EXPECT_NE(untold.Get(Kind::kServiceAccounts, "default", "a"), nullptr);
  EXPECT_EQ(untold.Get(Kind::kServiceAccounts, "default", "b"), nullptr);
}

TEST_F(AdmissionCacheTest, ADryRunChangesNothing) {
  context_.dry_run = true;
  Given("v1/serviceaccounts", "metadata: {name: a}");
  EXPECT_EQ(cache_->Get(Kind::kServiceAccounts, "default", "a"), nullptr);
}

TEST_F(AdmissionCacheTest, ListsANamespaceByName) {
  for (const char* name : {"c", "a", "b"}) {
    Given("v1/serviceaccounts", std::string("metadata: {name: ") + name + "}");
  }
  std::string names;
  for (const auto& object : cache_->List(Kind::kServiceAccounts, "default"))
    names += object->name();
  EXPECT_EQ(names, "abc");
  EXPECT_TRUE(cache_->List(Kind::kServiceAccounts, "other").empty());
}

TEST_F(AdmissionCacheTest, FindsAtItsStartWhatTheStoreHas) {
  Given("v1/serviceaccounts", "metadata: {name: a}");
  const AdmissionCache another(*store_, openapi::Catalog::BuiltIn());
  EXPECT_NE(another.Get(Kind::kServiceAccounts, "default", "a"), nullptr);
  EXPECT_EQ(another.List(Kind::kPriorityClasses, "").size(), 2u);  // those of every cluster
  EXPECT_NE(another.Get(Kind::kNamespaces, "", "kube-system"), nullptr);
}

// Goal: of racing writers of one object, the cache ends with the state that the store ends with.
TEST_F(AdmissionCacheTest, EndsWithTheStoresStateAfterRaces) {
  constexpr int kWriters = 4;
  constexpr int kRounds = 50;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([this] {
      const RequestContext context = RequestContext::Internal("racer");
      const openapi::ResourceInfo& accounts = Resource("v1/serviceaccounts");
      for (int round = 0; round < kRounds; ++round) {
        (void)resources_->Create(context, accounts, "default",
                                 Parse(accounts, "metadata: {name: a}"));
        (void)resources_->Delete(context, accounts, {"default", "a"}, {});
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  const bool stored = store_->Get({"serviceaccounts", "default", "a"}) != nullptr;
  EXPECT_EQ(cache_->Get(Kind::kServiceAccounts, "default", "a") != nullptr, stored);
}

}  // namespace
}  // namespace kulisse::apiserver
