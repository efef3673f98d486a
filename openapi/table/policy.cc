// Who may do what and how requests are treated: admission, RBAC, certificates, flow control,
// priorities.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "openapi/table/cells.h"

namespace kulisse::openapi::table {

namespace {

void PrintWebhooks(const Value& object, Cells& row) {
  row.Name(object);
  row.Number(static_cast<int64_t>(ListAt(object, {"webhooks"}).size()));
  row.Age(object);
}

void PrintAdmissionPolicy(const Value& object, std::string_view rules, Cells& row) {
  std::string kind(kUnset);
  if (const Value* given = object.Find({"spec", "paramKind"})) {
    kind = fmt::format("{}/{}", TextAt(*given, {"apiVersion"}), TextAt(*given, {"kind"}));
  }
  row.Name(object);
  row.Number(static_cast<int64_t>(ListAt(object, {"spec", rules}).size()));
  row.Text(kind);
  row.Age(object);
}

void PrintMutatingPolicy(const Value& object, Cells& row) {
  PrintAdmissionPolicy(object, "mutations", row);
}

void PrintValidatingPolicy(const Value& object, Cells& row) {
  PrintAdmissionPolicy(object, "validations", row);
}

// As Go prints the struct: what upstream shows for parameters that are chosen by labels.
std::string GoSelectorText(const Value& selector) {
  std::string labels;
  if (const Value* given = selector.Find("matchLabels")) {
    std::vector<const json::Member*> sorted;
    for (const json::Member& member : given->members()) sorted.push_back(&member);
    std::ranges::sort(sorted, {}, [](const json::Member* member) { return member->name; });
    for (const json::Member* member : sorted) {
      labels += fmt::format("{}: {},", member->name, TextAt(*given, {member->name}));
    }
  }
  std::string expressions;
  for (const Value& expression : ListAt(selector, {"matchExpressions"})) {
    expressions += fmt::format("LabelSelectorRequirement{{Key:{},Operator:{},Values:[{}],}},",
                               TextAt(expression, {"key"}), TextAt(expression, {"operator"}),
                               JoinTexts(ListAt(expression, {"values"}), " "));
  }
  return fmt::format(
      "&LabelSelector{{MatchLabels:map[string]string{{{}}},"
      "MatchExpressions:[]LabelSelectorRequirement{{{}}},}}",
      labels, expressions);
}

void PrintPolicyBinding(const Value& object, Cells& row) {
  std::string parameter(kUnset);
  if (const Value* reference = object.Find({"spec", "paramRef"})) {
    const std::string_view name = TextAt(*reference, {"name"});
    const Value* selector = reference->Find("selector");
    if (!name.empty()) {
      parameter = fmt::format("{}/{}", TextOr(TextAt(*reference, {"namespace"}), "*"), name);
    } else if (selector != nullptr) {
      parameter = GoSelectorText(*selector);
    }
  }
  row.Name(object);
  row.Text(TextAt(object, {"spec", "policyName"}));
  row.Text(parameter);
  row.Age(object);
}

void PrintRoleBinding(const Value& object, Cells& row) {
  std::vector<std::string> users;
  std::vector<std::string> groups;
  std::vector<std::string> accounts;
  for (const Value& subject : ListAt(object, {"subjects"})) {
    const std::string_view kind = TextAt(subject, {"kind"});
    const std::string_view name = TextAt(subject, {"name"});
    if (kind == "User") users.emplace_back(name);
    if (kind == "Group") groups.emplace_back(name);
    if (kind == "ServiceAccount") {
      accounts.push_back(fmt::format("{}/{}", TextAt(subject, {"namespace"}), name));
    }
  }
  row.Name(object);
  row.Text(fmt::format("{}/{}", TextAt(object, {"roleRef", "kind"}),
                       TextAt(object, {"roleRef", "name"})));
  row.Age(object);
  row.Text(Join(users, ", "));
  row.Text(Join(groups, ", "));
  row.Text(Join(accounts, ", "));
}

std::string SigningStatusText(const Value& request) {
  const auto has = [&request](std::string_view type) {
    return std::ranges::any_of(
        ListAt(request, {"status", "conditions"}),
        [type](const Value& condition) { return TextAt(condition, {"type"}) == type; });
  };
  std::string status = has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending";
  if (has("Failed")) status += ",Failed";
  if (!TextAt(request, {"status", "certificate"}).empty()) status += ",Issued";
  return status;
}

void PrintSigningRequest(const Value& object, Cells& row) {
  const Value* seconds = object.Find({"spec", "expirationSeconds"});
  row.Name(object);
  row.Age(object);
  row.Text(TextOr(TextAt(object, {"spec", "signerName"}), kNone));
  row.Text(TextAt(object, {"spec", "username"}));
  row.Text(seconds != nullptr && seconds->IsInt()
               ? HumanDuration(std::chrono::seconds(seconds->AsInt()))
               : std::string(kNone));
  row.Text(SigningStatusText(object));
}

void PrintPriorityClass(const Value& object, Cells& row) {
  row.Name(object);
  row.Number(NumberAt(object, {"value"}));
  row.Bool(BoolAt(object, {"globalDefault"}));
  row.Age(object);
  row.Text(TextAt(object, {"preemptionPolicy"}));
}

void PrintFlowSchema(const Value& object, Cells& row) {
  std::string_view dangling = "?";
  for (const Value& condition : ListAt(object, {"status", "conditions"})) {
    if (TextAt(condition, {"type"}) != "Dangling") continue;
    dangling = TextAt(condition, {"status"});
    break;
  }
  row.Name(object);
  row.Text(TextAt(object, {"spec", "priorityLevelConfiguration", "name"}));
  row.Number(NumberAt(object, {"spec", "matchingPrecedence"}));
  row.Text(object.Find({"spec", "distinguisherMethod"}) == nullptr
               ? kNone
               : TextAt(object, {"spec", "distinguisherMethod", "type"}));
  row.Age(object);
  row.Text(dangling);
}

void PrintPriorityLevel(const Value& object, Cells& row) {
  const Value* limited = object.Find({"spec", "limited"});
  const Value* queuing = limited == nullptr ? nullptr : limited->Find({"limitResponse", "queuing"});
  const auto cell = [&row](const Value* holder, std::string_view name) {
    if (holder == nullptr) {
      row.Text(kNone);
    } else {
      row.Number(NumberAt(*holder, {name}));
    }
  };
  row.Name(object);
  row.Text(TextAt(object, {"spec", "type"}));
  cell(limited, "nominalConcurrencyShares");
  cell(queuing, "queues");
  cell(queuing, "handSize");
  cell(queuing, "queueLengthLimit");
  row.Age(object);
}

constexpr std::string_view kAdmission = "admissionregistration.k8s.io";
constexpr Printer kPrinters[] = {
    {kAdmission, "mutatingadmissionpolicies", PrintMutatingPolicy},
    {kAdmission, "mutatingadmissionpolicybindings", PrintPolicyBinding},
    {kAdmission, "mutatingwebhookconfigurations", PrintWebhooks},
    {kAdmission, "validatingadmissionpolicies", PrintValidatingPolicy},
    {kAdmission, "validatingadmissionpolicybindings", PrintPolicyBinding},
    {kAdmission, "validatingwebhookconfigurations", PrintWebhooks},
    {"certificates.k8s.io", "certificatesigningrequests", PrintSigningRequest},
    {"flowcontrol.apiserver.k8s.io", "flowschemas", PrintFlowSchema},
    {"flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations", PrintPriorityLevel},
    {"rbac.authorization.k8s.io", "clusterrolebindings", PrintRoleBinding},
    {"rbac.authorization.k8s.io", "rolebindings", PrintRoleBinding},
    {"scheduling.k8s.io", "priorityclasses", PrintPriorityClass},
};

}  // namespace

std::span<const Printer> PolicyPrinters() { return kPrinters; }

}  // namespace kulisse::openapi::table
