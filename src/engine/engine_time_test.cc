// What happens as time passes: schedules, their ledger, and clocks that jump; through the loop and
// a store in memory.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine.h"
#include "support/harness.h"

namespace docket::engine {
namespace {

using model::DueOutcome;
using model::State;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::Harness;
using testing::states;

class EngineTimeTest : public ::testing::Test {
 protected:
  std::vector<model::LedgerEntry> ledger(const std::string& job_id) {
    const auto& schedules = docket.engine().job(job_id)->schedules;
    const auto reader = docket.store->open_reader().value();
    return reader->ledger(schedules.begin()->second, kNever, from_micros(1LL << 60), 1000).value();
  }
  // The clock is set; the reactor wakes, as its port promises.
  void step_to(Time when) {
    docket.clock.set(when);
    docket.reactor.fire_timer();
    docket.settle();
  }
  std::vector<DueOutcome> outcomes(const std::string& job_id) {
    std::vector<DueOutcome> out;
    for (const auto& entry : ledger(job_id)) out.push_back(entry.outcome);
    return out;
  }
  Harness docket;
};

TEST_F(EngineTimeTest, AScheduleFiresAtItsTimesAndKeepsALedger) {
  docket.add_job(docket.job("a"), {docket.schedule("*/10 * * * *")});
  docket.advance(minutes{25});
  const auto runs = docket.stored_runs("a");
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].due_at, testing::working_day() + minutes{10});
  EXPECT_EQ(runs[0].created_at, runs[0].due_at);
  EXPECT_EQ(runs[0].trigger, model::Trigger::kSchedule);
  EXPECT_THAT(outcomes("a"), ElementsAre(DueOutcome::kRan, DueOutcome::kRan));
}

TEST_F(EngineTimeTest, ForbidSkipsWhileAnyRunIsActive) {
  auto schedule = docket.schedule("*/10 * * * *");
  schedule.policy = model::ConcurrencyPolicy::kForbid;
  docket.add_job(docket.job("a"), {schedule});
  const TaskId manual = docket.start("a");
  docket.advance(minutes{15});
  EXPECT_EQ(docket.stored_runs("a").size(), 1U);
  docket.finish_attempt(manual, 0);
  docket.advance(minutes{10});
  EXPECT_THAT(outcomes("a"), ElementsAre(DueOutcome::kForbidden, DueOutcome::kRan));
}

TEST_F(EngineTimeTest, ReplaceStopsTheOldRun) {
  auto schedule = docket.schedule("*/10 * * * *");
  schedule.policy = model::ConcurrencyPolicy::kReplace;
  docket.add_job(docket.job("a"), {schedule});
  docket.advance(minutes{25});
  EXPECT_THAT(states(docket.stored_runs("a")), ElementsAre(State::kAborted, State::kRunning));
}

TEST_F(EngineTimeTest, TheStartingDeadlineFailsARunThatStillWaits) {
  Settings settings = Harness::roomy();
  settings.node.cpus = 1;
  Harness full(settings);
  auto hog = full.job("hog");
  kinds::change_process(hog.spec).cpus = 1;
  full.add_job(hog);
  full.start("hog");
  auto schedule = full.schedule("0 * * * *");
  schedule.starting_deadline_s = 60;
  full.add_job(full.job("a"), {schedule});
  full.advance(hours{1} + seconds{59});
  EXPECT_THAT(states(full.stored_runs("a")), ElementsAre(State::kQueued));
  full.advance(seconds{2});
  EXPECT_THAT(states(full.stored_runs("a")), ElementsAre(State::kFailed));
  const auto uid = full.engine().job("a")->schedules.begin()->second;
  const auto entries =
      full.store->open_reader().value()->ledger(uid, kNever, full.clock.now(), 10).value();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].outcome, DueOutcome::kPastDeadline);
}

TEST_F(EngineTimeTest, DueTimesWhileDownAreMissedAndWrittenDown) {
  docket.add_job(docket.job("a"), {docket.schedule("*/10 * * * *")});
  docket.restart(hours{1});
  docket.advance(minutes{10});
  const auto entries = ledger("a");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].outcome, DueOutcome::kMissedDown);
  EXPECT_EQ(entries[0].count, 6U);
  EXPECT_EQ(entries[0].first_due, testing::working_day() + minutes{10});
  EXPECT_EQ(entries[0].last_due, testing::working_day() + hours{1});
  EXPECT_EQ(docket.stored_runs("a").size(), 1U);
}

