// Goal: paths mean what upstream's RequestInfoFactory makes of them.
#include "apiserver/chain/request_info.h"

#include <gtest/gtest.h>

namespace kulisse::apiserver {
namespace {

struct Row {
  std::string_view method;
  std::string_view target;
  std::string_view want;  // verb group/version ns resource/subresource name; "-" for nothing
};

constexpr Row kRows[] = {
    {"GET", "/api/v1/pods", "list /v1 - pods -"},
    {"GET", "/api/v1/pods/", "list /v1 - pods -"},
    {"GET", "/api/v1/namespaces/a/pods?watch=1", "watch /v1 a pods -"},
    {"GET", "/api/v1/namespaces/a/pods?watch=True", "watch /v1 a pods -"},
    {"GET", "/api/v1/namespaces/a/pods?watch=false", "list /v1 a pods -"},
    {"GET", "/api/v1/namespaces/a/pods/p", "get /v1 a pods p"},
    {"PUT", "/api/v1/namespaces/a/pods/p/status", "update /v1 a pods/status p"},
    {"GET", "/api/v1/namespaces/a", "get /v1 a namespaces a"},
    {"PUT", "/api/v1/namespaces/a/finalize", "update /v1 a namespaces/finalize a"},
    {"POST", "/apis/apps/v1/namespaces/a/deployments", "create apps/v1 a deployments -"},
    {"DELETE", "/apis/apps/v1/namespaces/a/deployments",
     "deletecollection apps/v1 a deployments -"},
    {"DELETE", "/apis/apps/v1/namespaces/a/deployments/d", "delete apps/v1 a deployments d"},
    {"GET", "/api/v1/watch/namespaces/a/pods", "watch /v1 a pods -"},
    {"GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
     "get rbac.authorization.k8s.io/v1 - clusterroles system:node"},
    {"GET", "/api/v1/namespaces/a/pods?fieldSelector=metadata.name%3Dx", "list /v1 a pods x"},
};

std::string Show(const RequestInfo& info) {
  const auto or_dash = [](const std::string& text) { return text.empty() ? "-" : text; };
  std::string out = info.verb + " " + info.group + "/" + info.version + " " + or_dash(info.ns) +
                    " " + info.resource;
  if (!info.subresource.empty()) out += "/" + info.subresource;
  return out + " " + or_dash(info.name);
}

TEST(RequestInfoTest, ReadsResourcePaths) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.target);
    HttpRequest request;
    request.method = row.method;
    request.target = row.target;
    const RequestInfo info = ParseRequestInfo(request);
    EXPECT_TRUE(info.is_resource);
    EXPECT_EQ(Show(info), row.want);
  }
}

TEST(RequestInfoTest, LeavesOtherPathsAlone) {
  for (const std::string_view target : {"/", "/healthz", "/api", "/api/v1", "/apis/apps/v1"}) {
    HttpRequest request;
    request.method = "GET";
    request.target = target;
    EXPECT_FALSE(ParseRequestInfo(request).is_resource) << target;
  }
}

TEST(QueryTest, DecodesLenientlyAndKeepsOrder) {
  const Query query("&a=1+2&b=%41&a=3&flag&bad=%zz");
  EXPECT_EQ(query.Text("a"), "1 2");
  EXPECT_EQ(query.Text("b"), "A");
  EXPECT_EQ(query.All("a"), (std::vector<std::string>{"1 2", "3"}));
  EXPECT_TRUE(query.Bool("flag"));
  EXPECT_FALSE(query.Get("bad").has_value());
}

}  // namespace
}  // namespace kulisse::apiserver
