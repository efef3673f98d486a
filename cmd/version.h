// Which Kulisse this is, and which Kubernetes it plays.
#pragma once

#include <string>

namespace kulisse::cmd {

// "kulisse 0.1.0 (Kubernetes v1.36.3)\n"
[[nodiscard]] std::string VersionText();

}  // namespace kulisse::cmd
