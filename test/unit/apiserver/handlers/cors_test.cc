// Goal: origins are allowed as kube-apiserver's --cors-allowed-origins allows them.
#include "apiserver/chain/cors.h"

#include <gtest/gtest.h>

namespace kulisse::apiserver {
namespace {

HttpRequest From(std::string_view origin, std::string_view method = "GET") {
  HttpRequest request;
  request.method = method;
  if (!origin.empty()) request.headers.emplace_back("origin", origin);
  return request;
}

TEST(CorsTest, AllowsOriginsInWhichAPatternMatches) {
  const Cors cors = Cors::Parse({"//localhost(:|$)", R"(^https://[^.]+\.example\.com$)"}).value();
  for (const auto& [origin, allowed] : {std::pair<std::string_view, bool>{"http://localhost", true},
                                        {"http://localhost:3000", true},
                                        {"http://localhost.example.org", false},
                                        {"http://mylocalhost", false},
                                        {"https://a.example.com", true},
                                        {"https://a.b.example.com", false},
                                        {"http://a.example.com", false},
                                        {"", false}}) {
    std::vector<Header> headers;
    cors.AddHeaders(From(origin), &headers);
    EXPECT_EQ(!headers.empty(), allowed) << origin;
    EXPECT_EQ(cors.IsPreflight(From(origin, "OPTIONS")), allowed) << origin;
    EXPECT_FALSE(cors.IsPreflight(From(origin, "GET"))) << origin;
  }
}

TEST(CorsTest, SaysWhatARealServerSays) {
  const Cors cors = Cors::Parse({"//localhost(:|$)"}).value();
  std::vector<Header> headers;
  cors.AddHeaders(From("http://localhost:3000"), &headers);
  EXPECT_EQ(headers, (std::vector<Header>{
                         {"Access-Control-Allow-Origin", "http://localhost:3000"},
                         {"Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE, PATCH"},
                         {"Access-Control-Allow-Headers",
                          "Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, "
                          "Authorization, X-Requested-With, If-Modified-Since"},
                         {"Access-Control-Expose-Headers", "Date"},
                         {"Access-Control-Allow-Credentials", "true"}}));
}

TEST(CorsTest, AllowsNobodyUnlessTold) {
  std::vector<Header> headers;
  Cors().AddHeaders(From("http://localhost"), &headers);
  EXPECT_TRUE(headers.empty());
  EXPECT_FALSE(Cors().IsPreflight(From("http://localhost", "OPTIONS")));
}

TEST(CorsTest, RefusesPatternsThatOthersCouldPassFor) {
  EXPECT_TRUE(Cors::Parse({}).has_value());
  for (const std::string pattern : {"localhost", "//localhost", "localhost$", "//a(:", ""}) {
    EXPECT_FALSE(Cors::Parse({pattern}).has_value()) << pattern;
  }
  EXPECT_EQ(Cors::Parse({"abc"}).error(),
            R"("abc" does not pin the whole host, as '//example\.com(:|$)' does)");
}

}  // namespace
}  // namespace kulisse::apiserver
