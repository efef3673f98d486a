#include "simulator/kubelet/node_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json/write.h"
#include "base/limits.h"
#include "openapi/quantity.h"
#include "openapi/validation/formats.h"
#include "openapi/yaml.h"
#include "simulator/stage/field_reader.h"

namespace kulisse::simulator {

namespace {

using json::Value;

// Amounts may be written as numbers.
void ReadAmounts(FieldReader& group, std::string_view name, NodeGroup::Texts* amounts) {
  const Value* object = group.TakeObject(name);
  if (!object) return;
  for (const json::Member& member : object->members()) {
    const bool text = member.value.IsString();
    const std::string amount =
        text ? std::string(member.value.AsString()) : json::ToString(member.value);
    if (!openapi::Quantity::Parse(amount)) {
      return group.Fail(fmt::format("{}.{}", name, member.name), "is no quantity");
    }
    const auto known =
        std::ranges::find(*amounts, member.name, &std::pair<std::string, std::string>::first);
    if (known == amounts->end()) {
      amounts->emplace_back(member.name, amount);
    } else {
      known->second = amount;
    }
  }
}

void ReadTaints(FieldReader& group, std::string* error, std::vector<NodeTaint>* taints) {
  const Value* list = group.TakeArray("taints");
  for (size_t i = 0; list && i < list->size(); ++i) {
    FieldReader reader(&list->elements()[i], fmt::format("{}[{}]", group.PathOf("taints"), i),
                       error);
    NodeTaint taint{reader.TakeStringOr("key", ""), reader.TakeStringOr("value", ""),
                    reader.TakeStringOr("effect", "")};
    if (taint.key.empty()) reader.Fail("key", "is required");
    if (taint.effect != "NoSchedule" && taint.effect != "PreferNoSchedule" &&
        taint.effect != "NoExecute") {
      reader.Fail("effect", "must be NoSchedule, PreferNoSchedule or NoExecute");
    }
    reader.Finish();
    taints->push_back(std::move(taint));
  }
}

NodeGroup ReadGroup(const Value& object, size_t index, std::string* error) {
  FieldReader reader(&object, fmt::format("nodes[{}]", index), error);
  NodeGroup group;
  group.name = reader.TakeStringOr("name", group.name);
  if (!openapi::Dns1123Subdomain(group.name + "-0").empty()) {
    reader.Fail("name", "is no name of a node");
  }
  group.count = static_cast<size_t>(reader.TakeCount("count").value_or(1));
  if (const Value* zones = reader.TakeArray("zones")) {
    group.zones.clear();
    for (const Value& zone : zones->elements()) {
      if (!zone.IsString() || zone.size() == 0) reader.Fail("zones", "must be a list of texts");
      if (zone.IsString()) group.zones.emplace_back(zone.AsString());
    }
  }
  group.region = reader.TakeStringOr("region", "");
  group.type = reader.TakeStringOr("type", "");
  ReadAmounts(reader, "capacity", &group.capacity);
  ReadAmounts(reader, "allocatable", &group.allocatable);
  group.labels = reader.TakeStringMap("labels");
  group.annotations = reader.TakeStringMap("annotations");
  ReadTaints(reader, error, &group.taints);
  reader.Finish();
  return group;
}

}  // namespace

std::expected<std::vector<NodeGroup>, std::string> ParseNodeGroups(std::string_view file_name,
                                                                   std::string_view text) {
  const auto document = openapi::ParseYaml(text);
  if (!document) return std::unexpected(fmt::format("{}: {}", file_name, document.error()));
  std::string error;
  FieldReader top(&document->root, "", &error);
  const Value* list = top.TakeArray("nodes");
  if (!list) top.Fail("nodes", "is required");
  top.Finish();
  std::vector<NodeGroup> groups;
  std::set<std::string> names;
  size_t total = 0;
  for (size_t i = 0; list && error.empty() && i < list->size(); ++i) {
    groups.push_back(ReadGroup(list->elements()[i], i, &error));
    if (groups.back().count > kSimulatedNodesMax - std::min(total, kSimulatedNodesMax)) {
      error = fmt::format("nodes[{}].count: more than {} nodes", i, kSimulatedNodesMax);
    }
    total += groups.back().count;
    if (!names.insert(groups.back().name).second && error.empty()) {
      error =
          fmt::format("nodes[{}].name: another group has the name \"{}\"", i, groups.back().name);
    }
  }
  if (!error.empty()) return std::unexpected(fmt::format("{}: {}", file_name, error));
  return groups;
}

}  // namespace kulisse::simulator
