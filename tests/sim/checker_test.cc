#include "sim/checker.h"

#include <gmock/gmock.h>

#include "sim/scheduled_world.h"

namespace docket::sim {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Why = Outage::Why;

constexpr Time kNoon{std::chrono::sys_days{std::chrono::year{2025} / 6 / 2} + hours{12}};
constexpr Duration kWindow = seconds{60};

// ---- the checker itself can fail

TEST(Checker, MatchesEachDueTimeToARunOfItsOwn) {
  const auto found = match({kNoon, kNoon + minutes{5}},
                           {{kNoon + seconds{1}, {}}, {kNoon + minutes{5}, {}}}, kWindow, {});
  EXPECT_TRUE(found.right());
  EXPECT_EQ(found.matched, 2U);
}

TEST(Checker, ReportsADueTimeWithoutARun) {
  const auto found = match({kNoon, kNoon + minutes{5}}, {{kNoon, {}}}, kWindow, {});
  EXPECT_THAT(found.missing, ElementsAre(kNoon + minutes{5}));
}

TEST(Checker, ReportsASecondRunForOneDueTime) {
  const auto found = match({kNoon}, {{kNoon, {}}, {kNoon + seconds{1}, {}}}, kWindow, {});
  EXPECT_THAT(found.extra, SizeIs(1));
}

TEST(Checker, ARunThatIsEarlyOrLateMatchesNothing) {
  EXPECT_THAT(match({kNoon}, {{kNoon - seconds{1}, {}}}, kWindow, {}).missing, SizeIs(1));
  EXPECT_THAT(match({kNoon}, {{kNoon + seconds{61}, {}}}, kWindow, {}).extra, SizeIs(1));
}

TEST(Checker, AnOutageExcusesOnlyWhatWasDueInIt) {
  const std::vector<Outage> outage{{Why::kDown, kNoon - minutes{1}, kNoon + minutes{6}}};
  const auto found = match({kNoon, kNoon + minutes{10}}, {}, kWindow, outage);
  EXPECT_THAT(found.excused, ElementsAre(kNoon));
  EXPECT_THAT(found.missing, ElementsAre(kNoon + minutes{10}));
}

// ---- histories

class History : public ::testing::Test {
 protected:
  History() : docket(1, kNoon - seconds{30}) {
    docket.add({{"* * * * *"},
                {"*/5 * * * *"},
                {"*/5 * * * *", "Asia/Kathmandu"},
                {"7,37 * * * *", "America/New_York"},
                {"0 * * * *", "Europe/Rome"}});
  }

  // Checks that every schedule kept its times: what is missing has an excuse. Returns how many had
  // one.
  std::size_t judge() {
    EXPECT_TRUE(docket.verdict.ok()) << docket.verdict.violation();
    std::size_t excused = 0;
    for (const auto& kept : docket.schedules) {
      // The last minute may still be on its way to the disk.
      const Time until = docket.world.clock.now() - seconds{30};
      const auto found =
          match(due_times(kept.definition.cron, kept.definition.zone, kept.since, until),
                runs_of(docket.world.record, kept.uid), kWindow, docket.world.outages);
      EXPECT_THAT(found.missing, IsEmpty()) << kept.definition.cron.text();
      EXPECT_THAT(found.extra, IsEmpty()) << kept.definition.cron.text();
      excused += found.excused.size();
    }
    return excused;
  }
  std::size_t runs_made_in(Time from, Time until) const {
    std::size_t count = 0;
    for (const auto& [id, task] : docket.world.record.tasks) {
      count +=
          task.kind == model::TaskKind::kRun && task.created_at >= from && task.created_at < until;
    }
    return count;
  }

  ScheduledWorld docket;
};

TEST_F(History, WithoutFaultsMissesNothing) {
  docket.run_to(hours{6});
  EXPECT_EQ(judge(), 0U);
}

TEST_F(History, WithCrashesMissesOnlyWhatWasDueWhileDown) {
  for (int crash = 1; crash <= 12; ++crash) {
    docket.run_to(minutes{25} * crash);
    docket.restart_after(seconds{crash % 3 == 0 ? 600 : crash});
  }
  docket.run_to(hours{6});
  EXPECT_GT(judge(), 20U);
}

TEST_F(History, AShortCrashBetweenDueTimesMissesNothing) {
  docket.run_to(minutes{20});  // 12:19:30
  docket.restart_after(seconds{5});
  docket.world.outages.clear();  // no excuse
  docket.run_to(hours{1});
  EXPECT_EQ(judge(), 0U);
}

TEST_F(History, AClockSetAnHourAheadSkipsThatHour) {
  docket.run_to(hours{1});
  docket.world.step_clock(hours{1});
  docket.run_to(hours{3});
  EXPECT_GT(judge(), 50U);
}

TEST_F(History, AClockSetAnHourBackRepeatsNothing) {
  docket.run_to(hours{2});
  docket.world.step_clock(-hours{1});
  docket.run_to(hours{4});
  EXPECT_EQ(judge(), 0U);
}

// A schedule that is added after the clock was set back has missed nothing.
TEST_F(History, AScheduleMadeAfterTheClockWasSetBackKeepsItsTimesAtOnce) {
  docket.run_to(minutes{10});
  docket.restart_after(seconds{1});
  docket.run_to(minutes{12});
  docket.world.step_clock(-hours{1});
  docket.run_to(minutes{13});
  docket.world.outages.clear();  // no excuse
  docket.add({{"*/3 * * * *"}});
  docket.schedules.erase(docket.schedules.begin(), docket.schedules.end() - 1);
  docket.run_to(minutes{40});
  EXPECT_EQ(judge(), 0U);
}

TEST_F(History, ALeapSecondChangesNothing) {
  docket.run_to(minutes{30} - seconds{1});
  docket.world.step_clock(-seconds{1});
  docket.run_to(minutes{31});
  docket.world.step_clock(seconds{1});
  docket.run_to(hours{2});
  docket.world.outages.clear();  // no excuse
  EXPECT_EQ(judge(), 0U);
}

TEST_F(History, AFreezeOfTenMinutesBringsNoStorm) {
  docket.run_to(hours{1});
  docket.world.freeze(minutes{10});
  const Time thaw = docket.world.clock.now() + minutes{10};
  docket.run_to(hours{2});
  EXPECT_GT(judge(), 8U);
  // Each schedule fires at most for the last due time before the thaw, and those after it.
  EXPECT_LE(runs_made_in(thaw, thaw + seconds{10}), docket.schedules.size());
}

TEST_F(History, AFullDiskForAWhileIsSurvived) {
  docket.run_to(hours{1});
  docket.world.health.reserve = 0;
  docket.world.fill_disk(true);
  docket.run_to(hours{1} + minutes{10});
  docket.world.fill_disk(false);
  docket.run_to(hours{2});
  judge();
}

// The wait for room is on the wall clock too.
TEST_F(History, AClockSetBackWhileTheDiskIsFullDelaysNothing) {
  docket.run_to(hours{1});
  docket.world.health.reserve = 0;
  docket.world.fill_disk(true);
  docket.run_to(hours{1} + minutes{2});
  docket.world.step_clock(-hours{1});
  docket.run_to(hours{1} + minutes{3});
  docket.world.fill_disk(false);
  docket.run_to(hours{1} + minutes{4});
  EXPECT_TRUE(docket.world.at_rest());
}

}  // namespace
}  // namespace docket::sim
