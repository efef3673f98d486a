// Nodes, namespaces, events and the other kinds of the core group but pods, workloads, services
// and volumes.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "openapi/table/cells.h"

namespace kulisse::openapi::table {

namespace {

void PrintComponentStatus(const Value& object, Cells& row) {
  std::string_view status = "Unknown";
  std::string_view message;
  std::string_view error;
  for (const Value& condition : ListAt(object, {"conditions"})) {
    if (TextAt(condition, {"type"}) != "Healthy") continue;
    status = TextAt(condition, {"status"}) == "True" ? "Healthy" : "Unhealthy";
    message = TextAt(condition, {"message"});
    error = TextAt(condition, {"error"});
    break;
  }
  row.Name(object);
  row.Text(status);
  row.Text(message);
  row.Text(error);
}

void PrintConfigMap(const Value& object, Cells& row) {
  size_t count = 0;
  for (const std::string_view name : {"data", "binaryData"}) {
    if (const Value* data = object.Find(name)) count += data->size();
  }
  row.Name(object);
  row.Number(static_cast<int64_t>(count));
  row.Age(object);
}

void PrintSecret(const Value& object, Cells& row) {
  const Value* data = object.Find("data");
  row.Name(object);
  row.Text(TextAt(object, {"type"}));
  row.Number(data == nullptr ? 0 : static_cast<int64_t>(data->size()));
  row.Age(object);
}

void PrintNamespace(const Value& object, Cells& row) {
  row.Name(object);
  row.Text(TextAt(object, {"status", "phase"}));
  row.Age(object);
}

void PrintNameAndAge(const Value& object, Cells& row) {
  row.Name(object);
  row.Age(object);
}

// An event of either group; they have the same content under different names.
struct EventFields {
  std::string_view object, component, host, message, first, last, count;
};
constexpr EventFields kCoreEvent = {"involvedObject", "component",     "host", "message",
                                    "firstTimestamp", "lastTimestamp", "count"};
constexpr EventFields kNewEvent = {"regarding",
                                   "component",
                                   "host",
                                   "note",
                                   "deprecatedFirstTimestamp",
                                   "deprecatedLastTimestamp",
                                   "deprecatedCount"};

void PrintEventAs(const Value& event, const EventFields& fields, std::string_view source,
                  std::string_view controller, Cells& row) {
  const Value* first_time = event.Find(fields.first);
  const std::string first = row.Since(TimeOf(first_time) ? first_time : event.Find("eventTime"));
  const Value* last_time = event.Find(fields.last);
  std::string last = TimeOf(last_time) ? row.Since(last_time) : first;
  int64_t count = NumberAt(event, {fields.count});
  if (const Value* series = event.Find("series")) {
    last = row.Since(series->Find("lastObservedTime"));
    count = NumberAt(*series, {"count"});
  } else if (count == 0) {
    count = 1;
  }
  std::string target = ToLower(TextAt(event, {fields.object, "kind"}));
  if (const auto name = TextAt(event, {fields.object, "name"}); !name.empty()) {
    target.append("/").append(name);
  }
  std::string from(TextOr(TextAt(event, {source, fields.component}), TextAt(event, {controller})));
  const auto host =
      TextOr(TextAt(event, {source, fields.host}), TextAt(event, {"reportingInstance"}));
  if (!host.empty()) from.append(", ").append(host);
  row.Text(last);
  row.Text(TextAt(event, {"type"}));
  row.Text(TextAt(event, {"reason"}));
  row.Text(target);
  row.Text(TextAt(event, {fields.object, "fieldPath"}));
  row.Text(from);
  row.Text(TrimSpace(TextAt(event, {fields.message})));
  row.Text(first);
  row.Number(count);
  row.Name(event);
}

void PrintEvent(const Value& event, Cells& row) {
  PrintEventAs(event, kCoreEvent, "source", "reportingComponent", row);
}

void PrintNewEvent(const Value& event, Cells& row) {
  PrintEventAs(event, kNewEvent, "deprecatedSource", "reportingController", row);
}

std::string NodeStatusText(const Value& node) {
  std::string status = "Unknown";
  for (const Value& condition : ListAt(node, {"status", "conditions"})) {
    if (TextAt(condition, {"type"}) != "Ready") continue;
    status = TextAt(condition, {"status"}) == "True" ? "Ready" : "NotReady";
  }
  if (BoolAt(node, {"spec", "unschedulable"})) status += ",SchedulingDisabled";
  return status;
}

std::string NodeRolesText(const Value& node) {
  constexpr std::string_view kRolePrefix = "node-role.kubernetes.io/";
  std::set<std::string> roles;
  const Value* labels = node.Find({"metadata", "labels"});
  if (labels == nullptr) return std::string(kNone);
  for (const auto& [key, value] : labels->members()) {
    if (key.starts_with(kRolePrefix) && key.size() > kRolePrefix.size()) {
      roles.emplace(key.substr(kRolePrefix.size()));
    } else if (key == "kubernetes.io/role" && value.IsString() && value.size() > 0) {
      roles.emplace(value.AsString());
    }
  }
  return std::string(TextOr(Join({roles.begin(), roles.end()}, ","), kNone));
}

std::string_view NodeAddress(const Value& node, std::string_view type) {
  for (const Value& address : ListAt(node, {"status", "addresses"})) {
    if (TextAt(address, {"type"}) == type) return TextAt(address, {"address"});
  }
  return kNone;
}

void PrintNode(const Value& node, Cells& row) {
  const auto info = [&node](std::string_view name) {
    return TextAt(node, {"status", "nodeInfo", name});
  };
  row.Name(node);
  row.Text(NodeStatusText(node));
  row.Text(NodeRolesText(node));
  row.Age(node);
  row.Text(info("kubeletVersion"));
  row.Text(NodeAddress(node, "InternalIP"));
  row.Text(NodeAddress(node, "ExternalIP"));
  row.Text(TextOr(info("osImage"), kUnknown));
  std::string kernel(TextOr(info("kernelVersion"), kUnknown));
  if (!info("architecture").empty()) kernel += fmt::format(" ({})", info("architecture"));
  row.Text(kernel);
  row.Text(TextOr(info("containerRuntimeVersion"), kUnknown));
}

void PrintResourceQuota(const Value& quota, Cells& row) {
  std::vector<std::string> requests;
  std::vector<std::string> limits;
  if (const Value* hard = quota.Find({"status", "hard"})) {
    std::vector<const json::Member*> sorted;
    for (const json::Member& member : hard->members()) sorted.push_back(&member);
    std::ranges::sort(sorted, {}, [](const json::Member* member) { return member->name; });
    for (const json::Member* member : sorted) {
      const auto used = TextOr(TextAt(quota, {"status", "used", member->name}), "0");
      auto& column = member->name.starts_with("limits.") ? limits : requests;
      column.push_back(fmt::format("{}: {}/{}", member->name, used, TextAt(*hard, {member->name})));
    }
  }
  row.Name(quota);
  row.Text(Join(requests, ", "));
  row.Text(Join(limits, ", "));
  row.Age(quota);
}

void PrintLease(const Value& lease, Cells& row) {
  row.Name(lease);
  row.Text(TextAt(lease, {"spec", "holderIdentity"}));
  row.Age(lease);
}

void PrintRuntimeClass(const Value& object, Cells& row) {
  row.Name(object);
  row.Text(TextAt(object, {"handler"}));
  row.Age(object);
}

void PrintApiService(const Value& object, Cells& row) {
  std::string service = "Local";
  const Value* target = object.Find({"spec", "service"});
  if (target != nullptr && target->IsObject()) {
    service = fmt::format("{}/{}", TextAt(*target, {"namespace"}), TextAt(*target, {"name"}));
  }
  std::string available = "Unknown";
  for (const Value& condition : ListAt(object, {"status", "conditions"})) {
    if (TextAt(condition, {"type"}) != "Available") continue;
    const auto status = TextAt(condition, {"status"});
    const auto reason = TextAt(condition, {"reason"});
    available = status == "True" || reason.empty() ? std::string(status)
                                                   : fmt::format("{} ({})", status, reason);
    break;
  }
  row.Name(object);
  row.Text(service);
  row.Text(available);
  row.Age(object);
}

constexpr Printer kPrinters[] = {
    {"", "componentstatuses", PrintComponentStatus},
    {"", "configmaps", PrintConfigMap},
    {"", "events", PrintEvent},
    {"", "namespaces", PrintNamespace},
    {"", "nodes", PrintNode},
    {"", "resourcequotas", PrintResourceQuota},
    {"", "secrets", PrintSecret},
    {"", "serviceaccounts", PrintNameAndAge},
    {"apiregistration.k8s.io", "apiservices", PrintApiService},
    {"coordination.k8s.io", "leases", PrintLease},
    {"events.k8s.io", "events", PrintNewEvent},
    {"node.k8s.io", "runtimeclasses", PrintRuntimeClass},
    {"resource.k8s.io", "deviceclasses", PrintNameAndAge},
    {"resource.k8s.io", "resourceclaimtemplates", PrintNameAndAge},
};

}  // namespace

std::span<const Printer> CorePrinters() { return kPrinters; }

}  // namespace kulisse::openapi::table
