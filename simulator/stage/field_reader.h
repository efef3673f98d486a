// FieldReader takes a configuration object apart, strictly: each field is asked for once, by type,
// and what nobody asked for is refused. The first error wins and names its field.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"

namespace kulisse::simulator {

class FieldReader {
 public:
  // Reads `object` (an object, or null for "absent"), which stands at `path`. Errors go to `error`,
  // unless it has one: "spec.delay.durationMilliseconds: must be an integer".
  FieldReader(const json::Value* object, std::string path, std::string* error);

  [[nodiscard]] bool failed() const { return !error_->empty(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string PathOf(std::string_view name) const;
  void Fail(std::string_view name, std::string_view message);

  // The field, or null when it is absent or null.
  const json::Value* Take(std::string_view name);
  std::optional<std::string> TakeString(std::string_view name);
  std::string TakeStringOr(std::string_view name, std::string_view otherwise);
  // Not negative.
  std::optional<int64_t> TakeCount(std::string_view name);
  bool TakeBool(std::string_view name, bool otherwise = false);
  // The string without taking the field; "" when it is missing or no string.
  [[nodiscard]] std::string_view Peek(std::string_view name) const {
    return object_ ? object_->FindString({name}) : std::string_view();
  }
  const json::Value* TakeObject(std::string_view name);
  const json::Value* TakeArray(std::string_view name);
  std::vector<std::string> TakeStrings(std::string_view name);
  std::vector<std::pair<std::string, std::string>> TakeStringMap(std::string_view name);
  // Passes over fields that mean nothing here.
  void Skip(std::initializer_list<std::string_view> names);
  // Refuses what was not asked for.
  void Finish();

 private:
  void WrongType(std::string_view name, std::string_view expected);

  const json::Value* object_;
  std::string path_;
  std::string* error_;
  std::vector<std::string_view> taken_;
};

}  // namespace kulisse::simulator
