#include "openapi/validation/rules.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "base/text.h"
#include "openapi/facts.h"
#include "openapi/structural_schema.h"
#include "openapi/type_plan.h"
#include "openapi/validation/validation.h"

namespace kulisse::openapi {

namespace {

constexpr std::string_view kApiPackage = "io.k8s.api.";

struct KindWord {
  std::string_view word;
  RuleKind kind;
};
constexpr KindWord kWords[] = {
    {"enum", RuleKind::kEnum},           {"forbidden", RuleKind::kForbidden},
    {"immutable", RuleKind::kImmutable}, {"labels", RuleKind::kLabels},
    {"max", RuleKind::kMaximum},         {"not-empty", RuleKind::kNotEmpty},
    {"max-bytes", RuleKind::kMaxBytes},  {"max-items", RuleKind::kMaxItems},
    {"min", RuleKind::kMinimum},         {"port", RuleKind::kPort},
    {"positive", RuleKind::kPositive},   {"port-or-name", RuleKind::kPortOrName},
    {"range", RuleKind::kRange},         {"required", RuleKind::kRequired},
    {"unique", RuleKind::kUnique},       {"validate", RuleKind::kValidate},
    {"walk", RuleKind::kWalk},
};

Phase ReadPhase(std::string_view word) {
  if (word.empty()) return Phase::kAlways;
  if (word == "create") return Phase::kCreate;
  if (word == "update") return Phase::kUpdate;
  KULISSE_ASSERT(word == "status");
  return Phase::kStatus;
}

CheckFunction FindFunction(std::string_view name) {
  for (const auto& checks :
       {MetaChecks(), PodChecks(), PodUpdateChecks(), ContainerChecks(), VolumeChecks(),
        ResourceChecks(), WorkloadChecks(), BatchChecks(), CoreChecks(), ServiceChecks(),
        NetworkChecks(), StorageChecks(), PolicyChecks(), FlowChecks(), ExtensionChecks(),
        DeviceChecks(), DefinitionChecks(), AccessChecks(), PodProfileChecks()}) {
    const auto it = std::ranges::find(checks, name, &NamedCheck::name);
    if (it != checks.end()) return it->function;
  }
  return nullptr;
}

int64_t ReadNumber(std::string_view text) {
  if (text == "max-int32") return std::numeric_limits<int32_t>::max();
  const auto number = ParseInt64(text);
  KULISSE_ASSERT(number.has_value());
  return *number;
}

// Applies rules to one object.
class Applier {
 public:
  Applier(const Value& object, const TypeInfo& type, const Path& path, Walk& walk)
      : object_(object), path_(path), walk_(walk) {
    std::fill_n(slots_, type.json_fields.size(), nullptr);
    size_t next = 0;
    for (const json::Member& member : object.members()) {
      const int index = type.FindJson(member.name, next);
      if (index < 0) continue;
      next = static_cast<size_t>(index) + 1;
      if (!member.value.IsNull()) slots_[index] = &member.value;
    }
  }

  void Apply(const Rule& rule) {
    if (rule.kind == RuleKind::kFunction) {
      if (rule.info == nullptr) return rule.function(object_, path_, walk_);
    }
    At(rule, slots_[rule.field], path_[rule.path[0]], 1);
  }

 private:
  // Goes on along the rule's path from its part number `step`.
  void At(const Rule& rule, const Value* value, const Path& path, size_t step) {
    if (step < rule.path.size()) {
      const Value* part = value == nullptr ? nullptr : Member(*value, rule.path[step]);
      return At(rule, part, path[rule.path[step]], step + 1);
    }
    if (rule.kind == RuleKind::kRequired) {
      const bool missing = value == nullptr || (!rule.info->pointer && IsZero(*value));
      if (missing) walk_.Required(path, rule.detail);
    } else if (rule.kind == RuleKind::kImmutable) {
      Immutable(rule, value, path);
    } else if (value != nullptr) {
      OnValue(rule, *value, path);
    } else if (!rule.always || rule.info->pointer || rule.info->shape != FieldShape::kSingle) {
      return;
    } else if (IsNumberRule(rule.kind)) {
      OnNumber(rule, 0, path);
    } else {
      OnText(rule, "", path);
    }
  }

