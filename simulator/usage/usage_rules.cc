#include "simulator/usage/usage_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "openapi/quantity.h"
#include "simulator/stage/field_reader.h"

namespace kulisse::simulator {

namespace {

using json::Value;

constexpr std::string_view kRootPath = "/metrics";

// Calls `parse(spec, error)` for the spec of an object, and prefixes its error.
template <class Parse>
std::expected<void, std::string> ParseObject(const Value& object, const Parse& parse) {
  std::string error;
  FieldReader top(&object, "", &error);
  top.Skip({"apiVersion", "kind", "metadata", "status"});
  const Value* spec = top.TakeObject("spec");
  if (!spec) top.Fail("spec", "is required");
  top.Finish();
  if (error.empty()) parse(spec, &error);
  if (error.empty()) return {};
  return std::unexpected(fmt::format("{} \"{}\": {}", object.FindString({"kind"}),
                                     object.FindString({"metadata", "name"}), error));
}

// The expression in the field; without one, or with a bad one, an error is noted.
std::optional<UsageExpression> TakeExpression(FieldReader& reader, std::string_view field,
                                              const CelEnvironment& cel) {
  const auto text = reader.TakeString(field);
  if (!text) {
    reader.Fail(field, "is required");
    return std::nullopt;
  }
  auto expression = cel.CompileUsage(*text);
  if (expression) return std::move(*expression);
  reader.Fail(field, expression.error());
  return std::nullopt;
}

std::optional<double> NumberOf(const Value& value) {
  return value.IsNumber() ? std::optional(value.AsDouble()) : std::nullopt;
}

// --- usage

void ParseUsageValue(const Value* object, std::string path, const CelEnvironment& cel,
                     UsageValue* out, std::string* error) {
  FieldReader reader(object, std::move(path), error);
  const Value* value = reader.Take("value");
  const bool has_expression = !reader.Peek("expression").empty();
  if (!value && !has_expression) return reader.Fail("", "needs a value or an expression");
  if (value) {
    const auto quantity = openapi::Quantity::Parse(value->IsString() ? value->AsString() : "");
    const auto number = quantity ? quantity->AsDouble() : NumberOf(*value);
    if (!number) return reader.Fail("value", "must be a quantity");
    out->value = *number;
    reader.Skip({"expression"});  // the value counts
  } else {
    out->expression = TakeExpression(reader, "expression", cel);
  }
  reader.Finish();
}

void ParseUsageEntry(const Value* object, std::string path, const CelEnvironment& cel,
                     UsageEntry* out, std::string* error) {
  FieldReader reader(object, std::move(path), error);
  out->containers = reader.TakeStrings("containers");
  if (const Value* usage = reader.TakeObject("usage")) {
    const std::string at = reader.PathOf("usage");
    for (const json::Member& member : usage->members()) {
      const std::string name(member.name);
      ParseUsageValue(&member.value, fmt::format("{}.{}", at, name), cel, &out->resources[name],
                      error);
    }
  }
  reader.Finish();
}

// --- metrics

bool IsMetricName(std::string_view name, bool colons) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (colons && c == ':');
  });
}

// The index of the field's text among `names`; an error is noted for others.
size_t TakeChoice(FieldReader& reader, std::string_view field, std::string_view otherwise,
                  const std::vector<std::string_view>& names) {
  const std::string text = reader.TakeStringOr(field, otherwise);
  const auto found = std::ranges::find(names, text);
  if (found != names.end()) return static_cast<size_t>(found - names.begin());
  reader.Fail(field, fmt::format("must be one of {}", fmt::join(names, ", ")));
  return 0;
}

// Calls `parse(reader)` for each object of the list in the field.
template <class Parse>
void ForEach(FieldReader& parent, std::string_view field, std::string* error, const Parse& parse) {
  const Value* list = parent.TakeArray(field);
  if (!list) return;
  for (size_t i = 0; i < list->size(); ++i) {
    FieldReader reader(&list->elements()[i], fmt::format("{}[{}]", parent.PathOf(field), i), error);
    parse(reader);
    reader.Finish();
  }
}

void ParseLabels(FieldReader& parent, const CelEnvironment& cel, MetricFamily* out,
                 std::string* error) {
  ForEach(parent, "labels", error, [&](FieldReader& reader) {
    std::string name = reader.TakeStringOr("name", "");
    if (!IsMetricName(name, false)) reader.Fail("name", "must be the name of a label");
    auto value = TakeExpression(reader, "value", cel);
    if (value) out->labels.push_back({std::move(name), std::move(*value)});
  });
  std::ranges::sort(out->labels, {}, &MetricLabel::name);
  if (std::ranges::adjacent_find(out->labels, {}, &MetricLabel::name) != out->labels.end()) {
    parent.Fail("labels", "must have different names");
  }
}

void ParseBuckets(FieldReader& parent, const CelEnvironment& cel, MetricFamily* out,
                  std::string* error) {
  ForEach(parent, "buckets", error, [&](FieldReader& reader) {
    const Value* le = reader.Take("le");
    const auto bound = le ? NumberOf(*le) : std::nullopt;
    if (!bound) reader.Fail("le", "must be a number");
    auto count = TakeExpression(reader, "value", cel);
    const bool hidden = reader.TakeBool("hidden");
    if (bound && count) out->buckets.push_back({*bound, std::move(*count), hidden});
  });
  std::ranges::stable_sort(out->buckets, {}, &MetricBucket::le);
}

