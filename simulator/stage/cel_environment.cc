#include "simulator/stage/cel_environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <utility>

#include "base/assert.h"
#include "openapi/go_time.h"
#include "openapi/type_table.h"
#include "simulator/stage/cel_quantity.h"

namespace kulisse::simulator {

namespace cel = openapi::cel;

namespace {

using openapi::FieldInfo;
using openapi::FieldShape;
using openapi::TypeInfo;
using openapi::TypeTable;

constexpr std::string_view kCore = "io.k8s.api.core.v1.";
constexpr std::string_view kMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.";

// The types whose fields expressions may select: their prefix and name.
// Upstream: kwok pkg/utils/cel/default.go DefaultTypes.
constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {kCore, "Node"},      {kCore, "NodeSpec"},   {kCore, "NodeStatus"},
    {kCore, "Pod"},       {kCore, "PodSpec"},    {kCore, "PodStatus"},
    {kCore, "Container"}, {kMeta, "ObjectMeta"}, {kCore, "ResourceRequirements"}};

// Go's time.Time.UnixNano: wraps around for years that nanoseconds do not reach.
int64_t UnixNanos(const cel::Time& time) {
  return static_cast<int64_t>(static_cast<uint64_t>(time.seconds) * 1'000'000'000 +
                              static_cast<uint64_t>(time.nanos));
}

double SecondsSince(const cel::Time& time, SystemTime now) {
  // Go's time.Since saturates.
  const __int128 then = __int128{time.seconds} * 1'000'000'000 + time.nanos;
  const __int128 since = now.time_since_epoch().count() - then;
  const auto nanos = static_cast<int64_t>(std::clamp<__int128>(since, INT64_MIN, INT64_MAX));
  const int64_t whole = nanos / 1'000'000'000;
  const int64_t rest = nanos % 1'000'000'000;
  return static_cast<double>(whole) + static_cast<double>(rest) / 1e9;
}

cel::Value CreationTimestamp(const cel::Value& object, cel::Evaluation& evaluation) {
  const auto metadata = cel::SelectField(object, "metadata", evaluation);
  if (!metadata || !metadata->Is(cel::ValueKind::kStruct)) {
    return cel::Value::Error("invalid metadata in the object");
  }
  return cel::SelectField(*metadata, "creationTimestamp", evaluation).value_or(cel::Value());
}

void AddFunctions(cel::Environment& environment, Runtime& runtime) {
  using cel::Evaluation;
  using cel::Type;
  using cel::Value;
  environment.AddFunction(
      "Now", {.id = "now", .result = Type::Timestamp(), .call = [&](auto, Evaluation&) {
                const int64_t nanos = runtime.Now().time_since_epoch().count();
                constexpr int64_t kSecond = 1'000'000'000;
                return Value::Timestamp(
                    {.seconds = nanos / kSecond, .nanos = static_cast<int32_t>(nanos % kSecond)});
              }});
  environment.AddFunction(
      "Rand",
      {.id = "rand", .result = Type::Double(), .call = [&](auto, Evaluation&) {
         constexpr int kUnusedBits = 11;
         return Value::Double(static_cast<double>(runtime.RandomBits() >> kUnusedBits) * 0x1p-53);
       }});
  for (const bool is_member : {false, true}) {
    const std::string suffix = is_member ? "_member" : "";
    for (const std::string type : {"v1.Node", "v1.Pod"}) {
      environment.AddFunction(
          "SinceSecond",
          {.id = "since_second_" + type + suffix,
           .is_member = is_member,
           .arguments = {Type::Struct(type)},
           .result = Type::Double(),
           .call = [&](std::span<const Value> arguments, Evaluation& evaluation) {
             const Value created = CreationTimestamp(arguments[0], evaluation);
             if (created.IsError()) return created;
             if (!created.Is(cel::ValueKind::kTimestamp)) {
               return Value::Error("invalid timestamp in the object");
             }
             return Value::Double(SecondsSince(created.AsTimestamp(), runtime.Now()));
           }});
    }
    environment.AddFunction("UnixSecond",
                            {.id = "unix_second" + suffix,
                             .is_member = is_member,
                             .arguments = {Type::Timestamp()},
                             .result = Type::Double(),
                             .call = [](std::span<const Value> arguments, Evaluation&) {
                               const int64_t nanos = UnixNanos(arguments[0].AsTimestamp());
                               return Value::Double(static_cast<double>(nanos) / 1e9);
                             }});
  }
  AddQuantities(environment);
}

// The object behind a Node or Pod, or null.
const json::Value* ObjectOf(const cel::Value& value) {
  return value.Is(cel::ValueKind::kStruct) && value.IsJson() ? value.json() : nullptr;
}

void AddUsage(cel::Environment& environment, UsageFunctions* usage) {
  using cel::Type;
  using cel::Value;
  using Arguments = std::span<const Value>;
  const Type pod = Type::Struct("v1.Pod");
  const Type node = Type::Struct("v1.Node");
  for (const auto& [name, mode] :
       {std::pair("Usage", UsageFunctions::Mode::kNow),
        std::pair("CumulativeUsage", UsageFunctions::Mode::kCumulative)}) {
    const auto of_pod = [usage, mode](Arguments arguments, cel::Evaluation& evaluation) {
      if (usage == nullptr) return Value::Double(0);
      std::optional<std::string_view> container;
      if (arguments.size() > 2) container = arguments[2].AsText();
      return Value::Double(usage->PodUsage(ObjectOf(arguments[0]), arguments[1].AsText(), container,
                                           mode, evaluation));
    };
    const auto of_node = [usage, mode](Arguments arguments, cel::Evaluation& evaluation) {
      if (usage == nullptr) return Value::Double(0);
      return Value::Double(
          usage->NodeUsage(ObjectOf(arguments[0]), arguments[1].AsText(), mode, evaluation));
    };
    const std::string id = mode == UsageFunctions::Mode::kNow ? "usage_" : "cumulative_usage_";
    const auto add = [&](const std::string& suffix, std::vector<Type> arguments,
                         cel::Callable call) {
      environment.AddFunction(name, {.id = id + suffix,
                                     .is_member = true,
                                     .arguments = std::move(arguments),
                                     .result = Type::Double(),
                                     .call = std::move(call)});
    };
    add("container", {pod, Type::String(), Type::String()}, of_pod);
    add("pod", {pod, Type::String()}, of_pod);
    add("node", {node, Type::String()}, of_node);
  }
  for (const bool is_member : {false, true}) {
    const std::string suffix = is_member ? "_member" : "";
    const auto add = [&](const std::string& id, const Type& argument, const Type& result,
                         cel::Callable call) {
      environment.AddFunction("StartedContainersTotal", {.id = id + suffix,
                                                         .is_member = is_member,
                                                         .arguments = {argument},
                                                         .result = result,
                                                         .call = std::move(call)});
    };
    const auto count = [usage](std::string_view name) -> int64_t {
      return usage == nullptr ? 0 : usage->StartedContainers(name);
    };
    add("started_containers_by_name", Type::String(), Type::Int(),
        [count](Arguments arguments, cel::Evaluation&) {
          return Value::Int(count(arguments[0].AsText()));
        });
    add("started_containers_of_node", node, Type::Double(),
        [count](Arguments arguments, cel::Evaluation&) {
          const json::Value* object = ObjectOf(arguments[0]);
          const auto name = object ? object->FindString({"metadata", "name"}) : std::string_view();
          return Value::Double(static_cast<double>(count(name)));
        });
  }
}

std::string Unsupported(std::string_view function, const cel::Value& value) {
  if (value.IsError()) return std::string(value.AsText());
  return fmt::format("{} unsupported type: {}", function, cel::TypeNameOf(value));
}

bool IsQuantity(const cel::Value& value) {
  return value.Is(cel::ValueKind::kHost) && &value.AsHost() == &QuantityType();
}

// Go's conversion of a double on amd64: what does not fit is the lowest int.
int64_t Truncate(double number) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  return number >= -kTwoTo63 && number < kTwoTo63 ? static_cast<int64_t>(number) : INT64_MIN;
}

