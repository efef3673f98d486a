// The opening handshake of a WebSocket as kube-apiserver takes it (golang.org/x/net/websocket):
// what the request asks for, and the answer. The frames are net/web_socket_frames.h.
//
// Threads: any.
#pragma once

#include <optional>
#include <string>

#include "apiserver/http.h"

namespace kulisse::apiserver {

// Whether the client asks for a WebSocket in place of a plain answer.
[[nodiscard]] bool IsWebSocketRequest(const HttpRequest& request);

// The bearer token that browsers, which cannot set headers, send as a subprotocol. Nothing when
// there is none; "", which is nobody's, when it makes no sense.
[[nodiscard]] std::optional<std::string> WebSocketToken(const HttpRequest& request);

// `response`, whose stream has messages, as the start of a WebSocket; or the refusal of a handshake
// that upstream refuses: 400, and 403 without a proper Origin.
// REQUIRES: IsWebSocketRequest(request).
[[nodiscard]] HttpResponse AcceptWebSocket(const HttpRequest& request, HttpResponse response);

}  // namespace kulisse::apiserver
