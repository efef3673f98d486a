// The protobuf form of the /openapi/v2 document (message Document of the gnostic project's
// openapi.v2), which client-go asks for.
//
// Threads: pure function. Limits: knows the parts of OpenAPI v2 that our own documents use.
#pragma once

#include <string>

#include "base/json/value.h"

namespace kulisse::apiserver {

// REQUIRES: `document` is one of our own /openapi/v2 documents.
void AppendOpenApiV2Document(const json::Value& document, std::string* out);

}  // namespace kulisse::apiserver