std::expected<double, std::string> ToFloat64(const cel::Value& value) {
  switch (value.kind()) {
    case cel::ValueKind::kDuration:
    case cel::ValueKind::kInt:
      return static_cast<double>(value.AsInt());
    case cel::ValueKind::kUint:
      return static_cast<double>(value.AsUint());
    case cel::ValueKind::kDouble:
      return value.AsDouble();
    case cel::ValueKind::kBool:
      return value.AsBool() ? 1 : 0;
    default:
      if (IsQuantity(value)) return AsQuantity(value).AsDouble();
      return std::unexpected(Unsupported("cel.AsFloat64", value));
  }
}

std::expected<std::string, std::string> ToText(const cel::Value& value) {
  if (value.Is(cel::ValueKind::kString)) return std::string(value.AsText());
  return std::unexpected(Unsupported("cel.AsString", value));
}

// The variables of metrics and usage, and their types.
constexpr std::pair<std::string_view, std::string_view> kUsageVariables[] = {
    {"node", "v1.Node"}, {"pod", "v1.Pod"}, {"container", "v1.Container"}};

}  // namespace

// The types of Kubernetes as expressions see them, made from the type table.
class CelEnvironment::Types {
 public:
  Types() {
    for (const auto& [prefix, name] : kTypes) {
      cel::JsonStruct& structure = structs_.emplace_back();
      structure.name = "v1." + std::string(name);
      by_name_.emplace(std::string(prefix) + std::string(name), &structure);
    }
    for (auto& [name, structure] : by_name_) FillFields(name, *structure);
    cel::JsonType& any = Make(cel::Type::Map(cel::Type::String(), cel::Type::Dyn()));
    any_ = &any;
  }

