#include "cmd/flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace kulisse::cmd {

namespace {

constexpr size_t kHelpWidth = 80;
constexpr size_t kHelpIndent = 6;
// A misspelled flag is answered with the nearest one when at most so many letters differ.
constexpr size_t kSuggestionDistanceMax = 2;

using Parsed = std::expected<void, std::string>;

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

bool IsSwitch(const Flag& flag) {
  return std::holds_alternative<bool*>(flag.target) ||
         std::holds_alternative<CountTarget>(flag.target);
}

// `source` is how the person gave the value: "--port" or "KULISSE_PORT".
std::unexpected<std::string> Refusal(std::string_view source, std::string_view value,
                                     std::string_view expected) {
  return std::unexpected(fmt::format("{}: \"{}\" is not {}", source, value, expected));
}

Parsed SetBool(bool* target, std::string_view source, std::string_view value) {
  if (value == "true" || value == "1") {
    *target = true;
  } else if (value == "false" || value == "0") {
    *target = false;
  } else {
    return Refusal(source, value, "true or false");
  }
  return {};
}

Parsed SetNumber(const NumberTarget& target, std::string_view source, std::string_view value) {
  const std::optional<uint64_t> number = ParseUint64(value);
  if (!number || *number < target.min || *number > target.max) {
    return Refusal(source, value, fmt::format("a number from {} to {}", target.min, target.max));
  }
  *target.value = *number;
  return {};
}

Parsed SetChoice(const ChoiceTarget& target, std::string_view source, std::string_view value) {
  if (std::find(target.choices.begin(), target.choices.end(), value) == target.choices.end()) {
    return Refusal(source, value, "one of " + Join(target.choices, ", "));
  }
  *target.value = value;
  return {};
}

Parsed SetCount(const CountTarget& target, std::string_view source, std::string_view value) {
  constexpr int64_t kCountMax = 9;
  const std::optional<int64_t> number = ParseInt64(value);
  if (!number || *number < 0 || *number > kCountMax) {
    return Refusal(source, value, fmt::format("a number from 0 to {}", kCountMax));
  }
  *target.value = static_cast<int>(*number);
  return {};
}

Parsed SetValue(const Flag& flag, std::string_view source, std::string_view value) {
  if (value.empty() && !flag.value_name.empty()) {
    return std::unexpected(fmt::format("{} wants a value: {}", source, flag.value_name));
  }
  return std::visit(
      Overloaded{
          [&](bool* target) { return SetBool(target, source, value); },
          [&](std::string* target) {
            *target = value;
            return Parsed();
          },
          [&](std::vector<std::string>* target) {
            target->emplace_back(value);
            return Parsed();
          },
          [&](const NumberTarget& target) { return SetNumber(target, source, value); },
          [&](const OptionalNumberTarget& target) {
            uint64_t number = 0;
            Parsed parsed = SetNumber({&number, 0, UINT64_MAX}, source, value);
            if (parsed) *target.value = number;
            return parsed;
          },
          [&](const ChoiceTarget& target) { return SetChoice(target, source, value); },
          [&](const CountTarget& target) { return SetCount(target, source, value); },
      },
      flag.target);
}

// A switch without a value.
void TurnOn(const Flag& flag) {
  if (bool* const* target = std::get_if<bool*>(&flag.target)) **target = true;
  if (const auto* target = std::get_if<CountTarget>(&flag.target)) ++*target->value;
}

// An environment variable of a list has its values between commas.
Parsed SetFromEnvironment(const Flag& flag, const std::string& value) {
  const std::string source = flag.Environment();
  if (!std::holds_alternative<std::vector<std::string>*>(flag.target)) {
    return SetValue(flag, source, value);
  }
  for (const std::string_view part : Split(value, ',')) {
    if (auto set = SetValue(flag, source, part); !set) return set;
  }
  return {};
}

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::unexpected<std::string> UnknownFlag(const std::vector<Flag>& flags, std::string_view given) {
  std::string nearest;
  size_t distance_min = kSuggestionDistanceMax + 1;
  for (const Flag& flag : flags) {
    const size_t distance = EditDistance(flag.Spelling(), given);
    if (distance >= distance_min || flag.name.size() == 1) continue;
    distance_min = distance;
    nearest = fmt::format("; did you mean {}?", flag.Spelling());
  }
  return std::unexpected(fmt::format("unknown flag {}{}", given, nearest));
}

const Flag* FindFlag(const std::vector<Flag>& flags, std::string_view spelling) {
  for (const Flag& flag : flags) {
    if (flag.Spelling() == spelling) return &flag;
  }
  return nullptr;
}

// A list's flags replace what the environment said; its first one clears it.
void ClearLists(const std::vector<Flag>& flags, std::span<const std::string_view> args) {
  for (const Flag& flag : flags) {
    const auto* list = std::get_if<std::vector<std::string>*>(&flag.target);
    if (list == nullptr) continue;
    const std::string spelling = flag.Spelling();
    const bool given = std::any_of(args.begin(), args.end(), [&](std::string_view arg) {
      return arg.substr(0, arg.find('=')) == spelling;
    });
    if (given) (*list)->clear();
  }
}

}  // namespace

