// Kinds that are only asked, never stored: who am I, may I, is this token good (groups
// authentication.k8s.io and authorization.k8s.io), and componentstatuses.
// Threads: any. Errors: statuses.
#pragma once

#include "apiserver/authn/authenticator.h"
#include "apiserver/authz/authorizer.h"
#include "apiserver/handlers/resource_handlers.h"

namespace kulisse::apiserver {

[[nodiscard]] bool IsReview(const openapi::ResourceInfo& resource);

// REQUIRES: IsReview(*state.resource) and the verb is create.
[[nodiscard]] Result<HttpResponse> HandleReview(RequestState& state, const ResourceStore& store,
                                                const Authenticator& authenticator,
                                                const Authorizer& authorizer);

}  // namespace kulisse::apiserver
