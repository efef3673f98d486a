#include "simulator/jq/jq.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <utility>

#include "base/text.h"
#include "simulator/jq/context.h"
#include "simulator/jq/evaluator.h"
#include "simulator/jq/parser.h"
#include "simulator/jq/regex.h"
#include "simulator/jq/resolver.h"

namespace kulisse::simulator {

namespace {

using json::Value;

// What is JSON of it: NaN is null, infinities are the largest doubles.
Value DoubleToJson(double number) {
  constexpr double kMax = std::numeric_limits<double>::max();
  if (std::isnan(number)) return {};
  return Value::Double(std::clamp(number, -kMax, kMax));
}

Value ToJson(const jq::Value& value, json::Arena& arena) {
  if (value.parsed()) return value.parsed()->CloneSharingStrings(arena);
  switch (value.kind()) {
    case jq::Kind::kBool:
      return Value::Bool(value.AsBool());
    case jq::Kind::kInt:
      return Value::Int(value.AsInt());
    case jq::Kind::kDouble:
      return DoubleToJson(value.AsDouble());
    case jq::Kind::kString:
      if (IsUtf8(value.AsString())) return Value::StringRef(value.AsString());
      return Value::String(ToValidUtf8(value.AsString()), arena);
    case jq::Kind::kArray: {
      Value array = Value::Array();
      for (const jq::Value& element : value.own_elements()) {
        array.PushBack(ToJson(element, arena), arena);
      }
      return array;
    }
    case jq::Kind::kObject: {
      Value object = Value::Object();
      for (const jq::Member& member : value.own_members()) {
        const std::string_view name =
            IsUtf8(member.name) ? member.name : arena.Copy(ToValidUtf8(member.name));
        object.AppendRef(name, ToJson(member.value, arena), arena);
      }
      return object;
    }
    default:
      return {};
  }
}

}  // namespace

struct Jq::Compiled {
  jq::Program program;
  RegexCache regexes;
};

Jq::Jq(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Jq::Jq(Jq&&) noexcept = default;
Jq& Jq::operator=(Jq&&) noexcept = default;
Jq::~Jq() = default;

std::expected<Jq, std::string> Jq::Compile(std::string_view text) {
  auto root = jq::Parse(text);
  if (!root) return std::unexpected(std::move(root.error()));
  auto program = jq::Resolve(std::move(*root));
  if (!program) return std::unexpected(std::move(program.error()));
  auto compiled = std::make_unique<Compiled>();
  compiled->program = std::move(*program);
  return Jq(std::move(compiled));
}

std::expected<void, std::string> Jq::Evaluate(const Value& input, json::Arena& arena,
                                              std::vector<const Value*>* results,
                                              std::optional<SystemTime> now) const {
  const size_t before = results->size();
  jq::Context context(arena, compiled_->regexes, now);
  jq::Evaluator evaluator(context);
  auto collect = [&](const jq::Pathed& result) {
    const Value* kept = result.value.parsed();
    if (!kept) kept = new (arena.Allocate(sizeof(Value))) Value(ToJson(result.value, arena));
    results->push_back(kept);
    return jq::Outcome::kGoOn;
  };
  if (evaluator.Run(compiled_->program, jq::Value::Of(input), collect) == jq::Outcome::kGoOn) {
    return {};
  }
  results->resize(before);
  return std::unexpected(context.ErrorText());
}

}  // namespace kulisse::simulator
