// Regular expressions by RE2, in the syntax of Go's regexp package, which is RE2's own.
#pragma once

#include <re2/re2.h>

#include <cstddef>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace kulisse::simulator {

using RegexPtr = std::shared_ptr<const re2::RE2>;

// One group of a match: its bytes, or not there at all (data() is null).
using RegexGroups = std::vector<std::string_view>;

// The error is RE2's.
[[nodiscard]] std::expected<RegexPtr, std::string> CompileRegex(std::string_view pattern);

// All matches from left to right as Go finds them (an empty one right after another match does not
// count), the first `count` of them. Each begins with the whole match.
[[nodiscard]] std::vector<RegexGroups> FindAll(const re2::RE2& regex, std::string_view text,
                                               size_t count);

// RegexCache keeps those that were compiled already. Threads: any.
// Limits: kRegexesMax; then it starts anew.
class RegexCache {
 public:
  [[nodiscard]] std::expected<RegexPtr, std::string> Get(std::string_view pattern);

 private:
  std::mutex mutex_;
  std::map<std::string, RegexPtr, std::less<>> regexes_;
};

}  // namespace kulisse::simulator
