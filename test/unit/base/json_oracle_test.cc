// The reader against RapidJSON's: texts made at random, and damaged ones, are accepted or refused
// by both, and mean the same. Where Go forgives what RapidJSON does not (bytes that are no UTF-8,
// halves of surrogates), json_test.cc says what is expected; such texts are not made here.
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

#include "base/json/parse.h"
#include "base/json/write.h"

namespace kulisse::json {
namespace {

constexpr int kTexts = 20'000;

class TextMaker {
 public:
  explicit TextMaker(uint64_t seed) : random_(seed) {}

  std::string Make() {
    std::string text;
    Append(0, &text);
    const size_t damages = Below(3);
    for (size_t i = 0; i < damages && !text.empty(); ++i) Damage(&text);
    return text;
  }

 private:
  size_t Below(size_t bound) { return random_() % bound; }
  std::string_view Any(std::initializer_list<std::string_view> choices) {
    return choices.begin()[Below(choices.size())];
  }
  void AppendSpace(std::string* text) {
    *text += Any({"", "", "", " ", "\n", "\t \r", "          "});
  }

  void Append(int depth, std::string* text) {
    AppendSpace(text);
    switch (Below(depth < 5 ? 6 : 4)) {
      case 0:
        *text += Any({"true", "false", "null"});
        break;
      case 1:
        *text += Any({"0", "-0", "17", "-9223372036854775808", "18446744073709551615", "1.5",
                      "-0.25e-3", "1E+2", "18446744073709551616", "1e308", "123456789012"});
        break;
      case 2:
      case 3:
        AppendString(text);
        break;
      case 4:
        AppendContainer('[', ']', depth, text);
        break;
      default:
        AppendContainer('{', '}', depth, text);
    }
    AppendSpace(text);
  }

  void AppendContainer(char open, char close, int depth, std::string* text) {
    *text += open;
    const size_t count = Below(6);
    for (size_t i = 0; i < count; ++i) {
      if (i > 0) *text += ',';
      if (open == '{') {
        AppendSpace(text);
        AppendString(text);
        AppendSpace(text);
        *text += ':';
      }
      Append(depth + 1, text);
    }
    if (count == 0) AppendSpace(text);
    *text += close;
  }

  void AppendString(std::string* text) {
    *text += '"';
    const size_t pieces = Below(5);
    for (size_t i = 0; i < pieces; ++i) {
      *text += Any({"a", "name", "metadata.annotations", "\\n", "\\\"", "\\\\", "\\/", "\\u0041",
                    "\\u00e9", "\\u20AC", "\xc3\xa9", "\xf0\x9f\x98\x80", "/", " ", "seven77"});
    }
    *text += '"';
  }

  void Damage(std::string* text) {
    const size_t at = Below(text->size());
    if (static_cast<unsigned char>((*text)[at]) >= 0x80) return;
    switch (Below(3)) {
      case 0:
        (*text)[at] = "{}[]\",:\\ 0e-.x\n\x01"[Below(16)];
        break;
      case 1:
        text->insert(at, 1, "{}[]\",:\\ 0e-.x\n\x01"[Below(16)]);
        break;
      default:
        text->erase(at, 1);
    }
  }

  std::mt19937_64 random_;
};

bool Same(const Value& ours, const rapidjson::Value& theirs);

// RapidJSON keeps names that came twice; of those the last counts, in the place of the first.
bool SameObjects(const Value& ours, const rapidjson::Value& theirs) {
  size_t names = 0;
  for (auto member = theirs.MemberBegin(); member != theirs.MemberEnd(); ++member) {
    const auto same_name = [&](auto other) { return other->name == member->name; };
    auto first = theirs.MemberBegin();
    while (!same_name(first)) ++first;
    if (first != member) continue;
    auto last = theirs.MemberEnd();
    do --last;
    while (!same_name(last));
    if (names >= ours.size()) return false;
    const Member& own = ours.members()[names++];
    if (own.name != std::string_view(member->name.GetString(), member->name.GetStringLength())) {
      return false;
    }
    if (!Same(own.value, last->value)) return false;
  }
  return names == ours.size();
}

// Numbers of theirs are text: its reader of doubles is not right everywhere.
bool Same(const Value& ours, const rapidjson::Value& theirs) {
  switch (theirs.GetType()) {
    case rapidjson::kNullType:
      return ours.IsNull();
    case rapidjson::kFalseType:
    case rapidjson::kTrueType:
      return ours.type() == Type::kBool && ours.AsBool() == theirs.GetBool();
    case rapidjson::kStringType:
      if (ours.IsNumber()) return ours.AsDouble() == std::strtod(theirs.GetString(), nullptr);
      return ours.IsString() &&
             ours.AsString() == std::string_view(theirs.GetString(), theirs.GetStringLength());
    case rapidjson::kArrayType:
      if (!ours.IsArray() || ours.size() != theirs.Size()) return false;
      for (rapidjson::SizeType i = 0; i < theirs.Size(); ++i) {
        if (!Same(ours.elements()[i], theirs[i])) return false;
      }
      return true;
    default:
      return ours.IsObject() && SameObjects(ours, theirs);
  }
}

TEST(JsonOracleTest, TextsAtRandomMeanWhatRapidJsonReads) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  TextMaker maker(seed);
  int accepted = 0;
  for (int i = 0; i < kTexts; ++i) {
    const std::string text = maker.Make();
    rapidjson::Document theirs;
    theirs.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag>(
        text.data(), text.size());
    const auto ours = Parse(text);
    // The largest and smallest doubles are json_test.cc's.
    if (theirs.HasParseError() && theirs.GetParseError() == rapidjson::kParseErrorNumberTooBig)
      continue;
    if (!ours && ours.error().message.contains("into Go value of type float64")) continue;
    ASSERT_EQ(ours.has_value(), !theirs.HasParseError()) << text;
    if (!ours) continue;
    ++accepted;
    ASSERT_TRUE(Same(ours->root, theirs)) << text << "\n" << ToString(ours->root);
  }
  EXPECT_GT(accepted, kTexts / 4);
  EXPECT_LT(accepted, kTexts);
}

}  // namespace
}  // namespace kulisse::json