  [[nodiscard]] const cel::JsonType* ForStruct(std::string_view name) const {
    for (const cel::JsonType& type : types_) {
      if (type.structure != nullptr && type.structure->name == name && !type.pointer) return &type;
    }
    return nullptr;
  }
  [[nodiscard]] const cel::JsonType* any() const { return any_; }
  [[nodiscard]] const std::deque<cel::JsonStruct>& structs() const { return structs_; }

 private:
  cel::JsonType& Make(cel::Type type) {
    return types_.emplace_back(cel::JsonType{.type = std::move(type)});
  }

  void FillFields(std::string_view name, cel::JsonStruct& structure) {
    const TypeTable& table = TypeTable::BuiltIn();
    const openapi::TypeId id = table.Find(name);
    KULISSE_ASSERT(id != openapi::kNoType);
    for (const openapi::JsonField& field : table.Get(id).json_fields) {
      if (field.parent != nullptr) continue;  // apiVersion and kind: KWOK's objects lack them
      structure.fields.push_back(
          {.name = std::string(field.field->json_name), .type = TypeOfField(*field.field)});
    }
    std::ranges::sort(structure.fields, {}, &cel::JsonField::name);
    // The type of the struct itself, for the variable.
    cel::JsonType& self = Make(cel::Type::Struct(structure.name));
    self.structure = &structure;
  }

  const cel::JsonType* TypeOfField(const FieldInfo& field) {
    const TypeInfo& value = TypeTable::BuiltIn().Get(field.type);
    if (field.shape == FieldShape::kMap && value.kind == openapi::TypeKind::kQuantity) {
      cel::JsonType& list = Make(cel::Type::Struct(std::string(ResourceListType().name())));
      list.host = &ResourceListType();
      return &list;
    }
    const cel::JsonType* element = TypeOf(value);
    if (field.shape == FieldShape::kList) {
      cel::JsonType& list = Make(cel::Type::List(element->type));
      list.element = element;
      return &list;
    }
    if (field.shape == FieldShape::kMap) {
      cel::JsonType& map = Make(cel::Type::Map(cel::Type::String(), element->type));
      map.element = element;
      return &map;
    }
    // Times and durations are converted, pointers or not.
    const bool converted =
        value.kind == openapi::TypeKind::kTime || value.kind == openapi::TypeKind::kDuration;
    if (!field.pointer || converted) return element;
    cel::JsonType& pointer = types_.emplace_back(*element);
    pointer.type = pointer.type.Nullable();
    pointer.pointer = true;
    return &pointer;
  }

