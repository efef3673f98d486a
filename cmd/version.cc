#include "cmd/version.h"

namespace kulisse::cmd {

std::string VersionText() { return "kulisse " KULISSE_VERSION " (Kubernetes v1.36.3)\n"; }

}  // namespace kulisse::cmd
