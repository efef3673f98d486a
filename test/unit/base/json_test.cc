#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/text.h"
#include "test/unit/openapi/golden_rows.h"

namespace kulisse::json {
namespace {

std::string ParsedAndPrinted(std::string_view text) {
  const auto document = Parse(text);
  return document ? ToSortedString(document->root) : "error: " + document.error().message;
}

// Every row was answered by Go's encoding/json.
TEST(JsonTest, ReadsAndPrintsAsGo) {
  for (const auto& row : GoldenRows("json.jsonl")) {
    SCOPED_TRACE(row[1]);
    EXPECT_EQ(ParsedAndPrinted(row[1]), row[2]);
  }
}

TEST(JsonTest, KeepsIntegersOf64Bits) {
  EXPECT_EQ(ParsedAndPrinted("[9223372036854775807,-9223372036854775808,18446744073709551615]"),
            "[9223372036854775807,-9223372036854775808,18446744073709551615]");
}

// The nearest double of any decimal; a library that was wrong for these was found by fuzzing.
TEST(JsonTest, ReadsDecimalsAsTheNearestDouble) {
  const auto check = [](const std::string& text) {
    SCOPED_TRACE(text);
    const auto document = Parse(text);
    ASSERT_TRUE(document.has_value());
    EXPECT_EQ(document->root.AsDouble(), std::strtod(text.c_str(), nullptr));
  };
  for (const char* text : {"0e41", "0e400", "0.0", "-0.0", "0.000000000000000000000000000000",
                           "18446744073709551615.5", "184467440737095516155",
                           "0.184467440737095516159", "-18446744073709551615999e-7", "4.9e-324",
                           "2e-324", "1e-400", "1.7976931348623157e308", "9007199254740993.0"}) {
    check(text);
  }
  constexpr uint64_t kSeed = 17;
  Random random(kSeed);
  for (int i = 0; i < 2'000; ++i) {
    SCOPED_TRACE(fmt::format("seed {}, number {}", kSeed, i));
    std::string text = fmt::format("{}.", random.Below(1000));
    for (size_t digits = 1 + random.Below(40); digits > 0; --digits) {
      text += static_cast<char>('0' + random.Below(10));
    }
    check(fmt::format("{}e{}", text, static_cast<int>(random.Below(600)) - 330));
  }
}

TEST(JsonTest, RefusesNumbersBeyondDoubles) {
  for (const char* number : {"1e309", "-1.8e308", "-33E0307", "1e999999999999"}) {
    EXPECT_EQ(ParsedAndPrinted(number),
              fmt::format("error: json: cannot unmarshal number {} into Go value of type float64",
                          number));
  }
}

TEST(JsonTest, ReportsPathsOfDuplicates) {
  std::vector<std::string> duplicates;
  const auto document =
      Parse(R"({"a":1,"b":[{"c":1},{"c":1,"d":2,"c":3}],"a":{"e":1,"e":2}})", &duplicates);
  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(ToString(document->root), R"({"a":{"e":2},"b":[{"c":1},{"c":3,"d":2}]})");
  EXPECT_EQ(duplicates, (std::vector<std::string>{"b[1].c", "a.e", "a"}));
}

TEST(JsonTest, FindsDuplicatesAmongManyMembers) {
  std::string text = "{";
  for (int i = 0; i < 100; ++i)
    text += "\"k" + std::to_string(i % 60) + "\":" + std::to_string(i) + ",";
  text.back() = '}';
  std::vector<std::string> duplicates;
  const auto document = Parse(text, &duplicates);
  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(document->root.size(), 60U);
  EXPECT_EQ(duplicates.size(), 40U);
  EXPECT_EQ(document->root.Find("k0")->AsInt(), 60);
}

TEST(JsonTest, RepairsInvalidUtf8AsGo) {
  EXPECT_EQ(ParsedAndPrinted("\"a\xff\xc3\""), "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
  std::string out;
  AppendString("a\xff", &out);
  EXPECT_EQ(out, "\"a\\ufffd\"");
}

// The rules of Go's encoding/json, one character at a time.
std::string QuotedSlowly(std::string_view text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size();) {
    const size_t length = std::max<size_t>(Utf8SequenceLength(text.substr(i)), 1);
    const std::string_view character = text.substr(i, length);
    const auto c = static_cast<unsigned char>(character[0]);
    i += length;
    constexpr std::pair<std::string_view, std::string_view> kEscapes[] = {
        {"\"", "\\\""},   {"\\", "\\\\"},   {"\n", "\\n"},         {"\r", "\\r"},
        {"\t", "\\t"},    {"\b", "\\b"},    {"\f", "\\f"},         {"<", "\\u003c"},
        {">", "\\u003e"}, {"&", "\\u0026"}, {"\u2028", "\\u2028"}, {"\u2029", "\\u2029"}};
    const auto* escape =
        std::ranges::find(kEscapes, character, [](auto& row) { return row.first; });
    if (escape != std::end(kEscapes)) {
      out += escape->second;
    } else if (c < 0x20) {
      out += fmt::format("\\u{:04x}", c);
    } else if (c >= 0x80 && length == 1) {
      out += "\\ufffd";
    } else {
      out += character;
    }
  }
  return out + '"';
}

TEST(JsonTest, QuotesStringsOfEveryLengthAsOneCharacterAtATime) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr std::string_view kPieces[] = {"a",    "Z",        "0",      "-",      "<",
                                          "\"",   "\\",       "\n",     "\x01",   "\x7f",
                                          "\xff", "\xe2\x80", "\u2028", "\u2029", "\u00e9"};
  for (int i = 0; i < 20'000; ++i) {
    // Mostly plain, so that blocks of every length are seen.
    std::string text;
    for (size_t left = random() % 70; left > 0; --left) {
      text += kPieces[random() % 20 == 0 ? random() % std::size(kPieces) : random() % 4];
    }
    std::string out = "before";
    AppendString(text, &out);
    ASSERT_EQ(out, "before" + QuotedSlowly(text));
  }
}

TEST(JsonTest, CapsDepth) {
  const auto nested = [](size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  EXPECT_TRUE(Parse(nested(kJsonDepthMax)).has_value());
  EXPECT_EQ(ParsedAndPrinted(nested(kJsonDepthMax + 1)), "error: exceeded max depth");
  EXPECT_EQ(ParsedAndPrinted(std::string(1'000'000, '[')), "error: exceeded max depth");
}

TEST(JsonTest, IndentsAsGo) {
  std::string out;
  AppendIndented(R"({"a":[1,{"b":"x:, \"y"}],"c":{},"d":[]})", 2, &out);
  EXPECT_EQ(out,
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x:, \\\"y\"\n    }\n  ],\n  \"c\": {},\n"
            "  \"d\": []\n}");
}