  static bool IsNumberRule(RuleKind kind) {
    return kind == RuleKind::kPositive || kind == RuleKind::kRange;
  }

  void Immutable(const Rule& rule, const Value* value, const Path& path) {
    const TypeInfo& type = RuleTable::BuiltIn().table().Get(rule.info->type);
    const bool text = type.kind == TypeKind::kString && rule.info->shape == FieldShape::kSingle;
    if (value == nullptr && text && !rule.info->pointer) {
      if (!Same(value, Old(rule))) walk_.Invalid(path, "", rule.detail);
      return;
    }
    const bool own = type.kind == TypeKind::kStruct && type.name.starts_with(kApiPackage);
    if (value == nullptr || !own || rule.info->shape == FieldShape::kMap) {
      return walk_.Immutable(path, value, Old(rule), rule.detail);
    }
    if (!Same(value, Old(rule))) walk_.Invalid(path, *value, rule.info->type, rule.detail);
  }

  static bool IsZero(const Value& value) {
    return IsEmpty(&value) || (value.IsInt() && value.AsInt() == 0);
  }

  [[nodiscard]] const Value* Old(const Rule& rule) const {
    const Value* value = walk_.old();
    for (const std::string_view name : rule.path) {
      if (value != nullptr) value = Member(*value, name);
    }
    return value;
  }

  void OnValue(const Rule& rule, const Value& value, const Path& path) {
    switch (rule.kind) {
      case RuleKind::kForbidden:
        return walk_.Forbidden(path, rule.detail);
      case RuleKind::kMaxItems:
        if (value.size() > static_cast<size_t>(rule.high)) {
          walk_.TooMany(path, value.size(), static_cast<size_t>(rule.high));
        }
        return;
      case RuleKind::kUnique:
        return Unique(rule, value, path);
      case RuleKind::kLabels:
        return Labels(value, path);
      default:
        break;
    }
    if (!value.IsArray()) return OnElement(rule, value, path);
    NameSet names;
    size_t index = 0;
    for (const Value& element : value.elements()) {
      const Path at = path[index++];
      OnElement(rule, element, at);
      if (rule.kind != RuleKind::kWalk || rule.words.empty()) continue;
      const std::string_view name = Text(element, rule.words[0]);
      if (!name.empty() && !names.Insert(name)) walk_.Duplicate(at[rule.words[0]], name);
    }
  }

  void OnElement(const Rule& rule, const Value& value, const Path& path) {
    if (rule.kind == RuleKind::kWalk) {
      if (value.IsObject()) walk_.Struct(value, rule.info->type, path);
    } else if (rule.kind == RuleKind::kFunction) {
      rule.function(value, path, walk_);
    } else if (value.IsInt()) {
      OnNumber(rule, value.AsInt(), path);
    } else if (value.IsString() && (value.size() > 0 || TakesEmpty(rule))) {
      OnText(rule, value.AsString(), path);
    }
  }

  // Whether "" is checked: a pointer to it is there.
  static bool TakesEmpty(const Rule& rule) {
    const bool pointer = rule.kind == RuleKind::kEnum && rule.info->pointer && !rule.skips_empty;
    return rule.always || pointer || rule.kind == RuleKind::kNotEmpty;
  }

  void OnNumber(const Rule& rule, int64_t number, const Path& path) {
    const bool below = number < rule.low;
    if (rule.kind == RuleKind::kMinimum && below) {
      walk_.Invalid(path, number, rule.detail);
    } else if (rule.kind == RuleKind::kMaximum && number > rule.high) {
      walk_.Invalid(path, number, rule.detail);
    } else if (rule.kind == RuleKind::kPositive && number <= 0) {
      walk_.Invalid(path, number, "must be greater than zero");
    } else if (rule.kind == RuleKind::kRange && (below || number > rule.high)) {
      walk_.Invalid(path, number, rule.detail);
    } else if (rule.kind == RuleKind::kPort && number != 0) {
      for (const std::string& message : PortNumber(number)) walk_.Invalid(path, number, message);
    } else if (rule.kind == RuleKind::kPortOrName) {
      for (const std::string& message : PortNumber(number)) walk_.Invalid(path, number, message);
    }
  }

