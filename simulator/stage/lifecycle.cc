#include "simulator/stage/lifecycle.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <variant>

#include "base/assert.h"
#include "base/text.h"
#include "base/time.h"
#include "simulator/limits.h"

namespace kulisse::simulator {

namespace {

using json::Value;
using Values = std::vector<const Value*>;
using Time = std::optional<SystemTime>;

bool IsNull(const Value* value) { return value->IsNull(); }

// What the expression gives for the object, nulls dropped; nothing on an error.
Values Results(const Jq& program, const Value& object, json::Arena& arena, Time now) {
  Values results;
  if (!program.Evaluate(object, arena, &results, now)) return {};
  std::erase_if(results, IsNull);
  return results;
}

// As the values of a requirement write it: text as it is, booleans and integers in words.
bool HasText(const Value& value, std::string_view text) {
  if (value.IsString()) return value.AsString() == text;
  if (value.IsBool()) return text == (value.AsBool() ? "true" : "false");
  return value.IsInt() && text == std::to_string(value.AsInt());
}

bool Matches(const JqRequirement& expression, const Value& object, Time now) {
  json::Arena arena;
  const Values results = Results(expression.key, object, arena, now);
  using Operator = JqRequirement::Operator;
  if (expression.op == Operator::kExists) return !results.empty();
  if (expression.op == Operator::kDoesNotExist) return results.empty();
  const bool in = std::ranges::any_of(results, [&](const Value* result) {
    return std::ranges::any_of(expression.values,
                               [&](const std::string& text) { return HasText(*result, text); });
  });
  return in == (expression.op == Operator::kIn);
}

bool Matches(const MatchExpression& expression, const Value& object, Time now) {
  if (const auto* jq = std::get_if<JqRequirement>(&expression)) return Matches(*jq, object, now);
  return std::get<CelExpression>(expression).AsBool(object).value_or(false);
}

bool HasPairs(const std::vector<std::pair<std::string, std::string>>& pairs, const Value& object,
              std::string_view field) {
  if (pairs.empty()) return true;
  const Value* actual = object.Find({"metadata", field});
  if (!actual) return false;
  return std::ranges::all_of(pairs, [&](const auto& pair) {
    const Value* value = actual->Find(pair.first);
    return value && value->IsString() && value->AsString() == pair.second;
  });
}

// Go's strconv.ParseInt(text, 0, 64).
std::optional<int64_t> ParseAnyBase(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char kind = static_cast<char>(text[1] | 0x20);
    base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
    text.remove_prefix(kind == 'x' || kind == 'b' || kind == 'o' ? 2 : 1);
  }
  int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || text[0] == '-' || error != std::errc{} || stop != end) return std::nullopt;
  return negative ? -value : value;
}

// A time span as a stage may give it: nothing said, "none at all", or a value.
struct Span {
  enum class Kind : uint8_t { kUnset, kNone, kValue };
  Kind kind = Kind::kUnset;
  Duration value{0};
};

Span Milliseconds(int64_t count) {
  const auto longest = std::chrono::duration_cast<std::chrono::milliseconds>(kStageDelayMax);
  return {Span::Kind::kValue, std::chrono::milliseconds(std::min<int64_t>(count, longest.count()))};
}

// With CEL an error is no delay; with jq what is no time or duration counts as nothing said.
Span SpanOf(const std::optional<Expression>& from, std::optional<int64_t> milliseconds,
            const Value& object, SystemTime now) {
  if (from && std::holds_alternative<CelExpression>(*from)) {
    const auto duration = std::get<CelExpression>(*from).AsDuration(object);
    if (!duration) return {Span::Kind::kNone};
    return {Span::Kind::kValue, std::min<Duration>(*duration, kStageDelayMax)};
  }
  if (from) {
    json::Arena arena;
    const Values results = Results(std::get<Jq>(*from), object, arena, now);
    if (!results.empty() && results[0]->IsString()) {
      const std::string_view text = results[0]->AsString();
      if (text.empty()) return {Span::Kind::kNone};
      if (const auto time = ParseTime(text)) {
        return {Span::Kind::kValue, std::min<Duration>(*time - now, kStageDelayMax)};
      }
      if (const auto duration = ParseGoDuration(text)) {
        return {Span::Kind::kValue, std::min<Duration>(*duration, kStageDelayMax)};
      }
    }
  }
  return milliseconds ? Milliseconds(*milliseconds) : Span{};
}

