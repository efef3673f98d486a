// Lists, dicts, defaults and what asks for types. Where Go's order of a map is by chance, ours is
// that of the names.
#include <algorithm>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "simulator/jq/value.h"
#include "simulator/sprig/sprig.h"

namespace kulisse::simulator {

namespace {

using json::Value;

bool Give(TemplateCall& call, Value value, Operand* result) {
  *result = call.Keep(std::move(value));
  return true;
}

// A part of an operand: computed if that is.
Operand PartOf(const Operand& whole, const Value* part) { return {part, whole.computed}; }

bool CheckList(TemplateCall& call, std::string_view verb, const Operand& operand) {
  if (operand.IsArray()) return true;
  return call.Fail("cannot " + std::string(verb) + " on type " + std::string(operand.TypeName()));
}

bool IsSameValue(const Operand& a, const Operand& b) {
  if (a.IsNil() || b.IsNil()) return a.IsNil() && b.IsNil();
  return *a.value == *b.value;
}

std::vector<const json::Member*> MembersByName(const Value& object) {
  std::vector<const json::Member*> members;
  for (const json::Member& member : object.members()) members.push_back(&member);
  std::ranges::sort(members, {}, &json::Member::name);
  return members;
}

// --- defaults

bool Default(TemplateCall&, Arguments arguments, Operand* result) {
  *result = arguments.size() > 1 && !IsEmpty(arguments[1]) ? arguments[1] : arguments[0];
  return true;
}

bool Coalesce(TemplateCall&, Arguments arguments, Operand* result) {
  const auto found = std::ranges::find_if_not(arguments, IsEmpty);
  *result = found == arguments.end() ? Operand{} : *found;
  return true;
}

bool Compact(TemplateCall& call, Arguments arguments, Operand* result) {
  if (!CheckList(call, "compact", arguments[0])) return false;
  Value list = Value::Array();
  for (const Value& element : arguments[0].value->elements()) {
    const Operand operand = PartOf(arguments[0], &element);
    if (!IsEmpty(operand)) list.PushBack(CopyOf(call, operand), call.arena());
  }
  return Give(call, std::move(list), result);
}

// --- lists

bool List(TemplateCall& call, Arguments arguments, Operand* result) {
  Value list = Value::Array();
  for (const Operand& argument : arguments) list.PushBack(CopyOf(call, argument), call.arena());
  return Give(call, std::move(list), result);
}

std::vector<std::string> TextsOf(const Operand& operand) {
  std::vector<std::string> texts;
  if (operand.IsArray()) {
    for (const Value& element : operand.value->elements()) {
      if (!element.IsNull()) texts.push_back(StringValue(PartOf(operand, &element)));
    }
  } else if (!operand.IsNil()) {
    texts.push_back(StringValue(operand));
  }
  return texts;
}

bool Join(TemplateCall& call, Arguments arguments, Operand* result) {
  std::string text;
  const std::vector<std::string> texts = TextsOf(arguments[1]);
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) text += TextOf(arguments[0]);
    text += texts[i];
  }
  return GiveText(call, text, result);
}

bool SortAlpha(TemplateCall& call, Arguments arguments, Operand* result) {
  std::vector<std::string> texts = TextsOf(arguments[0]);
  if (arguments[0].IsArray()) std::ranges::sort(texts);
  return GiveTexts(call, texts, result);
}

bool Push(TemplateCall& call, Arguments arguments, Operand* result) {
  if (!CheckList(call, "push", arguments[0])) return false;
  Value list = CopyOf(call, arguments[0]);
  list.PushBack(CopyOf(call, arguments[1]), call.arena());
  return Give(call, std::move(list), result);
}

bool Prepend(TemplateCall& call, Arguments arguments, Operand* result) {
  if (!CheckList(call, "prepend", arguments[0])) return false;
  Value list = CopyOf(call, arguments[0]);
  list.InsertElement(0, CopyOf(call, arguments[1]), call.arena());
  return Give(call, std::move(list), result);
}

