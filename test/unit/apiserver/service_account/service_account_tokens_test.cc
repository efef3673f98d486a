// Goal: a token is good for as long as it says, for whom it says, and while what it is bound to
// lives; nobody else makes one.
// Method: tokens over the memory store on virtual time, taken apart and changed by hand. What the
// server answers to token requests is in test/golden/api/subresources/token.http.
#include "apiserver/service_account/service_account_tokens.h"

#include <gtest/gtest.h>

#include "apiserver/registry/bootstrap.h"
#include "base/json/parse.h"
#include "base/text.h"
#include "base/virtual_runtime.h"
#include "openapi/typed.h"

namespace kulisse::apiserver {
namespace {

class ServiceAccountTokensTest : public testing::Test {
 protected:
  ServiceAccountTokensTest() : runtime_(123) {
    storage::StoreOptions options;
    options.durability = storage::Durability::kMemory;
    store_ = std::move(*storage::Store::Open(options, runtime_));
    resources_ = std::make_unique<ResourceStore>(*store_, openapi::Catalog::BuiltIn(),
                                                 openapi::TypeTable::BuiltIn(), runtime_);
    CreateBootstrapObjects(*resources_, {"127.0.0.1", 6443});
    Create("serviceaccounts", R"({"metadata":{"name":"a"}})");
    tokens_ = std::make_unique<ServiceAccountTokens>(*resources_, certs::PrivateKey::Generate());
  }

  [[nodiscard]] const openapi::ResourceInfo& Row(std::string_view resource) const {
    return *openapi::Catalog::BuiltIn().Find("", "v1", resource);
  }
  void Create(std::string_view resource, std::string_view text) {
    auto object = json::Parse(text);
    ASSERT_TRUE(openapi::Normalize(object->root, Row(resource).type, resources_->types(),
                                   object->arena, nullptr));
    const auto made = resources_->Create(RequestContext::Internal("test"), Row(resource), "default",
                                         std::move(*object));
    ASSERT_TRUE(made.has_value()) << made.error().message;
  }
  void Delete(std::string_view resource, const std::string& name) {
    DeleteOptions now;
    now.grace_period_seconds = 0;
    ASSERT_TRUE(resources_->Delete(RequestContext::Internal("test"), Row(resource),
                                   {"default", name}, now));
  }
  // The token, or the error's message.
  std::string Issue(std::string_view spec) {
    auto request = json::Parse(spec);
    const auto issued = tokens_->Issue({"default", "a"}, *request);
    if (!issued) return issued.error().message;
    return std::string(request->root.FindString({"status", "token"}));
  }
  [[nodiscard]] bool Good(const std::string& token) const {
    return tokens_->Authenticate(token).has_value();
  }

  VirtualRuntime runtime_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<ResourceStore> resources_;
  std::unique_ptr<ServiceAccountTokens> tokens_;
};

TEST_F(ServiceAccountTokensTest, SaysWhoItIs) {
  const std::string token = Issue("{}");
  const auto user = tokens_->Authenticate(token);
  ASSERT_TRUE(user.has_value());
  EXPECT_EQ(user->name, "system:serviceaccount:default:a");
  EXPECT_EQ(user->groups,
            (std::vector<std::string>{"system:serviceaccounts", "system:serviceaccounts:default"}));
  EXPECT_EQ(user->uid.size(), 36u);
}

TEST_F(ServiceAccountTokensTest, IsReviewedForThoseWhomItIsFor) {
  const std::string token = Issue(R"({"spec":{"audiences":["a","b"]}})");
  using Names = std::vector<std::string>;
  const auto granted = [&](const Names& asked) {
    const auto found = tokens_->AuthenticateFor(token, asked);
    return found ? found->audiences : Names{"nobody"};
  };
  EXPECT_EQ(granted({"b", "c"}), Names{"b"});
  EXPECT_EQ(granted({"b", "a"}), (Names{"a", "b"}));
  EXPECT_EQ(granted({"c"}), Names{"nobody"});
  EXPECT_FALSE(Good(token));
}

TEST_F(ServiceAccountTokensTest, IsGoodAsLongAsItSays) {
  const std::string token = Issue(R"({"spec":{"expirationSeconds":600}})");
  runtime_.RunFor(std::chrono::seconds(659));
  EXPECT_TRUE(Good(token));  // a minute is forgiven, for clocks that are apart
  runtime_.RunFor(std::chrono::seconds(2));
  EXPECT_FALSE(Good(token));
}

TEST_F(ServiceAccountTokensTest, OfAVolumeLivesAYear) {
  Create("pods", R"({"metadata":{"name":"p"},"spec":{"serviceAccountName":"a",)"
                 R"("containers":[{"name":"c","image":"i"}]}})");
  const std::string token = Issue(R"({"spec":{"expirationSeconds":3607,"boundObjectRef":)"
                                  R"({"kind":"Pod","apiVersion":"v1","name":"p"}}})");
  runtime_.RunFor(std::chrono::hours(24 * 364));
  EXPECT_TRUE(Good(token));
  runtime_.RunFor(std::chrono::hours(25));
  EXPECT_FALSE(Good(token));
}

TEST_F(ServiceAccountTokensTest, EndsWithWhatItIsBoundTo) {
  Create("secrets", R"({"metadata":{"name":"s"}})");
  const std::string bound =
      Issue(R"({"spec":{"boundObjectRef":{"kind":"Secret","apiVersion":"v1","name":"s"}}})");
  const std::string free = Issue("{}");
  EXPECT_TRUE(Good(bound));
  Delete("secrets", "s");
  EXPECT_FALSE(Good(bound));
  Create("secrets", R"({"metadata":{"name":"s"}})");
  EXPECT_FALSE(Good(bound)) << "a secret of that name is another secret";
  EXPECT_TRUE(Good(free));
  Delete("serviceaccounts", "a");
  EXPECT_FALSE(Good(free));
}

TEST_F(ServiceAccountTokensTest, NobodyElseMakesOne) {
  const std::string token = Issue("{}");
  const auto parts = Split(token, '.');
  ASSERT_EQ(parts.size(), 3u);
  const auto joined = [](std::string_view a, std::string_view b, std::string_view c) {
    return std::string(a) + "." + std::string(b) + "." + std::string(c);
  };
  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    // The last character of a part may have bits that say nothing.
    if (i + 1 == token.size() || token[i + 1] == '.') continue;
    EXPECT_FALSE(Good(changed)) << i;
  }
  const std::string none = Base64UrlEncode(R"({"alg":"none"})");
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("a.b"),
        joined(none, parts[1], ""), joined(none, parts[1], parts[2]),
        joined(parts[0], parts[1], ""), joined(parts[0], "", parts[2]), token + ".", "." + token}) {
    EXPECT_FALSE(Good(bad)) << bad;
  }
  const ServiceAccountTokens others(*resources_, certs::PrivateKey::Generate());
  EXPECT_FALSE(others.Authenticate(token).has_value());
}

TEST_F(ServiceAccountTokensTest, ForSomebodyElseIsNotForUs) {
  EXPECT_FALSE(Good(Issue(R"({"spec":{"audiences":["https://example.com"]}})")));
  EXPECT_TRUE(Good(Issue(R"({"spec":{"audiences":["https://example.com",)"
                         R"("https://kubernetes.default.svc.cluster.local"]}})")));
}

}  // namespace
}  // namespace kulisse::apiserver
