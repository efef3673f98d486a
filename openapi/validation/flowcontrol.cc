// Rules of flow schemas and priority levels. Upstream: pkg/apis/flowcontrol/validation.
#include <algorithm>
#include <cmath>

#include "openapi/validation/walk.h"

namespace kulisse::openapi {

namespace {

constexpr int64_t kPrecedenceMax = 10000;
constexpr int64_t kQueuesMax = 10'000'000;
constexpr int kHashBitsMax = 60;

bool HasWildcard(std::span<const Value> list) {
  return std::ranges::any_of(
      list, [](const Value& value) { return value.IsString() && value.AsString() == "*"; });
}

void Precedence(const Value& schema, const Path& path, Walk& walk) {
  const int64_t precedence = Int(Part(schema, "spec"), "matchingPrecedence").value_or(0);
  const Path spec = path["spec"];
  const Path at = spec["matchingPrecedence"];
  if (precedence <= 0) walk.Invalid(at, precedence, "must be a positive value");
  if (precedence > kPrecedenceMax) {
    walk.Invalid(at, precedence, fmt::format("must not be greater than {}", kPrecedenceMax));
  }
  if (precedence == 1 && schema.FindString({"metadata", "name"}) != "exempt") {
    walk.Invalid(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1");
  }
}

void Distinguisher(const Value& method, const Path& path, Walk& walk) {
  const std::string_view type = Text(method, "type");
  if (type == "ByNamespace" || type == "ByUser") return;
  walk.NotSupported(path["type"], method, TypeOf("flowcontrol.v1.FlowDistinguisherMethod"),
                    {"ByNamespace", "ByUser"});
}

void FlowRule(const Value& rule, const Path& path, Walk& walk) {
  static const TypeId kRule = TypeOf("flowcontrol.v1.PolicyRulesWithSubjects");
  if (IsEmpty(rule.Find("subjects"))) {
    walk.Required(path["subjects"], "subjects must contain at least one value");
  }
  const bool empty = IsEmpty(rule.Find("resourceRules")) && IsEmpty(rule.Find("nonResourceRules"));
  const Path subjects = path["subjects"];
  static const TypeId kSubject = TypeOf("flowcontrol.v1.Subject");
  size_t index = 0;
  for (const Value& subject : List(rule, "subjects")) {
    walk.Struct(subject, kSubject, subjects[index++]);
  }
  if (empty) {
    walk.Required(path, "at least one of resourceRules and nonResourceRules has to be non-empty");
  }
  walk.Struct(rule, kRule, path);
}

void CheckServiceAccount(const Value* account, const Path& path, Walk& walk) {
  if (account == nullptr) {
    return walk.Required(path, "serviceAccount is required when subject kind is 'ServiceAccount'");
  }
  const std::string_view name = Text(*account, "name");
  const std::string_view ns = Text(*account, "namespace");
  if (name.empty()) {
    walk.Required(path["name"]);
  } else if (name != "*") {
    walk.Check(path["name"], name, Dns1123Subdomain);
  }
  if (ns.empty()) {
    walk.Required(path["namespace"], "must specify namespace for service account");
  } else {
    walk.Check(path["namespace"], ns, Dns1123Label);
  }
}

void FlowSubject(const Value& subject, const Path& path, Walk& walk) {
  struct Row {
    std::string_view kind;
    std::string_view field;
  };
  constexpr Row kRows[] = {
      {"ServiceAccount", "serviceAccount"}, {"User", "user"}, {"Group", "group"}};
  const std::string_view kind = Text(subject, "kind");
  const auto* own = std::ranges::find(kRows, kind, &Row::kind);
  if (own == std::end(kRows)) {
    return walk.NotSupported(path["kind"], kind, {"Group", "ServiceAccount", "User"});
  }
  const Value* given = Member(subject, own->field);
  const Path at = path[own->field];
  if (kind == "ServiceAccount") {
    CheckServiceAccount(given, at, walk);
  } else if (given == nullptr) {
    walk.Required(at, fmt::format("{} is required when subject kind is '{}'", own->field, kind));
  } else if (Text(*given, "name").empty()) {
    walk.Required(at["name"]);
  }
  for (const Row& row : kRows) {
    if (row.kind == kind || Member(subject, row.field) == nullptr) continue;
    walk.Forbidden(path[row.field], fmt::format("{} is forbidden when subject kind is not '{}'",
                                                row.field, row.kind));
  }
}

void CheckVerbs(const Value& rule, const Path& path, Walk& walk) {
  static const std::vector<std::string> kVerbs = {
      "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"};
  const auto verbs = List(rule, "verbs");
  const Path at = path["verbs"];
  if (verbs.empty()) {
    walk.Required(at, "verbs must contain at least one value");
  } else if (HasWildcard(verbs)) {
    if (verbs.size() > 1) {
      walk.Invalid(at, *rule.Find("verbs"), "if '*' is present, must not specify other verbs");
    }
  } else if (!std::ranges::all_of(verbs, [](const Value& verb) {
               return std::ranges::find(kVerbs, verb.AsString()) != kVerbs.end();
             })) {
    walk.NotSupportedValue(at, ValueText(*rule.Find("verbs")), kVerbs);
  }
}

// A list that is not empty and has "*" alone. Whether its elements are worth looking at.
bool CheckList(const Value& rule, std::string_view field, std::string_view required,
               std::string_view what, const Path& path, Walk& walk) {
  const auto list = List(rule, field);
  if (list.empty()) {
    if (!required.empty()) walk.Required(path[field], required);
    return false;
  }
  if (!HasWildcard(list)) return true;
  if (list.size() > 1) {
    walk.Invalid(path[field], *rule.Find(field),
                 fmt::format("if '*' is present, must not specify other {}", what));
  }
  return false;
}

void ResourceRule(const Value& rule, const Path& path, Walk& walk) {
  CheckVerbs(rule, path, walk);
  CheckList(rule, "apiGroups", "resource rules must supply at least one api group", "api groups",
            path, walk);
  CheckList(rule, "resources", "resource rules must supply at least one resource", "resources",
            path, walk);
  const std::string_view required =
      True(rule, "clusterScope")
          ? ""
          : "resource rules that are not cluster scoped must supply at least one namespace";
  if (!CheckList(rule, "namespaces", required, "namespaces", path, walk)) return;
  const Path list = path["namespaces"];
  size_t index = 0;
  for (const Value& ns : List(rule, "namespaces")) {
    const Path at = list[index++];
    for (const std::string& message : Dns1123Label(ns.AsString())) {
      walk.Invalid(at, ns.AsString(),
                   "each member of this list must be '*' or a DNS-1123 label; " + message);
    }
  }
}

std::string_view UrlError(std::string_view url) {
  if (url.empty()) return "must not be empty";
  if (url == "/") return "";
  if (!url.starts_with('/')) return "must start with slash";
  if (url.find(' ') != std::string_view::npos) return "must not contain white-space";
  if (url.find("//") != std::string_view::npos) return "must not contain double slash";
  const auto stars = std::ranges::count(url, '*');
  if (stars > 1 || (stars == 1 && !url.ends_with("/*"))) {
    return "wildcard can only do suffix matching";
  }
  return "";
}

void UrlRule(const Value& rule, const Path& path, Walk& walk) {
  CheckVerbs(rule, path, walk);
  if (!CheckList(rule, "nonResourceURLs", "nonResourceURLs must contain at least one value",
                 "non-resource URLs", path, walk)) {
    return;
  }
  const Path list = path["nonResourceURLs"];
  size_t index = 0;
  for (const Value& url : List(rule, "nonResourceURLs")) {
    const Path at = list[index++];
    const std::string_view error = UrlError(url.AsString());
    if (!error.empty()) walk.Invalid(at, url.AsString(), error);
  }
}

// --- priority levels

// Bits that dealing a hand from the deck takes. Upstream: shufflesharding.RequiredEntropyBits.
int EntropyBits(int64_t deck, int64_t hand) {
  double bits = 0;
  for (int64_t i = 0; i < hand; ++i) bits += std::log2(static_cast<double>(deck - i));
  return static_cast<int>(std::ceil(bits));
}

void Queuing(const Value& queuing, const Path& path, Walk& walk) {
  const int64_t length = Int(queuing, "queueLengthLimit").value_or(0);
  const int64_t queues = Int(queuing, "queues").value_or(0);
  const int64_t hand = Int(queuing, "handSize").value_or(0);
  if (length <= 0) walk.Invalid(path["queueLengthLimit"], length, "must be positive");
  if (queues <= 0) {
    walk.Invalid(path["queues"], queues, "must be positive");
  } else if (queues > kQueuesMax) {
    walk.Invalid(path["queues"], queues, fmt::format("must not be greater than {}", kQueuesMax));
  }
  if (hand <= 0) {
    walk.Invalid(path["handSize"], hand, "must be positive");
  } else if (hand > queues) {
    walk.Invalid(path["handSize"], hand,
                 fmt::format("should not be greater than queues ({})", queues));
  } else if (hand > kHashBitsMax || EntropyBits(queues, hand) > kHashBitsMax) {
    walk.Invalid(path["handSize"], hand,
                 fmt::format("required entropy bits of deckSize {} and handSize {} should not be "
                             "greater than {}",
                             queues, hand, kHashBitsMax));
  }
}

void LimitResponse(const Value& response, const Path& path, Walk& walk) {
  const std::string_view type = Text(response, "type");
  const Value* queuing = Member(response, "queuing");
  if (type == "Reject") {
    if (queuing != nullptr) {
      walk.Forbidden(path["queuing"], "must be nil if limited.limitResponse.type is not Limited");
    }
  } else if (type == "Queue") {
    if (queuing == nullptr) {
      walk.Required(path["queuing"], "must not be empty if limited.limitResponse.type is Limited");
    } else {
      Queuing(*queuing, path["queuing"], walk);
    }
  } else if (type.empty()) {
    walk.Required(path["type"]);
  } else {
    walk.NotSupported(path["type"], type, {"Queue", "Reject"});
  }
}

void PriorityLevel(const Value& level, const Path& path, Walk& walk) {
  static const TypeId kLimited = TypeOf("flowcontrol.v1.LimitedPriorityLevelConfiguration");
  static const TypeId kExempt = TypeOf("flowcontrol.v1.ExemptPriorityLevelConfiguration");
  const Value& spec = Part(level, "spec");
  const std::string_view type = Text(spec, "type");
  const Value* limited = Member(spec, "limited");
  const Value* exempt = Member(spec, "exempt");
  const Path at = path["spec"];
  if ((level.FindString({"metadata", "name"}) == "exempt") != (type == "Exempt")) {
    walk.Invalid(at["type"], type, "must be 'Exempt' if and only if `name` is 'exempt'");
  }
  if (type == "Exempt") {
    if (limited != nullptr) {
      walk.Forbidden(at["limited"], "must be nil if the type is not Limited");
    }
    if (exempt != nullptr) walk.Struct(*exempt, kExempt, at["exempt"]);
  } else if (type == "Limited") {
    if (exempt != nullptr) walk.Forbidden(at["exempt"], "must be nil if the type is Limited");
    if (limited == nullptr) {
      walk.Required(at["limited"], "must not be empty when type is Limited");
    } else {
      walk.Struct(*limited, kLimited, at["limited"]);
    }
  } else if (type.empty()) {
    walk.Required(at["type"]);
  } else {
    walk.NotSupported(at["type"], type, {"Exempt", "Limited"});
  }
}

constexpr NamedCheck kChecks[] = {
    {"distinguisher", Distinguisher}, {"flowRule", FlowRule},     {"flowSubject", FlowSubject},
    {"limitResponse", LimitResponse}, {"precedence", Precedence}, {"priorityLevel", PriorityLevel},
    {"resourceRule", ResourceRule},   {"urlRule", UrlRule},
};

}  // namespace

std::span<const NamedCheck> FlowChecks() { return kChecks; }

}  // namespace kulisse::openapi
