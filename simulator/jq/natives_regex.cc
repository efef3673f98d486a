// Regular expressions: what match, test, sub and their like are made of.
#include <fmt/format.h>

#include <algorithm>

#include "simulator/jq/natives.h"

namespace kulisse::simulator::jq {

namespace {

bool Give(Value* result, const Value& value) {
  *result = value;
  return true;
}

std::string Quoted(std::string_view text) {
  std::string quoted;
  AppendQuoted(text, &quoted);
  return quoted;
}

bool Compile(Context& context, std::string_view pattern, std::string_view flags, RegexPtr* regex) {
  if (flags.find_first_not_of("gim") != std::string_view::npos) {
    return context.Fail("unsupported regular expression flag: " + Quoted(flags));
  }
  std::string text(pattern);
  if (flags.find('i') != std::string_view::npos) text.insert(0, "(?i)");
  if (flags.find('m') != std::string_view::npos) text.insert(0, "(?s)");
  auto compiled = context.regexes().Get(text);
  if (!compiled) {
    return context.Fail(
        fmt::format("invalid regular expression {}: {}", Quoted(text), compiled.error()));
  }
  *regex = std::move(*compiled);
  return true;
}

Value GroupValue(Context& context, std::string_view text, std::string_view group,
                 const Value* name) {
  const std::span<Member> members = context.NewMembers(name ? 4 : 3);
  Value offset = Value::Int(-1);
  Value length = Value::Int(0);
  Value string;
  if (group.data()) {
    const size_t begin = static_cast<size_t>(group.data() - text.data());
    offset = Value::Int(static_cast<int64_t>(RuneCount(text.substr(0, begin))));
    length = Value::Int(static_cast<int64_t>(RuneCount(group)));
    string = Value::String(group);
  }
  members[0] = {"length", length};
  if (name) members[1] = {"name", *name};
  members[members.size() - 2] = {"offset", offset};
  members[members.size() - 1] = {"string", string};
  return Value::Object(members);
}

Value MatchValue(Context& context, std::string_view text, const re2::RE2& regex,
                 const RegexGroups& groups) {
  const auto& names = regex.CapturingGroupNames();
  const std::span<Value> captures = context.NewElements(groups.size() - 1);
  for (size_t i = 1; i < groups.size(); ++i) {
    const auto name = names.find(static_cast<int>(i));
    const Value name_value = name == names.end() ? Value() : context.String(name->second);
    captures[i - 1] = GroupValue(context, text, groups[i], &name_value);
  }
  const Value whole = GroupValue(context, text, groups[0], nullptr);
  const std::span<Member> members = context.NewMembers(4);
  members[0] = {"captures", Value::Array(captures)};
  std::ranges::copy(whole.own_members(), members.begin() + 1);
  return Value::Object(members);
}

// _match(pattern; flags; testing)
bool Match(Context& context, const Value& input, Arguments arguments, Value* result) {
  const bool is_test = arguments[2].IsTrue();
  const Value& pattern = arguments[0];
  const Value& flags = arguments[1];
  if (!input.IsString() || !pattern.IsString() || !(flags.IsNull() || flags.IsString())) {
    return context.Fail(fmt::format("{}({}; {}) cannot be applied to: {}",
                                    is_test ? "test" : "match", Preview(pattern), Preview(flags),
                                    TypeAndPreview(input)));
  }
  const std::string_view flag_text = flags.IsNull() ? std::string_view() : flags.AsString();
  RegexPtr regex;
  if (!Compile(context, pattern.AsString(), flag_text, &regex)) return false;
  const bool is_global = flag_text.find('g') != std::string_view::npos && !is_test;
  // The groups of an empty text must not look like groups that are not there.
  const std::string_view text = input.size() == 0 ? std::string_view("") : input.AsString();
  const auto matches = FindAll(*regex, text, is_global ? text.size() + 1 : 1);
  if (is_test) return Give(result, Value::Bool(!matches.empty()));
  ArrayBuilder values(context);
  for (const RegexGroups& groups : matches) {
    values.Add(MatchValue(context, text, *regex, groups));
    if (context.IsExhausted()) return context.Reserve(0);
  }
  return Give(result, values.Build());
}

bool Captures(Context& context, const Value& input, Arguments, Value* result) {
  if (!input.IsArray()) {
    return context.Fail("expected an array but got: " + TypeAndPreview(input));
  }
  std::vector<Member> named;
  for (const Value& capture : context.Elements(input)) {
    Value name;
    Value string;
    if (!capture.IsObject() || !capture.Find("name", &name) || !name.IsString()) continue;
    (void)capture.Find("string", &string);
    named.push_back({name.AsString(), string});
  }
  const std::span<Member> members = context.NewMembers(named.size());
  std::ranges::copy(named, members.begin());
  return Give(result, context.MakeObject(members));
}

constexpr Native kNatives[] = {{"_captures", 0, Captures}, {"_match", 3, Match}};

}  // namespace

std::span<const Native> RegexNatives() { return kNatives; }

}  // namespace kulisse::simulator::jq
