// Goal: the chain from request to answer works in process, without sockets: lists stream, watches
// wait and wake, futures are deferred.
// Method: an ApiServer over the memory store on virtual time; golden transcripts pin the words.
#include "apiserver/handlers/api_handler.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "apiserver/api_server.h"
#include "base/json/parse.h"
#include "base/virtual_runtime.h"

namespace kulisse::apiserver {
namespace {

class ApiHandlerTest : public testing::Test {
 protected:
  ApiHandlerTest() : runtime_(7) {
    storage::StoreOptions options;
    options.durability = storage::Durability::kMemory;
    auto store = storage::Store::Open(options, runtime_);
    EXPECT_TRUE(store.has_value());
    store_ = std::move(*store);
    ApiServerOptions api;
    auto tokens = TokenFile::Parse("root,root,1,\"system:masters\"\nalice,alice,2\n");
    EXPECT_TRUE(tokens.has_value());
    api.tokens = std::move(*tokens);
    api.cors = Cors::Parse({"//localhost(:|$)"}).value();
    server_ = std::make_unique<ApiServer>(std::move(api), *store_, runtime_);
    server_->StartInProcess();
  }

  HttpResponse Send(std::string method, std::string target, std::string body = "",
                    std::string token = "root") {
    HttpRequest request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
    return server_->handler().Handle(std::move(request));
  }

  // The whole body, streams included, up to where they wait.
  static std::string Body(HttpResponse& response) {
    if (response.stream == nullptr) return response.body;
    std::string out;
    while (response.stream->Read(&out) == BodySource::State::kMore) {
    }
    return out;
  }

  void CreateConfigMap(const std::string& name, const std::string& label = "a") {
    const HttpResponse response =
        Send("POST", "/api/v1/namespaces/default/configmaps",
             R"({"metadata":{"name":")" + name + R"(","labels":{"l":")" + label + R"("}}})");
    ASSERT_EQ(response.status, 201) << response.body;
  }