TEST_F(EngineTimeTest, MissedPoliciesRunTheNewest) {
  auto schedule = docket.schedule("*/10 * * * *");
  schedule.missed = model::MissedPolicy::kLast;
  docket.add_job(docket.job("last"), {schedule});
  schedule.missed = model::MissedPolicy::kAll;
  schedule.missed_limit = 3;
  docket.add_job(docket.job("all"), {schedule});
  docket.restart(hours{1} + minutes{5});
  docket.advance(seconds{1});
  ASSERT_EQ(docket.stored_runs("last").size(), 1U);
  EXPECT_EQ(docket.stored_runs("last")[0].due_at, testing::working_day() + hours{1});
  EXPECT_EQ(docket.stored_runs("all").size(), 3U);
  EXPECT_EQ(ledger("all")[0].count, 3U);
}

TEST_F(EngineTimeTest, AFreezeOfTenMinutesBringsNoStorm) {
  docket.add_job(docket.job("a"), {docket.schedule("* * * * *")});
  docket.advance(seconds{30});
  docket.clock.set(docket.clock.now() + minutes{10});  // the machine slept; then the timer fires
  docket.reactor.fire_timer();
  docket.settle();
  EXPECT_LE(docket.stored_runs("a").size(), 1U);
  EXPECT_EQ(outcomes("a").front(), DueOutcome::kMissedLate);
}

TEST_F(EngineTimeTest, AnUpdateOfAJobSwallowsNoDueTime) {
  docket.add_job(docket.job("a"), {docket.schedule("* * * * *")});
  docket.clock.set(testing::working_day() + minutes{1});  // due, and no tick has seen it yet
  ASSERT_TRUE(docket.engine().update_job("a", docket.job("a"), docket.clock.now()));
  docket.advance(seconds{1});
  EXPECT_EQ(docket.stored_runs("a").size(), 1U);
}

TEST_F(EngineTimeTest, AnUpdateAfterTheClockWasSetBackFiresNothingTwice) {
  docket.add_job(docket.job("a"), {docket.schedule("* * * * *")});
  docket.advance(minutes{10});
  docket.clock.set(testing::working_day());
  ASSERT_TRUE(docket.engine().update_job("a", docket.job("a"), docket.clock.now()));
  docket.advance(minutes{10});
  EXPECT_EQ(docket.stored_runs("a").size(), 10U);
}

TEST_F(EngineTimeTest, AScheduleMadeAfterTheClockWasSetBackFires) {
  docket.restart();
  docket.clock.set(testing::working_day() - hours{1});
  docket.add_job(docket.job("a"), {docket.schedule("* * * * *")});
  docket.advance(minutes{5});
  EXPECT_EQ(docket.stored_runs("a").size(), 5U);
}

// ---- a clock that was far ahead

TEST_F(EngineTimeTest, SchedulesGoOnAfterAClockThatWasFarAhead) {
  docket.add_job(docket.job("a"), {docket.schedule("0 * * * *")});
  docket.advance(hours{1} + minutes{30});
  step_to(docket.clock.now() + hours{24 * 365 * 10});
  docket.advance(minutes{1});
  ASSERT_EQ(docket.stored_runs("a").size(), 1U);
  step_to(testing::working_day() + hours{1} + minutes{40});
  docket.advance(hours{5});
  EXPECT_EQ(docket.stored_runs("a").size(), 6U);
}

TEST_F(EngineTimeTest, AlsoIfTheClockWasFarAheadWhenTheServerStarted) {
  docket.add_job(docket.job("a"), {docket.schedule("0 * * * *")});
  docket.restart(hours{24 * 365});
  docket.advance(minutes{1});
  ASSERT_TRUE(docket.stored_runs("a").empty());
  step_to(testing::working_day() + minutes{30});
  docket.restart();
  docket.advance(hours{5});
  EXPECT_EQ(docket.stored_runs("a").size(), 5U);
}

TEST_F(EngineTimeTest, ARunMadeWhileTheClockWasAheadIsNotRepeated) {
  docket.add_job(docket.job("a"), {docket.schedule("0 * * * *")});
  docket.advance(minutes{30});
  step_to(testing::working_day() + hours{72} + minutes{30});
  docket.advance(hours{3});
  ASSERT_EQ(docket.stored_runs("a").size(), 3U) << "73, 74 and 75 hours on";
  step_to(testing::working_day() + minutes{40});
  docket.advance(hours{24});
  EXPECT_EQ(docket.stored_runs("a").size(), 27U);
  docket.restart();
  docket.advance(hours{72});
  std::map<Time, int> times;
  for (const auto& run : docket.stored_runs("a")) ++times[run.due_at];
  EXPECT_EQ(times.size(), 96U);
  for (const auto& [due, count] : times) EXPECT_EQ(count, 1) << format_rfc3339(due);
}

