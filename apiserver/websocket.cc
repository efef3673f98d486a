#include "apiserver/websocket.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/text.h"
#include "certs/digest.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kProtocolHeader = "Sec-WebSocket-Protocol";
constexpr std::string_view kVersionHeader = "Sec-WebSocket-Version";
constexpr std::string_view kVersion = "13";
constexpr std::string_view kTokenPrefix = "base64url.bearer.authorization.k8s.io.";
// RFC 6455 1.3.
constexpr std::string_view kKeySuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

// What clients offer, in all headers of that name. Tokens are apart.
struct Offer {
  std::vector<std::string_view> protocols;
  std::vector<std::string_view> tokens;  // still encoded
};

Offer ReadOffer(const HttpRequest& request) {
  Offer offer;
  for (const Header& header : request.headers) {
    if (!EqualsIgnoreCase(header.first, kProtocolHeader)) continue;
    for (const std::string_view part : Split(header.second, ',')) {
      const std::string_view protocol = TrimSpace(part);
      if (protocol.starts_with(kTokenPrefix)) {
        offer.tokens.push_back(protocol.substr(kTokenPrefix.size()));
      } else if (!protocol.empty()) {
        offer.protocols.push_back(protocol);
      }
    }
  }
  return offer;
}

// Upstream: what net/url's ParseRequestURI takes: a path, or anything with a scheme.
bool IsOrigin(std::string_view origin) {
  const auto is_control = [](unsigned char c) { return c <= 0x20 || c == 0x7f; };
  if (std::ranges::any_of(origin, is_control)) return false;
  if (origin.starts_with('/')) return true;
  const std::string_view scheme = origin.substr(0, origin.find(':'));
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_scheme = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  };
  return scheme.size() < origin.size() && !scheme.empty() && is_letter(scheme.front()) &&
         std::ranges::all_of(scheme, is_scheme);
}

std::string AcceptKey(std::string_view key) {
  return Base64Encode(certs::Sha1(std::string(key).append(kKeySuffix)));
}

HttpResponse Refusal(int code, std::string_view text) {
  HttpResponse response;
  response.status = code;
  response.body = text;
  return response;
}

}  // namespace

bool IsWebSocketRequest(const HttpRequest& request) {
  if (!EqualsIgnoreCase(request.Find("Upgrade"), "websocket")) return false;
  return std::ranges::any_of(request.headers, [](const Header& header) {
    return EqualsIgnoreCase(header.first, "Connection") &&
           ToLower(header.second).find("upgrade") != std::string::npos;
  });
}

std::optional<std::string> WebSocketToken(const HttpRequest& request) {
  if (!IsWebSocketRequest(request)) return std::nullopt;
  const Offer offer = ReadOffer(request);
  if (offer.tokens.empty() || (offer.tokens.size() == 1 && offer.tokens[0].empty())) {
    return std::nullopt;
  }
  // The answer names the protocol that was chosen; that must not be the token.
  if (offer.tokens.size() > 1 || offer.protocols.empty()) return "";
  std::optional<std::string> token = Base64UrlDecode(offer.tokens[0]);
  return token && IsUtf8(*token) ? std::move(*token) : "";
}

HttpResponse AcceptWebSocket(const HttpRequest& request, HttpResponse response) {
  KULISSE_ASSERT(response.stream != nullptr && response.messages != Messages::kNone);
  const std::string_view key = request.Find("Sec-WebSocket-Key");
  if (key.empty()) return Refusal(400, "mismatch challenge/response");
  if (request.Find(kVersionHeader) != kVersion) {
    HttpResponse refusal = Refusal(400, "missing or bad WebSocket Version");
    refusal.headers.emplace_back(kVersionHeader, kVersion);
    return refusal;
  }
  if (!IsOrigin(request.Find("Origin"))) return Refusal(403, "");
  // Whatever one protocol the client offers is the chosen one.
  const Offer offer = ReadOffer(request);
  if (offer.protocols.size() > 1) return Refusal(400, "");
  response.status = 101;
  response.headers = {{"Upgrade", "websocket"},
                      {"Connection", "Upgrade"},
                      {"Sec-WebSocket-Accept", AcceptKey(key)}};
  if (!offer.protocols.empty()) {
    response.headers.emplace_back(kProtocolHeader, offer.protocols.front());
  }
  return response;
}

}  // namespace kulisse::apiserver