void ParseFamily(FieldReader& reader, const CelEnvironment& cel, MetricFamily* out,
                 std::string* error) {
  out->name = reader.TakeStringOr("name", "");
  if (!IsMetricName(out->name, true)) reader.Fail("name", "must be the name of a metric");
  out->help = reader.TakeStringOr("help", "");
  out->kind =
      static_cast<MetricKind>(TakeChoice(reader, "kind", "", {"gauge", "counter", "histogram"}));
  out->dimension = static_cast<MetricDimension>(
      TakeChoice(reader, "dimension", "node", {"node", "pod", "container"}));
  ParseLabels(reader, cel, out, error);
  if (out->kind == MetricKind::kHistogram) {
    ParseBuckets(reader, cel, out, error);
    reader.Skip({"value"});
  } else {
    out->value = TakeExpression(reader, "value", cel);
    reader.Skip({"buckets"});
  }
}

// Families of one name stand under one head.
void CheckFamilies(FieldReader& reader, const std::vector<MetricFamily>& families) {
  std::map<std::string_view, const MetricFamily*> seen;
  for (const MetricFamily& family : families) {
    const auto [it, added] = seen.try_emplace(family.name, &family);
    const MetricFamily& first = *it->second;
    if (added || (first.kind == family.kind && first.help == family.help &&
                  std::ranges::equal(first.labels, family.labels, {}, &MetricLabel::name,
                                     &MetricLabel::name))) {
      continue;
    }
    reader.Fail("metrics", fmt::format("all metrics that are called {} must have the same kind, "
                                       "help and names of labels",
                                       family.name));
  }
}

}  // namespace

bool UsageRule::Selects(std::string_view ns, std::string_view name) const {
  const auto has = [](const std::vector<std::string>& list, std::string_view text) {
    return list.empty() || std::ranges::find(list, text) != list.end();
  };
  return has(namespaces, ns) && has(names, name);
}

const UsageEntry* UsageRule::Find(std::string_view container) const {
  const UsageEntry* otherwise = nullptr;
  for (const UsageEntry& entry : entries) {
    if (std::ranges::find(entry.containers, container) != entry.containers.end()) return &entry;
    if (entry.containers.empty() && !otherwise) otherwise = &entry;
  }
  return otherwise;
}

std::expected<std::shared_ptr<const UsageRule>, std::string> UsageRule::Parse(
    const Value& object, const CelEnvironment& cel) {
  auto rule = std::make_shared<UsageRule>();
  const auto parsed = ParseObject(object, [&](const Value* spec, std::string* error) {
    FieldReader reader(spec, "spec", error);
    if (object.FindString({"kind"}) == "ClusterResourceUsage") {
      FieldReader selector(reader.TakeObject("selector"), "spec.selector", error);
      rule->namespaces = selector.TakeStrings("matchNamespaces");
      rule->names = selector.TakeStrings("matchNames");
      selector.Finish();
    }
    const Value* usages = reader.TakeArray("usages");
    for (size_t i = 0; usages && i < usages->size(); ++i) {
      ParseUsageEntry(&usages->elements()[i], fmt::format("spec.usages[{}]", i), cel,
                      &rule->entries.emplace_back(), error);
    }
    reader.Finish();
  });
  if (!parsed) return std::unexpected(parsed.error());
  return rule;
}

std::string MetricPage::PathOf(std::string_view node) const {
  std::string text = path;
  if (const size_t at = text.find(kNodeName); at != text.npos) {
    text.replace(at, kNodeName.size(), node);
  }
  return text;
}

std::optional<std::string> MetricPage::NodeOf(std::string_view asked) const {
  const size_t at = path.find(kNodeName);
  if (at == path.npos) return asked == path ? std::optional(name) : std::nullopt;
  const std::string_view before = std::string_view(path).substr(0, at);
  const std::string_view behind = std::string_view(path).substr(at + kNodeName.size());
  if (asked.size() <= before.size() + behind.size() || !asked.starts_with(before) ||
      !asked.ends_with(behind)) {
    return std::nullopt;
  }
  asked.remove_prefix(before.size());
  asked.remove_suffix(behind.size());
  if (asked.contains('/')) return std::nullopt;
  return std::string(asked);
}

std::expected<std::shared_ptr<const MetricPage>, std::string> MetricPage::Parse(
    const Value& object, const CelEnvironment& cel) {
  auto page = std::make_shared<MetricPage>();
  page->name = object.FindString({"metadata", "name"});
  const auto parsed = ParseObject(object, [&](const Value* spec, std::string* error) {
    FieldReader reader(spec, "spec", error);
    page->path = reader.TakeStringOr("path", "");
    const std::string_view path = page->path;
    if (!path.starts_with(kRootPath)) reader.Fail("path", "must begin with /metrics");
    if (path == kRootPath || path == "/metrics/") {
      reader.Fail("path", "must be longer: /metrics has the metrics of the API server");
    }
    ForEach(reader, "metrics", error, [&](FieldReader& family) {
      ParseFamily(family, cel, &page->families.emplace_back(), error);
    });
    CheckFamilies(reader, page->families);
    reader.Finish();
  });
  if (!parsed) return std::unexpected(parsed.error());
  return page;
}

}  // namespace kulisse::simulator
