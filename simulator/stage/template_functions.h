// The values that templates compute with, and the functions they may call.
#pragma once

#include <cstdint>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/json/value.h"
#include "simulator/stage/template.h"

namespace kulisse::simulator {

// Operand is a value in a template: nil, or a JSON value of the data or of the rendering's arena.
// `computed` tells numbers that the template made from those of the data: Go's templates see the
// latter as strings (json.Number). What lies in a computed list or dict counts as computed.
struct Operand {
  const json::Value* value = nullptr;
  bool computed = false;
  bool is_time = false;  // an Int of nanoseconds since 1970 that stands for Go's time.Time

  [[nodiscard]] bool IsNil() const { return value == nullptr || value->IsNull(); }
  [[nodiscard]] bool IsString() const { return value && value->IsString(); }
  [[nodiscard]] bool IsNumber() const { return value && value->IsNumber(); }
  // An int that the template made.
  [[nodiscard]] bool IsComputedInt() const { return computed && value && value->IsInt(); }
  [[nodiscard]] bool IsArray() const { return value && value->IsArray(); }
  [[nodiscard]] bool IsObject() const { return value && value->IsObject(); }
  // Go's text/template truth.
  [[nodiscard]] bool Truth() const;
  [[nodiscard]] std::string_view TypeName() const;
};

// As fmt.Fprint writes it; nil is "<no value>".
void AppendPrinted(const Operand& operand, std::string* out);

// TemplateCall is what a function sees of the rendering under way.
class TemplateCall {
 public:
  TemplateCall(json::Arena& arena, TemplateEnvironment& environment)
      : arena_(arena), environment_(environment) {}

  [[nodiscard]] json::Arena& arena() { return arena_; }
  [[nodiscard]] TemplateEnvironment& environment() { return environment_; }
  [[nodiscard]] const std::string& error() const { return error_; }

  // Sets the error; returns false for the caller to return.
  bool Fail(std::string message) {
    error_ = std::move(message);
    return false;
  }
  Operand Keep(json::Value value) {
    return {new (arena_.Allocate(sizeof(json::Value))) json::Value(std::move(value)), true};
  }
  Operand KeepString(std::string_view text) { return Keep(json::Value::String(text, arena_)); }
  Operand KeepBool(bool value) { return Keep(json::Value::Bool(value)); }
  Operand KeepInt(int64_t value) { return Keep(json::Value::Int(value)); }
  // Uniform in [0, bound). REQUIRES: bound > 0.
  uint64_t RandomBelow(uint64_t bound) { return environment_.RandomBits() % bound; }

 private:
  json::Arena& arena_;
  TemplateEnvironment& environment_;
  std::string error_;
};

using Arguments = std::span<const Operand>;

struct TemplateFunction {
  enum class Special : uint8_t { kNone, kAnd, kOr };  // these stop at the deciding argument

  std::string_view name;
  int arguments_min;
  int arguments_max;  // -1: any number
  bool (*call)(TemplateCall& call, Arguments arguments, Operand* result);
  Special special = Special::kNone;
  TemplateScope scope = TemplateScope::kAny;  // the one kind that has it; kAny: all
  bool node_and_pod = false;                  // both of these
  // The types of the arguments, a letter each; empty: the function checks them (sprig/sprig.h).
  std::string_view signature = {};
};

// A function whose arguments are checked: their number too comes from the signature.
constexpr TemplateFunction Sprig(std::string_view name, std::string_view signature,
                                 bool (*call)(TemplateCall&, Arguments, Operand*)) {
  const bool repeats = signature.ends_with('*');
  const int letters = static_cast<int>(signature.size()) - (repeats ? 1 : 0);
  return {.name = name,
          .arguments_min = repeats ? letters - 1 : letters,
          .arguments_max = repeats ? -1 : letters,
          .call = call,
          .signature = signature};
}

// Whether the arguments have the types that the function takes; sets the error.
bool CheckArguments(TemplateCall& call, const TemplateFunction& function, Arguments arguments);

// Null when no template of this scope has the function.
[[nodiscard]] const TemplateFunction* FindTemplateFunction(std::string_view name,
                                                           TemplateScope scope);

// printf: writes arguments by Go's verbs.
bool CallPrintf(TemplateCall& call, Arguments arguments, Operand* result);

}  // namespace kulisse::simulator
