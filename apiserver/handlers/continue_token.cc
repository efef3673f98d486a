#include "apiserver/handlers/continue_token.h"

#include <fmt/format.h>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/text.h"

namespace kulisse::apiserver {

namespace {

Status InvalidToken(std::string_view reason) {
  return Status::BadRequest(
      fmt::format("invalid continue token: continue key is not valid: {}", reason));
}

}  // namespace

std::string EncodeContinueToken(const ContinueToken& token) {
  std::string start;
  json::AppendString(token.start + std::string(1, '\0'), &start);
  const int64_t revision = token.revision ? static_cast<int64_t>(*token.revision) : -1;
  return Base64UrlEncode(fmt::format(R"({{"v":"meta.k8s.io/v1","rv":{},"start":{},"n":{}}})",
                                     revision, start, token.returned));
}

Result<ContinueToken> DecodeContinueToken(std::string_view text) {
  const auto bytes = Base64UrlDecode(text);
  if (!bytes) return std::unexpected(InvalidToken("illegal base64 data"));
  const auto document = json::Parse(*bytes);
  if (!document) return std::unexpected(InvalidToken(document.error().message));
  const json::Value& root = document->root;
  if (root.FindString({"v"}) != "meta.k8s.io/v1") {
    return std::unexpected(InvalidToken(fmt::format(
        "server does not recognize this encoded version {}", GoQuote(root.FindString({"v"})))));
  }
  ContinueToken token;
  const json::Value* revision = root.Find("rv");
  if (revision == nullptr || !revision->IsInt() || revision->AsInt() == 0) {
    return std::unexpected(
        InvalidToken("incorrect encoded start resourceVersion (version meta.k8s.io/v1)"));
  }
  if (revision->AsInt() > 0) token.revision = static_cast<uint64_t>(revision->AsInt());
  std::string_view start = root.FindString({"start"});
  if (start.empty()) {
    return std::unexpected(InvalidToken("encoded start key empty (version meta.k8s.io/v1)"));
  }
  if (start.ends_with('\0')) start.remove_suffix(1);
  token.start = start;
  const json::Value* returned = root.Find("n");
  if (returned != nullptr && returned->IsInt() && returned->AsInt() > 0) {
    token.returned = static_cast<uint64_t>(returned->AsInt());
  }
  return token;
}

Result<uint64_t> ParseResourceVersion(std::string_view text) {
  if (text.empty()) return 0;
  const auto value = ParseUint64(text);
  if (!value) {
    return std::unexpected(Status::Plain(
        500, fmt::format("resourceVersion: Invalid value: {}: strconv.ParseUint: parsing {}: "
                         "invalid syntax",
                         GoQuote(text), GoQuote(text))));
  }
  return *value;
}

Status TooLargeRevision(uint64_t asked, uint64_t current) {
  Status status = Status::Timeout(
      fmt::format("Too large resource version: {}, current: {}", asked, current), 1);
  status.details->causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
  return status;
}

}  // namespace kulisse::apiserver