bool Chunk(TemplateCall& call, Arguments arguments, Operand* result) {
  if (!CheckList(call, "chunk", arguments[1])) return false;
  const int64_t size = IntOf(arguments[0]);
  if (size < 1) return call.Fail("the size of chunks must be positive");
  Value chunks = Value::Array();
  int64_t room = 0;
  for (const Value& element : arguments[1].value->elements()) {
    if (room == 0) {
      chunks.PushBack(Value::Array(), call.arena());
      room = size;
    }
    chunks.elements().back().PushBack(element.CloneSharingStrings(call.arena()), call.arena());
    --room;
  }
  return Give(call, std::move(chunks), result);
}

template <bool kIsLast>
bool End(TemplateCall& call, Arguments arguments, Operand* result) {
  if (!CheckList(call, kIsLast ? "find last" : "find first", arguments[0])) return false;
  const auto elements = arguments[0].value->elements();
  *result = {};
  if (!elements.empty()) *result = PartOf(arguments[0], kIsLast ? &elements.back() : &elements[0]);
  return true;
}

bool GivePart(TemplateCall& call, const Operand& list, size_t begin, size_t end, Operand* result) {
  Value part = Value::Array();
  for (size_t i = begin; i < end; ++i) {
    part.PushBack(list.value->elements()[i].CloneSharingStrings(call.arena()), call.arena());
  }
  return Give(call, std::move(part), result);
}

bool Rest(TemplateCall& call, Arguments arguments, Operand* result) {
  if (!CheckList(call, "find rest", arguments[0])) return false;
  const size_t size = arguments[0].value->size();
  return GivePart(call, arguments[0], std::min<size_t>(1, size), size, result);
}

bool Initial(TemplateCall& call, Arguments arguments, Operand* result) {
  if (!CheckList(call, "find initial", arguments[0])) return false;
  const size_t size = arguments[0].value->size();
  return GivePart(call, arguments[0], 0, size - std::min<size_t>(1, size), result);
}

bool Slice(TemplateCall& call, Arguments arguments, Operand* result) {
  if (!CheckList(call, "slice", arguments[0])) return false;
  const auto size = static_cast<int64_t>(arguments[0].value->size());
  const int64_t begin = arguments.size() > 1 ? ToInt64(arguments[1]) : 0;
  const int64_t end = arguments.size() > 2 ? ToInt64(arguments[2]) : size;
  if (begin < 0 || begin > end || end > size) return call.Fail("slice bounds out of range");
  return GivePart(call, arguments[0], static_cast<size_t>(begin), static_cast<size_t>(end), result);
}

bool Reverse(TemplateCall& call, Arguments arguments, Operand* result) {
  if (!CheckList(call, "find reverse", arguments[0])) return false;
  Value list = Value::Array();
  const auto elements = arguments[0].value->elements();
  for (size_t i = elements.size(); i-- > 0;) {
    list.PushBack(elements[i].CloneSharingStrings(call.arena()), call.arena());
  }
  return Give(call, std::move(list), result);
}

// The elements of the list that `keeps` says yes to, given those kept so far.
template <class Keeps>
bool Filter(TemplateCall& call, std::string_view verb, const Operand& list, Keeps keeps,
            Operand* result) {
  if (!CheckList(call, verb, list)) return false;
  Value kept = Value::Array();
  for (const Value& element : list.value->elements()) {
    if (keeps(element, kept))
      kept.PushBack(element.CloneSharingStrings(call.arena()), call.arena());
  }
  return Give(call, std::move(kept), result);
}

bool Unique(TemplateCall& call, Arguments arguments, Operand* result) {
  const auto is_new = [](const Value& element, const Value& kept) {
    return std::ranges::find(kept.elements(), element) == kept.elements().end();
  };
  return Filter(call, "find uniq", arguments[0], is_new, result);
}

bool Without(TemplateCall& call, Arguments arguments, Operand* result) {
  const auto stays = [&](const Value& element, const Value&) {
    return std::ranges::none_of(arguments.subspan(1), [&](const Operand& omitted) {
      return IsSameValue({&element}, omitted);
    });
  };
  return Filter(call, "find without", arguments[0], stays, result);
}

bool Has(TemplateCall& call, Arguments arguments, Operand* result) {
  if (arguments[1].IsNil()) return GiveBool(call, false, result);
  if (!CheckList(call, "find has", arguments[1])) return false;
  const bool has = std::ranges::any_of(arguments[1].value->elements(), [&](const Value& element) {
    return IsSameValue({&element}, arguments[0]);
  });
  return GiveBool(call, has, result);
}

