// Authorizer says whether a user may do what a request asks for.
//
// Threads: any, at the same time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apiserver/authn/user.h"
#include "base/result.h"

namespace kulisse::apiserver {

// What a request is about to do (upstream: authorizer.Attributes).
struct Attributes {
  UserInfo user;
  std::string verb;  // "get" "list" "watch" …; for a path the HTTP method in lower case
  std::string group;
  std::string resource;
  std::string subresource;
  std::string ns;    // "" at the cluster scope
  std::string name;  // "" for a collection
  std::string path;  // of the URL
  bool is_resource = false;
};

// What somebody may do, as rules that add up. "*" is everything.
struct RuleList {
  struct Resources {
    std::vector<std::string> verbs, groups, resources;
  };
  struct Paths {
    std::vector<std::string> verbs, paths;
  };
  std::vector<Resources> resources;
  std::vector<Paths> paths;
};

class Authorizer {
 public:
  enum class Decision : uint8_t { kAllow, kNoOpinion };
  virtual ~Authorizer() = default;
  [[nodiscard]] virtual Decision Authorize(const Attributes& attributes) const = 0;
  // All that Authorize allows the user in the namespace.
  [[nodiscard]] virtual RuleList RulesFor(const UserInfo& user, std::string_view ns) const = 0;
};

// What every cluster has before any rule is written: system:masters may do all, everybody may read
// health and version, and who is authenticated may read discovery and ask about themselves. The
// last two are the rules of the bootstrap roles system:public-info-viewer, system:discovery and
// system:basic-user.
class BootstrapAuthorizer final : public Authorizer {
 public:
  [[nodiscard]] Decision Authorize(const Attributes& attributes) const override;
  [[nodiscard]] RuleList RulesFor(const UserInfo& user, std::string_view ns) const override;
};

// Nothing when allowed, otherwise the 403 that kube-apiserver sends.
[[nodiscard]] Result<void> CheckAllowed(const Authorizer& authorizer, const Attributes& attributes);

// The 403 itself. Upstream: endpoints/handlers/responsewriters ForbiddenStatusError.
[[nodiscard]] Status ForbiddenStatus(const Attributes& attributes);

}  // namespace kulisse::apiserver
