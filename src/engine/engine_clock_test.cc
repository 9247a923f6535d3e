// A clock that is set wrong and right again: nothing is removed, and nothing ends, because of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/explain.h"
#include "support/harness.h"

namespace docket::engine {
namespace {

using model::State;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Harness;

constexpr Duration kCentury = hours{24 * 365 * 95};
constexpr Duration kMonth = hours{24 * 30};  // where there are schedules, which look at all of it

class EngineClockTest : public ::testing::Test {
 protected:
  static Settings narrow() {
    Settings settings = Harness::roomy();
    settings.node.cpus = 0.1;
    settings.task_ttl = settings.user_task_ttl = hours{1};
    return settings;
  }
  // Somebody sets the clock, and the server looks at it.
  void step(Duration by) {
    docket.clock.step(by);
    docket.reactor.fire_timer();
    docket.settle();
  }
  TaskId done_run(Harness& of) {
    const TaskId run = of.start("a");
    of.run_attempt(run);
    of.finish_attempt(run, 0);
    return run;
  }
  bool is_stored(TaskId run) { return docket.disk->state.task(run) != nullptr; }
  bool is_listed(TaskId run) { return docket.disk->state.listings().contains(run); }
  TaskId operation(Duration lease) {
    TaskId id;
    docket.loop().call<TaskId>(
        [&](Engine& engine, Time now) -> Result<TaskId> {
          model::Operation what;
          what.module = "test";
          what.lease = lease;
          return engine.operations().create(what, {}, true, now).value()->task.id;
        },
        [&](const Result<TaskId>& made) { id = made.value(); });
    docket.settle();
    return id;
  }
  // A schedule's run that waits: the node is taken.
  TaskId waiting_run(std::int64_t starting_deadline_s) {
    docket.start("a");
    model::ScheduleDefinition schedule = docket.schedule("* * * * *");
    schedule.starting_deadline_s = starting_deadline_s;
    docket.add_job(docket.job("b"), {schedule});
    docket.advance(minutes{1});
    const auto runs = docket.stored_runs("b");
    EXPECT_EQ(runs.size(), 1U);
    return runs.front().id;
  }