  const cel::JsonType* TypeOf(const TypeInfo& info) {
    switch (info.kind) {
      case openapi::TypeKind::kString:
        return &Make(cel::Type::String());
      case openapi::TypeKind::kBool:
        return &Make(cel::Type::Bool());
      case openapi::TypeKind::kInt32:
      case openapi::TypeKind::kInt64:
        return &Make(cel::Type::Int());
      case openapi::TypeKind::kDouble:
        return &Make(cel::Type::Double());
      case openapi::TypeKind::kBytes:
        return &Make(cel::Type::Bytes());
      case openapi::TypeKind::kTime:
      case openapi::TypeKind::kMicroTime:
        return &Make(cel::Type::Timestamp());
      case openapi::TypeKind::kDuration:
        return &Make(cel::Type::Duration());
      case openapi::TypeKind::kQuantity: {
        cel::JsonType& quantity = Make(cel::Type::Struct(std::string(QuantityType().name())));
        quantity.host = &QuantityType();
        return &quantity;
      }
      default: {
        cel::JsonType& type = Make(cel::Type::Struct("v1." + std::string(info.go_name)));
        const auto found = by_name_.find(info.name);
        if (found != by_name_.end()) type.structure = found->second;
        return &type;
      }
    }
  }

  std::deque<cel::JsonStruct> structs_;
  std::deque<cel::JsonType> types_;
  std::map<std::string, cel::JsonStruct*, std::less<>> by_name_;
  const cel::JsonType* any_ = nullptr;
};

CelEnvironment::CelEnvironment(Runtime& runtime, UsageFunctions* usage)
    : runtime_(runtime), usage_(usage) {}

CelEnvironment::~CelEnvironment() = default;

const CelEnvironment::Types& CelEnvironment::BuiltInTypes() {
  static const Types types;
  return types;
}

const cel::JsonType* CelEnvironment::SelfOf(Scope scope) {
  const Types& types = BuiltInTypes();
  if (scope == Scope::kAny) return types.any();
  return types.ForStruct(scope == Scope::kPod ? "v1.Pod" : "v1.Node");
}

const cel::Environment& CelEnvironment::For(Scope scope) const {
  Made& made = made_[static_cast<size_t>(scope)];
  std::call_once(made.once, [&] { made.environment = Make(scope); });
  return *made.environment;
}

std::unique_ptr<cel::Environment> CelEnvironment::Make(Scope scope) const {
  const Types& types = BuiltInTypes();
  auto environment = std::make_unique<cel::Environment>();
  for (const cel::JsonStruct& structure : types.structs()) environment->AddStruct(&structure);
  AddFunctions(*environment, runtime_);
  AddUsage(*environment, usage_);
  if (scope == Scope::kUsage) {
    for (const auto& [variable, type] : kUsageVariables) {
      environment->AddVariable(std::string(variable), types.ForStruct(type)->type.Nullable());
    }
  } else {
    const cel::Type& self = SelfOf(scope)->type;
    environment->AddVariable("self", scope == Scope::kAny ? self : self.Nullable());
  }
  return environment;
}

std::expected<CelExpression, std::string> CelEnvironment::Compile(std::string_view expression,
                                                                  std::string_view api_group,
                                                                  std::string_view kind) const {
  if (expression.empty()) return std::unexpected("no source code");
  const bool is_core = api_group == "v1" || api_group.empty();
  const Scope scope = is_core && kind == "Pod"    ? Scope::kPod
                      : is_core && kind == "Node" ? Scope::kNode
                                                  : Scope::kAny;
  auto program = For(scope).Compile(expression, "");
  if (!program) return std::unexpected("failed to compile expression: " + program.error().text);
  return CelExpression(std::move(*program), SelfOf(scope));
}

