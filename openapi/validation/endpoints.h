// Addresses that traffic may go to. Internal to openapi/validation.
// Threads: pure functions.
#pragma once

#include <string_view>

#include "openapi/validation/walk.h"

namespace kulisse::openapi {

// An address of an endpoint is no loopback, link-local or unspecified one.
void CheckEndpointIp(std::string_view ip, const Path& path, Walk& walk);
// The host name in the status of a load balancer.
void CheckIngressHostname(const Value& ingress, const Path& path, Walk& walk);

}  // namespace kulisse::openapi