std::string Flag::Spelling() const {
  return fmt::format("{}{}", name.size() == 1 ? "-" : "--", name);
}

std::string Flag::Environment() const {
  std::string variable = "KULISSE_";
  for (const char c : name) {
    variable += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return variable;
}

std::expected<void, std::string> ParseFlags(const std::vector<Flag>& flags,
                                            std::span<const std::string_view> args,
                                            const EnvironmentLookup& environment,
                                            std::vector<std::string>* others) {
  for (const Flag& flag : flags) {
    const std::optional<std::string> value = environment(flag.Environment());
    if (!value) continue;
    if (auto set = SetFromEnvironment(flag, *value); !set) return set;
  }
  ClearLists(flags, args);
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string_view arg = args[i];
    if (!arg.starts_with('-') && others != nullptr) {
      others->emplace_back(arg);
      continue;
    }
    if (!arg.starts_with('-') || arg == "-" || arg == "--") {
      return std::unexpected(fmt::format("unexpected argument \"{}\"", arg));
    }
    const size_t equals = arg.find('=');
    const std::string_view spelling = arg.substr(0, equals);
    const Flag* flag = FindFlag(flags, spelling);
    if (flag == nullptr) return UnknownFlag(flags, spelling);
    Parsed set;
    if (equals != std::string_view::npos) {
      set = SetValue(*flag, spelling, arg.substr(equals + 1));
    } else if (IsSwitch(*flag)) {
      TurnOn(*flag);
    } else if (i + 1 == args.size()) {
      set = std::unexpected(fmt::format("{} wants a value: {}", spelling, flag->value_name));
    } else {
      set = SetValue(*flag, spelling, args[++i]);
    }
    if (!set) return set;
  }
  return {};
}

std::string Wrap(std::string_view text, size_t indent, size_t width) {
  std::string out;
  std::string line;
  const auto flush = [&] {
    if (!line.empty()) out += std::string(indent, ' ') + line + "\n";
    line.clear();
  };
  for (const std::string_view word : Split(text, ' ')) {
    if (!line.empty() && indent + line.size() + 1 + word.size() > width) flush();
    if (!line.empty()) line += ' ';
    line += word;
  }
  flush();
  return out;
}

std::string FlagsHelp(const std::vector<Flag>& flags) {
  std::string out;
  for (const Flag& flag : flags) {
    out += "  " + flag.Spelling();
    if (!flag.value_name.empty()) out += fmt::format(" {}", flag.value_name);
    out += '\n';
    std::string help(flag.help);
    if (!flag.default_text.empty()) help += fmt::format(" Default: {}.", flag.default_text);
    out += Wrap(help, kHelpIndent, kHelpWidth);
  }
  return out;
}

}  // namespace kulisse::cmd
