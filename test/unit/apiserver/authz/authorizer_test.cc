#include "apiserver/authz/authorizer.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace kulisse::apiserver {
namespace {

UserInfo Anonymous() {
  return {.name = "system:anonymous", .uid = "", .groups = {"system:unauthenticated"}};
}
UserInfo Alice() {
  return {.name = "alice", .uid = "u1", .groups = {"dev", "system:authenticated"}};
}
UserInfo Admin() {
  return {.name = "admin", .uid = "", .groups = {"system:masters", "system:authenticated"}};
}

Attributes Path(UserInfo user, std::string verb, std::string path) {
  Attributes attributes;
  attributes.user = std::move(user);
  attributes.verb = std::move(verb);
  attributes.path = std::move(path);
  return attributes;
}

bool Allowed(const Attributes& attributes) {
  return CheckAllowed(BootstrapAuthorizer(), attributes).has_value();
}

// Goal: the paths that are open without any role are those of kube-apiserver 1.36.
// Method: each row was asked from a real server, anonymously and with a token.
struct PathRow {
  const char* verb;
  const char* path;
  bool anonymous;
  bool authenticated;
};
constexpr PathRow kPathRows[] = {
    {"get", "/livez", true, true},
    {"get", "/readyz", true, true},
    {"get", "/healthz", true, true},
    {"get", "/version", true, true},
    {"get", "/version/", true, true},
    {"get", "/version/x", false, false},
    {"get", "/livez/", false, false},
    {"get", "/livez/ping", false, false},
    {"get", "/healthz/etcd", false, false},
    {"head", "/livez", false, false},
    {"post", "/livez", false, false},
    {"put", "/version", false, false},
    {"get", "/", false, false},
    {"get", "/metrics", false, false},
    {"get", "/api", false, true},
    {"get", "/api/v1", false, true},
    {"get", "/apis", false, true},
    {"get", "/apis/apps/v1", false, true},
    {"get", "/apisx", false, false},
    {"get", "/openapi/v2", false, true},
    {"get", "/openapi/v3", false, true},
    {"get", "/logs", false, false},
    {"post", "/api", false, false},
};

TEST(BootstrapAuthorizerTest, OpensThePathsThatARealServerOpens) {
  for (const PathRow& row : kPathRows) {
    SCOPED_TRACE(std::string(row.verb) + " " + row.path);
    EXPECT_EQ(Allowed(Path(Anonymous(), row.verb, row.path)), row.anonymous);
    EXPECT_EQ(Allowed(Path(Alice(), row.verb, row.path)), row.authenticated);
    EXPECT_TRUE(Allowed(Path(Admin(), row.verb, row.path)));
  }
}

TEST(BootstrapAuthorizerTest, AuthenticatedUsersMayAskAboutThemselves) {
  Attributes review;
  review.is_resource = true;
  review.verb = "create";
  review.group = "authentication.k8s.io";
  review.resource = "selfsubjectreviews";
  review.user = Alice();
  EXPECT_TRUE(Allowed(review));
  review.verb = "list";
  EXPECT_FALSE(Allowed(review));
  review.verb = "create";
  review.user = Anonymous();
  EXPECT_FALSE(Allowed(review));
  review.user = Alice();
  review.resource = "tokenreviews";
  EXPECT_FALSE(Allowed(review));
}

TEST(BootstrapAuthorizerTest, AResourceIsNotAllowedByThePathItIsServedAt) {
  Attributes attributes = Path(Alice(), "get", "/api/v1/namespaces/default");
  attributes.is_resource = true;
  attributes.resource = "namespaces";
  attributes.name = "default";
  EXPECT_FALSE(Allowed(attributes));
  attributes.user = Admin();
  EXPECT_TRUE(Allowed(attributes));
}

// Goal: the refusal has kube-apiserver's words. Method: recorded from a real server.
struct RefusalRow {
  const char* verb;
  const char* group;
  const char* resource;
  const char* subresource;
  const char* ns;
  const char* name;
  std::string_view want;
};
constexpr RefusalRow kRefusalRows[] = {
    {"list", "", "namespaces", "", "", "",
     "namespaces is forbidden: User \"alice\" cannot list resource \"namespaces\" in API group "
     "\"\" at the cluster scope"},
    {"watch", "", "nodes", "", "", "",
     "nodes is forbidden: User \"alice\" cannot watch resource \"nodes\" in API group \"\" at the "
     "cluster scope"},
    {"get", "", "pods", "", "default", "x",
     "pods \"x\" is forbidden: User \"alice\" cannot get resource \"pods\" in API group \"\" in "
     "the namespace \"default\""},
    {"get", "", "pods", "log", "default", "x",
     "pods \"x\" is forbidden: User \"alice\" cannot get resource \"pods/log\" in API group \"\" "
     "in the namespace \"default\""},
    {"get", "apps", "deployments", "scale", "a", "d",
     "deployments.apps \"d\" is forbidden: User \"alice\" cannot get resource "
     "\"deployments/scale\" in API group \"apps\" in the namespace \"a\""},
    {"deletecollection", "apps", "deployments", "", "a", "",
     "deployments.apps is forbidden: User \"alice\" cannot deletecollection resource "
     "\"deployments\" in API group \"apps\" in the namespace \"a\""},
};

// Goal: rules say what Authorize allows, no more and no less.
TEST(BootstrapAuthorizerTest, RulesAreWhatIsAllowed) {
  const BootstrapAuthorizer authorizer;
  const auto has = [](const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end() || list[0] == "*";
  };
  for (const UserInfo& user : {Anonymous(), Alice(), Admin()}) {
    SCOPED_TRACE(user.name);
    const RuleList rules = authorizer.RulesFor(user, "default");
    for (const char* path : {"/livez", "/version", "/api", "/openid/v1/jwks", "/metrics"}) {
      const bool ruled = std::any_of(rules.paths.begin(), rules.paths.end(), [&](const auto& rule) {
        return has(rule.paths, path) && has(rule.verbs, "get");
      });
      EXPECT_EQ(ruled, Allowed(Path(user, "get", path))) << path;
    }
    for (const char* resource : {"selfsubjectaccessreviews", "selfsubjectrulesreviews", "roles"}) {
      Attributes attributes;
      attributes.user = user;
      attributes.verb = "create";
      attributes.group = "authorization.k8s.io";
      attributes.resource = resource;
      attributes.is_resource = true;
      const bool ruled =
          std::any_of(rules.resources.begin(), rules.resources.end(), [&](const auto& rule) {
            return has(rule.groups, attributes.group) && has(rule.resources, resource);
          });
      EXPECT_EQ(ruled, Allowed(attributes)) << resource;
    }
  }
}

TEST(ForbiddenStatusTest, HasTheWordsOfARealServer) {
  for (const RefusalRow& row : kRefusalRows) {
    Attributes attributes;
    attributes.user = Alice();
    attributes.is_resource = true;
    attributes.verb = row.verb;
    attributes.group = row.group;
    attributes.resource = row.resource;
    attributes.subresource = row.subresource;
    attributes.ns = row.ns;
    attributes.name = row.name;
    const auto result = CheckAllowed(BootstrapAuthorizer(), attributes);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, 403);
    EXPECT_EQ(result.error().reason, "Forbidden");
    EXPECT_EQ(result.error().message, row.want);
    EXPECT_EQ(result.error().details->kind, row.resource);
    EXPECT_EQ(result.error().details->name, row.name);
    EXPECT_EQ(result.error().details->group, row.group);
  }
}

TEST(ForbiddenStatusTest, QuotesPathsAsGo) {
  const Status status = ForbiddenStatus(Path(Alice(), "delete", "/foo/b\"ar"));
  EXPECT_EQ(status.message, R"(forbidden: User "alice" cannot delete path "/foo/b\"ar")");
  EXPECT_EQ(ToJson(status),
            R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":)"
            R"("forbidden: User \"alice\" cannot delete path \"/foo/b\\\"ar\"",)"
            R"("reason":"Forbidden","details":{},"code":403})");
}

}  // namespace
}  // namespace kulisse::apiserver
