// UserInfo is who a request comes from (upstream: authentication/user.Info).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kulisse::apiserver {

inline constexpr std::string_view kAnonymousUser = "system:anonymous";
// Whoever comes over the insecure port.
inline constexpr std::string_view kUnsecuredUser = "system:unsecured";
inline constexpr std::string_view kUnauthenticatedGroup = "system:unauthenticated";
inline constexpr std::string_view kAuthenticatedGroup = "system:authenticated";
inline constexpr std::string_view kMastersGroup = "system:masters";

// The key of UserInfo::extra under which it says by what somebody was recognized.
inline constexpr std::string_view kCredentialId = "authentication.kubernetes.io/credential-id";

struct UserInfo {
  std::string name;
  std::string uid;  // "" when nobody gave one
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra = {};
  bool operator==(const UserInfo&) const = default;

  [[nodiscard]] bool IsIn(std::string_view group) const;
};

}  // namespace kulisse::apiserver
