// The continue token of a paged list, in kube-apiserver's form: base64url of
// {"v":"meta.k8s.io/v1","rv":N,"start":"…\u0000"}, plus "n", the items already handed out, so that
// remainingItemCount needs no scan. Also the other texts that hold revisions.
// Threads: values; pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kulisse::apiserver {

struct ContinueToken {
  std::optional<uint64_t> revision;  // nothing: go on in the latest state ("rv": -1)
  std::string start;                 // the last key handed out, below the list's prefix
  uint64_t returned = 0;
};

[[nodiscard]] std::string EncodeContinueToken(const ContinueToken& token);
[[nodiscard]] Result<ContinueToken> DecodeContinueToken(std::string_view text);

// ?resourceVersion=: "" and "0" are 0. Refuses what is no number.
[[nodiscard]] Result<uint64_t> ParseResourceVersion(std::string_view text);

// 504 for a revision that has not come.
[[nodiscard]] Status TooLargeRevision(uint64_t asked, uint64_t current);

}  // namespace kulisse::apiserver