bool Concat(TemplateCall& call, Arguments arguments, Operand* result) {
  Value all = Value::Array();
  for (const Operand& list : arguments) {
    if (!CheckList(call, "concat", list)) return false;
    for (const Value& element : list.value->elements()) {
      all.PushBack(element.CloneSharingStrings(call.arena()), call.arena());
    }
  }
  return Give(call, std::move(all), result);
}

// --- dicts

bool Dict(TemplateCall& call, Arguments arguments, Operand* result) {
  Value dict = Value::Object();
  for (size_t i = 0; i < arguments.size(); i += 2) {
    Value value = i + 1 < arguments.size() ? CopyOf(call, arguments[i + 1]) : Value::StringRef("");
    dict.Set(StringValue(arguments[i]), std::move(value), call.arena());
  }
  return Give(call, std::move(dict), result);
}

bool Get(TemplateCall& call, Arguments arguments, Operand* result) {
  const Value* found = arguments[0].value->Find(TextOf(arguments[1]));
  if (!found) return GiveText(call, "", result);
  *result = PartOf(arguments[0], found);
  return true;
}

// `set` and its like change the dict itself, as in Go, when a template made it; an object of the
// data stays as it is, and a changed copy is returned.
Operand Changeable(TemplateCall& call, const Operand& dict) {
  return dict.computed ? dict : call.Keep(CopyOf(call, dict));
}

bool Set(TemplateCall& call, Arguments arguments, Operand* result) {
  *result = Changeable(call, arguments[0]);
  // A copy also when a dict is put into itself: there are no cycles.
  const_cast<Value*>(result->value)
      ->Set(TextOf(arguments[1]), CopyOf(call, arguments[2]), call.arena());
  return true;
}

bool Unset(TemplateCall& call, Arguments arguments, Operand* result) {
  *result = Changeable(call, arguments[0]);
  const_cast<Value*>(result->value)->Remove(TextOf(arguments[1]));
  return true;
}

bool Pluck(TemplateCall& call, Arguments arguments, Operand* result) {
  Value list = Value::Array();
  for (const Operand& dict : arguments.subspan(1)) {
    const Value* found = dict.value->Find(TextOf(arguments[0]));
    if (found) list.PushBack(found->CloneSharingStrings(call.arena()), call.arena());
  }
  return Give(call, std::move(list), result);
}

bool Keys(TemplateCall& call, Arguments arguments, Operand* result) {
  Value list = Value::Array();
  for (const Operand& dict : arguments) {
    for (const json::Member* member : MembersByName(*dict.value)) {
      list.PushBack(Value::StringRef(member->name), call.arena());
    }
  }
  return Give(call, std::move(list), result);
}

bool Values(TemplateCall& call, Arguments arguments, Operand* result) {
  Value list = Value::Array();
  for (const json::Member* member : MembersByName(*arguments[0].value)) {
    list.PushBack(member->value.CloneSharingStrings(call.arena()), call.arena());
  }
  return Give(call, std::move(list), result);
}

template <bool kKeeps>
bool Select(TemplateCall& call, Arguments arguments, Operand* result) {
  Value dict = Value::Object();
  for (const json::Member& member : arguments[0].value->members()) {
    const bool named = std::ranges::any_of(
        arguments.subspan(1), [&](const Operand& key) { return TextOf(key) == member.name; });
    if (named != kKeeps) continue;
    dict.Set(member.name, member.value.CloneSharingStrings(call.arena()), call.arena());
  }
  return Give(call, std::move(dict), result);
}

// As mergo: objects are merged; a value that is empty gives way.
void MergeInto(TemplateCall& call, const Value& source, bool overwrites, Value* target) {
  for (const json::Member& member : source.members()) {
    Value* before = target->Find(member.name);
    if (before && before->IsObject() && member.value.IsObject()) {
      MergeInto(call, member.value, overwrites, before);
      continue;
    }
    const bool keeps =
        before && (overwrites ? IsEmpty({&member.value, true}) : !IsEmpty({before, true}));
    if (!keeps) {
      target->Set(member.name, member.value.CloneSharingStrings(call.arena()), call.arena());
    }
  }
}