  VirtualRuntime runtime_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<ApiServer> server_;
};

TEST_F(ApiHandlerTest, IsReadyWhenItsOwnerSaysSo) {
  EXPECT_EQ(Send("GET", "/readyz", "", "").status, 500);
  server_->SetReady();
  EXPECT_EQ(Send("GET", "/readyz", "", "").status, 200);
}

TEST_F(ApiHandlerTest, AnonymousSeesHealthAndNothingElse) {
  server_->SetReady();
  EXPECT_EQ(Send("GET", "/readyz", "", "").status, 200);
  EXPECT_EQ(Send("GET", "/version", "", "").status, 200);
  EXPECT_EQ(Send("GET", "/api/v1/pods", "", "").status, 403);
  EXPECT_EQ(Send("GET", "/metrics", "", "").status, 403);
  EXPECT_EQ(Send("GET", "/api/v1/pods", "", "wrong").status, 401);
  EXPECT_EQ(Send("GET", "/api/v1/pods", "", "alice").status, 403);
}

TEST_F(ApiHandlerTest, WhoeverComesOverTheUnsecuredPortMayDoEverything) {
  UnsecuredHandler unsecured(server_->handler());
  HttpRequest request;
  request.method = "POST";
  request.target = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  request.body = "{}";
  request.headers = {{"Authorization", "Bearer wrong"}};
  const HttpResponse response = unsecured.Handle(request);
  EXPECT_EQ(response.status, 201);
  const auto review = json::Parse(response.body);
  ASSERT_TRUE(review.has_value());
  EXPECT_EQ(review->root.FindString({"status", "userInfo", "username"}), "system:unsecured");
  request.method = "GET";
  request.target = "/api/v1/secrets";
  EXPECT_EQ(unsecured.Handle(request).status, 200);
  EXPECT_EQ(server_->handler().Handle(request).status, 401);
}

TEST_F(ApiHandlerTest, APageOfAnAllowedOriginMayAskAndRead) {
  const auto ask = [&](std::string_view method, std::string_view origin) {
    HttpRequest request;
    request.method = method;
    request.target = "/api/v1/pods";
    request.headers = {{"Origin", std::string(origin)}};
    return server_->handler().Handle(std::move(request));
  };
  const auto allowed = [](const HttpResponse& response) {
    return std::ranges::any_of(response.headers, [](const Header& header) {
      return header.first == "Access-Control-Allow-Origin" && header.second == "http://localhost";
    });
  };
  const HttpResponse preflight = ask("OPTIONS", "http://localhost");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_TRUE(allowed(preflight));
  const HttpResponse refused = ask("GET", "http://localhost");
  EXPECT_EQ(refused.status, 403);  // a page sees its refusal too
  EXPECT_TRUE(allowed(refused));
  const HttpResponse other = ask("OPTIONS", "http://example.com");
  EXPECT_EQ(other.status, 403);
  EXPECT_FALSE(allowed(other));
}

TEST_F(ApiHandlerTest, PagesHoldEveryObjectOnce) {
  for (int i = 0; i < 7; ++i) CreateConfigMap("c" + std::to_string(i));
  std::string token;
  int seen = 0;
  int pages = 0;
  do {
    HttpResponse response =
        Send("GET", "/api/v1/namespaces/default/configmaps?limit=3&continue=" + token);
    ASSERT_EQ(response.status, 200);
    if (pages++ == 0) CreateConfigMap("later");  // not part of the state that is being paged
    const auto list = json::Parse(Body(response));
    ASSERT_TRUE(list.has_value());
    seen += static_cast<int>(list->root.Find("items")->size());
    token = list->root.FindString({"metadata", "continue"});
  } while (!token.empty());
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(seen, 7);
}

TEST_F(ApiHandlerTest, AWatchWaitsAndIsWoken) {
  HttpResponse response = Send("GET",
                               "/api/v1/namespaces/default/configmaps?watch=1&labelSelector=l%3Da"
                               "&resourceVersion=" +
                                   std::to_string(store_->head().value));
  ASSERT_NE(response.stream, nullptr);
  int woken = 0;
  response.stream->SetWaker([&woken] { ++woken; });
  EXPECT_EQ(Body(response), "");
  CreateConfigMap("in");
  CreateConfigMap("out", "b");
  EXPECT_GT(woken, 0);
  const std::string events = Body(response);
  EXPECT_TRUE(events.starts_with(R"({"type":"ADDED","object":{"kind":"ConfigMap")"));
  EXPECT_EQ(std::ranges::count(events, '\n'), 1);
  ASSERT_EQ(Send("DELETE", "/api/v1/namespaces/default/configmaps/in").status, 200);
  EXPECT_TRUE(Body(response).starts_with(R"({"type":"DELETED")"));
}

TEST_F(ApiHandlerTest, AWatchEndsWhenItsTimeIsUp) {
  HttpResponse response = Send("GET",
                               "/api/v1/configmaps?watch=1&timeoutSeconds=5&allowWatchBookmarks=1"
                               "&resourceVersion=" +
                                   std::to_string(store_->head().value));
  int woken = 0;
  response.stream->SetWaker([&woken] { ++woken; });
  EXPECT_EQ(Body(response), "");
  runtime_.RunFor(std::chrono::seconds(4));
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(Body(response).starts_with(R"({"type":"BOOKMARK")"));
  runtime_.RunFor(std::chrono::seconds(2));
  EXPECT_EQ(woken, 2);
  std::string out;
  EXPECT_EQ(response.stream->Read(&out), BodySource::State::kEnd);
  EXPECT_EQ(out, "");
}

TEST_F(ApiHandlerTest, ARevisionOfTheFutureIsWaitedFor) {
  const uint64_t next = store_->head().value + 1;
  HttpResponse response =
      Send("GET", "/api/v1/namespaces/default/configmaps?resourceVersion=" + std::to_string(next));
  ASSERT_NE(response.deferred, nullptr);
  EXPECT_EQ(response.deferred->revision.value, next);
  HttpResponse too_early = response.deferred->make();
  EXPECT_EQ(too_early.status, 504);
}

TEST_F(ApiHandlerTest, MetricsCountRequests) {
  CreateConfigMap("a");
  HttpResponse response = Send("GET", "/metrics");
  EXPECT_NE(response.body.find("apiserver_request_total{code=\"201\""), std::string::npos);
  EXPECT_NE(response.body.find("apiserver_resource_objects{group=\"\",resource=\"configmaps\"}"),
            std::string::npos);
  EXPECT_EQ(response.body.find("apiserver_request_aborts_total"), std::string::npos);
}

}  // namespace
}  // namespace kulisse::apiserver
