#include "openapi/cel/kubernetes.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "openapi/facts.h"

namespace kulisse::openapi::cel {
namespace {

struct Declaration {
  std::string_view function;
  std::string_view arguments;  // types; "." before the first: a member
  std::string_view result;
};

constexpr std::string_view kTypes[] = {
    "net.CIDR",
    "net.IP",
    "kubernetes.NamedFormat",
    "kubernetes.Quantity",
    "kubernetes.Semver",
    "kubernetes.URL",
    "kubernetes.authorization.Authorizer",
    "kubernetes.authorization.Decision",
    "kubernetes.authorization.GroupCheck",
    "kubernetes.authorization.PathCheck",
    "kubernetes.authorization.ResourceCheck",
};

constexpr Declaration kStrings[] = {
    {"charAt", ".string int", "string"},
    {"indexOf", ".string string", "int"},
    {"indexOf", ".string string int", "int"},
    {"lastIndexOf", ".string string", "int"},
    {"lastIndexOf", ".string string int", "int"},
    {"lowerAscii", ".string", "string"},
    {"upperAscii", ".string", "string"},
    {"replace", ".string string string", "string"},
    {"replace", ".string string string int", "string"},
    {"split", ".string string", "list(string)"},
    {"split", ".string string int", "list(string)"},
    {"substring", ".string int", "string"},
    {"substring", ".string int int", "string"},
    {"trim", ".string", "string"},
    {"format", ".string list(dyn)", "string"},
    {"strings.quote", "string", "string"},
    {"join", ".list(string)", "string"},
    {"join", ".list(string) string", "string"},
    {"find", ".string string", "string"},
    {"findAll", ".string string", "list(string)"},
    {"findAll", ".string string int", "list(string)"},
    {"jsonpatch.escapeKey", "string", "string"},
};

constexpr Declaration kLists[] = {
    {"indexOf", ".list(A) A", "int"},
    {"lastIndexOf", ".list(A) A", "int"},
    {"slice", ".list(A) int int", "list(A)"},
    {"flatten", ".list(list(A))", "list(A)"},
    {"flatten", ".list(dyn) int", "list(dyn)"},
    {"lists.range", "int", "list(int)"},
    {"reverse", ".list(A)", "list(A)"},
    {"distinct", ".list(A)", "list(A)"},
    {"first", ".list(A)", "optional(A)"},
    {"last", ".list(A)", "optional(A)"},
    {"sets.contains", "list(A) list(A)", "bool"},
    {"sets.equivalent", "list(A) list(A)", "bool"},
    {"sets.intersects", "list(A) list(A)", "bool"},
};

constexpr Declaration kOptionals[] = {
    {"optional.of", "A", "optional(A)"},
    {"optional.ofNonZeroValue", "A", "optional(A)"},
    {"optional.none", "", "optional(A)"},
    {"optional.unwrap", "list(optional(A))", "list(A)"},
    {"unwrapOpt", ".list(optional(A))", "list(A)"},
    {"value", ".optional(A)", "A"},
    {"hasValue", ".optional(A)", "bool"},
    {"or", ".optional(A) optional(A)", "optional(A)"},
    {"orValue", ".optional(A) A", "A"},
    {"_[?_]", "list(A) int", "optional(A)"},
    {"_[?_]", "optional(list(A)) int", "optional(A)"},
    {"_[?_]", "map(A,B) A", "optional(B)"},
    {"_[?_]", "optional(map(A,B)) A", "optional(B)"},
    {"_[_]", "optional(list(A)) int", "optional(A)"},
    {"_[_]", "optional(map(A,B)) A", "optional(B)"},
};

constexpr Declaration kNetwork[] = {
    {"url", "string", "kubernetes.URL"},
    {"isURL", "string", "bool"},
    {"getScheme", ".kubernetes.URL", "string"},
    {"getHost", ".kubernetes.URL", "string"},
    {"getHostname", ".kubernetes.URL", "string"},
    {"getPort", ".kubernetes.URL", "string"},
    {"getEscapedPath", ".kubernetes.URL", "string"},
    {"getQuery", ".kubernetes.URL", "map(string,list(string))"},
    {"ip", "string", "net.IP"},
    {"isIP", "string", "bool"},
    {"ip.isCanonical", "string", "bool"},
    {"family", ".net.IP", "int"},
    {"isUnspecified", ".net.IP", "bool"},
    {"isLoopback", ".net.IP", "bool"},
    {"isLinkLocalMulticast", ".net.IP", "bool"},
    {"isLinkLocalUnicast", ".net.IP", "bool"},
    {"isGlobalUnicast", ".net.IP", "bool"},
    {"string", "net.IP", "string"},
    {"cidr", "string", "net.CIDR"},
    {"isCIDR", "string", "bool"},
    {"containsIP", ".net.CIDR string", "bool"},
    {"containsIP", ".net.CIDR net.IP", "bool"},
    {"containsCIDR", ".net.CIDR string", "bool"},
    {"containsCIDR", ".net.CIDR net.CIDR", "bool"},
    {"ip", ".net.CIDR", "net.IP"},
    {"prefixLength", ".net.CIDR", "int"},
    {"masked", ".net.CIDR", "net.CIDR"},
    {"string", "net.CIDR", "string"},
};

constexpr Declaration kAmounts[] = {
    {"quantity", "string", "kubernetes.Quantity"},
    {"isQuantity", "string", "bool"},
    {"sign", "kubernetes.Quantity", "int"},
    {"isGreaterThan", ".kubernetes.Quantity kubernetes.Quantity", "bool"},
    {"isLessThan", ".kubernetes.Quantity kubernetes.Quantity", "bool"},
    {"compareTo", ".kubernetes.Quantity kubernetes.Quantity", "int"},
    {"asApproximateFloat", ".kubernetes.Quantity", "double"},
    {"asInteger", ".kubernetes.Quantity", "int"},
    {"isInteger", ".kubernetes.Quantity", "bool"},
    {"add", ".kubernetes.Quantity kubernetes.Quantity", "kubernetes.Quantity"},
    {"add", ".kubernetes.Quantity int", "kubernetes.Quantity"},
    {"sub", ".kubernetes.Quantity kubernetes.Quantity", "kubernetes.Quantity"},
    {"sub", ".kubernetes.Quantity int", "kubernetes.Quantity"},
    {"semver", "string", "kubernetes.Semver"},
    {"semver", "string bool", "kubernetes.Semver"},
    {"isSemver", "string", "bool"},
    {"isSemver", "string bool", "bool"},
    {"isGreaterThan", ".kubernetes.Semver kubernetes.Semver", "bool"},
    {"isLessThan", ".kubernetes.Semver kubernetes.Semver", "bool"},
    {"compareTo", ".kubernetes.Semver kubernetes.Semver", "int"},
    {"major", ".kubernetes.Semver", "int"},
    {"minor", ".kubernetes.Semver", "int"},
    {"patch", ".kubernetes.Semver", "int"},
};

constexpr Declaration kFormats[] = {
    {"format.named", "string", "optional(kubernetes.NamedFormat)"},
    {"validate", ".kubernetes.NamedFormat string", "optional(list(string))"},
};
constexpr std::string_view kFormatNames[] = {
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "labelValue",
    "uri",
    "dns1035LabelPrefix",
    "uuid",
    "byte",
    "date",
    "datetime",
};

constexpr Declaration kAuthorization[] = {
    {"path", ".kubernetes.authorization.Authorizer string", "kubernetes.authorization.PathCheck"},
    {"group", ".kubernetes.authorization.Authorizer string", "kubernetes.authorization.GroupCheck"},
    {"serviceAccount", ".kubernetes.authorization.Authorizer string string",
     "kubernetes.authorization.Authorizer"},
    {"resource", ".kubernetes.authorization.GroupCheck string",
     "kubernetes.authorization.ResourceCheck"},
    {"subresource", ".kubernetes.authorization.ResourceCheck string",
     "kubernetes.authorization.ResourceCheck"},
    {"namespace", ".kubernetes.authorization.ResourceCheck string",
     "kubernetes.authorization.ResourceCheck"},
    {"name", ".kubernetes.authorization.ResourceCheck string",
     "kubernetes.authorization.ResourceCheck"},
    {"fieldSelector", ".kubernetes.authorization.ResourceCheck string",
     "kubernetes.authorization.ResourceCheck"},
    {"labelSelector", ".kubernetes.authorization.ResourceCheck string",
     "kubernetes.authorization.ResourceCheck"},
    {"check", ".kubernetes.authorization.PathCheck string", "kubernetes.authorization.Decision"},
    {"check", ".kubernetes.authorization.ResourceCheck string",
     "kubernetes.authorization.Decision"},
    {"allowed", ".kubernetes.authorization.Decision", "bool"},
    {"reason", ".kubernetes.authorization.Decision", "string"},
    {"errored", ".kubernetes.authorization.Decision", "bool"},
    {"error", ".kubernetes.authorization.Decision", "string"},
};

// Functions of lists of each of these types; the sum only of the first ones.
constexpr std::string_view kComparable[] = {"int",  "uint",      "double", "duration",
                                            "bool", "timestamp", "string", "bytes"};
constexpr size_t kSummable = 4;

// "list(A)", "map(string,dyn)", "net.IP".
Type ParseType(std::string_view text) {
  const Type plain[] = {Type::Bool(),   Type::Int(),       Type::Uint(),
                        Type::Double(), Type::String(),    Type::Bytes(),
                        Type::Dyn(),    Type::Timestamp(), Type::Duration()};
  for (const Type& type : plain) {
    if (type.ToString() == text) return type;
  }
  if (text.size() == 1) return Type::Param(std::string(text));
  const size_t open = text.find('(');
  if (open == std::string_view::npos) return Type::Struct(std::string(text));
  const std::string_view inner = text.substr(open + 1, text.size() - open - 2);
  if (text.starts_with("list(")) return Type::List(ParseType(inner));
  if (text.starts_with("optional(")) return Type::Optional(ParseType(inner));
  KULISSE_ASSERT(text.starts_with("map("));
  const size_t comma = inner.find(',');
  return Type::Map(ParseType(inner.substr(0, comma)), ParseType(inner.substr(comma + 1)));
}

void Declare(Environment& environment, std::string_view function, std::string_view arguments,
             std::string_view result) {
  Overload overload;
  overload.id = std::string(function) + " " + std::string(arguments);
  overload.result = ParseType(result);
  overload.is_member = arguments.starts_with('.');
  if (overload.is_member) arguments.remove_prefix(1);
  while (!arguments.empty()) {
    overload.arguments.push_back(ParseType(TakeUntil(' ', &arguments)));
  }
  environment.AddFunction(std::string(function), std::move(overload));
}

template <size_t kCount>
void DeclareAll(Environment& environment, const Declaration (&declarations)[kCount]) {
  for (const Declaration& row : declarations) {
    Declare(environment, row.function, row.arguments, row.result);
  }
}

Environment Make() {
  Environment environment(
      {.cross_type_comparisons = true, .homogeneous_literals = true, .optional_syntax = true});
  for (const std::string_view type : kTypes) environment.AddType(Type::Struct(std::string(type)));
  environment.AddType(Type::Optional(Type::Dyn()));
  DeclareAll(environment, kStrings);
  DeclareAll(environment, kLists);
  DeclareAll(environment, kOptionals);
  DeclareAll(environment, kNetwork);
  DeclareAll(environment, kAmounts);
  DeclareAll(environment, kFormats);
  DeclareAll(environment, kAuthorization);
  for (const std::string_view name : kFormatNames) {
    Declare(environment, "format." + std::string(name), "", "kubernetes.NamedFormat");
  }
  for (size_t i = 0; i < std::size(kComparable); ++i) {
    const std::string_view type = kComparable[i];
    const std::string list = ".list(" + std::string(type) + ")";
    Declare(environment, "isSorted", list, "bool");
    Declare(environment, "min", list, type);
    Declare(environment, "max", list, type);
    Declare(environment, "sort", list, list.substr(1));
    if (i < kSummable) Declare(environment, "sum", list, type);
  }
  return environment;
}

}  // namespace

const Environment& KubernetesEnvironment() {
  static const Environment environment = Make();
  return environment;
}

}  // namespace kulisse::openapi::cel