template <bool kOverwrites>
bool Merge(TemplateCall& call, Arguments arguments, Operand* result) {
  *result = Changeable(call, arguments[0]);
  for (const Operand& source : arguments.subspan(1)) {
    const Value copy = CopyOf(call, source);
    MergeInto(call, copy, kOverwrites, const_cast<Value*>(result->value));
  }
  return true;
}

bool Dig(TemplateCall& call, Arguments arguments, Operand* result) {
  if (arguments.size() < 3) return call.Fail("dig needs at least three arguments");
  Operand at = arguments.back();
  for (const Operand& key : arguments.first(arguments.size() - 2)) {
    if (!at.IsObject() || !key.IsString()) return call.Fail("dig goes through dicts by strings");
    const Value* found = at.value->Find(TextOf(key));
    if (!found) {
      *result = arguments[arguments.size() - 2];
      return true;
    }
    at = PartOf(at, found);
  }
  *result = at;
  return true;
}

// --- JSON and types

bool FromJson(TemplateCall& call, Arguments arguments, bool must, Operand* result) {
  auto parsed = json::ParseInto(TextOf(arguments[0]), call.arena());
  if (!parsed) {
    *result = {};
    return must ? call.Fail(parsed.error().message) : true;
  }
  return Give(call, std::move(*parsed), result);
}

std::string JsonOf(const Operand& operand) {
  if (operand.IsNil()) return "null";
  return json::ToSortedString(*operand.value);
}

bool ToPrettyJson(TemplateCall& call, Arguments arguments, Operand* result) {
  std::string text;
  json::AppendIndented(JsonOf(arguments[0]), 2, &text);
  return GiveText(call, text, result);
}

std::string Unescaped(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> kEscapes[] = {
      {"\\u003c", "<"}, {"\\u003e", ">"}, {"\\u0026", "&"}};
  for (const auto& [escape, character] : kEscapes) {
    for (size_t at = 0; (at = text.find(escape, at)) != std::string::npos; at += 1) {
      // Not after a backslash that is itself escaped.
      size_t slashes = 0;
      while (slashes < at && text[at - slashes - 1] == '\\') ++slashes;
      if (slashes % 2 == 0) text.replace(at, escape.size(), character);
    }
  }
  return text;
}

std::string_view KindName(const Operand& operand) {
  if (operand.is_time) return "struct";
  if (operand.IsNil()) return "invalid";
  if (operand.IsArray()) return "slice";
  if (operand.IsObject()) return "map";
  if (operand.value->IsBool()) return "bool";
  if (operand.IsString() || !operand.computed) return "string";
  return operand.value->IsInt() ? "int" : "float64";
}

std::string_view GoTypeName(const Operand& operand) {
  if (operand.is_time) return "time.Time";
  if (operand.IsNil()) return "<nil>";
  if (operand.IsArray()) return "[]interface {}";
  if (operand.IsObject()) return "map[string]interface {}";
  if (operand.IsNumber() && !operand.computed) return "json.Number";
  return KindName(operand);
}

bool ToJson(TemplateCall& call, Arguments arguments, Operand* result) {
  return GiveText(call, JsonOf(arguments[0]), result);
}

bool ToRawJson(TemplateCall& call, Arguments arguments, Operand* result) {
  return GiveText(call, Unescaped(JsonOf(arguments[0])), result);
}

bool TypeIs(TemplateCall& call, Arguments arguments, Operand* result) {
  return GiveBool(call, TextOf(arguments[0]) == GoTypeName(arguments[1]), result);
}

bool DeepCopy(TemplateCall& call, Arguments arguments, Operand* result) {
  *result = call.Keep(CopyOf(call, arguments[0]));
  return true;
}