  Harness docket{narrow()};
};

TEST_F(EngineClockTest, AWrongClockRemovesNothing) {
  docket.add_job("a");
  const TaskId run = done_run(docket);
  step(kCentury);
  docket.advance(minutes{5});
  EXPECT_TRUE(docket.engine().clock().held());
  step(-kCentury);
  docket.advance(minutes{5});
  EXPECT_FALSE(docket.engine().clock().held());
  EXPECT_TRUE(is_stored(run));
  EXPECT_TRUE(is_listed(run)) << "doors that forget go by the same time";
  docket.advance(hours{1});
  EXPECT_FALSE(is_listed(run));
  docket.advance(hours{24 * 31});
  EXPECT_FALSE(is_stored(run)) << "retention goes on";
}

TEST_F(EngineClockTest, NorDoesAClockThatIsWrongWhenTheServerStarts) {
  docket.add_job("a");
  const TaskId run = done_run(docket);
  docket.advance(minutes{2});
  docket.clock.step(kCentury);
  docket.restart(minutes{1});
  docket.advance(minutes{5});
  docket.restart(minutes{1});
  docket.advance(hours{23});
  EXPECT_TRUE(docket.engine().clock().held());
  docket.clock.step(-kCentury);
  docket.restart(minutes{1});
  docket.advance(minutes{5});
  EXPECT_FALSE(docket.engine().clock().held());
  EXPECT_TRUE(is_stored(run));
}

TEST_F(EngineClockTest, RetentionGoesByAClockThatHeldForADay) {
  docket.add_job("a");
  const TaskId run = done_run(docket);
  step(kCentury);
  docket.advance(hours{23});
  EXPECT_TRUE(is_stored(run));
  docket.advance(hours{2});
  EXPECT_FALSE(is_stored(run));
}

TEST_F(EngineClockTest, ARestartRemembersThatAnOperatorAccepted) {
  docket.add_job("a");
  step(kCentury);
  docket.loop().call<bool>(
      [](Engine& engine, Time) -> Result<bool> {
        engine.accept_clock();
        return true;
      },
      [](const Result<bool>&) {});
  docket.settle();
  docket.restart(minutes{1});
  EXPECT_FALSE(docket.engine().clock().held());
}

TEST_F(EngineClockTest, TheHandlerIsCalledOnce) {
  std::vector<bool> told;
  docket.loop().on_clock([&](const ClockWatch& clock) { told.push_back(clock.held()); });
  step(kCentury);
  docket.advance(minutes{5});
  step(-kCentury);
  docket.advance(minutes{5});
  EXPECT_EQ(told, (std::vector{true, false}));
}

TEST_F(EngineClockTest, LeasesRunOutWhenTheirTimeHasPassed) {
  const TaskId id = operation(seconds{100});
  docket.advance(seconds{90});
  step(kCentury);
  EXPECT_TRUE(docket.engine().is_live(id));
  docket.advance(seconds{9});
  EXPECT_TRUE(docket.engine().is_live(id));
  step(-kCentury);
  docket.advance(seconds{1});
  EXPECT_FALSE(docket.engine().is_live(id));
}

TEST_F(EngineClockTest, WaitingRunsKeepTheirStartingDeadline) {
  docket.add_job("a");
  const TaskId run = waiting_run(600);
  step(kMonth);
  docket.advance(minutes{4});
  EXPECT_EQ(docket.stored(run).state, State::kQueued);
  docket.restart(minutes{4});
  EXPECT_EQ(docket.stored(run).state, State::kQueued) << "a restart remembers the step";
  docket.advance(minutes{3});
  EXPECT_EQ(docket.stored(run).state, State::kFailed);
}

TEST_F(EngineClockTest, AWrongClockLengthensNoStartingDeadline) {
  docket.add_job("a");
  const TaskId run = waiting_run(600);
  step(-hours{5});
  docket.advance(minutes{9});
  EXPECT_EQ(docket.stored(run).state, State::kQueued);
  docket.advance(minutes{2});
  EXPECT_EQ(docket.stored(run).state, State::kFailed);
}

TEST_F(EngineClockTest, WhileTheMachineIsOffStartingDeadlinesPass) {
  docket.add_job("a");
  const TaskId run = waiting_run(600);
  docket.clock.reboot(hours{1});
  docket.restart();
  EXPECT_EQ(docket.stored(run).state, State::kFailed);
}

TEST_F(EngineClockTest, RestartDeadlinesAreAsLongAsBefore) {
  model::JobDefinition job = docket.job("a");
  kinds::change_process(job.spec).restart = {.policy = kinds::RestartPolicy::kOnFailure,
                                             .active_deadline_s = 600};
  docket.add_job(job);
  const TaskId run = docket.start("a");
  docket.advance(minutes{5});
  step(kCentury);
  docket.restart(minutes{1});
  docket.finish_attempt(run, 1);
  EXPECT_EQ(docket.stored(run).state, State::kRunning) << "it may be tried again";
  docket.advance(minutes{5});
  docket.finish_attempt(run, 1);
  EXPECT_EQ(docket.stored(run).state, State::kFailed);
}

TEST_F(EngineClockTest, AWaiterDoesNotTimeOutWhenTheClockIsSet) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  int told = 0;
  docket.loop().wait(run, docket.clock.now() + seconds{30}, [&](const Result<bool>&) { ++told; });
  step(kCentury);
  EXPECT_EQ(told, 0);
  docket.advance(seconds{29});
  EXPECT_EQ(told, 0);
  docket.advance(seconds{1});
  EXPECT_EQ(told, 1);
}

// Only steps that some run has lived through are kept. The end of an attempt takes a number for
// the next attempt, which is stored nowhere if there is none.
TEST_F(EngineClockTest, ANumberThatWasNeverStoredIsNotReused) {
  Harness roomy;
  roomy.add_job("a");
  roomy.start("a");  // lives through the step
  done_run(roomy);
  roomy.clock.step(hours{1});
  roomy.reactor.fire_timer();
  roomy.settle();
  roomy.restart();
  const TaskId later = roomy.start("a");
  roomy.restart();
  EXPECT_EQ(roomy.engine().find_task(later)->clock_set, Duration::zero());
}

TEST_F(EngineClockTest, StepsAreForgottenWithTheRunsThatLivedThroughThem) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  step(hours{2});
  EXPECT_EQ(docket.disk->state.snapshot().clock->steps.size(), 1U);
  docket.run_attempt(run);
  docket.finish_attempt(run, 0);
  docket.advance(minutes{3});
  EXPECT_TRUE(docket.disk->state.snapshot().clock->steps.empty());
}

// ---- @reboot

class RebootTest : public EngineClockTest {
 protected:
  RebootTest() {
    docket.settings.node.cpus = 1;
    docket.add_job(docket.job("a"), {docket.schedule("@reboot")});
  }
  void reboot() {
    docket.clock.reboot(minutes{1});
    docket.restart();
  }
  std::size_t runs() { return docket.stored_runs("a").size(); }
};

TEST_F(RebootTest, IsDueOnceAfterEachStartOfTheMachine) {
  docket.restart();
  docket.advance(hours{100});
  EXPECT_EQ(runs(), 0U) << "neither the server's start nor time makes it due";
  reboot();
  ASSERT_EQ(runs(), 1U);
  const model::Task run = docket.stored_runs("a")[0];
  EXPECT_EQ(run.trigger, model::Trigger::kSchedule);
  EXPECT_EQ(run.due_at, docket.clock.now());
  docket.restart();
  docket.advance(hours{1});
  EXPECT_EQ(runs(), 1U);
  reboot();
  EXPECT_EQ(runs(), 2U);
}

TEST_F(RebootTest, IsHeldBackWhenSchedulesArePaused) {
  docket.settings.paused = true;
  reboot();
  EXPECT_EQ(runs(), 0U);
}

TEST_F(RebootTest, HasNoNextTime) {
  const JobEntry* entry = docket.engine().job("a");
  const model::Schedule* schedule = docket.engine().schedule(entry->schedules.begin()->second);
  EXPECT_EQ(Engine::next_run_at(*schedule, docket.clock.now()), std::nullopt);
  const auto why = Explainer(docket.engine(), docket.clock.now()).schedule(schedule->uid).value();
  EXPECT_EQ(why.reasons[0].message, "schedule 'nightly' is due when the machine starts");
}

}  // namespace
}  // namespace docket::engine
