#include "openapi/structural_schema.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/text.h"
#include "base/time.h"
#include "openapi/facts.h"
#include "openapi/go_regex.h"

namespace kulisse::openapi {

namespace {

using json::Member;
using json::Value;

struct BuiltInSchema {
  std::string_view text;
  json::Document document;
};

const std::map<TypeId, BuiltInSchema>& BuiltInSchemas() {
  static const auto* const schemas = [] {
    auto* read = new std::map<TypeId, BuiltInSchema>;
    for (std::string_view rest = FactFile("custom_schemas.tsv"); !rest.empty();) {
      std::string_view line = TakeUntil('\n', &rest);
      const TypeId type = TypeTable::BuiltIn().Find(TakeUntil('\t', &line));
      auto document = json::Parse(line);
      KULISSE_ASSERT(type != kNoType && document.has_value());
      read->emplace(type, BuiltInSchema{line, std::move(*document)});
    }
    return read;
  }();
  return *schemas;
}

// What kube-openapi calls the type of a value.
std::string_view WordOf(const Value& value) {
  if (value.IsNull()) return "null";
  if (value.IsBool()) return "boolean";
  if (value.IsString()) return "string";
  if (value.IsArray()) return "array";
  if (value.IsObject()) return "object";
  return value.IsInt() ? "integer" : "number";
}

bool HasPattern(std::string_view text, std::string_view pattern) {
  const auto regex = CompileRegex(pattern);
  return !regex->ok() || MatchesRegex(*regex, text);
}

size_t CountRunes(std::string_view text) {
  size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

// Where the walk is, in the two forms that upstream prints: the path of the error is that of the
// object, the text is relative to what is validated (all, or the status alone).
struct Place {
  std::string base;  // "" or "status"
  std::string path;  // below it

  [[nodiscard]] Place operator[](std::string_view name) const {
    return {base, path.empty() ? std::string(name) : fmt::format("{}.{}", path, name)};
  }
  [[nodiscard]] Place operator[](size_t index) const {
    return {base, fmt::format("{}[{}]", path, index)};
  }
  [[nodiscard]] std::string Full() const {
    if (base.empty() || path.empty()) return base + path;
    return fmt::format("{}.{}", base, path);
  }
};

class SchemaValidator {
 public:
  explicit SchemaValidator(FieldErrors* errors) : errors_(*errors) {}

  void Check(const Value& value, const Value& schema, const Place& place) {
    if (!CheckType(value, schema, place)) return;
    if (value.IsString()) CheckString(value.AsString(), schema, place);
    if (value.IsNumber()) CheckNumber(value, schema, place);
    CheckEnum(value, schema, place);
    if (value.IsArray()) CheckArray(value, schema, place);
    if (value.IsObject()) CheckObject(value, schema, place);
  }

  // Elements with equal keys, or equal elements of sets; upstream looks for these at the end.
  void CheckListTypes(const Value& value, const Value& schema, const Place& place) {
    if (value.IsArray()) {
      CheckDuplicates(value, schema, place);
      const Value* items = schema.Find("items");
      for (size_t i = 0; items != nullptr && i < value.size(); ++i) {
        CheckListTypes(value.elements()[i], *items, place[i]);
      }
    }
    if (!value.IsObject()) return;
    for (const Member& member : value.members()) {
      const Value* part = SchemaOfMember(schema, member.name);
      if (part != nullptr) CheckListTypes(member.value, *part, place[member.name]);
    }
  }

 private:
  void WrongType(std::string_view wanted, std::string_view got, const Place& place) {
    errors_.push_back({FieldError::Type::kTypeInvalid, place.Full(),
                       fmt::format("Invalid value: \"{}\": {} in body must be of type {}: \"{}\"",
                                   got, place.path, wanted, got)});
  }
  void Wrong(std::string_view shown, std::string_view what, const Place& place) {
    errors_.push_back(
        FieldError::Invalid(place.Full(), shown, fmt::format("{} in body {}", place.path, what)));
  }
  // Upstream loses the place of these.
  void Placeless(std::string text) {
    errors_.push_back(FieldError::Invalid("<nil>", "\"\"", text));
  }

  static const Value* SchemaOfMember(const Value& schema, std::string_view name) {
    const Value* properties = schema.Find("properties");
    const Value* found = properties == nullptr ? nullptr : properties->Find(name);
    if (found != nullptr) return found;
    const Value* additional = schema.Find("additionalProperties");
    return additional != nullptr && additional->IsObject() ? additional : nullptr;
  }

  bool CheckType(const Value& value, const Value& schema, const Place& place) {
    const std::string_view word = WordOf(value);
    if (schema.Find("x-kubernetes-int-or-string") != nullptr) {
      if (value.IsInt() || value.IsString()) return true;
      WrongType("integer,string", word, place);
      Placeless(fmt::format("{} must validate at least one schema (anyOf)", GoQuote(place.path)));
      WrongType("integer", word, place);
      return false;
    }
    const std::string_view wanted = schema.FindString({"type"});
    if (wanted.empty() || wanted == word)
      return wanted != "integer" || InRange(value, schema, place);
    if (wanted == "number" && value.IsInt()) return true;
    if (wanted == "integer" && value.IsNumber()) {
      const double number = value.AsDouble();
      if (number == std::floor(number) && std::abs(number) < 1e18) return true;
      const std::string_view format = schema.FindString({"format"});
      WrongType(format.empty() ? wanted : format, format.empty() ? "number" : "float64", place);
      NotInFormat(format, place);
      return false;
    }
    WrongType(wanted, word, place);
    return false;
  }

  void NotInFormat(std::string_view format, const Place& place) {
    Placeless(fmt::format(
        "Checked value must be of type integer {} in {}",
        format.empty() ? "(default format)" : fmt::format("with format {}", format), place.path));
  }

  bool InRange(const Value& value, const Value& schema, const Place& place) {
    if (schema.FindString({"format"}) != "int32") return true;
    const int64_t number = value.AsInt();
    if (number >= std::numeric_limits<int32_t>::min() &&
        number <= std::numeric_limits<int32_t>::max()) {
      return true;
    }
    NotInFormat("int32", place);
    return false;
  }

  void CheckString(std::string_view text, const Value& schema, const Place& place) {
    const Value* longest = schema.Find("maxLength");
    const Value* shortest = schema.Find("minLength");
    const std::string_view pattern = schema.FindString({"pattern"});
    const auto runes = static_cast<int64_t>(CountRunes(text));
    if (longest != nullptr && runes > longest->AsInt()) {
      errors_.push_back(FieldError::TooLong(place.Full(), longest->AsInt()));
    } else if (shortest != nullptr && runes < shortest->AsInt()) {
      Wrong(GoQuote(text), fmt::format("should be at least {} chars long", shortest->AsInt()),
            place);
    } else if (!pattern.empty() && !HasPattern(text, pattern)) {
      Wrong(GoQuote(text), fmt::format("should match '{}'", pattern), place);
    }
    if (schema.FindString({"format"}) == "date-time" && !ParseTime(text)) {
      errors_.push_back(
          {FieldError::Type::kTypeInvalid, place.Full(),
           fmt::format("Invalid value: {0}: {1} in body must be of type date-time: {0}",
                       GoQuote(text), place.path)});
    }
  }

  void CheckNumber(const Value& value, const Value& schema, const Place& place) {
    const Value* least = schema.Find("minimum");
    const Value* most = schema.Find("maximum");
    if (most != nullptr && value.AsDouble() > most->AsDouble()) {
      Wrong(json::ToString(value),
            fmt::format("should be less than or equal to {}", json::ToString(*most)), place);
    }
    if (least != nullptr && value.AsDouble() < least->AsDouble()) {
      Wrong(json::ToString(value),
            fmt::format("should be greater than or equal to {}", json::ToString(*least)), place);
    }
  }

  void CheckEnum(const Value& value, const Value& schema, const Place& place) {
    const Value* words = schema.Find("enum");
    if (words == nullptr) return;
    std::vector<std::string> supported;
    for (const Value& word : words->elements()) {
      if (word == value) return;
      supported.emplace_back(word.IsString() ? std::string(word.AsString()) : json::ToString(word));
    }
    const std::string shown = value.IsString() ? GoQuote(value.AsString()) : json::ToString(value);
    errors_.push_back(FieldError::NotSupported(place.Full(), shown, supported));
  }

  void CheckArray(const Value& value, const Value& schema, const Place& place) {
    const Value* items = schema.Find("items");
    for (size_t i = 0; items != nullptr && i < value.size(); ++i) {
      Check(value.elements()[i], *items, place[i]);
    }
  }

  void CheckObject(const Value& value, const Value& schema, const Place& place) {
    for (const Member& member : value.members()) {
      if (place.path.empty() && place.base.empty() && member.name == "metadata") continue;
      const Value* part = SchemaOfMember(schema, member.name);
      if (part != nullptr) Check(member.value, *part, place[member.name]);
    }
    const Value* required = schema.Find("required");
    for (size_t i = 0; required != nullptr && i < required->size(); ++i) {
      const std::string_view name = required->elements()[i].AsString();
      if (value.Find(name) == nullptr) errors_.push_back(FieldError::Required(place[name].Full()));
    }
  }

  void CheckDuplicates(const Value& value, const Value& schema, const Place& place) {
    const std::string_view type = schema.FindString({"x-kubernetes-list-type"});
    const Value* keys = schema.Find("x-kubernetes-list-map-keys");
    if (type != "set" && (type != "map" || keys == nullptr)) return;
    std::set<std::string> seen;
    for (size_t i = 0; i < value.size(); ++i) {
      const Value& element = value.elements()[i];
      const std::string text = type == "set" ? json::ToString(element) : KeyOf(element, *keys);
      if (!seen.insert(text).second) {
        errors_.push_back(FieldError::Duplicate(place[i].Full(), text));
      }
    }
  }

  static std::string KeyOf(const Value& element, const Value& keys) {
    std::map<std::string_view, const Value*> parts;
    for (const Value& key : keys.elements()) {
      if (const Value* part = element.Find(key.AsString())) parts[key.AsString()] = part;
    }
    std::string text = "{";
    for (const auto& [name, part] : parts) {
      if (text.size() > 1) text += ',';
      text += fmt::format("\"{}\":{}", name, json::ToString(*part));
    }
    return text + "}";
  }

  FieldErrors& errors_;
};

}  // namespace

const Value& SchemaOf(TypeId type) {
  const auto found = BuiltInSchemas().find(type);
  KULISSE_ASSERT(found != BuiltInSchemas().end());
  return found->second.document.root;
}

std::string_view SchemaTextOf(TypeId type) {
  const auto found = BuiltInSchemas().find(type);
  return found == BuiltInSchemas().end() ? std::string_view() : found->second.text;
}

void ValidateBySchema(const Value& value, const Value& schema, std::string_view path,
                      FieldErrors* errors) {
  const Place place{std::string(path), ""};
  SchemaValidator validator(errors);
  validator.Check(value, schema, place);
  validator.CheckListTypes(value, schema, place);
}

}  // namespace kulisse::openapi
