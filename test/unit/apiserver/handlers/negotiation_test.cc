// Goal: Accept headers of real clients get the form that kube-apiserver 1.36 gives them.
#include "apiserver/handlers/negotiation.h"

#include <gtest/gtest.h>

#include "apiserver/handlers/continue_token.h"

namespace kulisse::apiserver {
namespace {

struct Row {
  std::string_view accept;
  bool watch;
  std::string_view want;  // format and view, or the code of the refusal
};

constexpr Row kRows[] = {
    {"", false, "json object"},
    {"*/*", false, "json object"},
    {"application/json", false, "json object"},
    {"application/yaml", false, "yaml object"},
    {"application/yaml", true, "406"},
    {"application/vnd.kubernetes.protobuf, */*", false, "protobuf object"},
    {"application/json;q=0.5, application/yaml", false, "yaml object"},
    {"application/json;as=Table;v=v1;g=meta.k8s.io,application/json", false, "json table"},
    {"application/json;as=Table;v=v1beta1;g=meta.k8s.io", false, "json table"},
    {"application/json;as=Table;v=v9;g=meta.k8s.io", false, "406"},
    {"application/json;as=Table;v=v9;g=meta.k8s.io, application/json", false, "json object"},
    {"application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io", false, "406"},
    {"application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", true,
     "protobuf metadata"},
    {"application/cbor", false, "406"},
    {"text/html", false, "406"},
};

std::string Show(const Result<Representation>& result) {
  if (!result) return std::to_string(result.error().code);
  constexpr std::string_view kFormats[] = {"json", "yaml", "protobuf"};
  constexpr std::string_view kViews[] = {"object", "metadata", "metadata list", "table"};
  return std::string(kFormats[static_cast<size_t>(result->format)]) + " " +
         std::string(kViews[static_cast<size_t>(result->view)]);
}

TEST(NegotiationTest, ChoosesWhatTheClientTakes) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.accept);
    HttpRequest request;
    if (!row.accept.empty()) request.headers.emplace_back("Accept", row.accept);
    EXPECT_EQ(Show(Negotiate(request, Query(), row.watch ? "watch" : "get")), row.want);
  }
}

TEST(NegotiationTest, PrintsPrettyForPeople) {
  HttpRequest request;
  request.headers.emplace_back("User-Agent", "curl/8.0");
  EXPECT_TRUE(Negotiate(request, Query(), "get")->pretty);
  EXPECT_FALSE(Negotiate(request, Query("pretty=false"), "get")->pretty);
  EXPECT_TRUE(Negotiate(HttpRequest(), Query("pretty=true"), "get")->pretty);
}

TEST(ContinueTokenTest, ComesBackAsItWas) {
  const ContinueToken token{42, "default/a", 7};
  const auto back = DecodeContinueToken(EncodeContinueToken(token));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->revision, 42U);
  EXPECT_EQ(back->start, "default/a");
  EXPECT_EQ(back->returned, 7U);
  const auto inconsistent =
      DecodeContinueToken(EncodeContinueToken({std::nullopt, "default/a", 0}));
  ASSERT_TRUE(inconsistent.has_value());
  EXPECT_FALSE(inconsistent->revision.has_value());
}

TEST(ContinueTokenTest, RefusesGarbage) {
  for (const std::string_view text : {"", "abc", "e30", "!!!", "eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ"}) {
    const auto token = DecodeContinueToken(text);
    ASSERT_FALSE(token.has_value()) << text;
    EXPECT_EQ(token.error().code, 400);
  }
}

}  // namespace
}  // namespace kulisse::apiserver