uint64_t RandomBelow(uint64_t bound, Runtime& runtime) {
  // The high half of a product: the bias of at most bound / 2^64 does not matter here.
  return static_cast<uint64_t>(static_cast<unsigned __int128>(runtime.RandomBits()) * bound >> 64);
}

}  // namespace

bool Matches(const StageSelector& selector, const Value& object, Time now) {
  return HasPairs(selector.match_labels, object, "labels") &&
         HasPairs(selector.match_annotations, object, "annotations") &&
         std::ranges::all_of(selector.match_expressions, [&](const MatchExpression& expression) {
           return Matches(expression, object, now);
         });
}

std::expected<std::optional<int64_t>, std::string> WeightOf(const Stage& stage, const Value& object,
                                                            Time now) {
  if (!stage.weight_from) return stage.weight;
  if (const auto* cel = std::get_if<CelExpression>(&*stage.weight_from)) {
    const auto weight = cel->AsInt64(object);
    if (!weight) return std::unexpected(stage.name + ": weightFrom: " + weight.error());
    return *weight;
  }
  json::Arena arena;
  const Values results = Results(std::get<Jq>(*stage.weight_from), object, arena, now);
  if (results.empty()) return stage.weight;
  const Value& value = *results[0];
  if (value.IsString()) return ParseAnyBase(value.AsString());
  constexpr double kWeightMax = 1e15;
  // A number of the object; KWOK does not take integers that the expression computes.
  if (value.IsNumber() && !value.IsInt()) {
    return static_cast<int64_t>(std::clamp(value.AsDouble(), -kWeightMax, kWeightMax));
  }
  return stage.weight;
}

size_t Draw(std::span<const std::optional<int64_t>> weights, Runtime& runtime) {
  KULISSE_ASSERT(!weights.empty());
  // Each weight counts up to this, so that the sum cannot overflow.
  static constexpr int64_t kCountedMax = int64_t{1} << 40;
  const auto counted = [](const std::optional<int64_t>& weight) {
    return static_cast<uint64_t>(std::clamp<int64_t>(weight.value_or(0), 0, kCountedMax));
  };
  uint64_t sum = 0;
  size_t valued = 0;
  for (const auto& weight : weights) {
    sum += counted(weight);
    valued += weight.has_value();
  }
  if (valued == 0) return RandomBelow(weights.size(), runtime);
  uint64_t rest = RandomBelow(sum == 0 ? valued : sum, runtime);
  for (size_t i = 0; i < weights.size(); ++i) {
    const uint64_t share = sum == 0 ? weights[i].has_value() : counted(weights[i]);
    if (rest < share) return i;
    rest -= share;
  }
  KULISSE_ASSERT(false);
  return 0;
}

DelayInterval IntervalOf(const StageDelay& delay, const Value& object, SystemTime now) {
  const Span duration = SpanOf(delay.duration_from, delay.duration_milliseconds, object, now);
  if (duration.kind == Span::Kind::kNone) return {};
  const Span jitter = SpanOf(delay.jitter_from, delay.jitter_milliseconds, object, now);
  if (jitter.kind != Span::Kind::kValue) return {duration.value, duration.value};
  if (jitter.value <= duration.value) return {jitter.value, jitter.value};
  return {duration.value, jitter.value};
}

Duration DelayOf(const StageDelay& delay, const Value& object, Runtime& runtime) {
  const DelayInterval interval = IntervalOf(delay, object, runtime.Now());
  const auto width = static_cast<uint64_t>((interval.end - interval.begin).count());
  if (width == 0) return interval.begin;
  return interval.begin + Duration(static_cast<int64_t>(RandomBelow(width, runtime)));
}

std::expected<std::optional<Lifecycle::Match>, std::string> Lifecycle::Next(
    const Value& object, Runtime& runtime) const {
  const SystemTime now = runtime.Now();
  std::vector<size_t> matching;
  for (size_t i = 0; i < stages_.size(); ++i) {
    if (stages_[i]->selector && Matches(*stages_[i]->selector, object, now)) matching.push_back(i);
  }
  if (matching.empty()) return std::nullopt;
  size_t chosen = matching[0];
  if (matching.size() > 1) {
    std::vector<std::optional<int64_t>> weights;
    for (const size_t i : matching) {
      const auto weight = WeightOf(*stages_[i], object, now);
      if (!weight) return std::unexpected(weight.error());
      weights.push_back(*weight);
    }
    chosen = matching[Draw(weights, runtime)];
  }
  const Stage& stage = *stages_[chosen];
  return Match{chosen, stage.delay ? DelayOf(*stage.delay, object, runtime) : Duration(0)};
}

}  // namespace kulisse::simulator
