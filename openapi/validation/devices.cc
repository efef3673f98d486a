// Rules of resource.k8s.io: claims of devices, classes and slices, and of certificate requests. Of
// CEL expressions the syntax and the names are checked. Upstream:
// pkg/apis/{resource,certificates}/validation.
#include <algorithm>

#include "base/text.h"
#include "openapi/validation/expressions.h"
#include "openapi/validation/resources.h"
#include "openapi/validation/walk.h"

namespace kulisse::openapi {

namespace {

constexpr size_t kIdBytesMax = 32;
constexpr size_t kPoolNameBytesMax = 253;
constexpr std::string_view kOneNode =
    "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";

// --- names

void CheckDriver(std::string_view driver, const Path& path, Walk& walk) {
  if (driver.empty()) return walk.Required(path);
  if (driver.size() > 63) walk.TooLong(path, 63);
  walk.Messages(path, driver, Dns1123Subdomain(ToLower(driver)));
}

// "domain/name" or, where it need not be qualified, "name".
void CheckAttributeName(std::string_view name, bool qualified, const Path& path, Walk& walk) {
  if (name.empty() && !qualified) {
    return walk.Invalid(path, name, "name part must be non-empty");
  }
  const size_t slash = name.find('/');
  const bool has_domain = slash != std::string_view::npos;
  const std::string_view id = has_domain ? name.substr(slash + 1) : name;
  if (has_domain) {
    const std::string_view domain = name.substr(0, slash);
    walk.Check(path, domain, Dns1123Subdomain);
  }
  if (id.size() > kIdBytesMax) walk.TooLong(path, kIdBytesMax);
  walk.Check(path, id, CIdentifier);
  if (qualified && !has_domain) {
    walk.Invalid(path, name,
                 "a fully qualified name must be a domain and a name separated by a slash");
  }
}

void PoolName(const Value& pool, const Path& at, Walk& walk) {
  const std::string_view name = Text(pool, "name");
  const Path path = at["name"];
  if (name.empty()) return walk.Required(path);
  if (name.size() > kPoolNameBytesMax) walk.TooLong(path, kPoolNameBytesMax);
  for (const std::string_view part : Split(name, '/')) walk.Check(path, part, Dns1123Subdomain);
}

// --- claims

void CheckAllocation(const Value& request, const Path& path, Walk& walk) {
  const std::string_view mode = Text(request, "allocationMode");
  const int64_t count = Int(request, "count").value_or(0);
  if (mode == "All") {
    if (count != 0) {
      walk.Invalid(path["count"], count, "must not be specified when allocationMode is 'All'");
    }
  } else if (mode == "ExactCount") {
    if (count <= 0) walk.Invalid(path["count"], count, "must be greater than zero");
  } else {
    walk.NotSupported(path["allocationMode"], mode, {"All", "ExactCount"});
  }
}

void DeviceSelector(const Value& selector, const Path& path, Walk& walk) {
  constexpr size_t kExpressionBytesMax = 10 * 1024;
  const Value* cel = Member(selector, "cel");
  if (cel == nullptr) return walk.Required(path["cel"]);
  const std::string_view text = Text(*cel, "expression");
  const Path parent = path["cel"];
  const Path at = parent["expression"];
  if (text.size() > kExpressionBytesMax) return walk.TooLong(at, kExpressionBytesMax);
  CheckDeviceExpression(text, at, walk);
}

// What is asked of a device, exactly or as one of several ways.
void DeviceNeeds(const Value& request, const Path& path, Walk& walk) {
  const std::string_view name = Text(request, "deviceClassName");
  if (name.empty()) {
    walk.Required(path["deviceClassName"]);
  } else {
    walk.Check(path["deviceClassName"], name, Dns1123Subdomain);
  }
  const Path selectors = path["selectors"];
  size_t index = 0;
  for (const Value& selector : List(request, "selectors")) {
    DeviceSelector(selector, selectors[index++], walk);
  }
  CheckAllocation(request, path, walk);
}

void CheckRequest(const Value& request, const Path& at, Walk& walk) {
  static const TypeId kExact = TypeOf("resource.v1.ExactDeviceRequest");
  static const TypeId kSub = TypeOf("resource.v1.DeviceSubRequest");
  constexpr std::string_view kOne = "exactly one of `exactly` or `firstAvailable` is required";
  walk.Check(at["name"], Text(request, "name"), Dns1123Label);
  const auto ways = List(request, "firstAvailable");
  const Value* exactly = Member(request, "exactly");
  if (exactly == nullptr && ways.empty()) return walk.Required(at, kOne);
  if (exactly != nullptr && !ways.empty()) {
    return walk.InvalidText(at, "null", fmt::format("{}, but multiple fields are set", kOne));
  }
  if (exactly != nullptr) return walk.Struct(*exactly, kExact, at["exactly"]);
  const Path list = at["firstAvailable"];
  NameSet names;
  size_t index = 0;
  for (const Value& way : ways) {
    const Path way_at = list[index++];
    const std::string_view name = Text(way, "name");
    walk.Check(way_at["name"], name, Dns1123Label);
    walk.Struct(way, kSub, way_at);
    if (!names.Insert(name)) walk.Duplicate(way_at, name);
  }
}

bool IsRequest(const Value& devices, std::string_view name) {
  const size_t slash = name.find('/');
  const std::string_view first = name.substr(0, slash);
  for (const Value& request : List(devices, "requests")) {
    if (Text(request, "name") != first) continue;
    if (slash == std::string_view::npos) return true;
    const auto ways = List(request, "firstAvailable");
    return std::ranges::any_of(
        ways, [&](const Value& way) { return Text(way, "name") == name.substr(slash + 1); });
  }
  return false;
}

void CheckReferences(const Value& holder, const Value& devices, const Path& path, Walk& walk) {
  NameSet names;
  const Path list = path["requests"];
  size_t index = 0;
  for (const Value& reference : List(holder, "requests")) {
    const Path at = list[index++];
    const std::string_view name = reference.AsString();
    for (const std::string_view part : Split(name, '/')) walk.Check(at, part, Dns1123Label);
    if (!IsRequest(devices, name)) {
      walk.Invalid(at, name,
                   "must be the name of a request in the claim or the name of a request and a "
                   "subrequest separated by '/'");
    }
    if (!names.Insert(name)) walk.Duplicate(at, name);
  }
}

void CheckConfiguration(const Value& configuration, const Path& path, Walk& walk) {
  const Value* opaque = Member(configuration, "opaque");
  const Path at = path["opaque"];
  if (opaque == nullptr) return walk.Required(at);
  CheckDriver(Text(*opaque, "driver"), at["driver"], walk);
  const Value* parameters = Member(*opaque, "parameters");
  if (parameters == nullptr) {
    walk.Required(at["parameters"]);
  } else if (!parameters->IsObject()) {
    walk.Invalid(at["parameters"], "<value omitted>", "must be a valid JSON object");
  }
}

void DeviceConfiguration(const Value& configuration, const Path& path, Walk& walk) {
  CheckConfiguration(configuration, path, walk);
}

void CheckConstraint(const Value& constraint, const Path& path, Walk& walk) {
  if (Member(constraint, "matchAttribute") != nullptr) {
    CheckAttributeName(Text(constraint, "matchAttribute"), true, path["matchAttribute"], walk);
  } else if (Member(constraint, "distinctAttribute") != nullptr) {
    CheckAttributeName(Text(constraint, "distinctAttribute"), true, path["distinctAttribute"],
                       walk);
  } else {
    walk.Required(path,
                  "exactly one of \"matchAttribute\" or \"distinctAttribute\" is required, but "
                  "multiple fields are set");
  }
}

void DeviceClaim(const Value& devices, const Path& path, Walk& walk) {
  NameSet names;
  const Path requests = path["requests"];
  size_t index = 0;
  for (const Value& request : List(devices, "requests")) {
    const Path at = requests[index++];
    CheckRequest(request, at, walk);
    const std::string_view name = Text(request, "name");
    if (!names.Insert(name)) walk.Duplicate(at, name);
  }
  const Path constraints = path["constraints"];
  index = 0;
  for (const Value& constraint : List(devices, "constraints")) {
    const Path at = constraints[index++];
    CheckReferences(constraint, devices, at, walk);
    CheckConstraint(constraint, at, walk);
  }
  const Path configurations = path["config"];
  index = 0;
  for (const Value& configuration : List(devices, "config")) {
    const Path at = configurations[index++];
    CheckReferences(configuration, devices, at, walk);
    CheckConfiguration(configuration, at, walk);
  }
}

// Rule of new claims: their spec never changes.
void ClaimDevices(const Value& claim, const Path& path, Walk& walk) {
  const Path spec = path["spec"];
  DeviceClaim(Part(Part(claim, "spec"), "devices"), spec["devices"], walk);
}

void ClaimTemplateDevices(const Value& pod_template, const Path& path, Walk& walk) {
  const Path outer = path["spec"];
  const Path spec = outer["spec"];
  DeviceClaim(Part(Part(Part(pod_template, "spec"), "spec"), "devices"), spec["devices"], walk);
}

void ReservedFor(const Value& status, const Path& path, Walk& walk) {
  if (IsEmpty(status.Find("reservedFor")) || Member(status, "allocation") != nullptr) return;
  walk.Forbidden(path["reservedFor"], "may not be specified when `allocated` is not set");
}

void ExtendedResource(const Value& name, const Path& path, Walk& walk) {
  if (IsExtendedResource(name.AsString())) return;
  walk.Invalid(path, name.AsString(), "must be a valid extended resource name");
}

// --- slices

void SliceDriver(const Value& spec, const Path& path, Walk& walk) {
  CheckDriver(Text(spec, "driver"), path["driver"], walk);
  const Value& pool = Part(spec, "pool");
  const Path pool_at = path["pool"];
  PoolName(pool, pool_at, walk);
  const int64_t count = Int(pool, "resourceSliceCount").value_or(0);
  if (count <= 0) walk.Invalid(pool_at["resourceSliceCount"], count, "must be greater than zero");
  const int64_t generation = Int(pool, "generation").value_or(0);
  if (generation < 0) {
    walk.Invalid(pool_at["generation"], generation, "must be greater than or equal to zero");
  }
}

void SliceUpdate(const Value& slice, const Path& path, Walk& walk) {
  if (walk.old() == nullptr) return;
  const Value& spec = Part(slice, "spec");
  const Value& old = Part(*walk.old(), "spec");
  const Path at = path["spec"];
  const auto check = [&](const Value& now, const Value& before, std::string_view field,
                         const Path& field_at) {
    if (SameMember(now, before, field)) return;
    walk.Invalid(field_at, Text(now, field), "field is immutable");
  };
  check(Part(spec, "pool"), Part(old, "pool"), "name", at["pool"]["name"]);
  check(spec, old, "driver", at["driver"]);
  check(spec, old, "nodeName", at["nodeName"]);
}

void SliceNodes(const Value& spec, const Path& path, Walk& walk) {
  static const TypeId kSelector = TypeOf("core.v1.NodeSelector");
  std::string set;
  size_t count = 0;
  const auto add = [&](std::string_view field) {
    set += fmt::format("{}`{}`", count++ == 0 ? "" : ", ", field);
  };
  if (Member(spec, "nodeName") != nullptr) {
    const std::string_view name = Text(spec, "nodeName");
    if (name.empty()) {
      walk.Invalid(path["nodeName"], name, "must be either unset or set to a non-empty string");
    } else {
      add("nodeName");
      walk.Check(path["nodeName"], name, Dns1123Subdomain);
    }
  }
  if (const Value* selector = Member(spec, "nodeSelector")) {
    add("nodeSelector");
    walk.Struct(*selector, kSelector, path["nodeSelector"]);
    if (List(*selector, "nodeSelectorTerms").size() != 1) {
      walk.Invalid(path["nodeSelector"]["nodeSelectorTerms"], selector->Find("nodeSelectorTerms"),
                   "must have exactly one node selector term");
    }
  }
  for (const std::string_view field : {"allNodes", "perDeviceNodeSelection"}) {
    if (Member(spec, field) == nullptr) continue;
    if (True(spec, field)) {
      add(field);
    } else {
      walk.Invalid(path[field], Value::Bool(false), "must be either unset or set to true");
    }
  }
  if (count == 0) walk.Required(path, kOneNode);
  if (count < 2) return;
  const std::string shown = fmt::format("{{{}}}", set);
  walk.Invalid(path, std::string_view(shown),
               fmt::format("{}, but multiple fields are set", kOneNode));
}

void SliceDevices(const Value& spec, const Path& path, Walk& walk) {
  NameSet names;
  const Path list = path["devices"];
  size_t index = 0;
  for (const Value& device : List(spec, "devices")) {
    const Path at = list[index++];
    const std::string_view name = Text(device, "name");
    walk.Check(at["name"], name, Dns1123Label);
    for (const std::string_view field : {"attributes", "capacity"}) {
      for (const json::Member& member : Map(device, field)) {
        CheckAttributeName(member.name, false, at[field], walk);
      }
    }
    if (!names.Insert(name)) walk.Duplicate(at["name"], name);
  }
}

// --- certificate requests

void SignerName(const Value& spec, const Path& at, Walk& walk) {
  const std::string_view name = Text(spec, "signerName");
  const Path path = at["signerName"];
  const size_t slash = name.find('/');
  if (name.empty()) return walk.Required(path);
  if (slash == std::string_view::npos || name.find('/', slash + 1) != std::string_view::npos) {
    return walk.Invalid(path, name,
                        "must be a fully qualified domain and path of the form "
                        "'example.com/signer-name'");
  }
  if (name == "kubernetes.io/legacy-unknown") {
    return walk.Invalid(path, name, "the legacy signerName is not allowed via this API version");
  }
  const std::string_view domain = name.substr(0, slash);
  walk.Messages(path, domain, Dns1123Subdomain(domain));
  if (domain.find('.') == std::string_view::npos) {
    walk.Invalid(path, domain, "should be a domain with at least two segments separated by dots");
  }
  walk.Check(path, name.substr(slash + 1), Dns1123Subdomain);
}

// Of what signers and approvers say; the types that the server knows are either there or not.
void RequestConditions(const Value& request, const Path& path, Walk& walk) {
  const Path status = path["status"];
  const Path list = status["conditions"];
  NameSet types;
  size_t index = 0;
  for (const Value& condition : List(Part(request, "status"), "conditions")) {
    const Path at = list[index++];
    const std::string_view type = Text(condition, "type");
    const std::string_view value = Text(condition, "status");
    const bool known = type == "Approved" || type == "Denied" || type == "Failed";
    if (type.empty()) walk.Required(at["type"]);
    if (value.empty()) {
      walk.Required(at["status"]);
    } else if (known) {
      walk.Enum(at["status"], value, {"True"});
    } else {
      walk.Enum(at["status"], value, {"False", "True", "Unknown"});
    }
    if ((type == "Approved" && types.Has("Denied")) ||
        (type == "Denied" && types.Has("Approved"))) {
      walk.Invalid(list, type, "Approved and Denied conditions are mutually exclusive");
    }
    if (!types.Insert(type)) walk.Duplicate(at["type"], type);
  }
}

constexpr NamedCheck kChecks[] = {
    {"claimDevices", ClaimDevices},
    {"claimTemplateDevices", ClaimTemplateDevices},
    {"deviceConfiguration", DeviceConfiguration},
    {"deviceNeeds", DeviceNeeds},
    {"deviceSelector", DeviceSelector},
    {"extendedResource", ExtendedResource},
    {"requestConditions", RequestConditions},
    {"reservedFor", ReservedFor},
    {"signerName", SignerName},
    {"sliceDevices", SliceDevices},
    {"sliceDriver", SliceDriver},
    {"sliceNodes", SliceNodes},
    {"sliceUpdate", SliceUpdate},
};

}  // namespace

std::span<const NamedCheck> DeviceChecks() { return kChecks; }

}  // namespace kulisse::openapi