std::expected<UsageExpression, std::string> CelEnvironment::CompileUsage(
    std::string_view expression) const {
  if (expression.empty()) return std::unexpected("no source code");
  auto program = For(Scope::kUsage).Compile(expression, "");
  if (!program) return std::unexpected("failed to compile expression: " + program.error().text);
  UsageExpression::Types types;
  std::ranges::transform(kUsageVariables, types.begin(), [&](const auto& variable) {
    return BuiltInTypes().ForStruct(variable.second);
  });
  // Text is enough to be on the safe side.
  const bool mentions_node = expression.find("node") != expression.npos;
  return UsageExpression(std::move(*program), types, mentions_node);
}

cel::Value UsageExpression::Evaluate(const UsageVariables& variables,
                                     cel::Evaluation& evaluation) const {
  std::array<cel::Value, 3> values;  // null each
  const std::array objects = {variables.node, variables.pod, variables.container};
  for (size_t i = 0; i < objects.size(); ++i) {
    if (objects[i]) values[i] = cel::FromJson(objects[i], types_[i], evaluation);
  }
  return program_.Evaluate(values, evaluation);
}

std::expected<double, std::string> UsageExpression::AsFloat64(const UsageVariables& variables,
                                                              cel::Evaluation& evaluation) const {
  return ToFloat64(Evaluate(variables, evaluation));
}

std::expected<std::string, std::string> UsageExpression::AsString(
    const UsageVariables& variables, cel::Evaluation& evaluation) const {
  return ToText(Evaluate(variables, evaluation));
}

cel::Value CelExpression::Evaluate(const json::Value& self, cel::Evaluation& evaluation) const {
  const cel::Value variables[] = {cel::FromJson(&self, self_, evaluation)};
  return program_.Evaluate(variables, evaluation);
}

std::expected<bool, std::string> CelExpression::AsBool(const json::Value& self) const {
  cel::Evaluation evaluation;
  const cel::Value value = Evaluate(self, evaluation);
  if (value.Is(cel::ValueKind::kBool)) return value.AsBool();
  return std::unexpected(Unsupported("cel.AsBool", value));
}

std::expected<int64_t, std::string> CelExpression::AsInt64(const json::Value& self) const {
  cel::Evaluation evaluation;
  const cel::Value value = Evaluate(self, evaluation);
  switch (value.kind()) {
    case cel::ValueKind::kDuration:
    case cel::ValueKind::kInt:
    case cel::ValueKind::kUint:
      return value.AsInt();
    case cel::ValueKind::kDouble:
      return Truncate(value.AsDouble());
    case cel::ValueKind::kBool:
      return value.AsBool() ? 1 : 0;
    default:
      return std::unexpected(Unsupported("cel.AsInt64", value));
  }
}

std::expected<double, std::string> CelExpression::AsFloat64(const json::Value& self) const {
  cel::Evaluation evaluation;
  return ToFloat64(Evaluate(self, evaluation));
}

std::expected<Duration, std::string> CelExpression::AsDuration(const json::Value& self) const {
  cel::Evaluation evaluation;
  const cel::Value value = Evaluate(self, evaluation);
  switch (value.kind()) {
    case cel::ValueKind::kString: {
      const auto duration = ParseGoDuration(value.AsText());
      if (duration) return *duration;
      return std::unexpected(fmt::format("time: invalid duration \"{}\"", value.AsText()));
    }
    case cel::ValueKind::kDuration:
    case cel::ValueKind::kInt:
    case cel::ValueKind::kUint:
      return Duration(value.AsInt());
    case cel::ValueKind::kDouble:
      return Duration(Truncate(value.AsDouble()));
    default:
      return std::unexpected(Unsupported("cel.AsDuration", value));
  }
}

std::expected<std::string, std::string> CelExpression::AsString(const json::Value& self) const {
  cel::Evaluation evaluation;
  return ToText(Evaluate(self, evaluation));
}

std::pair<std::string, std::string> CelExpression::Show(const json::Value& self) const {
  cel::Evaluation evaluation;
  const cel::Value value = Evaluate(self, evaluation);
  if (value.IsError()) return {"error", std::string(value.AsText())};
  return {std::string(cel::TypeNameOf(value)), cel::DebugText(value, evaluation)};
}

}  // namespace kulisse::simulator
