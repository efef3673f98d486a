#include "openapi/table/cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "base/json/write.h"
#include "base/text.h"
#include "openapi/selector.h"

namespace kulisse::openapi::table {

void Cells::Separate() {
  if (!first_) *out_ += ',';
  first_ = false;
}

void Cells::Text(std::string_view text) {
  Separate();
  json::AppendString(text, out_);
}

void Cells::Number(int64_t number) {
  Separate();
  json::AppendInt(number, out_);
}

void Cells::Bool(bool value) {
  Separate();
  *out_ += value ? "true" : "false";
}

void Cells::Name(const Value& object) { Text(TextAt(object, {"metadata", "name"})); }

void Cells::Age(const Value& object) {
  Text(Since(object.Find({"metadata", "creationTimestamp"})));
}

std::string Cells::Since(const Value* time) const {
  const auto at = TimeOf(time);
  if (!at) return std::string(kUnknown);
  int64_t age = 0;  // nanoseconds; 292 years at most, as in Go
  if (__builtin_sub_overflow(now_.time_since_epoch().count(), at->time_since_epoch().count(),
                             &age)) {
    age = std::numeric_limits<int64_t>::max();
  }
  return HumanDuration(Duration(age));
}

int64_t NumberAt(const Value& object, Path path) {
  const Value* value = object.Find(path);
  return value != nullptr && value->IsInt() ? value->AsInt() : 0;
}

bool BoolAt(const Value& object, Path path, bool fallback) {
  const Value* value = object.Find(path);
  return value != nullptr && value->IsBool() ? value->AsBool() : fallback;
}

std::span<const Value> ListAt(const Value& object, Path path) {
  const Value* value = object.Find(path);
  return value == nullptr ? std::span<const Value>() : value->elements();
}

std::string_view TextOr(std::string_view text, std::string_view fallback) {
  return text.empty() ? fallback : text;
}

std::optional<SystemTime> TimeOf(const Value* value) {
  if (value == nullptr || !value->IsString()) return std::nullopt;
  return ParseTime(value->AsString());
}

std::string SelectorText(const Value* selector) {
  if (selector == nullptr) return std::string(kNone);
  const auto parsed = LabelSelector::FromObject(*selector);
  if (!parsed) return "<error>";
  return std::string(TextOr(parsed->ToString(), kNone));
}

std::string LabelsText(const Value* labels) {
  if (labels == nullptr || labels->size() == 0) return std::string(kNone);
  std::vector<std::string> parts;
  for (const auto& [key, value] : labels->members()) {
    parts.push_back(fmt::format("{}={}", key, value.IsString() ? value.AsString() : ""));
  }
  std::ranges::sort(parts);
  return Join(parts, ",");
}

std::string FirstThree(const std::vector<std::string>& parts) {
  constexpr size_t kShownMax = 3;
  if (parts.empty()) return std::string(kUnset);
  if (parts.size() <= kShownMax) return std::string(TextOr(Join(parts, ","), kUnset));
  const std::vector<std::string> shown(parts.begin(), parts.begin() + kShownMax);
  return fmt::format("{} + {} more...", Join(shown, ","), parts.size() - kShownMax);
}

std::string JoinTexts(std::span<const Value> texts, std::string_view separator) {
  std::vector<std::string> parts;
  for (const Value& text : texts) {
    if (text.IsString()) parts.emplace_back(text.AsString());
  }
  return Join(parts, separator);
}

void AppendContainers(const Value* pod_spec, Cells& row) {
  std::vector<std::string> names;
  std::vector<std::string> images;
  if (pod_spec != nullptr) {
    for (const Value& container : ListAt(*pod_spec, {"containers"})) {
      names.emplace_back(TextAt(container, {"name"}));
      images.emplace_back(TextAt(container, {"image"}));
    }
  }
  row.Text(Join(names, ","));
  row.Text(Join(images, ","));
}

std::string LoadBalancerText(const Value& object) {
  std::set<std::string> addresses;
  for (const Value& ingress : ListAt(object, {"status", "loadBalancer", "ingress"})) {
    const auto address = TextOr(TextAt(ingress, {"ip"}), TextAt(ingress, {"hostname"}));
    if (!address.empty()) addresses.emplace(address);
  }
  return Join({addresses.begin(), addresses.end()}, ",");
}

}  // namespace kulisse::openapi::table