  void OnText(const Rule& rule, std::string_view text, const Path& path) {
    if (rule.kind == RuleKind::kNotEmpty) {
      if (text.empty()) walk_.Required(path, rule.detail);
    } else if (rule.kind == RuleKind::kFormat) {
      walk_.Check(path, text, rule.format);
    } else if (rule.kind == RuleKind::kEnum) {
      if (std::ranges::find(rule.words, text) == rule.words.end()) {
        walk_.NotSupported(path, text, rule.words);
      }
    } else if (rule.kind == RuleKind::kMaxBytes) {
      if (text.size() > static_cast<size_t>(rule.high)) walk_.TooLong(path, rule.high);
    } else if (rule.kind == RuleKind::kPortOrName) {
      walk_.Check(path, text, PortName);
    }
  }

  void Unique(const Rule& rule, const Value& list, const Path& path) {
    NameSet seen;
    size_t index = 0;
    for (const Value& element : list.elements()) {
      const Path at = path[index++];
      const bool scalar = rule.words.empty();
      const std::string_view name = scalar && element.IsString()
                                        ? element.AsString()
                                        : element.FindString({scalar ? "" : rule.words[0]});
      if (name.empty() || seen.Insert(name)) continue;
      if (scalar) {
        walk_.Duplicate(at, name);
      } else {
        walk_.Duplicate(at[rule.words[0]], name);
      }
    }
  }

  void Labels(const Value& labels, const Path& path) {
    for (const json::Member& label : labels.members()) {
      walk_.Check(path, label.name, FindFormat("qualified-name"));
      if (label.value.IsString()) {
        walk_.Check(path, label.value.AsString(), FindFormat("label-value"));
      }
    }
  }

