#include <gtest/gtest.h>

#include <future>
#include <set>

#include "base/json/parse.h"
#include "base/random.h"
#include "base/real_runtime.h"
#include "base/status.h"
#include "base/text.h"
#include "base/time.h"
#include "base/virtual_runtime.h"
#include "test/unit/openapi/golden_rows.h"

namespace kulisse {
namespace {

// Every row was answered by Go's time package and apimachinery's duration package. ParseTime is
// stricter than Go in the rows that are named.
TEST(TimeTest, ReadsTimesAndDurationsAsGo) {
  const std::set<std::string> stricter = {"2026-01-02T03:04:05,5Z", "2026-01-02T3:04:05Z",
                                          "2026-01-02T03:04:05+24:00", "0001-01-01T00:00:00Z",
                                          "9999-12-31T23:59:59Z"};
  for (const auto& row : GoldenRows("durations.jsonl")) {
    SCOPED_TRACE(row[0] + " " + row[1]);
    const bool refused = row[2].starts_with("error");
    if (row[0] == "time") {
      if (stricter.contains(row[1])) continue;
      const auto time = ParseTime(row[1]);
      EXPECT_EQ(time.has_value(), !refused);
      if (!time || refused) continue;
      const auto seconds = std::chrono::floor<std::chrono::seconds>(*time);
      char text[48];
      std::snprintf(text, sizeof(text), "%lld.%09lld",
                    static_cast<long long>(seconds.time_since_epoch().count()),
                    static_cast<long long>((*time - seconds).count()));
      EXPECT_EQ(text, row[2]);
      continue;
    }
    const auto duration = ParseGoDuration(row[1]);
    EXPECT_EQ(duration.has_value(), !refused);
    if (!duration || refused) continue;
    EXPECT_EQ(row[0] == "human" ? HumanDuration(*duration) : std::to_string(duration->count()),
              row[2]);
  }
}

TEST(TimeTest, KeepsTimesBeyond64BitsAtTheBorder) {
  EXPECT_EQ(FormatTime(*ParseTime("0001-01-01T00:00:00Z")), "1678-01-01T00:00:00Z");
  EXPECT_EQ(FormatTime(*ParseTime("9999-12-31T23:59:59Z")), "2261-12-31T00:00:00Z");
}

TEST(TimeTest, PrintsWhatItReads) {
  for (const std::string_view text :
       {"2026-01-02T03:04:05.000006Z", "1969-12-31T23:59:59.999999Z"}) {
    EXPECT_EQ(FormatMicroTime(*ParseTime(text)), text);
  }
  EXPECT_EQ(FormatTime(*ParseTime("2024-02-29T23:59:59.9Z")), "2024-02-29T23:59:59Z");
}

TEST(TextTest, ReadsWholeNumbersOnly) {
  EXPECT_EQ(ParseInt64("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(ParseInt64("+7"), 7);
  for (const std::string_view bad :
       {"", "+", "-", "+-7", "++7", "7 ", " 7", "0x7", "7.0", "9223372036854775808"}) {
    EXPECT_FALSE(ParseInt64(bad).has_value()) << bad;
  }
  EXPECT_EQ(ParseUint64("18446744073709551615"), UINT64_MAX);
  EXPECT_FALSE(ParseUint64("-1").has_value());
}

TEST(TextTest, KnowsWellFormedUtf8) {
  for (const std::string_view good : {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    EXPECT_TRUE(IsUtf8(good));
    EXPECT_EQ(ToValidUtf8(good), good);
  }
  for (const std::string_view bad : {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
                                     "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "12345678\xff"}) {
    EXPECT_FALSE(IsUtf8(bad));
    EXPECT_TRUE(IsUtf8(ToValidUtf8(bad)));
  }
}

TEST(TextTest, SplitsTrimsAndDecodes) {
  EXPECT_EQ(Split("a,,b", ',').size(), 3U);
  EXPECT_EQ(Split("", ',').size(), 1U);
  EXPECT_EQ(Join({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(TrimSpace(" \t a b\n"), "a b");
  EXPECT_TRUE(EqualsIgnoreCase("Content-Type", "content-TYPE"));
  EXPECT_EQ(PercentDecode("a%20b+c", true), "a b c");
  EXPECT_EQ(PercentDecode("a%20b+c", false), "a b+c");
  for (const std::string_view bad : {"%", "%4", "%4g", "a%"}) {
    EXPECT_FALSE(PercentDecode(bad, false).has_value()) << bad;
  }
}

TEST(TextTest, Base64GoesThereAndBack) {
  Random random(7);
  for (size_t length = 0; length < 40; ++length) {
    std::string bytes;
    for (size_t i = 0; i < length; ++i) bytes += static_cast<char>(random.Next());
    EXPECT_EQ(Base64Decode(Base64Encode(bytes)), bytes);
    EXPECT_EQ(Base64UrlDecode(Base64UrlEncode(bytes)), bytes);
  }
  for (const std::string_view bad : {"a", "ab", "abc", "ab=c", "a===", "ab*="}) {
    EXPECT_FALSE(Base64Decode(bad).has_value()) << bad;
  }
}

TEST(RandomTest, IsTheSameForASeedAndStaysInBounds) {
  Random a(1);
  Random b(1);
  Random c(2);
  EXPECT_EQ(a.Next(), b.Next());
  EXPECT_NE(a.Next(), c.Next());
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t value = a.Below(5);
    ASSERT_LT(value, 5U);
    seen.insert(value);
    const double unit = a.Unit();
    ASSERT_GE(unit, 0.0);
    ASSERT_LT(unit, 1.0);
  }
  EXPECT_EQ(seen.size(), 5U);
  EXPECT_EQ(a.Text(8, "x"), "xxxxxxxx");
}

TEST(VirtualRuntimeTest, RunsTimersInOrderAndMovesTime) {
  VirtualRuntime runtime(1);
  std::string order;
  const auto say = [&order](char c) { return [&order, c] { order += c; }; };
  runtime.ScheduleAfter(std::chrono::seconds(2), say('c'));
  runtime.ScheduleAfter(std::chrono::seconds(1), say('a'));
  runtime.ScheduleAfter(std::chrono::seconds(1), say('b'));
  const TimerId gone = runtime.ScheduleAfter(std::chrono::seconds(1), say('x'));
  runtime.ScheduleAfter(std::chrono::seconds(-5), say('1'));
  runtime.Post([&] {
    order += '0';
    runtime.Post(say('+'));
  });
  EXPECT_TRUE(runtime.Cancel(gone));
  EXPECT_FALSE(runtime.Cancel(gone));
  runtime.RunFor(std::chrono::milliseconds(1500));
  EXPECT_EQ(order, "0+1ab");
  EXPECT_EQ(FormatMicroTime(runtime.Now()), "2026-01-01T00:00:01.500000Z");
  runtime.RunFor(std::chrono::hours(1));
  EXPECT_EQ(order, "0+1abc");
}

TEST(RealRuntimeTest, RunsWhatIsPostedAndDueAndStops) {
  RealRuntime runtime(1);
  std::promise<void> posted;
  std::promise<void> timed;
  std::string order;
  runtime.Post([&] {
    order += 'p';
    posted.set_value();
  });
  posted.get_future().wait();
  runtime.ScheduleAfter(Duration(0), [&] {
    order += 't';
    timed.set_value();
  });
  const TimerId never = runtime.ScheduleAfter(std::chrono::hours(1), [&] { order += 'x'; });
  timed.get_future().wait();
  EXPECT_TRUE(runtime.Cancel(never));
  runtime.Stop();
  runtime.Post([&] { order += 'x'; });
  EXPECT_EQ(order, "pt");
}

TEST(StatusTest, BodiesAreThoseOfTheServer) {
  EXPECT_EQ(ToJson(Status::NotFound({"", "pods"}, "p")),
            R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
            R"("message":"pods \"p\" not found","reason":"NotFound",)"
            R"("details":{"name":"p","kind":"pods"},"code":404})");
  EXPECT_EQ(Status::AlreadyExists({"apps", "deployments"}, "d").message,
            "deployments.apps \"d\" already exists");
  const Status invalid =
      Status::Invalid({"", "Pod"}, "p",
                      {FieldError::Required("spec.a"), FieldError::Invalid("b", "1", "no"),
                       FieldError::Required("spec.a")});
  EXPECT_EQ(invalid.message,
            "Pod \"p\" is invalid: [spec.a: Required value, b: Invalid value: 1: no]");
  EXPECT_EQ(invalid.details->causes.size(), 3U);
  EXPECT_EQ(Status::Invalid({"", "Pod"}, "p", {FieldError::Required("spec.a")}).message,
            "Pod \"p\" is invalid: spec.a: Required value");
  Status expired = Status::Expired("gone");
  expired.continue_token = "t";
  EXPECT_EQ(ToJson(expired),
            R"({"kind":"Status","apiVersion":"v1","metadata":{"continue":"t"},)"
            R"("status":"Failure","message":"gone","reason":"Expired","code":410})");
  EXPECT_TRUE(json::Parse(ToJson(Status::InternalError("a\"b\n"))).has_value());
}

}  // namespace
}  // namespace kulisse
