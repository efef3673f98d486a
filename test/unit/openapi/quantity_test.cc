#include "openapi/quantity.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "base/text.h"
#include "test/unit/openapi/golden_rows.h"

namespace kulisse::openapi {
namespace {

// Values that upstream's int64 arithmetic rounds correctly.
bool IsOrdinary(const Quantity& quantity) {
  return quantity.Sign() >= 0 && quantity.AsDouble() < 9e15;
}

// Goal: print and round as upstream's resource package. Method: every row was answered by it, as
// "text|Value()|MilliValue()|format".
TEST(QuantityTest, PrintsAndRoundsAsUpstream) {
  for (const auto& row : GoldenRows("quantity.jsonl")) {
    SCOPED_TRACE(row[0]);
    const auto quantity = Quantity::Parse(row[0]);
    EXPECT_EQ(quantity.has_value(), row[1] != "error");
    if (!quantity || row[1] == "error") continue;
    const auto want = Split(row[1], '|');
    EXPECT_EQ(quantity->ToString(), want[0]);
    if (!IsOrdinary(*quantity)) continue;
    EXPECT_EQ(quantity->Value(), ParseInt64(want[1]));
    EXPECT_EQ(quantity->MilliValue(), ParseInt64(want[2]));
  }
}

TEST(QuantityTest, AddsAndComparesAsUpstream) {
  for (const auto& row : GoldenRows("quantity_arithmetic.jsonl")) {
    SCOPED_TRACE(fmt::format("{} {} {}", row[0], row[1], row[2]));
    auto a = Quantity::Parse(row[1]).value();
    const auto b = Quantity::Parse(row[2]).value();
    if (row[0] == "qcmp") {
      const auto order = a <=> b;
      EXPECT_EQ(order < 0 ? "-1" : order > 0 ? "1" : "0", row[3]);
      continue;
    }
    if (row[0] == "qadd") a += b;
    if (row[0] == "qsub") a -= b;
    EXPECT_EQ(a.ToString(), row[3]);
  }
}

TEST(QuantityTest, SaturatesWhereInt64Ends) {
  EXPECT_EQ(Quantity::Parse("100Ei")->ToString(), "9223372036854775807");
  EXPECT_EQ(Quantity::Parse("1e25")->Value(), INT64_MAX);
  EXPECT_EQ(Quantity::Parse("-1e25")->Value(), INT64_MIN);
  EXPECT_EQ(Quantity::Parse("10E")->MilliValue(), INT64_MAX);
  auto huge = Quantity::Parse("5e1001").value();
  EXPECT_GT(huge, Quantity::Parse("1e28").value());
  huge += huge;
  EXPECT_GT(huge, Quantity::Parse("1e28").value());
  EXPECT_EQ(Quantity::Parse("-1.5")->Value(), -2);
  EXPECT_EQ(Quantity::FromInt(INT64_MIN).Value(), INT64_MIN);
}

TEST(QuantityTest, TakesItsFormatFromWhatIsAddedToZero) {
  Quantity sum;
  sum += Quantity::Parse("1Gi").value();
  sum += Quantity::Parse("1G").value();
  sum -= Quantity::Parse("1G").value();
  EXPECT_EQ(sum.ToString(), "1Gi");
}

TEST(QuantityTest, PrintedTextParsesToTheSameValue) {
  constexpr uint64_t kSeed = 20260101;
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  Random random(kSeed);
  constexpr std::string_view kSuffixes[] = {"",  "n",  "u",  "m",  "k",  "M",  "G",  "T",  "P",
                                            "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e3", "e-5"};
  for (int i = 0; i < 20'000; ++i) {
    std::string text = random.Below(4) == 0 ? "-" : "";
    text += random.Text(1 + random.Below(10), "0123456789");
    if (random.Below(2) == 0) text += "." + random.Text(1 + random.Below(10), "0123456789");
    text += kSuffixes[random.Below(std::size(kSuffixes))];
    const auto quantity = Quantity::Parse(text);
    ASSERT_TRUE(quantity.has_value()) << text;
    const std::string printed = quantity->ToString();
    const auto again = Quantity::Parse(printed);
    ASSERT_TRUE(again.has_value()) << printed;
    ASSERT_EQ(*again, *quantity) << text << " printed " << printed;
    // Arithmetic drops the text as it was given; the canonical one must hold too.
    Quantity canonical = *quantity;
    canonical += Quantity();
    ASSERT_EQ(Quantity::Parse(canonical.ToString()).value(), *quantity) << canonical.ToString();
  }
}

}  // namespace
}  // namespace kulisse::openapi
