// Flags of a command: one table says name, environment variable, kind, default and help of each;
// parsing, refusals and the help text come from it.
//
//   --name value   --name=value   --switch   --switch=false   -v -v
//
// A flag wins over its environment variable (--data-dir: KULISSE_DATA_DIR), that over the default.
// The last of a repeated flag counts, except for lists, which collect all.
//
// Borrows: the targets, which keep their defaults until Parse() sets them.
// Threads: none; used by main before anything starts.
// Errors: one line that says what is expected.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kulisse::cmd {

struct NumberTarget {
  uint64_t* value;
  uint64_t min;
  uint64_t max;
};
struct OptionalNumberTarget {
  std::optional<uint64_t>* value;
};
struct ChoiceTarget {
  std::string* value;
  std::vector<std::string> choices;
};
struct CountTarget {  // -v -v
  int* value;
};
using FlagTarget = std::variant<bool*, std::string*, std::vector<std::string>*, NumberTarget,
                                OptionalNumberTarget, ChoiceTarget, CountTarget>;

struct Flag {
  std::string_view name;        // "data-dir"; a name of one letter is written -v
  std::string_view value_name;  // "DIR"; "" for switches and counts
  std::string_view default_text;
  std::string_view help;
  FlagTarget target;

  [[nodiscard]] std::string Spelling() const;     // "--data-dir", "-v"
  [[nodiscard]] std::string Environment() const;  // "KULISSE_DATA_DIR"
};

// Value of an environment variable, or nothing.
using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;

// Sets the targets from the environment and then from the arguments. Arguments that are no flags go
// to `others`; without it they are refused.
[[nodiscard]] std::expected<void, std::string> ParseFlags(
    const std::vector<Flag>& flags, std::span<const std::string_view> args,
    const EnvironmentLookup& environment, std::vector<std::string>* others = nullptr);

// The table for `kulisse help`: a flag a paragraph, at most 80 columns.
[[nodiscard]] std::string FlagsHelp(const std::vector<Flag>& flags);

// Text in lines of at most `width` columns, each after `indent` blanks.
[[nodiscard]] std::string Wrap(std::string_view text, size_t indent, size_t width);

}  // namespace kulisse::cmd
