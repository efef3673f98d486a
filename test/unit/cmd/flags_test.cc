#include "cmd/flags.h"

#include <gtest/gtest.h>

#include <map>

#include "base/text.h"

namespace kulisse::cmd {
namespace {

struct Targets {
  std::string text = "default";
  std::string mode = "slow";
  uint64_t number = 5;
  std::optional<uint64_t> seed;
  std::vector<std::string> list;
  bool on = false;
  int verbosity = 0;

  [[nodiscard]] std::string Describe() const {
    return text + " " + mode + " " + std::to_string(number) + " " +
           (seed ? std::to_string(*seed) : "-") + " [" + Join(list, " ") + "]" + (on ? " on" : "") +
           (verbosity > 0 ? " v" + std::to_string(verbosity) : "");
  }
};

std::vector<Flag> FlagsOf(Targets& t) {
  return {{"some-text", "TEXT", "default", "A text.", &t.text},
          {"mode", "MODE", "slow", "How.", ChoiceTarget{&t.mode, {"slow", "fast"}}},
          {"number", "N", "5", "How many.", NumberTarget{&t.number, 1, 10}},
          {"seed", "N", "", "Seed.", OptionalNumberTarget{&t.seed}},
          {"list", "FILE", "", "Files.", &t.list},
          {"on", "", "", "Switch.", &t.on},
          {"v", "", "", "More.", CountTarget{&t.verbosity}}};
}

std::string Parse(std::vector<std::string_view> args,
                  const std::map<std::string, std::string>& environment = {}) {
  Targets targets;
  const auto lookup = [&](const std::string& name) -> std::optional<std::string> {
    const auto it = environment.find(name);
    if (it == environment.end()) return std::nullopt;
    return it->second;
  };
  const auto parsed = ParseFlags(FlagsOf(targets), args, lookup);
  return parsed ? targets.Describe() : "error: " + parsed.error();
}

struct Row {
  std::vector<std::string_view> args;
  std::string_view want;
};

TEST(FlagsTest, ParsesTable) {
  const Row rows[] = {
      {{}, "default slow 5 - []"},
      {{"--some-text", "a b"}, "a b slow 5 - []"},
      {{"--some-text=a=b"}, "a=b slow 5 - []"},
      {{"--some-text", "--on"}, "--on slow 5 - []"},
      {{"--number", "10", "--mode=fast"}, "default fast 10 - []"},
      {{"--number=1", "--number=2"}, "default slow 2 - []"},
      {{"--seed", "18446744073709551615"}, "default slow 5 18446744073709551615 []"},
      {{"--list", "a", "--list=b"}, "default slow 5 - [a b]"},
      {{"--on", "-v", "-v"}, "default slow 5 - [] on v2"},
      {{"--on=false"}, "default slow 5 - []"},
      {{"--on=true", "-v=4"}, "default slow 5 - [] on v4"},
  };
  for (const Row& row : rows) EXPECT_EQ(Parse(row.args), row.want);
}

TEST(FlagsTest, SaysWhatIsExpected) {
  const Row rows[] = {
      {{"--numbers", "1"}, "error: unknown flag --numbers; did you mean --number?"},
      {{"--what"}, "error: unknown flag --what"},
      {{"-x"}, "error: unknown flag -x"},
      {{"-number", "1"}, "error: unknown flag -number; did you mean --number?"},
      {{"stray"}, "error: unexpected argument \"stray\""},
      {{"--on", "true"}, "error: unexpected argument \"true\""},
      {{"--"}, "error: unexpected argument \"--\""},
      {{""}, "error: unexpected argument \"\""},
      {{"--number"}, "error: --number wants a value: N"},
      {{"--number="}, "error: --number wants a value: N"},
      {{"--number", "0"}, "error: --number: \"0\" is not a number from 1 to 10"},
      {{"--number", "11"}, "error: --number: \"11\" is not a number from 1 to 10"},
      {{"--number", "-1"}, "error: --number: \"-1\" is not a number from 1 to 10"},
      {{"--number", "2x"}, "error: --number: \"2x\" is not a number from 1 to 10"},
      {{"--mode", "Fast"}, "error: --mode: \"Fast\" is not one of slow, fast"},
      {{"--on=yes"}, "error: --on: \"yes\" is not true or false"},
      {{"-v=x"}, "error: -v: \"x\" is not a number from 0 to 9"},
      {{"--seed", "18446744073709551616"},
       "error: --seed: \"18446744073709551616\" is not a number from 0 to 18446744073709551615"},
  };
  for (const Row& row : rows) EXPECT_EQ(Parse(row.args), row.want);
}

TEST(FlagsTest, EnvironmentIsBetweenDefaultAndFlag) {
  const std::map<std::string, std::string> environment = {
      {"KULISSE_SOME_TEXT", "env"}, {"KULISSE_NUMBER", "7"}, {"KULISSE_LIST", "a,b"},
      {"KULISSE_ON", "1"},          {"KULISSE_V", "2"},      {"KULISSE_OTHER", "x"}};
  EXPECT_EQ(Parse({}, environment), "env slow 7 - [a b] on v2");
  EXPECT_EQ(Parse({"--some-text=flag", "--list=c", "--list=d", "--on=false", "-v=0"}, environment),
            "flag slow 7 - [c d]");
}

TEST(FlagsTest, RefusalOfAnEnvironmentVariableNamesIt) {
  EXPECT_EQ(Parse({}, {{"KULISSE_NUMBER", "many"}}),
            "error: KULISSE_NUMBER: \"many\" is not a number from 1 to 10");
  EXPECT_EQ(Parse({}, {{"KULISSE_SOME_TEXT", ""}}), "error: KULISSE_SOME_TEXT wants a value: TEXT");
}

TEST(FlagsTest, HelpListsFlagsWithDefaults) {
  Targets targets;
  const std::string help = FlagsHelp(FlagsOf(targets));
  EXPECT_TRUE(help.starts_with("  --some-text TEXT\n      A text. Default: default.\n")) << help;
  EXPECT_NE(help.find("  -v\n      More.\n"), std::string::npos) << help;
}

TEST(WrapTest, BreaksAtBlanksOnly) {
  EXPECT_EQ(Wrap("aa bb cc", 2, 7), "  aa bb\n  cc\n");
  EXPECT_EQ(Wrap("a-word-too-long b", 0, 5), "a-word-too-long\nb\n");
  EXPECT_EQ(Wrap("", 2, 7), "");
}

}  // namespace
}  // namespace kulisse::cmd
