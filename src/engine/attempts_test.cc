// Attempts after failed ones: pauses, a limit of attempts, a limit of time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/explain.h"
#include "support/harness.h"

namespace docket::engine {
namespace {

using model::State;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::Harness;

constexpr kinds::Backoff kMinute{.first_s = 60, .max_s = 600};

class AttemptsTest : public ::testing::Test {
 protected:
  template <class Change>
  TaskId start_with(Change change) {
    model::JobDefinition job = docket.job("a");
    auto& spec = kinds::change_process(job.spec);
    spec.restart.policy = kinds::RestartPolicy::kOnFailure;
    change(spec);
    docket.add_job(job);
    return docket.start("a");
  }
  TaskId start_with_pauses() {
    return start_with([](kinds::ProcessSpec& spec) { spec.restart.backoff = kMinute; });
  }
  void wake() {
    docket.reactor.fire_timer();
    docket.settle();
  }
  // Somebody sets the clock, and the server looks at it.
  void set_clock_back(Duration by) {
    docket.clock.step(-by);
    wake();
  }
  std::size_t started() const { return docket.executor.started.size(); }
  Explanation why(TaskId run) {
    return Explainer(docket.engine(), docket.clock.now()).run(run).value();
  }

  Harness docket;
};

TEST_F(AttemptsTest, TheNextOneStartsAfterItsPause) {
  const TaskId run = start_with_pauses();
  docket.finish_attempt(run, 1);
  docket.advance(seconds{29});
  EXPECT_EQ(started(), 1U);
  EXPECT_EQ(docket.stored(run).state, State::kRunning);
  docket.advance(seconds{31});
  EXPECT_EQ(started(), 2U);
  docket.finish_attempt(run, 1);
  docket.advance(seconds{59});
  EXPECT_EQ(started(), 2U) << "twice as long";
  docket.advance(seconds{61});
  EXPECT_EQ(started(), 3U);
}

TEST_F(AttemptsTest, AnInstantFailureIsRetriedAFewTimesASecondAtMost) {
  const TaskId run = start_with([](const kinds::ProcessSpec&) {});
  const Time end = docket.clock.now() + minutes{1};
  while (docket.clock.now() < end) {
    const std::size_t before = started();
    docket.finish_attempt(run, 1);
    while (started() == before) docket.advance(milliseconds{1});
  }
  EXPECT_LT(started(), 40U);
}

TEST_F(AttemptsTest, APauseIsExplained) {
  const TaskId run = start_with_pauses();
  docket.finish_attempt(run, 7);
  const Explanation told = why(run);
  ASSERT_EQ(told.reasons.size(), 1U);
  EXPECT_STREQ(name_of(told.reasons[0].kind), "backoff");
  EXPECT_EQ(told.reasons[0].message, "its last attempt failed (exit code 7); the next starts then");
  EXPECT_TRUE(told.waiting);
  EXPECT_GE(told.earliest, docket.clock.now() + seconds{30});
  EXPECT_LE(told.earliest, docket.clock.now() + seconds{60});
  docket.advance_to(told.earliest);
  EXPECT_EQ(started(), 2U);
  EXPECT_STREQ(name_of(why(run).reasons[0].kind), "running");
}

TEST_F(AttemptsTest, StoppingARunInAPauseEndsItAndReleasesWhatItHeld) {
  const TaskId run = start_with([](kinds::ProcessSpec& spec) {
    spec.restart.backoff = kMinute;
    spec.locks = {{"db", model::LockWait::kQueue}};
  });
  docket.finish_attempt(run, 1);
  docket.stop(run);
  EXPECT_EQ(docket.stored(run).state, State::kAborted);
  const TaskId next = docket.start("a");
  EXPECT_EQ(docket.stored(next).state, State::kRunning) << "the lock is free";
  docket.advance(hours{1});
  EXPECT_EQ(started(), 2U);
}

TEST_F(AttemptsTest, ARestartOfTheServerEndsPauses) {
  const TaskId run = start_with_pauses();
  docket.finish_attempt(run, 1);
  docket.restart();
  docket.advance(milliseconds{1});
  EXPECT_EQ(started(), 2U);
  docket.finish_attempt(run, 0);
  EXPECT_EQ(docket.stored(run).state, State::kDone);
}

TEST_F(AttemptsTest, SettingTheClockChangesNoPause) {
  const TaskId run = start_with_pauses();
  docket.finish_attempt(run, 1);
  set_clock_back(hours{5});
  docket.advance(seconds{29});
  EXPECT_EQ(started(), 1U);
  docket.advance(seconds{31});
  EXPECT_EQ(started(), 2U);
}

// A full store keeps what room is left for the ends of runs.
TEST_F(AttemptsTest, NoneStartsWhileNewWorkIsRefused) {
  const TaskId run = start_with_pauses();
  docket.engine().refuse_new_work("full");
  docket.finish_attempt(run, 1);
  docket.advance(minutes{5});
  EXPECT_EQ(started(), 1U);
  EXPECT_GT(docket.engine().next_wake(), docket.clock.now()) << "else the loop would spin";
  docket.engine().refuse_new_work({});
  wake();
  EXPECT_EQ(started(), 2U);
}

TEST_F(AttemptsTest, TheLastAllowedOneFailsTheRun) {
  const TaskId run = start_with([](kinds::ProcessSpec& spec) {
    spec.restart.max_attempts = 2;
    spec.restart.backoff = {.first_s = 0, .max_s = 0};
  });
  docket.finish_attempt(run, 1);
  EXPECT_EQ(docket.stored(run).state, State::kRunning);
  docket.restart();
  docket.finish_attempt(run, 4);
  EXPECT_EQ(docket.stored(run).state, State::kFailed);
  EXPECT_EQ(docket.stored(run).message, "exit code 4, after 2 attempts");
  EXPECT_EQ(started(), 2U);
}

// ---- timeouts

class TimeoutTest : public AttemptsTest {
 protected:
  TaskId start_limited() {
    const TaskId run = start_with([](kinds::ProcessSpec& spec) { spec.timeout_s = 60; });
    docket.run_attempt(run);
    return run;
  }
  void expect_timed_out(TaskId run) {
    EXPECT_EQ(docket.stored(run).state, State::kFailed);
    EXPECT_EQ(docket.stored(run).message, "Timed out after 60 s");
    EXPECT_THAT(docket.executor.stopped, ElementsAre(docket.newest_attempt(run)));
  }
};

TEST_F(TimeoutTest, ARunThatTakesTooLongIsStoppedAndFails) {
  const TaskId run = start_limited();
  docket.advance(seconds{59});
  EXPECT_EQ(docket.stored(run).state, State::kRunning);
  const Explanation told = why(run);
  ASSERT_EQ(told.reasons.size(), 2U);
  EXPECT_STREQ(name_of(told.reasons[1].kind), "timeout");
  EXPECT_EQ(told.reasons[1].at, docket.clock.now() + seconds{1});
  docket.advance(seconds{2});
  expect_timed_out(run);
  docket.executor.exit(docket.newest_attempt(run), 0, docket.clock.now(), 15);
  docket.advance(hours{1});
  EXPECT_EQ(started(), 1U) << "a run that has ended is not restarted";
}

TEST_F(TimeoutTest, AllAttemptsCountTogether) {
  const TaskId run = start_limited();
  docket.advance(seconds{50});
  docket.finish_attempt(run, 1);
  docket.run_attempt(run);
  docket.advance(seconds{9});
  EXPECT_EQ(docket.stored(run).state, State::kRunning);
  docket.advance(seconds{2});
  expect_timed_out(run);
}

TEST_F(TimeoutTest, CountsFromTheStartAcrossARestart) {
  const TaskId run = start_limited();
  docket.advance(seconds{50});
  docket.restart(seconds{5});
  docket.advance(seconds{4});
  EXPECT_EQ(docket.stored(run).state, State::kRunning);
  docket.advance(seconds{2});
  expect_timed_out(run);
}

TEST_F(TimeoutTest, SettingTheClockChangesNone) {
  const TaskId run = start_limited();
  set_clock_back(hours{5});
  docket.advance(seconds{59});
  EXPECT_EQ(docket.stored(run).state, State::kRunning);
  docket.advance(seconds{2});
  expect_timed_out(run);
}

}  // namespace
}  // namespace docket::engine
