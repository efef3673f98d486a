#include "simulator/kubelet/event_correlator.h"

#include <gtest/gtest.h>

#include "simulator/limits.h"

namespace kulisse::simulator {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class EventCorrelatorTest : public testing::Test {
 protected:
  // "name count message"; "-" when the event is left out. Names are n1, n2, …
  std::string Say(std::string_view message, std::string_view object = "pod",
                  std::string_view reason = "Started", std::string_view type = "Normal") {
    const auto event = correlator_.Correlate(
        {.object = object, .type = type, .reason = reason, .message = message},
        "n" + std::to_string(++names_), now_);
    if (!event) return "-";
    return event->name + ' ' + std::to_string(event->count) + ' ' + event->message;
  }

  EventCorrelator correlator_;
  SystemTime now_{std::chrono::hours(500'000)};
  int names_ = 0;
};

TEST_F(EventCorrelatorTest, TheSameIsCountedAndKeepsItsFirstTime) {
  const SystemTime first = now_;
  EXPECT_EQ(Say("a"), "n1 1 a");
  now_ += minutes(1);
  EXPECT_EQ(Say("a"), "n1 2 a");
  const auto third = correlator_.Correlate(
      {.object = "pod", .type = "Normal", .reason = "Started", .message = "a"}, "other", now_);
  EXPECT_EQ(third->count, 3);
  EXPECT_EQ(third->first, first);
  EXPECT_FALSE(third->combined);
}

TEST_F(EventCorrelatorTest, AnotherObjectReasonTypeOrMessageIsAnotherEvent) {
  EXPECT_EQ(Say("a"), "n1 1 a");
  EXPECT_EQ(Say("b"), "n2 1 b");
  EXPECT_EQ(Say("a", "another pod"), "n3 1 a");
  EXPECT_EQ(Say("a", "pod", "Killed"), "n4 1 a");
  EXPECT_EQ(Say("a", "pod", "Started", "Warning"), "n5 1 a");
}

TEST_F(EventCorrelatorTest, FromTheTenthMessageOnAllAreOneEvent) {
  for (int i = 1; i < 10; ++i) {
    EXPECT_EQ(Say("m" + std::to_string(i)), "n" + std::to_string(i) + " 1 m" + std::to_string(i));
  }
  EXPECT_EQ(Say("m10"), "n10 1 (combined from similar events): m10");
  EXPECT_EQ(Say("m11"), "n10 2 (combined from similar events): m11");
  EXPECT_EQ(Say("m12"), "n10 3 (combined from similar events): m12");
  EXPECT_EQ(Say("m", "pod", "Killed"), "n13 1 m");  // of another reason
}

TEST_F(EventCorrelatorTest, AfterTenQuietMinutesMessagesAreSingleAgain) {
  for (int i = 1; i <= 10; ++i) Say("m" + std::to_string(i));
  now_ += minutes(10);
  EXPECT_EQ(Say("x"), "n10 2 (combined from similar events): x");
  now_ += minutes(10) + seconds(1);
  EXPECT_EQ(Say("y"), "n12 1 y");
}

TEST_F(EventCorrelatorTest, AnObjectGetsTwentyFiveEventsOfATypeThenOneInFiveMinutes) {
  for (int i = 1; i <= 25; ++i) EXPECT_EQ(Say("a"), "n1 " + std::to_string(i) + " a");
  EXPECT_EQ(Say("a"), "-");
  EXPECT_EQ(Say("b", "pod", "Killed"), "-");
  EXPECT_EQ(Say("a", "pod", "Started", "Warning"), "n28 1 a");
  EXPECT_EQ(Say("a", "another pod"), "n29 1 a");
  now_ += minutes(5) - seconds(1);
  EXPECT_EQ(Say("a"), "-");
  now_ += seconds(1);
  EXPECT_EQ(Say("a"), "n1 28 a");  // those left out are counted
  EXPECT_EQ(Say("a"), "-");
  now_ += minutes(5 * 1000);
  int said = 0;
  while (Say("a") != "-") ++said;
  EXPECT_EQ(said, 25);  // no more than that is saved up
}

TEST_F(EventCorrelatorTest, AClockThatGoesBackBringsNothing) {
  for (int i = 0; i < 25; ++i) Say("a");
  now_ -= minutes(60);
  EXPECT_EQ(Say("a"), "-");
  now_ += minutes(60);
  EXPECT_EQ(Say("a"), "-");
}

TEST_F(EventCorrelatorTest, TheObjectsThatWereSilentLongestAreForgotten) {
  EXPECT_EQ(Say("a", "first"), "n1 1 a");
  EXPECT_EQ(Say("a", "second"), "n2 1 a");
  for (size_t i = 0; i + 2 < kEventsRememberedMax; ++i) Say("a", std::to_string(i));
  EXPECT_EQ(Say("a", "first").substr(0, 5), "n1 2 ");
  Say("a", "one more");  // takes the place of the second
  EXPECT_EQ(Say("a", "first").substr(0, 5), "n1 3 ");
  EXPECT_NE(Say("a", "second").find(" 1 a"), std::string::npos);
}

}  // namespace
}  // namespace kulisse::simulator
