// How a webhook is reached: by a URL or by a service. Upstream: apiserver/pkg/util/webhook.
// Internal to openapi/validation. Threads: pure functions.
#pragma once

#include "openapi/validation/walk.h"

namespace kulisse::openapi {

// Of a WebhookClientConfig of any group.
void CheckWebhookClient(const Value& config, const Path& path, Walk& walk);

}  // namespace kulisse::openapi
