// Cors tells browsers which pages of other origins may talk to the server
// (--cors-allowed-origins of kube-apiserver).
//
// Threads: immutable; any.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "apiserver/http.h"

namespace re2 {
class RE2;
}

namespace kulisse::apiserver {

class Cors {
 public:
  // Allows no origin: the server is as if there were no CORS.
  Cors() = default;
  // Allows the origins in which one of the regular expressions (Go's syntax) matches. The error is
  // for a person: each must pin the host at its start and its end, or others could pass for it.
  static std::expected<Cors, std::string> Parse(const std::vector<std::string>& patterns);

  // Adds what the browser must see, when the request is from an origin that is allowed.
  void AddHeaders(const HttpRequest& request, std::vector<Header>* headers) const;
  // Whether the request only asks what is allowed: then AddHeaders() is the answer.
  [[nodiscard]] bool IsPreflight(const HttpRequest& request) const;

 private:
  [[nodiscard]] bool Allows(std::string_view origin) const;

  std::vector<std::shared_ptr<const re2::RE2>> patterns_;
};

}  // namespace kulisse::apiserver