constexpr TemplateFunction kFunctions[] = {
    Sprig("default", "aa*", Default),
    Sprig("empty", "a",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveBool(call, IsEmpty(arguments[0]), result);
          }),
    Sprig("coalesce", "a*", Coalesce),
    Sprig("all", "a*",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveBool(call, std::ranges::none_of(arguments, IsEmpty), result);
          }),
    Sprig("any", "a*",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveBool(call, !std::ranges::all_of(arguments, IsEmpty), result);
          }),
    Sprig("ternary", "aab",
          [](TemplateCall&, Arguments arguments, Operand* result) {
            *result = arguments[arguments[2].value->AsBool() ? 0 : 1];
            return true;
          }),
    Sprig("compact", "a", Compact),
    Sprig("mustCompact", "a", Compact),
    Sprig("list", "a*", List),
    Sprig("tuple", "a*", List),
    Sprig("join", "sa", Join),
    Sprig("toStrings", "a",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveTexts(call, TextsOf(arguments[0]), result);
          }),
    Sprig("sortAlpha", "a", SortAlpha),
    Sprig("append", "aa", Push),
    Sprig("push", "aa", Push),
    Sprig("mustAppend", "aa", Push),
    Sprig("mustPush", "aa", Push),
    Sprig("prepend", "aa", Prepend),
    Sprig("mustPrepend", "aa", Prepend),
    Sprig("chunk", "ia", Chunk),
    Sprig("mustChunk", "ia", Chunk),
    Sprig("first", "a", End<false>),
    Sprig("mustFirst", "a", End<false>),
    Sprig("last", "a", End<true>),
    Sprig("mustLast", "a", End<true>),
    Sprig("rest", "a", Rest),
    Sprig("mustRest", "a", Rest),
    Sprig("initial", "a", Initial),
    Sprig("mustInitial", "a", Initial),
    Sprig("slice", "aa*", Slice),
    Sprig("mustSlice", "aa*", Slice),
    Sprig("reverse", "a", Reverse),
    Sprig("mustReverse", "a", Reverse),
    Sprig("uniq", "a", Unique),
    Sprig("mustUniq", "a", Unique),
    Sprig("without", "aa*", Without),
    Sprig("mustWithout", "aa*", Without),
    Sprig("has", "aa", Has),
    Sprig("mustHas", "aa", Has),
    Sprig("concat", "a*", Concat),
    Sprig("dict", "a*", Dict),
    Sprig("get", "ds", Get),
    Sprig("set", "dsa", Set),
    Sprig("unset", "ds", Unset),
    Sprig("hasKey", "ds",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveBool(call, arguments[0].value->Find(TextOf(arguments[1])) != nullptr,
                            result);
          }),
    Sprig("pluck", "sd*", Pluck),
    Sprig("keys", "d*", Keys),
    Sprig("values", "d", Values),
    Sprig("pick", "ds*", Select<true>),
    Sprig("omit", "ds*", Select<false>),
    Sprig("merge", "dd*", Merge<false>),
    Sprig("mustMerge", "dd*", Merge<false>),
    Sprig("mergeOverwrite", "dd*", Merge<true>),
    Sprig("mustMergeOverwrite", "dd*", Merge<true>),
    Sprig("dig", "a*", Dig),
    Sprig("deepCopy", "a", DeepCopy),
    Sprig("mustDeepCopy", "a", DeepCopy),
    Sprig("deepEqual", "aa",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveBool(call, IsSameValue(arguments[0], arguments[1]), result);
          }),
    Sprig("fromJson", "s",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return FromJson(call, arguments, false, result);
          }),
    Sprig("mustFromJson", "s",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return FromJson(call, arguments, true, result);
          }),
    Sprig("toJson", "a", ToJson),
    Sprig("mustToJson", "a", ToJson),
    Sprig("toPrettyJson", "a", ToPrettyJson),
    Sprig("mustToPrettyJson", "a", ToPrettyJson),
    Sprig("toRawJson", "a", ToRawJson),
    Sprig("mustToRawJson", "a", ToRawJson),
    Sprig("typeOf", "a",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveText(call, GoTypeName(arguments[0]), result);
          }),
    Sprig("typeIs", "sa", TypeIs),
    Sprig("typeIsLike", "sa", TypeIs),
    Sprig("kindOf", "a",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveText(call, KindName(arguments[0]), result);
          }),
    Sprig("kindIs", "sa",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveBool(call, TextOf(arguments[0]) == KindName(arguments[1]), result);
          }),
};

}  // namespace

std::span<const TemplateFunction> SprigCollections() { return kFunctions; }

}  // namespace kulisse::simulator
