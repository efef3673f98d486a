// Semantic versions and what is asked of them: ">=1.2, <2 || ~3.1".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kulisse::simulator {

struct Semver {
  std::array<uint64_t, 3> numbers{};
  std::string prerelease;
  std::string metadata;
};

// "1.2.3-beta.1+build", also "v1.2" and "1".
[[nodiscard]] std::optional<Semver> ParseSemver(std::string_view text);
[[nodiscard]] int CompareSemver(const Semver& a, const Semver& b);
// Nothing when the constraint is malformed. As Masterminds/semver: a version with a prerelease
// meets only constraints that have one too.
[[nodiscard]] std::optional<bool> MeetsConstraint(const Semver& version,
                                                  std::string_view constraint);

}  // namespace kulisse::simulator
