#include "openapi/typed.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json/write.h"
#include "base/text.h"
#include "openapi/leaf.h"
#include "openapi/struct_builder.h"
#include "openapi/type_plan.h"

namespace kulisse::openapi {

namespace {

using json::Arena;
using json::Member;
using json::Value;

// Upstream stops collecting here (sigs.k8s.io/json).
constexpr size_t kUnknownFieldsMax = 100;

// Where the walk is: one link per object, list and map, on the stack.
struct Place {
  enum class Kind : uint8_t { kStruct, kList, kMap, kNestedDecoder, kOwnDecoder };

  const Place* parent;
  Kind kind;
  const TypeInfo* type = nullptr;    // kStruct
  const JsonField* field = nullptr;  // kStruct: the field being read
  size_t index = 0;                  // kList
  std::string_view key = {};         // kMap
};

// "v1.Container" of "io.k8s.api.core.v1.Container"; names of basic types as Go has them.
std::string PlainGoType(const TypeInfo& type) {
  if (type.kind == TypeKind::kBytes) return "[]uint8";
  if (type.kind == TypeKind::kDouble) return "float64";
  if (type.kind == TypeKind::kStringList) return "[]string";
  const size_t name = type.name.rfind('.');
  if (name == std::string_view::npos) return std::string(type.name);
  const std::string_view path = type.name.substr(0, name);
  return fmt::format("{}.{}", path.substr(path.rfind('.') + 1), type.go_name);
}

// Takes one "[]" or "map[string]" off a Go type; what is left is "" when it has none in front.
std::string_view GoElementType(std::string_view go_type) {
  const bool list_or_map = go_type.starts_with("[]") || go_type.starts_with("map[");
  return list_or_map ? go_type.substr(go_type.find(']') + 1) : std::string_view();
}

// Go's own name of the type at a place, "" when the plain one will do.
std::string_view NamedGoType(const Place* place) {
  if (place == nullptr) return "";
  switch (place->kind) {
    case Place::Kind::kStruct:
      return place->field->field->go_type;
    case Place::Kind::kNestedDecoder:
    case Place::Kind::kOwnDecoder:
      return "";
    default:
      return GoElementType(NamedGoType(place->parent));
  }
}

std::string GoTypeAt(const Place* place, std::string_view plain) {
  const std::string_view named = NamedGoType(place);
  return std::string(named.empty() ? plain : named);
}

class Normalizer {
 public:
  Normalizer(const TypeTable& table, Arena& arena, NormalizeReport* report, bool stored,
             std::optional<Touched> touched)
      : table_(table),
        plans_(TypePlans::Of(table)),
        string_(plans_.string_type()),
        arena_(arena),
        report_(report),
        stored_(stored),
        touched_(touched) {}

  // False when decoding ended at an error; error() may be set in either case.
  std::expected<void, std::string> Run(Value& value, TypeId type) {
    const bool alive = Element(value, type, table_.Get(type).kind, nullptr);
    if (!alive || !error_.empty()) return std::unexpected(std::move(error_));
    return {};
  }

 private:
  // `kind` is that of the type.
  bool Element(Value& value, TypeId type, TypeKind kind, const Place* place);
  bool Struct(Value& value, TypeId type, const Place* parent);
  bool Field(Value& value, const FieldInfo& field, const Place* place);
  bool CustomField(Value& value, const FieldInfo& field, const Place* place);
  bool List(Value& value, TypeId type, TypeKind kind, const Place* place);
  bool Map(Value& value, TypeId type, TypeKind kind, const Place* place);
  bool Leaf(Value& value, TypeKind kind, const Place* place);
  bool Schema(Value& value, const TypeInfo& type, const Place* place);

  // Whether a value that Go would leave out stays.
  [[nodiscard]] bool IsKept(const Value& value) const {
    return report_ != nullptr && report_->keeps_empty_lists && value.IsArray();
  }
  [[nodiscard]] bool IsUntouched(std::string_view name) const {
    return touched_ && std::ranges::find(*touched_, name) == touched_->end();
  }
  // Go notes the first such error and goes on.
  bool Note(std::string error) {
    if (error_.empty()) error_ = std::move(error);
    return true;
  }
  // An error of a type's own decoder ends decoding and counts more than noted ones.
  bool End(std::string error) {
    error_ = std::move(error);
    return false;
  }
  void ReportUnknown(const Place& place, std::string_view name);

