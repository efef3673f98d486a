// The forms that texts in objects have: names, ports, addresses. Each check gives what is wrong, in
// the words of the real server, and nothing when nothing is.
// Upstream: apimachinery/pkg/util/validation, pkg/api/validation/path.
//
// Threads: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kulisse::openapi {

using Messages = std::vector<std::string>;
using Format = Messages (*)(std::string_view text);

[[nodiscard]] Messages Dns1123Label(std::string_view text);
[[nodiscard]] Messages Dns1123Subdomain(std::string_view text);
// The same, but its length is told in bytes. Upstream: api/validate, LongName.
[[nodiscard]] Messages LongName(std::string_view text);
[[nodiscard]] Messages Dns1123SubdomainWithUnderscore(std::string_view text);
[[nodiscard]] Messages WildcardDns1123Subdomain(std::string_view text);
[[nodiscard]] Messages Dns1035Label(std::string_view text);
[[nodiscard]] Messages PathSegmentName(std::string_view text);
// As LabelKeyErrors, and of annotations, which may have upper case in their prefix.
[[nodiscard]] Messages AnnotationKey(std::string_view text);
[[nodiscard]] Messages PortName(std::string_view text);
[[nodiscard]] Messages EnvVarName(std::string_view text);
[[nodiscard]] Messages ConfigMapKey(std::string_view text);
[[nodiscard]] Messages HttpHeaderName(std::string_view text);
[[nodiscard]] Messages CIdentifier(std::string_view text);
[[nodiscard]] Messages Percent(std::string_view text);
[[nodiscard]] Messages DecimalInteger(std::string_view text);
[[nodiscard]] Messages ConditionReason(std::string_view text);
[[nodiscard]] Messages Ip(std::string_view text);
[[nodiscard]] Messages CanonicalIp(std::string_view text);
[[nodiscard]] Messages Cidr(std::string_view text);
[[nodiscard]] Messages CanonicalCidr(std::string_view text);
[[nodiscard]] Messages RelativePath(std::string_view text);  // without ".."
[[nodiscard]] Messages PathWithoutBacksteps(std::string_view text);
[[nodiscard]] Messages LocalNonReservedPath(std::string_view text);
[[nodiscard]] Messages AbsolutePath(std::string_view text);
[[nodiscard]] Messages PortNumber(int64_t port);
[[nodiscard]] std::string InclusiveRange(int64_t low, int64_t high);
// "what (e.g. 'x',  or 'y', regex used for validation is 'z')"
[[nodiscard]] std::string RegexMessage(std::string_view what, std::string_view regex,
                                       std::initializer_list<std::string_view> examples);

// By the word that the rules use ("dns-label"), or null.
[[nodiscard]] Format FindFormat(std::string_view name);

// An address of either family; IPv4 in the last four bytes.
struct IpAddress {
  std::array<uint8_t, 16> bytes{};
  bool v4 = false;
  int prefix = -1;  // of a CIDR

  [[nodiscard]] std::string ToString() const;  // canonical; with "/prefix" when it has one
  // Bits beyond the prefix cleared.
  [[nodiscard]] IpAddress Masked() const;
};
// As Go's net.ParseIP of old: leading zeros in IPv4 are taken.
[[nodiscard]] std::optional<IpAddress> ParseIp(std::string_view text);
[[nodiscard]] std::optional<IpAddress> ParseCidr(std::string_view text);

}  // namespace kulisse::openapi
