#include "apiserver/authn/user.h"

#include <algorithm>

namespace kulisse::apiserver {

bool UserInfo::IsIn(std::string_view group) const {
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

}  // namespace kulisse::apiserver
