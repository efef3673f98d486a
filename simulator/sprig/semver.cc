#include "simulator/sprig/semver.h"

#include <algorithm>
#include <compare>
#include <vector>

#include "base/text.h"

namespace kulisse::simulator {

namespace {

int Sign(std::strong_ordering order) { return order < 0 ? -1 : order > 0 ? 1 : 0; }

bool IsIdentifiers(std::string_view text) {
  for (const std::string_view part : Split(text, '.')) {
    const bool valid = !part.empty() && std::ranges::all_of(part, [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    });
    if (!valid) return false;
  }
  return true;
}

bool IsWildcard(std::string_view part) { return part == "x" || part == "X" || part == "*"; }

// `parts` numbers were given; the rest are zeros.
struct Partial {
  Semver version;
  size_t parts = 0;
};

std::optional<Partial> ParsePartial(std::string_view text, bool wildcards) {
  Partial partial;
  if (text.starts_with('v')) text.remove_prefix(1);
  if (const size_t plus = text.find('+'); plus != std::string_view::npos) {
    partial.version.metadata = text.substr(plus + 1);
    text = text.substr(0, plus);
    if (!IsIdentifiers(partial.version.metadata)) return std::nullopt;
  }
  if (const size_t dash = text.find('-'); dash != std::string_view::npos) {
    partial.version.prerelease = text.substr(dash + 1);
    text = text.substr(0, dash);
    if (!IsIdentifiers(partial.version.prerelease)) return std::nullopt;
  }
  const auto parts = Split(text, '.');
  if (parts.size() > 3) return std::nullopt;
  for (const std::string_view part : parts) {
    if (wildcards && IsWildcard(part)) return partial;
    const auto number = ParseUint64(part);
    if (!number) return std::nullopt;
    partial.version.numbers[partial.parts++] = *number;
  }
  return partial;
}

int ComparePrereleases(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return static_cast<int>(a.empty()) - static_cast<int>(b.empty());
  const auto left = Split(a, '.');
  const auto right = Split(b, '.');
  for (size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    const auto x = ParseUint64(left[i]);
    const auto y = ParseUint64(right[i]);
    const int order = x && y ? Sign(*x <=> *y) : x ? -1 : y ? 1 : Sign(left[i] <=> right[i]);
    if (order != 0) return order;
  }
  return Sign(left.size() <=> right.size());
}

// The first version beyond all that share the first `parts` numbers.
Semver Beyond(const Semver& version, size_t parts) {
  Semver next;
  for (size_t i = 0; i < parts; ++i) next.numbers[i] = version.numbers[i];
  if (parts > 0) ++next.numbers[parts - 1];
  return next;
}

// How many numbers `^` keeps: up to the first that is not 0.
size_t CaretParts(const Partial& partial) {
  for (size_t i = 0; i < partial.parts; ++i) {
    if (partial.version.numbers[i] > 0) return i + 1;
  }
  return partial.parts;
}

bool Meets(const Semver& version, std::string_view op, const Partial& wanted) {
  if (!version.prerelease.empty() && wanted.version.prerelease.empty()) return false;
  const int order = CompareSemver(version, wanted.version);
  const bool whole = wanted.parts == 3;
  const auto within = [&](size_t parts) {
    return order >= 0 && (parts == 0 || CompareSemver(version, Beyond(wanted.version, parts)) < 0);
  };
  if (op.empty() || op == "=") return whole ? order == 0 : within(wanted.parts);
  if (op == "!=") return whole ? order != 0 : !within(wanted.parts);
  if (op == ">") return whole ? order > 0 : order >= 0 && !within(wanted.parts);
  if (op == "<") return order < 0;
  if (op == ">=" || op == "=>") return order >= 0;
  if (op == "<=" || op == "=<") return whole ? order <= 0 : order < 0 || within(wanted.parts);
  if (op == "^") return within(CaretParts(wanted));
  return within(std::min<size_t>(2, wanted.parts));  // ~, ~>
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t begin = text.find_first_not_of(" ,\t");
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const size_t end = std::min(text.find_first_of(" ,\t"), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

// All of these, and "1.2 - 3" for a range.
std::optional<bool> MeetsAll(const Semver& version, std::string_view constraint) {
  const auto words = Words(constraint);
  if (words.empty()) return std::nullopt;
  bool all = true;
  for (size_t i = 0; i < words.size(); ++i) {
    const size_t length = std::min(words[i].find_first_not_of("=!<>~^"), words[i].size());
    std::string op(words[i].substr(0, length));
    std::string_view text = words[i].substr(length);
    if (text.empty() && i + 1 < words.size()) text = words[++i];
    if (i + 2 < words.size() && words[i + 1] == "-") {
      const auto end = ParsePartial(words[i + 2], true);
      if (!end || !op.empty()) return std::nullopt;
      all = all && Meets(version, "<=", *end);
      op = ">=";
      i += 2;
    }
    constexpr std::string_view kOperators[] = {
        "", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "^", "~", "~>"};
    const auto wanted = ParsePartial(text, true);
    if (!wanted || std::ranges::find(kOperators, op) == std::end(kOperators)) return std::nullopt;
    all = all && Meets(version, op, *wanted);
  }
  return all;
}

}  // namespace

std::optional<Semver> ParseSemver(std::string_view text) {
  auto partial = ParsePartial(text, false);
  if (!partial) return std::nullopt;
  return std::move(partial->version);
}

int CompareSemver(const Semver& a, const Semver& b) {
  if (const int order = Sign(a.numbers <=> b.numbers); order != 0) return order;
  return ComparePrereleases(a.prerelease, b.prerelease);
}

std::optional<bool> MeetsConstraint(const Semver& version, std::string_view constraint) {
  bool any = false;
  for (;;) {
    const size_t bar = constraint.find("||");
    const auto meets = MeetsAll(version, constraint.substr(0, bar));
    if (!meets) return std::nullopt;
    any = any || *meets;
    if (bar == std::string_view::npos) return any;
    constraint.remove_prefix(bar + 2);
  }
}

}  // namespace kulisse::simulator