  const TypeTable& table_;
  const TypePlans& plans_;
  const TypeId string_;
  Arena& arena_;
  NormalizeReport* report_;
  bool stored_;  // empty lists and maps become null
  std::optional<Touched> touched_;
  std::string error_;
};

// "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.X".
// Upstream: encoding/json, addErrorContext and UnmarshalTypeError.
std::string TypeError(std::string_view what, std::string_view go_type, const Place* place) {
  const TypeInfo* owner = nullptr;
  std::string path;
  for (const Place* at = place; at != nullptr; at = at->parent) {
    if (at->kind == Place::Kind::kOwnDecoder) break;  // it knows nothing of what is above
    if (at->kind == Place::Kind::kNestedDecoder) owner = nullptr;
    if (at->kind != Place::Kind::kStruct || at->field == nullptr) continue;
    if (owner == nullptr) owner = at->type;
    std::string step(at->field->field->json_name);
    for (const FieldInfo* inlined : {at->field->parent, at->field->outer}) {
      if (inlined != nullptr) step = fmt::format("{}.{}", inlined->go_name, step);
    }
    path = path.empty() ? step : fmt::format("{}.{}", step, path);
  }
  if (owner == nullptr) {
    return fmt::format("json: cannot unmarshal {} into Go value of type {}", what, go_type);
  }
  return fmt::format("json: cannot unmarshal {} into Go struct field {}.{} of type {}", what,
                     owner->go_name, path, go_type);
}

std::string PathOf(const Place& place) {
  std::string path = place.parent == nullptr ? std::string() : PathOf(*place.parent);
  switch (place.kind) {
    case Place::Kind::kList:
      return path + fmt::format("[{}]", place.index);
    case Place::Kind::kMap:
      if (!path.empty()) path += '.';
      path += place.key;
      return path;
    default:
      if (place.field == nullptr) return path;
      if (!path.empty()) path += '.';
      path += place.field->field->json_name;
      return path;
  }
}

void Normalizer::ReportUnknown(const Place& place, std::string_view name) {
  if (report_ == nullptr || report_->unknown_fields.size() >= kUnknownFieldsMax) return;
  std::string path = place.parent == nullptr ? std::string() : PathOf(*place.parent);
  if (!path.empty()) path += '.';
  path += name;
  report_->unknown_fields.push_back(std::move(path));
}

bool Normalizer::Element(Value& value, TypeId type, TypeKind kind, const Place* place) {
  switch (kind) {
    case TypeKind::kStruct:
      return Struct(value, type, place);
    case TypeKind::kString:  // most leaves by far
      return value.IsString() || Leaf(value, kind, place);
    case TypeKind::kSchemaOrBool:
    case TypeKind::kSchemaOrArray:
    case TypeKind::kSchemaOrStrings:
      return Schema(value, table_.Get(type), place);
    case TypeKind::kStringList:
      return List(value, string_, TypeKind::kString, place);
    default:
      return Leaf(value, kind, place);
  }
}

bool Normalizer::Struct(Value& value, TypeId type_id, const Place* parent) {
  const TypeInfo& type = table_.Get(type_id);
  if (!value.IsObject()) {
    if (type.custom) return true;
    return Note(TypeError(GoWordOf(value), GoTypeAt(parent, PlainGoType(type)), parent));
  }
  Place place{.parent = parent, .kind = Place::Kind::kStruct, .type = &type};
  FieldOrder order;
  size_t next = 0;
  const auto members = value.members();
  for (Member& member : members) {
    const int index = type.FindJson(member.name, next);
    if (index < 0) {
      ReportUnknown(place, member.name);
      continue;
    }
    next = static_cast<size_t>(index) + 1;
    if (member.value.IsNull()) continue;
    place.field = &type.json_fields[static_cast<size_t>(index)];
    const FieldInfo& field = *place.field->field;
    member.name = field.json_name;  // later walks know it by its address
    const bool untouched = parent == nullptr && IsUntouched(field.json_name);
    if (!untouched && !(type.custom ? CustomField(member.value, field, &place)
                                    : Field(member.value, field, &place))) {
      return false;
    }
    if (!error_.empty()) continue;  // the value does not matter any more
    if (!type.custom) {
      if (IsOmitted(member.value, field) && !IsKept(member.value)) continue;
      if (stored_ && field.shape != FieldShape::kSingle && member.value.size() == 0) continue;
    }
    Member& to = members[order.size()];
    if (&to != &member) to = std::move(member);
    order.Add(static_cast<size_t>(index));
  }
  if (!error_.empty()) return true;
  value.Truncate(order.size());
  FinishStruct(value, type, plans_.Get(type_id), table_, plans_, arena_, order);
  return true;
}

bool Normalizer::Field(Value& value, const FieldInfo& field, const Place* place) {
  switch (field.shape) {
    case FieldShape::kList:
      return List(value, field.type, field.kind, place);
    case FieldShape::kMap:
      return Map(value, field.type, field.kind, place);
    case FieldShape::kSingle:
      break;
  }
  if (field.kind == TypeKind::kString && value.IsString()) return true;  // most by far
  return Element(value, field.type, field.kind, place);
}

// Values of a custom resource stay as they are, whatever their type: only objects are looked into,
// for fields that their schemas do not have. Metadata is that of all kinds.
bool Normalizer::CustomField(Value& value, const FieldInfo& field, const Place* parent) {
  if (field.kind != TypeKind::kStruct) {
    if (field.shape == FieldShape::kMap) SortMap(value);
    return true;
  }
  if (!table_.Get(field.type).custom) {
    const Place metadata{.parent = parent, .kind = Place::Kind::kOwnDecoder};
    return Struct(value, field.type, &metadata);
  }
  if (field.shape == FieldShape::kSingle) return Struct(value, field.type, parent);
  const bool list = field.shape == FieldShape::kList;
  Place place{.parent = parent, .kind = list ? Place::Kind::kList : Place::Kind::kMap};
  for (Value& element : list ? value.elements() : std::span<Value>()) {
    if (!Struct(element, field.type, &place)) return false;
    ++place.index;
  }
  for (Member& member : list ? std::span<Member>() : value.members()) {
    place.key = member.name;
    if (!Struct(member.value, field.type, &place)) return false;
  }
  if (!list) SortMap(value);
  return true;
}

bool Normalizer::List(Value& value, TypeId type, TypeKind kind, const Place* parent) {
  if (!value.IsArray()) {
    const std::string go_type = GoTypeAt(parent, "[]" + PlainGoType(table_.Get(type)));
    return Note(TypeError(GoWordOf(value), go_type, parent));
  }
  Place place{.parent = parent, .kind = Place::Kind::kList};
  for (Value& element : value.elements()) {
    if (element.IsNull()) {
      element = ZeroValue(type, table_, plans_, arena_);
    } else if (!Element(element, type, kind, &place)) {
      return false;
    }
    ++place.index;
  }
  return true;
}

bool Normalizer::Map(Value& value, TypeId type, TypeKind kind, const Place* parent) {
  if (!value.IsObject()) {
    const std::string go_type = GoTypeAt(parent, "map[string]" + PlainGoType(table_.Get(type)));
    return Note(TypeError(GoWordOf(value), go_type, parent));
  }
  Place place{.parent = parent, .kind = Place::Kind::kMap};
  for (Member& member : value.members()) {
    if (member.value.IsNull()) {
      member.value = ZeroValue(type, table_, plans_, arena_);
      continue;
    }
    place.key = member.name;
    if (!Element(member.value, type, kind, &place)) return false;
  }
  SortMap(value);
  return true;
}

bool Normalizer::Leaf(Value& value, TypeKind kind, const Place* place) {
  if (stored_) return true;
  std::string text;
  const LeafResult result = NormalizeLeaf(value, kind, arena_, &text);
  switch (result) {
    case LeafResult::kOk:
      return true;
    case LeafResult::kWrongType:
      return Note(TypeError(GoWordOf(value), GoTypeAt(place, text), place));
    case LeafResult::kBadNumber:
      return Note(TypeError("number " + json::ToString(value), GoTypeAt(place, text), place));
    case LeafResult::kBadText:
      return Note(std::move(text));
    case LeafResult::kUnmarshal:
      return End(std::move(text));
    case LeafResult::kUnmarshalType:
      return End(TypeError(GoWordOf(value), text, place));
    case LeafResult::kUnmarshalNumber:
      return End(TypeError("number " + json::ToString(value), text, place));
  }
  return true;
}

// The OrBool, OrArray and OrStringArray types of JSON schemas run a decoder of their own, which
// does not report unknown fields. Upstream: apiextensions/v1/marshal.go.
bool Normalizer::Schema(Value& value, const TypeInfo& type, const Place* parent) {
  const TypeId schema = type.FindNumber(type.kind == TypeKind::kSchemaOrBool ? 2 : 1)->type;
  const Place place{.parent = parent, .kind = Place::Kind::kNestedDecoder};
  std::string outer_error = std::exchange(error_, {});
  NormalizeReport* const outer_report = std::exchange(report_, nullptr);
  bool alive = true;
  if (value.IsObject()) {
    alive = Struct(value, schema, &place);
  } else if (type.kind == TypeKind::kSchemaOrBool) {
    if (!value.IsBool()) alive = End("boolean or JSON schema expected");
  } else if (value.IsArray()) {
    const FieldInfo& list = *type.FindNumber(2);
    alive = List(value, list.type, list.kind, &place);
    if (value.size() == 0) value = Value();
  } else {
    value = Value();
  }
  report_ = outer_report;
  if (!alive || !error_.empty()) return false;
  error_ = std::move(outer_error);
  return true;
}

}  // namespace

std::string_view GoWordOf(const Value& value) {
  switch (value.type()) {
    case json::Type::kNull:
      return "null";
    case json::Type::kBool:
      return "bool";
    case json::Type::kString:
      return "string";
    case json::Type::kArray:
      return "array";
    case json::Type::kObject:
      return "object";
    default:
      return "number";
  }
}

std::expected<void, std::string> Normalize(Value& value, TypeId type, const TypeTable& table,
                                           Arena& arena, NormalizeReport* report,
                                           std::optional<Touched> touched) {
  return Normalizer(table, arena, report, false, touched).Run(value, type);
}

std::expected<void, std::string> NormalizeStored(Value& value, TypeId type, const TypeTable& table,
                                                 Arena& arena, std::optional<Touched> touched) {
  return Normalizer(table, arena, nullptr, true, touched).Run(value, type);
}

}  // namespace kulisse::openapi
