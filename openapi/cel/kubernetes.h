// What expressions in the API's objects may use besides the standard library: the functions and
// types that kube-apiserver 1.36 declares for policies, webhooks, custom resources and devices.
// Declared alone: expressions are checked with them, not evaluated.
// Upstream: apiserver/pkg/cel/environment/base.go and library/, cel-go ext/.
//
// Threads: immutable, made at the first call.
#pragma once

#include "openapi/cel/environment.h"

namespace kulisse::openapi::cel {

[[nodiscard]] const Environment& KubernetesEnvironment();

}  // namespace kulisse::openapi::cel
