#include "simulator/jq/regex.h"

#include <algorithm>

#include "base/text.h"
#include "simulator/limits.h"

namespace kulisse::simulator {

namespace {

// Go writes named groups as (?P<name>…) or (?<name>…); this RE2 knows the first form alone.
std::string WithNamedGroupsOfPython(std::string_view pattern) {
  std::string result;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view rest = pattern.substr(i);
    if (rest.starts_with('\\') && rest.size() > 1) {
      if (rest[1] == 'Q' && !in_class) {
        const size_t end = std::min(rest.find("\\E"), rest.size());
        result += rest.substr(0, end);
        i += end - 1;
        continue;
      }
      result += rest.substr(0, 2);
      ++i;
      continue;
    }
    if (in_class) {
      in_class = rest[0] != ']';
    } else if (rest[0] == '[') {
      in_class = true;
      // A bracket that comes first stands for itself.
      const size_t literal = rest.starts_with("[^]") ? 3 : rest.starts_with("[]") ? 2 : 1;
      result += rest.substr(0, literal);
      i += literal - 1;
      continue;
    } else if (rest.starts_with("(?<") && !rest.starts_with("(?<=") && !rest.starts_with("(?<!")) {
      result += "(?P<";
      i += 2;
      continue;
    }
    result += rest[0];
  }
  return result;
}

}  // namespace

std::expected<RegexPtr, std::string> CompileRegex(std::string_view pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  const std::string text = WithNamedGroupsOfPython(pattern);
  auto regex = std::make_shared<const re2::RE2>(text, options);
  if (!regex->ok()) return std::unexpected(regex->error());
  return regex;
}

std::vector<RegexGroups> FindAll(const re2::RE2& regex, std::string_view text, size_t count) {
  std::vector<RegexGroups> matches;
  if (!text.data()) text = "";  // a group at null is one that is not there
  const int groups_count = regex.NumberOfCapturingGroups() + 1;
  std::vector<re2::StringPiece> groups(groups_count);
  const re2::StringPiece subject(text.data(), text.size());
  size_t last_end = std::string_view::npos;
  for (size_t at = 0; at <= text.size() && matches.size() < count;) {
    if (!regex.Match(subject, at, text.size(), re2::RE2::UNANCHORED, groups.data(), groups_count)) {
      break;
    }
    const size_t begin = groups[0].data() - text.data();
    const size_t end = begin + groups[0].size();
    const bool counts = begin != end || begin != last_end;
    if (counts) {
      RegexGroups& match = matches.emplace_back();
      for (const re2::StringPiece& group : groups) match.emplace_back(group.data(), group.size());
    }
    last_end = end;
    at = end;
    if (begin == end) at += std::max<size_t>(1, Utf8SequenceLength(text.substr(end)));
  }
  return matches;
}

std::expected<RegexPtr, std::string> RegexCache::Get(std::string_view pattern) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = regexes_.find(pattern); found != regexes_.end()) return found->second;
  auto regex = CompileRegex(pattern);
  if (!regex) return regex;
  if (regexes_.size() >= kRegexesMax) regexes_.clear();
  regexes_.emplace(pattern, *regex);
  return regex;
}

}  // namespace kulisse::simulator
