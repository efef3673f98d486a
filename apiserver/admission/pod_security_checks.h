// The Pod Security Standards: what a pod may not do at a level, by the version of the standard.
// Upstream: k8s.io/pod-security-admission/policy; the texts are those that clients see.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"

namespace kulisse::apiserver {

// From least to most restrictive.
enum class SecurityLevel : uint8_t { kPrivileged, kBaseline, kRestricted };

// A level as of Kubernetes 1.`minor`.
struct LevelVersion {
  static constexpr int kLatest = -1;

  SecurityLevel level = SecurityLevel::kPrivileged;
  int minor = kLatest;

  bool operator==(const LevelVersion&) const = default;
  // "baseline:latest", "restricted:v1.24".
  [[nodiscard]] std::string ToString() const;
};

struct SecurityViolation {
  std::string reason;  // "privileged"
  std::string detail;  // `container "a" must not set …`
};

// What a pod (or template) with this metadata and spec violates, in upstream's order. `metadata`
// may be null.
[[nodiscard]] std::vector<SecurityViolation> CheckPodSecurity(const LevelVersion& standard,
                                                              const json::Value* metadata,
                                                              const json::Value& spec);

// "host namespaces (hostNetwork=true), privileged (container …)"; reasons alone without details.
[[nodiscard]] std::string DescribeViolations(const std::vector<SecurityViolation>& violations,
                                             bool with_details);

}  // namespace kulisse::apiserver
