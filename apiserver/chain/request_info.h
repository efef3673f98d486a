// RequestInfo is what a request asks for, read from its method, path and query (upstream:
// apiserver/pkg/endpoints/request/requestinfo.go).
// Threads: values; pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apiserver/http.h"

namespace kulisse::apiserver {

// The query of a request, decoded, in its order.
class Query {
 public:
  Query() = default;
  // Malformed escapes make a parameter be left out, as in Go.
  explicit Query(std::string_view raw);

  // The first value of the name, or nothing.
  [[nodiscard]] std::optional<std::string_view> Get(std::string_view name) const;
  // The first value or "".
  [[nodiscard]] std::string_view Text(std::string_view name) const;
  // Kubernetes' booleans: anything but "", "false" and "0" is true; a name without value too.
  [[nodiscard]] bool Bool(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> All(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

struct RequestInfo {
  bool is_resource = false;
  std::string verb;  // "get", "list" … for resources; the method in lower case otherwise
  std::string path;  // decoded
  std::string group;
  std::string version;
  std::string ns;
  std::string resource;
  std::string subresource;
  std::string name;
  // The old path of a watch on one object: /api/v1/watch/…/NAME.
  bool watches_one = false;
  std::vector<std::string> parts;  // path below the group version
  Query query;
};

[[nodiscard]] RequestInfo ParseRequestInfo(const HttpRequest& request);

}  // namespace kulisse::apiserver
