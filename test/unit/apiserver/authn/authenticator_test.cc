#include "apiserver/authn/authenticator.h"

#include <gtest/gtest.h>

namespace kulisse::apiserver {
namespace {

const Authenticator& TestAuthenticator() {
  static const Authenticator authenticator(
      TokenFile::Parse("alicetok,alice,u1,\"dev,ops\"\n"
                       "plaintok,bob,u2\n"
                       "outsider,eve,u3,system:unauthenticated\n")
          .value());
  return authenticator;
}

// "name/uid: groups", or the code of the refusal.
std::string Describe(const Result<UserInfo>& result) {
  if (!result) return std::to_string(result.error().code) + " " + result.error().message;
  std::string text = result->name + "/" + result->uid + ":";
  for (const std::string& group : result->groups) text += " " + group;
  return text;
}

// Goal: Authorization headers mean what they mean to kube-apiserver 1.36.
// Method: each row was sent to a real server with alice's token in its token file.
struct Row {
  std::string_view name, header, want;
};
constexpr std::string_view kAnonymous = "system:anonymous/: system:unauthenticated";
constexpr std::string_view kAlice = "alice/u1: dev ops system:authenticated";
constexpr Row kRows[] = {
    {"no header", "", kAnonymous},
    {"good token", "Bearer alicetok", kAlice},
    {"scheme in any case", "BEARER alicetok", kAlice},
    {"text after the token", "bearer alicetok extra", kAlice},
    {"blanks around", "  Bearer alicetok  ", kAlice},
    {"two blanks", "Bearer  alicetok", kAnonymous},
    {"tab", "Bearer\talicetok", kAnonymous},
    {"scheme alone", "Bearer", kAnonymous},
    {"no scheme", "alicetok", kAnonymous},
    {"another scheme", "Basic YTpi", kAnonymous},
    {"unknown token", "Bearer nope", "401 Unauthorized"},
    {"beginning of a token", "Bearer alice", "401 Unauthorized"},
    {"no groups", "Bearer plaintok", "bob/u2: system:authenticated"},
    {"says it is not authenticated", "Bearer outsider", "eve/u3: system:unauthenticated"},
};

TEST(AuthenticatorTest, ReadsAuthorizationHeadersAsKubeApiserver) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    HttpRequest request;
    request.headers.emplace_back("Accept", "*/*");
    if (!row.header.empty()) request.headers.emplace_back("authorization", row.header);
    EXPECT_EQ(Describe(TestAuthenticator().Authenticate(request)), row.want);
  }
}

TEST(AuthenticatorTest, AWebSocketMayNameItsTokenAsASubprotocol) {
  const std::string prefix = "base64url.bearer.authorization.k8s.io.";
  const std::string token = prefix + "YWxpY2V0b2s";
  for (const auto& [offer, want] : {std::pair<std::string, std::string_view>{"x", kAnonymous},
                                    {token + ", x", kAlice},
                                    {"x," + token, kAlice},
                                    {token, "401 Unauthorized"},
                                    {token + ", x, " + token, "401 Unauthorized"},
                                    {prefix + "!, x", "401 Unauthorized"},
                                    {prefix + "bm9wZQ, x", "401 Unauthorized"},
                                    {prefix + ", x", kAnonymous}}) {
    HttpRequest request;
    request.headers = {{"Sec-WebSocket-Protocol", offer}};
    EXPECT_EQ(Describe(TestAuthenticator().Authenticate(request)), kAnonymous);
    request.headers.insert(request.headers.end(),
                           {{"Connection", "keep-alive, Upgrade"}, {"Upgrade", "WebSocket"}});
    EXPECT_EQ(Describe(TestAuthenticator().Authenticate(request)), want) << offer;
  }
}

TEST(AuthenticatorTest, FirstOfSeveralHeadersCounts) {
  HttpRequest request;
  request.headers = {{"Authorization", "Bearer alicetok"}, {"Authorization", "Bearer nope"}};
  EXPECT_EQ(Describe(TestAuthenticator().Authenticate(request)), kAlice);
}

TEST(AuthenticatorTest, CertificateNamesUserAndGroupsAndWinsOverTokens) {
  HttpRequest request;
  request.client_certificate =
      ClientCertificate{.common_name = "kubernetes-admin", .organizations = {"system:masters"}};
  const std::string_view want = "kubernetes-admin/: system:masters system:authenticated";
  EXPECT_EQ(Describe(TestAuthenticator().Authenticate(request)), want);
  request.headers = {{"Authorization", "Bearer nope"}};
  EXPECT_EQ(Describe(TestAuthenticator().Authenticate(request)), want);
}

TEST(AuthenticatorTest, CertificateWithoutCommonNameNamesNobody) {
  HttpRequest request;
  request.client_certificate = ClientCertificate{.common_name = "", .organizations = {"dev"}};
  EXPECT_EQ(Describe(TestAuthenticator().Authenticate(request)), kAnonymous);
}

TEST(AuthenticatorTest, InvalidCertificateIsRefusedUnlessATokenIsGood) {
  HttpRequest request;
  request.client_certificate_invalid = true;
  EXPECT_EQ(Describe(TestAuthenticator().Authenticate(request)), "401 Unauthorized");
  request.headers = {{"Authorization", "Bearer alicetok"}};
  EXPECT_EQ(Describe(TestAuthenticator().Authenticate(request)), kAlice);
}

}  // namespace
}  // namespace kulisse::apiserver
