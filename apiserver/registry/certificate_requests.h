// What is special about CertificateSigningRequests: who asks is written down, and only the approval
// subresource approves. Upstream: pkg/registry/certificates/certificates/strategy.go.
// Threads: pure functions.
#pragma once

#include <string_view>

#include "apiserver/registry/resource_store.h"
#include "base/json/value.h"
#include "base/status.h"
#include "base/time.h"

namespace kulisse::apiserver {

inline constexpr std::string_view kCertificateRequests =
    "certificatesigningrequests.certificates.k8s.io";

// The user of the request takes the place of whatever the client wrote there.
void SetRequester(const RequestContext& context, json::Document& request);
// Times of conditions that came without.
void StampConditions(json::Document& request, const json::Value& old, SystemTime now);
// A write of the status leaves the approval as it was, unless it adds or removes some.
void KeepApproval(json::Document& request, const json::Value& old);
// A write of the approval changes conditions of the status alone.
void KeepAllButConditions(json::Document& request, const json::Value& old, SystemTime now);
// The request itself: its form and its signature.
void ValidateRequest(const json::Value& request, FieldErrors* errors);
// `approves`: whether it is a write of the approval.
void ValidateApproval(const json::Value& request, const json::Value& old, bool approves,
                      FieldErrors* errors);

}  // namespace kulisse::apiserver
