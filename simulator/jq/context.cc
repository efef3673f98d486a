#include "simulator/jq/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "simulator/limits.h"

namespace kulisse::simulator::jq {

bool Context::Fail(std::string_view message) {
  error_ = String(message);
  is_raised_ = false;
  return false;
}

bool Context::FailType(std::string_view name, const Value& value) {
  return Fail(fmt::format("{} cannot be applied to: {}", name, TypeAndPreview(value)));
}

bool Context::FailType(std::string_view name, const Value& value, const Value& argument) {
  return Fail(fmt::format("{}({}) cannot be applied to: {}", name, Preview(argument),
                          TypeAndPreview(value)));
}

bool Context::FailWith(std::string_view name, const Value& value, std::string_view why) {
  return Fail(fmt::format("{} cannot be applied to {}: {}", name, Preview(value), why));
}

bool Context::FailWith(std::string_view name, const Value& value, const Value& argument,
                       std::string_view why) {
  return Fail(fmt::format("{}({}) cannot be applied to {}: {}", name, Preview(argument),
                          Preview(value), why));
}

bool Context::Raise(const Value& value) {
  error_ = value;
  is_raised_ = true;
  return false;
}

bool Context::FailLimit(std::string_view message) {
  is_limit_ = true;
  return Fail(message);
}

std::string Context::ErrorText() const {
  std::string text = error_.IsString() ? std::string(error_.AsString()) : ToText(error_);
  return is_raised_ ? "error: " + text : text;
}

bool Context::Reserve(size_t bytes) {
  if (bytes <= kExpressionMemoryBytesMax && used_ + bytes <= kExpressionMemoryBytesMax) return true;
  return FailLimit("the expression takes too much memory");
}

bool Context::ReservePairs(size_t a, size_t b) {
  pairs_ += static_cast<double>(a) * static_cast<double>(b);
  if (pairs_ <= static_cast<double>(kExpressionPairsMax)) return true;
  return FailLimit("the expression takes too many steps");
}

bool Context::IsExhausted() const { return used_ > kExpressionMemoryBytesMax; }

Value Context::String(std::string_view text) {
  used_ += text.size();
  return Value::String(arena_.Copy(text));
}

std::span<Value> Context::NewElements(size_t count) {
  auto* first = static_cast<Value*>(Allocate(count * sizeof(Value)));
  std::uninitialized_default_construct_n(first, count);
  return {first, count};
}

std::span<Member> Context::NewMembers(size_t count) {
  auto* first = static_cast<Member*>(Allocate(count * sizeof(Member)));
  std::uninitialized_default_construct_n(first, count);
  return {first, count};
}

std::span<const Value> Context::Elements(const Value& array) {
  if (!array.parsed()) return array.own_elements();
  const std::span<Value> elements = NewElements(array.size());
  std::ranges::transform(array.parsed()->elements(), elements.begin(), &Value::Of);
  return elements;
}

std::span<const Member> Context::Members(const Value& object) {
  if (!object.parsed()) return object.own_members();
  const std::span<Member> members = NewMembers(object.size());
  std::ranges::transform(
      object.parsed()->members(), members.begin(),
      [](const json::Member& member) { return Member{member.name, Value::Of(member.value)}; });
  std::ranges::sort(members, {}, &Member::name);
  return members;
}

std::optional<std::span<const Value>> Context::Values(const Value& value) {
  if (value.IsArray()) return Elements(value);
  if (!value.IsObject()) return std::nullopt;
  const std::span<Value> values = NewElements(value.size());
  std::ranges::transform(Members(value), values.begin(), &Member::value);
  return values;
}

Value Context::MakeObject(std::span<Member> members) {
  std::ranges::stable_sort(members, {}, &Member::name);
  size_t kept = 0;
  for (size_t i = 0; i < members.size(); ++i) {
    if (i + 1 < members.size() && members[i + 1].name == members[i].name) continue;
    members[kept++] = members[i];
  }
  return Value::Object(members.first(kept));
}

void ArrayBuilder::Grow() {
  const std::span<Value> bigger = context_.NewElements(std::max<size_t>(4, room_.size() * 2));
  std::ranges::copy(room_, bigger.begin());
  room_ = bigger;
}

}  // namespace kulisse::simulator::jq
