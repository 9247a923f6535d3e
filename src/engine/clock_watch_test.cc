#include "engine/clock_watch.h"

#include <gtest/gtest.h>

#include "support/fakes.h"

namespace docket::engine {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const Time kStart{hours{24 * 365 * 50}};
constexpr Duration kCentury = hours{24 * 365 * 95};

class ClockWatchTest : public ::testing::Test {
 protected:
  ClockWatchTest() { look(); }
  Duration look() { return watch.read(clock.read()); }
  Duration pass(Duration time) {
    clock.set(clock.now() + time);
    return look();
  }
  Duration step(Duration by) {
    clock.step(by);
    return look();
  }
  // Another server continues from what this one stored.
  Duration restart() {
    const model::ClockRecord record = watch.record();
    watch = {};
    watch.restore(record);
    return look();
  }

  testing::FakeClock clock{kStart};
  ClockWatch watch;
};

TEST_F(ClockWatchTest, TrustsTimeThatPasses) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(pass(hours{7}), Duration::zero());
  EXPECT_EQ(watch.trusted(), clock.now());
  EXPECT_FALSE(watch.held());
}

TEST_F(ClockWatchTest, TheFirstClockItSeesIsRight) { EXPECT_EQ(watch.trusted(), kStart); }

TEST_F(ClockWatchTest, AStepForwardIsNotTrustedAndMoreThanAnHourIsHeld) {
  EXPECT_EQ(step(hours{1}), hours{1});
  EXPECT_FALSE(watch.held());
  EXPECT_EQ(watch.trusted(), kStart);
  EXPECT_EQ(step(seconds{1}), seconds{1}) << "small ones add up";
  EXPECT_TRUE(watch.held());
  EXPECT_EQ(pass(minutes{1}), Duration::zero());
  EXPECT_EQ(watch.trusted(), kStart + minutes{1});
}

TEST_F(ClockWatchTest, AStepBackEndsTheHold) {
  step(kCentury);
  pass(seconds{20});
  EXPECT_EQ(step(-kCentury), -kCentury);
  EXPECT_FALSE(watch.held());
  EXPECT_EQ(watch.trusted(), kStart + seconds{20});
}

TEST_F(ClockWatchTest, AStepBackMovesTheTrustedClockToo) {
  step(-hours{2});
  EXPECT_EQ(watch.trusted(), kStart - hours{2});
  step(hours{2});
  EXPECT_EQ(watch.trusted(), kStart - hours{2}) << "nothing shows that it was right before";
}

TEST_F(ClockWatchTest, AClockThatHeldForADayIsTrusted) {
  step(kCentury);
  for (int hour = 0; hour < 23; ++hour) pass(hours{1});
  EXPECT_TRUE(watch.held());
  pass(hours{1});
  EXPECT_FALSE(watch.held());
  EXPECT_EQ(watch.trusted(), clock.now());
}

TEST_F(ClockWatchTest, AStepMeanwhileNeedsADayOfItsOwn) {
  step(hours{2});
  pass(hours{12});
  step(kCentury);
  pass(hours{12});
  EXPECT_TRUE(watch.held());
  EXPECT_EQ(watch.trusted(), kStart + hours{26}) << "the first two hours are trusted";
  pass(hours{23});
  EXPECT_TRUE(watch.held());
  pass(hours{1});
  EXPECT_FALSE(watch.held());
}

TEST_F(ClockWatchTest, TheLeastStepThatHeldAllDayIsTrusted) {
  step(hours{5});
  pass(hours{12});
  step(-hours{2});
  pass(seconds{1});
  step(hours{2});
  pass(hours{12});
  EXPECT_EQ(watch.trusted(), kStart + hours{27} + seconds{1}) << "it was three hours ahead all day";
}

TEST_F(ClockWatchTest, AnOperatorMayAcceptTheClock) {
  step(kCentury);
  watch.accept();
  EXPECT_FALSE(watch.held());
  EXPECT_EQ(watch.trusted(), clock.now());
}

TEST_F(ClockWatchTest, ReadingTwoClocksInTurnIsNoStep) {
  EXPECT_EQ(step(milliseconds{2}), Duration::zero());
  EXPECT_EQ(watch.trusted(), clock.now());
  EXPECT_EQ(step(-milliseconds{2}), Duration::zero());
  EXPECT_EQ(watch.trusted(), clock.now());
}

TEST_F(ClockWatchTest, TimeWithoutAServerIsKnownWhileTheMachineIsOn) {
  clock.set(clock.now() + hours{24 * 30});
  EXPECT_EQ(restart(), Duration::zero());
  EXPECT_EQ(watch.trusted(), clock.now());
  clock.step(kCentury);
  clock.set(clock.now() + hours{2});
  EXPECT_EQ(restart(), kCentury) << "and so is the step";
  EXPECT_TRUE(watch.held());
  EXPECT_EQ(watch.trusted(), kStart + hours{24 * 30 + 2});
}

TEST_F(ClockWatchTest, TimeWithTheMachineOffIsNotKnown) {
  clock.reboot(minutes{10});
  EXPECT_EQ(restart(), Duration::zero()) << "deadlines are not moved by it";
  EXPECT_FALSE(watch.held());
  EXPECT_EQ(watch.trusted(), kStart);
  watch.accept();
  clock.reboot(hours{24 * 30});
  restart();
  EXPECT_TRUE(watch.held());
  pass(hours{24});
  EXPECT_FALSE(watch.held());
}

// A machine that is off every night trusts its clock, as it was the day before yesterday.
TEST_F(ClockWatchTest, NightsOffAreTrustedAfterADayOfWork) {
  for (int day = 0; day < 10; ++day) {
    for (int hour = 0; hour < 8; ++hour) pass(hours{1});
    clock.reboot(hours{16});
    restart();
  }
  EXPECT_LT(watch.ahead(), hours{6 * 16});
}

TEST_F(ClockWatchTest, ARebootWithoutABootIdShowsByItsUptime) {
  ClockReading reading = clock.read();
  reading.wall += hours{10};
  reading.elapsed = seconds{1};
  EXPECT_EQ(watch.read(reading), Duration::zero());
  EXPECT_EQ(watch.trusted(), kStart);
}

}  // namespace
}  // namespace docket::engine