TEST(JsonValueTest, SetsRemovesAndInserts) {
  Arena arena;
  Value object = Value::Object();
  for (int i = 0; i < 50; ++i) object.Set("k" + std::to_string(i), Value::Int(i), arena);
  object.Set("k7", Value::Bool(true), arena);
  EXPECT_EQ(object.size(), 50U);
  EXPECT_TRUE(object.Find("k7")->AsBool());
  EXPECT_TRUE(object.Remove("k0"));
  EXPECT_FALSE(object.Remove("k0"));
  EXPECT_EQ(object.members()[0].name, "k1");
  object.SetDefaultObject("x", arena).Set("y", Value::StringRef("z"), arena);
  EXPECT_EQ(object.FindString({"x", "y"}), "z");
  EXPECT_EQ(object.FindString({"x", "none"}), "");
  Value array = Value::Array();
  for (int i = 0; i < 20; ++i) array.InsertElement(0, Value::Int(i), arena);
  array.EraseElement(19);
  EXPECT_EQ(array.elements()[0].AsInt(), 19);
  EXPECT_EQ(array.size(), 19U);
  array.Truncate(1);
  EXPECT_EQ(ToString(array), "[19]");
}

TEST(JsonValueTest, ClonesDeeplyAndComparesWithoutOrder) {
  Document original = Parse(R"({"a":[1,{"b":"c"}],"d":null,"e":1.5})").value();
  const Document copy = original.Clone();
  original.root.Find("a")->EraseElement(0);
  EXPECT_EQ(ToString(copy.root), R"({"a":[1,{"b":"c"}],"d":null,"e":1.5})");
  EXPECT_TRUE(copy.root == Parse(R"({"e":1.5,"d":null,"a":[1.0,{"b":"c"}]})")->root);
  EXPECT_FALSE(copy.root == original.root);
  EXPECT_FALSE(copy.root == Parse("[]")->root);
}

}  // namespace
}  // namespace kulisse::json
