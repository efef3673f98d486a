#include "openapi/label_syntax.h"

#include <algorithm>

namespace kulisse::openapi {

namespace {

constexpr size_t kNameBytesMax = 63;
constexpr size_t kSubdomainBytesMax = 253;

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool IsAlphanumeric(char c) { return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z'); }

// ([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]
bool IsNameForm(std::string_view text) {
  if (text.empty() || !IsAlphanumeric(text.front()) || !IsAlphanumeric(text.back())) return false;
  return std::ranges::all_of(
      text, [](char c) { return IsAlphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

// Labels between dots begin and end with a letter or digit, and have dashes within.
bool IsSubdomainForm(std::string_view text) {
  char before = '.';
  for (const char c : text) {
    const bool fits = c == '-' ? before != '.' : c != '.' || IsLowerOrDigit(before);
    if (!fits || !(IsLowerOrDigit(c) || c == '-' || c == '.')) return false;
    before = c;
  }
  return IsLowerOrDigit(before);
}

constexpr std::string_view kNameRule =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view kValueRule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
constexpr std::string_view kSubdomainRule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

std::string TooLong(size_t max) { return "must be no more than " + std::to_string(max) + " bytes"; }

}  // namespace

bool IsDns1123Subdomain(std::string_view text) {
  return text.size() <= kSubdomainBytesMax && IsSubdomainForm(text);
}

std::vector<std::string> LabelKeyErrors(std::string_view key) {
  std::vector<std::string> errors;
  const size_t slash = key.find('/');
  if (slash != key.rfind('/')) {
    errors.push_back("a valid label key " + std::string(kNameRule) +
                     " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
    return errors;
  }
  const std::string_view name = slash == std::string_view::npos ? key : key.substr(slash + 1);
  if (slash != std::string_view::npos) {
    const std::string_view prefix = key.substr(0, slash);
    if (prefix.empty()) {
      errors.emplace_back("prefix part must be non-empty");
    } else {
      if (prefix.size() > kSubdomainBytesMax) {
        errors.push_back("prefix part " + TooLong(kSubdomainBytesMax));
      }
      if (!IsSubdomainForm(prefix)) errors.push_back("prefix part " + std::string(kSubdomainRule));
    }
  }
  if (name.empty()) {
    errors.emplace_back("name part must be non-empty");
  } else if (name.size() > kNameBytesMax) {
    errors.push_back("name part " + TooLong(kNameBytesMax));
  }
  if (!IsNameForm(name)) errors.push_back("name part " + std::string(kNameRule));
  return errors;
}

std::vector<std::string> LabelValueErrors(std::string_view value) {
  std::vector<std::string> errors;
  if (value.size() > kNameBytesMax) errors.push_back(TooLong(kNameBytesMax));
  if (!value.empty() && !IsNameForm(value)) errors.emplace_back(kValueRule);
  return errors;
}

}  // namespace kulisse::openapi