TEST_F(EngineTimeTest, ASmallStepBackFiresNothingTwice) {
  docket.add_job(docket.job("a"), {docket.schedule("0 * * * *")});
  docket.advance(hours{10});
  step_to(testing::working_day() + minutes{30});
  docket.advance(hours{10});
  EXPECT_EQ(docket.stored_runs("a").size(), 10U);
}

TEST_F(EngineTimeTest, ADisabledScheduleDoesNothing) {
  auto schedule = docket.schedule("* * * * *");
  schedule.enabled = false;
  docket.add_job(docket.job("a"), {schedule});
  docket.advance(hours{1});
  EXPECT_TRUE(docket.stored_runs("a").empty());
  EXPECT_TRUE(docket.engine().next_run_at(
      *docket.engine().schedule(docket.engine().job("a")->schedules.begin()->second),
      docket.clock.now()));
}

TEST_F(EngineTimeTest, ForbidCountsTheLastProcessOfADeletedJobWithTheSameId) {
  auto schedule = docket.schedule("*/10 * * * *");
  schedule.policy = model::ConcurrencyPolicy::kForbid;
  docket.add_job("a");
  const TaskId run = docket.start("a");
  docket.run_attempt(run);
  const TaskId attempt = docket.newest_attempt(run);
  ASSERT_TRUE(docket.engine().delete_job("a", ActiveRuns::kStop, docket.clock.now()));
  docket.add_job(docket.job("a"), {schedule});
  docket.advance(minutes{10});
  docket.restart();
  docket.advance(minutes{10});
  EXPECT_THAT(outcomes("a"), ElementsAre(DueOutcome::kForbidden, DueOutcome::kForbidden));
  docket.executor.exit(attempt, 0, docket.clock.now(), 15);
  docket.settle();
  docket.advance(minutes{10});
  EXPECT_THAT(outcomes("a"),
              ElementsAre(DueOutcome::kForbidden, DueOutcome::kForbidden, DueOutcome::kRan));
}

// Five trees a second on average, but they are made twice as fast: what is kept must stay what
// retention asks for.
TEST(Retention, KeepsUpWithWhatIsMade) {
  Settings settings = Harness::roomy();
  settings.retention = minutes{1};
  settings.sweep_interval = seconds{10};
  settings.sweep_roots_max = 50;
  Harness docket(settings);
  docket.add_job("a");
  for (int second = 0; second < 150; ++second) {
    for (int i = 0; i < 10; ++i) docket.finish_attempt(docket.start("a"), 0);
    docket.advance(seconds{1});
  }
  EXPECT_GE(docket.stored_runs("a").size(), 600U - 10U);
  EXPECT_LE(docket.stored_runs("a").size(), 600U + 200U);
}

TEST(Retention, ReachesBelowWhatLives) {
  Harness docket;
  TaskId growing, leaf, young;
  docket.operate([&](Operations& operations, Time now) {
    const auto add = [&](TaskId parent) {
      return (*operations.create({.module = "backups"}, parent, true, now))->task.id;
    };
    growing = add({});
    leaf = add({});
    EXPECT_TRUE(operations.finish(add(growing), "", now));
  });
  docket.advance(docket.settings.retention + std::chrono::hours{1});
  docket.operate([&](Operations& operations, Time now) {
    young = (*operations.create({.module = "backups"}, {}, true, now))->task.id;
    const TaskId child = (*operations.create({}, young, true, now))->task.id;
    EXPECT_TRUE(operations.finish(child, "", now));
  });
  EXPECT_EQ(docket.store->open_reader().value()->children({growing, Fold::kFolded})->size(), 0U)
      << "it has folded, and its time is over";
  EXPECT_EQ(docket.stored(growing).tally.children, 1U) << "sums stay";
  EXPECT_EQ(docket.store->open_reader().value()->children({young, Fold::kFolded})->size(), 1U);
  EXPECT_EQ(docket.stored(leaf).state, model::State::kRunning);
}

// A copy of a server beside the original: what the original starts must not be started twice.
TEST(PausedEngine, StartsNothingByItselfButServesRequests) {
  auto settings = Harness::roomy();
  settings.paused = true;
  Harness docket(settings);
  docket.add_job(docket.job("a"), {docket.schedule("* * * * *")});
  docket.advance(hours{2});
  EXPECT_TRUE(docket.stored_runs("a").empty());
  docket.finish_attempt(docket.start("a"), 0);
  EXPECT_EQ(docket.stored_runs("a").size(), 1U);
}

}  // namespace
}  // namespace docket::engine