  const Value& object_;
  const Path& path_;
  Walk& walk_;
  const Value* slots_[kJsonFieldsMax];
};

void ApplyPhase(Walk& walk, const Value& object, TypeId type, const Path& path, Phase phase) {
  const RuleTable& table = RuleTable::BuiltIn();
  const auto& rules = table.Get(type).rules[static_cast<size_t>(phase)];
  if (rules.empty()) return;
  Applier applier(object, table.table().Get(type), path, walk);
  for (const Rule& rule : rules) {
    if (rule.kind == RuleKind::kValidate) {
      ApplyPhase(walk, object, type, path, Phase::kAlways);
    } else {
      applier.Apply(rule);
    }
  }
}

}  // namespace

TypeId TypeOf(std::string_view name) {
  const TypeTable& table = TypeTable::BuiltIn();
  TypeId type = table.Find(std::string(kApiPackage).append(name));
  if (type == kNoType) type = table.Find(name);
  KULISSE_ASSERT(type != kNoType);
  return type;
}

RuleTable::RuleTable(const TypeTable& table) : table_(table), types_(table.types().size()) {
  std::vector<TypeId> types;
  Phase phase = Phase::kAlways;
  for (std::string_view rest = FactFile("validation.tsv"); !rest.empty();) {
    std::string_view line = TakeUntil('\n', &rest);
    if (line.empty() || line.starts_with('#')) continue;
    if (!line.starts_with('\t')) {
      types.clear();
      for (const std::string_view name : Split(TakeUntil(' ', &line), ',')) {
        types.push_back(TypeOf(name));
      }
      phase = ReadPhase(line);
      continue;
    }
    line.remove_prefix(1);
    for (const TypeId type : types) ReadRule(type, phase, line);
  }
}

const RuleTable& RuleTable::BuiltIn() {
  static const RuleTable rules(TypeTable::BuiltIn());
  return rules;
}

void RuleTable::ReadRule(TypeId type, Phase phase, std::string_view line) {
  Rule rule;
  std::string_view field = TakeUntil('\t', &line);
  const std::string_view word = TakeUntil('\t', &line);
  const std::string_view arguments = TakeUntil('\t', &line);
  rule.detail = line;
  TypeId at = type;
  while (!field.empty() && field != "-") {
    const std::string_view name = TakeUntil('.', &field);
    const TypeInfo& info = table_.Get(at);
    const int index = info.FindJson(name);
    KULISSE_ASSERT(index >= 0);
    if (rule.path.empty()) rule.field = static_cast<uint16_t>(index);
    rule.info = info.json_fields[static_cast<size_t>(index)].field;
    rule.path.push_back(rule.info->json_name);
    at = rule.info->type;
  }
  SetArguments(rule, word, arguments);
  types_[type].rules[static_cast<size_t>(phase)].push_back(std::move(rule));
}

void RuleTable::SetArguments(Rule& rule, std::string_view word, std::string_view arguments) {
  if (word.ends_with('!') || word.ends_with('?')) {
    rule.always = word.ends_with('!');
    rule.skips_empty = word.ends_with('?');
    word.remove_suffix(1);
  }
  if (word.starts_with('@')) {
    rule.kind = RuleKind::kFunction;
    rule.function = FindFunction(word.substr(1));
    KULISSE_ASSERT(rule.function != nullptr);
    return;
  }
  const auto* row = std::ranges::find(kWords, word, &KindWord::word);
  if (row == std::end(kWords)) {
    rule.kind = RuleKind::kFormat;
    rule.format = FindFormat(word);
    KULISSE_ASSERT(rule.format != nullptr);
    return;
  }
  rule.kind = row->kind;
  switch (rule.kind) {
    case RuleKind::kEnum:
    case RuleKind::kUnique:
    case RuleKind::kWalk:
      if (arguments.empty()) return;
      for (const std::string_view value : Split(arguments, ',')) rule.words.emplace_back(value);
      return;
    case RuleKind::kMinimum:
      rule.low = ReadNumber(arguments);
      if (rule.detail.empty()) {
        rule.detail = fmt::format("must be greater than or equal to {}", rule.low);
      }
      return;
    case RuleKind::kRange:
      rule.low = ReadNumber(TakeUntil(' ', &arguments));
      rule.high = ReadNumber(arguments);
      if (rule.detail.empty()) rule.detail = InclusiveRange(rule.low, rule.high);
      return;
    case RuleKind::kMaximum:
      rule.high = ReadNumber(arguments);
      rule.detail = fmt::format("must be less than or equal to {}", rule.high);
      return;
    case RuleKind::kMaxBytes:
    case RuleKind::kMaxItems:
      rule.high = ReadNumber(arguments);
      return;
    case RuleKind::kImmutable:
      if (rule.detail.empty()) rule.detail = "field is immutable";
      return;
    default:
      return;
  }
}

void Walk::Struct(const Value& object, TypeId type, const Path& path) {
  ApplyPhase(*this, object, type, path, Phase::kAlways);
}

void ValidateCreate(const Value& object, TypeId type, FieldErrors* errors, TypeId served) {
  if (TypeTable::BuiltIn().Get(type).custom) {
    return ValidateBySchema(object, SchemaOf(type), "", errors);
  }
  Walk walk(nullptr, errors);
  walk.SetServed(served);
  ApplyPhase(walk, object, type, Path(), Phase::kAlways);
  ApplyPhase(walk, object, type, Path(), Phase::kCreate);
}

void ValidateUpdate(const Value& object, const Value& old, TypeId type,
                    std::string_view subresource, FieldErrors* errors, TypeId served) {
  if (TypeTable::BuiltIn().Get(type).custom) {
    if (subresource.empty()) return ValidateBySchema(object, SchemaOf(type), "", errors);
    const Value* status = object.Find("status");
    const Value* schema = SchemaOf(type).Find({"properties", "status"});
    if (status != nullptr && schema != nullptr)
      ValidateBySchema(*status, *schema, "status", errors);
    return;
  }
  Walk walk(&old, errors);
  walk.SetServed(served);
  if (subresource == "status" || subresource == "approval")
    return ApplyPhase(walk, object, type, Path(), Phase::kStatus);
  if (subresource == "ephemeralcontainers" || subresource == "resize") {
    return ApplyPhase(walk, object, type, Path(), Phase::kAlways);
  }
  if (!subresource.empty() && subresource != "scale") return;  // binding, finalize: metadata alone
  const auto& updates = RuleTable::BuiltIn().Get(type).rules[static_cast<size_t>(Phase::kUpdate)];
  if (std::ranges::find(updates, RuleKind::kValidate, &Rule::kind) == updates.end()) {
    ApplyPhase(walk, object, type, Path(), Phase::kAlways);
  }
  ApplyPhase(walk, object, type, Path(), Phase::kUpdate);
}

}  // namespace kulisse::openapi
