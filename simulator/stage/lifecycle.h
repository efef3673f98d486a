// Lifecycle is all stages of one kind: given an object, it says which stage comes next and when.
//
// Shares: its stages. Immutable. Threads: any (randomness and time come from the caller's Runtime).
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json/value.h"
#include "base/runtime.h"
#include "simulator/stage/stage.h"

namespace kulisse::simulator {

class Lifecycle {
 public:
  struct Match {
    size_t stage = 0;   // index in stages()
    Duration delay{0};  // not positive: at once
  };

  using StagePtr = std::shared_ptr<const Stage>;

  // REQUIRES: all of the same kind.
  explicit Lifecycle(std::vector<StagePtr> stages) : stages_(std::move(stages)) {}

  [[nodiscard]] const std::vector<StagePtr>& stages() const { return stages_; }

  // The stage that the object goes through next, one of those that match, drawn by weight. Nothing
  // when none matches; an error, as a person reads it, when several match and the weight of one
  // cannot be told. Objects of kinds other than Pod and Node carry apiVersion and kind.
  [[nodiscard]] std::expected<std::optional<Match>, std::string> Next(const json::Value& object,
                                                                      Runtime& runtime) const;

 private:
  std::vector<StagePtr> stages_;
};

// The parts of Next(), each with the rules that it implements.
[[nodiscard]] bool Matches(const StageSelector& selector, const json::Value& object,
                           std::optional<SystemTime> now = std::nullopt);
// The weight of the stage for the object; nothing when weightFrom gives no value ("" or no number),
// an error when it is CEL and fails.
[[nodiscard]] std::expected<std::optional<int64_t>, std::string> WeightOf(
    const Stage& stage, const json::Value& object, std::optional<SystemTime> now = std::nullopt);
// The index of one weight, at random: by weight; uniform over all when none has a value; uniform
// over those with a value when they sum up to 0. REQUIRES: not empty.
[[nodiscard]] size_t Draw(std::span<const std::optional<int64_t>> weights, Runtime& runtime);
// Between which times from now the stage plays; `end` is not below `begin`, and equals it when
// nothing is left to chance.
struct DelayInterval {
  Duration begin{0};
  Duration end{0};
};
[[nodiscard]] DelayInterval IntervalOf(const StageDelay& delay, const json::Value& object,
                                       SystemTime now);
// How long from now the stage waits. A jitter up to the delay is the delay; a greater one is the
// end of the interval from which it is drawn.
[[nodiscard]] Duration DelayOf(const StageDelay& delay, const json::Value& object,
                               Runtime& runtime);

}  // namespace kulisse::simulator
