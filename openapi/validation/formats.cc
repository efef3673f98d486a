#include "openapi/validation/formats.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/status.h"
#include "base/text.h"
#include "openapi/label_syntax.h"

namespace kulisse::openapi {

namespace {

constexpr size_t kLabelBytesMax = 63;
constexpr size_t kSubdomainBytesMax = 253;
constexpr size_t kPortNameBytesMax = 15;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsLowerOrDigit(char c) { return IsLower(c) || IsDigit(c); }
bool IsLetter(char c) { return IsLower(c) || (c >= 'A' && c <= 'Z'); }
bool IsAlphanumeric(char c) { return IsLetter(c) || IsDigit(c); }

template <typename Predicate>
bool All(std::string_view text, Predicate predicate) {
  return std::ranges::all_of(text, predicate);
}

bool IsLabel(std::string_view text) {
  return !text.empty() && IsLowerOrDigit(text.front()) && IsLowerOrDigit(text.back()) &&
         All(text, [](char c) { return IsLowerOrDigit(c) || c == '-'; });
}

// _?[a-z0-9]([-_a-z0-9]*[a-z0-9])?
bool IsLabelWithUnderscore(std::string_view text) {
  if (text.starts_with('_')) text.remove_prefix(1);
  return !text.empty() && IsLowerOrDigit(text.front()) && IsLowerOrDigit(text.back()) &&
         All(text, [](char c) { return IsLowerOrDigit(c) || c == '-' || c == '_'; });
}

// Whether each part between dots has the form.
template <typename Predicate>
bool AllParts(std::string_view text, Predicate predicate) {
  for (;;) {
    const size_t dot = text.find('.');
    if (!predicate(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

constexpr std::string_view kLabelRegex = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
constexpr std::string_view kSubdomainRegex =
    "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
constexpr std::string_view kSubdomainRule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character";

std::string TooLong(size_t max) { return fmt::format("must be no more than {} characters", max); }

void AddBacksteps(std::string_view text, Messages* messages) {
  for (std::string_view rest = text;;) {
    const size_t slash = rest.find('/');
    if (rest.substr(0, slash) == "..") {
      messages->emplace_back("must not contain '..'");
      return;
    }
    if (slash == std::string_view::npos) return;
    rest.remove_prefix(slash + 1);
  }
}

// "010.1.2.3" is 10.1.2.3 to old clients. Nothing when it is no IPv4 address.
std::optional<IpAddress> ParseIpv4(std::string_view text) {
  IpAddress address;
  address.v4 = true;
  const auto parts = Split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  for (size_t i = 0; i < 4; ++i) {
    if (!All(parts[i], IsDigit)) return std::nullopt;
    const auto number = ParseUint64(parts[i]);
    if (!number || *number > 255) return std::nullopt;
    address.bytes[12 + i] = static_cast<uint8_t>(*number);
  }
  return address;
}

bool HasLeadingZero(std::string_view text) {
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    const bool starts = i == 0 || text[i - 1] == '.' || text[i - 1] == '/';
    if (starts && text[i] == '0' && IsDigit(text[i + 1])) return true;
  }
  return false;
}

// An IPv4 address written as IPv6: it parses as IPv4.
bool IsMapped(const IpAddress& address, std::string_view text) {
  return address.v4 && text.find(':') != std::string_view::npos;
}

}  // namespace

std::string RegexMessage(std::string_view what, std::string_view regex,
                         std::initializer_list<std::string_view> examples) {
  std::string text(what);
  text += " (e.g. ";
  bool first = true;
  for (const std::string_view example : examples) {
    text += fmt::format("{}'{}', ", first ? "" : " or ", example);
    first = false;
  }
  return text + fmt::format("regex used for validation is '{}')", regex);
}

std::string InclusiveRange(int64_t low, int64_t high) {
  return fmt::format("must be between {} and {}, inclusive", low, high);
}

Messages Dns1123Label(std::string_view text) {
  Messages messages;
  if (text.size() > kLabelBytesMax) messages.push_back(TooLong(kLabelBytesMax));
  if (IsLabel(text)) return messages;
  if (AllParts(text, IsLabel)) {
    messages.emplace_back("must not contain dots");
  } else {
    messages.push_back(RegexMessage(
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
        "must start and end with an alphanumeric character",
        kLabelRegex, {"my-name", "123-abc"}));
  }
  return messages;
}

Messages Dns1123Subdomain(std::string_view text) {
  Messages messages;
  if (text.size() > kSubdomainBytesMax) messages.push_back(TooLong(kSubdomainBytesMax));
  if (!AllParts(text, IsLabel)) {
    messages.push_back(RegexMessage(kSubdomainRule, kSubdomainRegex, {"example.com"}));
  }
  return messages;
}

Messages LongName(std::string_view text) {
  Messages messages = Dns1123Subdomain(text);
  if (text.size() > kSubdomainBytesMax) {
    messages[0] = fmt::format("must be no more than {} bytes", kSubdomainBytesMax);
  }
  return messages;
}

Messages Dns1123SubdomainWithUnderscore(std::string_view text) {
  Messages messages;
  if (text.size() > kSubdomainBytesMax) messages.push_back(TooLong(kSubdomainBytesMax));
  if (!AllParts(text, IsLabelWithUnderscore)) {
    messages.push_back(RegexMessage(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', "
        "'-' or '.', and must start and end with an alphanumeric character",
        "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*", {"example.com"}));
  }
  return messages;
}

Messages WildcardDns1123Subdomain(std::string_view text) {
  Messages messages;
  if (text.size() > kSubdomainBytesMax) messages.push_back(TooLong(kSubdomainBytesMax));
  if (!text.starts_with("*.") || !AllParts(text.substr(2), IsLabel)) {
    messages.push_back(RegexMessage(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, "
        "which must consist of lower case alphanumeric characters, '-' or '.' and end with an "
        "alphanumeric character",
        fmt::format("\\*\\.{}", kSubdomainRegex), {"*.example.com"}));
  }
  return messages;
}

Messages Dns1035Label(std::string_view text) {
  Messages messages;
  if (text.size() > kLabelBytesMax) messages.push_back(TooLong(kLabelBytesMax));
  if (!IsLabel(text) || !IsLower(text.front())) {
    messages.push_back(RegexMessage(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
        "alphabetic character, and end with an alphanumeric character",
        "[a-z]([-a-z0-9]*[a-z0-9])?", {"my-name", "abc-123"}));
  }
  return messages;
}

Messages PathSegmentName(std::string_view text) {
  Messages messages;
  if (text == "." || text == "..") messages.push_back(fmt::format("may not be '{}'", text));
  for (const char c : {'/', '%'}) {
    if (text.find(c) != std::string_view::npos) {
      messages.push_back(fmt::format("may not contain '{}'", c));
    }
  }
  return messages;
}

Messages AnnotationKey(std::string_view text) { return LabelKeyErrors(ToLower(text)); }

Messages PortName(std::string_view text) {
  Messages messages;
  if (text.size() > kPortNameBytesMax) messages.push_back(TooLong(kPortNameBytesMax));
  if (text.empty() || !All(text, [](char c) { return IsLowerOrDigit(c) || c == '-'; })) {
    messages.emplace_back("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (std::ranges::none_of(text, IsLower)) {
    messages.emplace_back("must contain at least one letter (a-z)");
  }
  if (text.find("--") != std::string_view::npos) {
    messages.emplace_back("must not contain consecutive hyphens");
  }
  if (text.starts_with('-') || text.ends_with('-')) {
    messages.emplace_back("must not begin or end with a hyphen");
  }
  return messages;
}

Messages EnvVarName(std::string_view text) {
  if (text.empty()) return {"environment variable name must be non-empty"};
  if (All(text, [](char c) { return c >= ' ' && c < 0x7f && c != '='; })) return {};
  return {
      "a valid environment variable name must consist only of printable ASCII characters other "
      "than '='"};
}

Messages ConfigMapKey(std::string_view text) {
  Messages messages;
  if (text.size() > kSubdomainBytesMax) messages.push_back(TooLong(kSubdomainBytesMax));
  const auto fits = [](char c) { return IsAlphanumeric(c) || c == '-' || c == '.' || c == '_'; };
  if (text.empty() || !All(text, fits)) {
    messages.push_back(
        RegexMessage("a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
                     "[-._a-zA-Z0-9]+", {"key.name", "KEY_NAME", "key-name"}));
  }
  if (text == "." || text == "..") {
    messages.push_back(fmt::format("must not be '{}'", text));
  } else if (text.starts_with("..")) {
    messages.emplace_back("must not start with '..'");
  }
  return messages;
}

Messages HttpHeaderName(std::string_view text) {
  if (!text.empty() && All(text, [](char c) { return IsAlphanumeric(c) || c == '-'; })) return {};
  return {RegexMessage("a valid HTTP header must consist of alphanumeric characters or '-'",
                       "[-A-Za-z0-9]+", {"X-Header-Name"})};
}

Messages CIdentifier(std::string_view text) {
  const auto fits = [](char c) { return IsAlphanumeric(c) || c == '_'; };
  if (!text.empty() && !IsDigit(text.front()) && All(text, fits)) return {};
  return {RegexMessage(
      "a valid C identifier must start with alphabetic character or '_', followed by a string of "
      "alphanumeric characters or '_'",
      "[A-Za-z_][A-Za-z0-9_]*", {"my_name", "MY_NAME", "MyName"})};
}

Messages Percent(std::string_view text) {
  if (text.size() > 1 && text.ends_with('%') && All(text.substr(0, text.size() - 1), IsDigit)) {
    return {};
  }
  return {RegexMessage("a valid percent string must be a numeric string followed by an ending '%'",
                       "[0-9]+%", {"1%", "93%"})};
}

Messages DecimalInteger(std::string_view text) {
  if (text.empty()) return {"must be non-empty"};
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  const bool canonical =
      text == "0" || (!digits.empty() && digits.front() != '0' && All(digits, IsDigit));
  if (canonical) return {};
  return {"must be a valid decimal integer in canonical form"};
}

Messages ConditionReason(std::string_view text) {
  const auto inner = [](char c) { return IsAlphanumeric(c) || c == '_' || c == ',' || c == ':'; };
  if (!text.empty() && IsLetter(text.front()) && All(text, inner) &&
      (IsAlphanumeric(text.back()) || text.back() == '_')) {
    return {};
  }
  return {RegexMessage(
      "a condition reason must start with alphabetic character, optionally followed by a string of "
      "alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
      "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?",
      {"my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB"})};
}

Messages Ip(std::string_view text) {
  const auto address = ParseIp(text);
  if (!address) return {"must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"};
  if (HasLeadingZero(text)) return {"must not have leading 0s"};
  if (IsMapped(*address, text)) return {"must not be an IPv4-mapped IPv6 address"};
  return {};
}

Messages CanonicalIp(std::string_view text) {
  if (Messages messages = Ip(text); !messages.empty()) return messages;
  const std::string canonical = ParseIp(text)->ToString();
  if (canonical == text) return {};
  return {fmt::format("must be in canonical form ({})", GoQuote(canonical))};
}

Messages Cidr(std::string_view text) {
  const auto cidr = ParseCidr(text);
  if (!cidr) return {"must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"};
  if (HasLeadingZero(text)) return {"must not have leading 0s in IP or prefix length"};
  if (IsMapped(*cidr, text)) return {"must not have an IPv4-mapped IPv6 address"};
  if (cidr->Masked().bytes != cidr->bytes) {
    return {"must not have bits set beyond the prefix length"};
  }
  return {};
}

Messages CanonicalCidr(std::string_view text) {
  if (Messages messages = Cidr(text); !messages.empty()) return messages;
  const std::string canonical = ParseCidr(text)->ToString();
  if (canonical == text) return {};
  return {fmt::format("must be in canonical form ({})", GoQuote(canonical))};
}

Messages PathWithoutBacksteps(std::string_view text) {
  Messages messages;
  AddBacksteps(text, &messages);
  return messages;
}

Messages RelativePath(std::string_view text) {
  Messages messages;
  if (text.starts_with('/')) messages.emplace_back("must be a relative path");
  AddBacksteps(text, &messages);
  return messages;
}

Messages LocalNonReservedPath(std::string_view text) {
  Messages messages = RelativePath(text);
  if (text.starts_with("..") && !text.starts_with("../")) {
    messages.emplace_back("must not start with '..'");
  }
  return messages;
}

Messages AbsolutePath(std::string_view text) {
  if (text.starts_with('/')) return {};
  return {"must be an absolute path"};
}

Messages PortNumber(int64_t port) {
  if (port >= 1 && port <= 65535) return {};
  return {InclusiveRange(1, 65535)};
}

Format FindFormat(std::string_view name) {
  struct Row {
    std::string_view name;
    Format format;
  };
  static constexpr Row kRows[] = {
      {"absolute-path", AbsolutePath},
      {"annotation-key", AnnotationKey},
      {"c-identifier", CIdentifier},
      {"canonical-cidr", CanonicalCidr},
      {"canonical-ip", CanonicalIp},
      {"cidr", Cidr},
      {"config-key", ConfigMapKey},
      {"dns-label", Dns1123Label},
      {"dns-subdomain", Dns1123Subdomain},
      {"dns1035-label", Dns1035Label},
      {"env-name", EnvVarName},
      {"ip", Ip},
      {"label-value", LabelValueErrors},
      {"local-path", LocalNonReservedPath},
      {"long-name", LongName},
      {"no-backsteps", PathWithoutBacksteps},
      {"path-segment", PathSegmentName},
      {"port-name", PortName},
      {"qualified-name", LabelKeyErrors},
      {"relative-path", RelativePath},
  };
  const auto* row = std::ranges::find(kRows, name, &Row::name);
  return row == std::end(kRows) ? nullptr : row->format;
}

std::optional<IpAddress> ParseIp(std::string_view text) {
  if (text.find(':') == std::string_view::npos) return ParseIpv4(text);
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  IpAddress address;
  if (inet_pton(AF_INET6, std::string(text).c_str(), address.bytes.data()) != 1) {
    return std::nullopt;
  }
  const auto& bytes = address.bytes;
  address.v4 = std::all_of(bytes.begin(), bytes.begin() + 10, [](uint8_t b) { return b == 0; }) &&
               bytes[10] == 0xff && bytes[11] == 0xff;
  return address;
}

std::optional<IpAddress> ParseCidr(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  auto address = ParseIp(text.substr(0, slash));
  const auto prefix = ParseUint64(text.substr(slash + 1));
  const bool as_v6 = text.find(':') < slash;
  if (!address || !prefix || *prefix > (as_v6 ? 128U : 32U)) return std::nullopt;
  address->prefix = static_cast<int>(*prefix);
  return address;
}

std::string IpAddress::ToString() const {
  char buffer[INET6_ADDRSTRLEN];
  const void* from = v4 ? bytes.data() + 12 : bytes.data();
  std::string text = inet_ntop(v4 ? AF_INET : AF_INET6, from, buffer, sizeof(buffer));
  if (prefix >= 0) text += fmt::format("/{}", prefix);
  return text;
}

IpAddress IpAddress::Masked() const {
  IpAddress masked = *this;
  const int first = (v4 ? 96 : 0) + std::max(prefix, 0);
  for (int bit = first; bit < 128; ++bit) {
    masked.bytes[static_cast<size_t>(bit / 8)] &= static_cast<uint8_t>(~(0x80 >> (bit % 8)));
  }
  return masked;
}

}  // namespace kulisse::openapi
