// The life of runs and attempts, through crashes of the server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine.h"
#include "support/harness.h"

namespace docket::engine {
namespace {

using model::State;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;

class EngineRunsTest : public ::testing::Test {
 protected:
  testing::Harness docket;
};

// ---- runs

TEST_F(EngineRunsTest, ARunGoesFromQueuedThroughRunningToDone) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  ASSERT_EQ(docket.executor.started.size(), 1U);
  EXPECT_EQ(docket.stored(run).state, State::kRunning);
  docket.run_attempt(run);
  docket.finish_attempt(run, 0);
  EXPECT_EQ(docket.stored(run).state, State::kDone);
  EXPECT_EQ(docket.engine().job("a")->row.stats.success_count, 1U);
  EXPECT_EQ(docket.engine().find_task(run), nullptr) << "a finished tree leaves memory";
  EXPECT_EQ(docket.executor.forgotten, docket.executor.started);
}

TEST_F(EngineRunsTest, NothingStartsBeforeItIsDurable) {
  docket.add_job("a");
  docket.loop().call<int>(
      [](Engine& engine, Time now) -> Result<int> {
        EXPECT_TRUE(engine.start_run("a", nullptr, now));
        return 0;
      },
      [](const Result<int>&) {});
  EXPECT_TRUE(docket.executor.started.empty());
  docket.settle();
  EXPECT_EQ(docket.executor.started.size(), 1U);
}

TEST_F(EngineRunsTest, AFailedAttemptFailsTheRunWithAReason) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  docket.finish_attempt(run, 3);
  EXPECT_EQ(docket.stored(run).state, State::kFailed);
  EXPECT_EQ(docket.stored(run).message, "exit code 3");
  EXPECT_EQ(docket.engine().job("a")->row.stats.failure_count, 1U);
}

TEST_F(EngineRunsTest, OnFailureRestartsInTheSameRunUntilTheDeadline) {
  model::JobDefinition definition = docket.job("a");
  kinds::change_process(definition.spec).restart = {.policy = kinds::RestartPolicy::kOnFailure,
                                                    .active_deadline_s = 30};
  docket.add_job(definition);
  const TaskId run = docket.start("a");
  docket.finish_attempt(run, 1);
  docket.advance(seconds{29});
  docket.finish_attempt(run, 1);
  docket.advance(std::chrono::milliseconds{100});
  EXPECT_EQ(docket.executor.started.size(), 3U);
  docket.advance(seconds{2});
  EXPECT_EQ(docket.stored(run).state, State::kRunning) << "the deadline never kills";
  docket.finish_attempt(run, 1);
  EXPECT_EQ(docket.stored(run).state, State::kFailed);
  EXPECT_EQ(docket.executor.started.size(), 3U);
}

TEST_F(EngineRunsTest, StoppingEndsTheRunAtOnceAndItsProcessLater) {
  testing::Harness one(testing::Harness::one_core());
  model::JobDefinition definition = one.job("a");
  kinds::change_process(definition.spec).cpus = 1;
  one.add_job(definition);
  const TaskId run = one.start("a");
  one.run_attempt(run);
  const TaskId attempt = one.newest_attempt(run);
  one.stop(run);
  EXPECT_EQ(one.stored(run).state, State::kAborted);
  EXPECT_THAT(one.executor.stopped, ElementsAre(attempt));
  const TaskId next = one.start("a");
  EXPECT_EQ(one.stored(next).state, State::kQueued)
      << "the terminating process still holds the node";
  one.executor.exit(attempt, 0, one.clock.now(), 15);
  one.settle();
  EXPECT_EQ(one.stored(attempt).state, State::kAborted);
  EXPECT_EQ(one.stored(next).state, State::kRunning);
}

TEST_F(EngineRunsTest, RunNamesAreUniqueWithinOneSecond) {
  docket.add_job("a");
  std::set<std::string> names;
  for (int i = 0; i < 1000; ++i) names.insert(docket.stored(docket.start("a")).name);
  EXPECT_EQ(names.size(), 1000U);
  EXPECT_EQ(names.begin()->size(), 19U);
  EXPECT_TRUE(names.begin()->starts_with("20240115100000")) << *names.begin();
}

// ---- crashes

TEST_F(EngineRunsTest, AfterARestartRunningWorkIsAdoptedAndNeverDoubled) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  docket.run_attempt(run);
  docket.restart();
  EXPECT_EQ(docket.executor.started.size(), 1U);
  EXPECT_EQ(docket.stored(run).state, State::kRunning);
  docket.finish_attempt(run, 0);
  EXPECT_EQ(docket.stored(run).state, State::kDone);
}

TEST_F(EngineRunsTest, AnEndWhileTheServerWasDownIsFound) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  docket.run_attempt(run);
  const TaskId attempt = docket.newest_attempt(run);
  docket.executor.attempts.at(attempt).report.phase = AttemptPhase::kExited;
  docket.restart(minutes{5});
  EXPECT_EQ(docket.stored(run).state, State::kDone);
}

TEST_F(EngineRunsTest, AStartLostInACrashIsRepeatedWithTheSameToken) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  const TaskId attempt = docket.newest_attempt(run);
  docket.executor.attempts.clear();
  docket.restart();
  EXPECT_THAT(docket.executor.started, ElementsAre(attempt, attempt));
}

TEST_F(EngineRunsTest, ALostAttemptHasFailedAndSaysSo) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  docket.run_attempt(run);
  const TaskId attempt = docket.newest_attempt(run);
  docket.executor.attempts.begin()->second.report.phase = AttemptPhase::kLost;
  docket.restart();
  for (const TaskId task : {run, attempt}) {
    EXPECT_EQ(docket.stored(task).state, State::kFailed);
    EXPECT_EQ(docket.stored(task).message, kOutcomeUnknown);
  }
  EXPECT_THAT(docket.executor.started, ElementsAre(attempt)) << "it may have done its work";
  EXPECT_THAT(docket.executor.forgotten, ElementsAre(attempt));
}

TEST_F(EngineRunsTest, ALostAttemptIsRestartedWhereTheJobAllowsIt) {
  model::JobDefinition on_failure = docket.job("a");
  kinds::change_process(on_failure.spec).restart.policy = kinds::RestartPolicy::kOnFailure;
  docket.add_job(on_failure);
  model::JobDefinition on_lost = docket.job("b");
  kinds::change_process(on_lost.spec).on_lost = kinds::OnLost::kRestart;
  docket.add_job(on_lost);
  for (const char* job : {"a", "b"}) {
    const TaskId run = docket.start(job);
    const TaskId attempt = docket.newest_attempt(run);
    docket.executor.lose(attempt);
    docket.settle();
    EXPECT_EQ(docket.stored(attempt).state, State::kFailed) << job;
    EXPECT_EQ(docket.stored(run).state, State::kRunning) << job;
    EXPECT_NE(docket.newest_attempt(run), attempt) << job;
  }
}

// A store was restored, or an executor lost its records: what ran may have ended.
TEST_F(EngineRunsTest, AnUnknownAttemptThatHasRunIsNotRestarted) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  docket.run_attempt(run);
  docket.executor.attempts.clear();
  docket.restart();
  EXPECT_EQ(docket.stored(run).state, State::kFailed);
  EXPECT_EQ(docket.stored(run).message, kOutcomeUnknown);
  EXPECT_EQ(docket.executor.started.size(), 1U);
}

TEST_F(EngineRunsTest, AStopSurvivesTheServer) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  docket.run_attempt(run);
  const TaskId attempt = docket.newest_attempt(run);
  docket.stop(run);
  docket.restart();
  EXPECT_THAT(docket.executor.stopped, ElementsAre(attempt, attempt));
  docket.executor.exit(attempt, 0, docket.clock.now(), 9);
  docket.settle();
  EXPECT_EQ(docket.stored(attempt).state, State::kAborted);
  EXPECT_EQ(docket.engine().queue().running(), 0U);
}

// ---- memory

TEST_F(EngineRunsTest, ARunThatRestartsForEverStaysSmall) {
  auto definition = docket.job("a");
  kinds::change_process(definition.spec).restart = {.policy = kinds::RestartPolicy::kOnFailure,
                                                    .backoff = kinds::Backoff{0, 0}};
  docket.add_job(definition);
  const TaskId run = docket.start("a");
  constexpr std::size_t kAttempts = 3 * kAttemptsKept;
  for (std::size_t i = 0; i < kAttempts; ++i) docket.finish_attempt(run, 1);
  EXPECT_LE(docket.engine().find_task(run)->children().size(), kAttemptsKept);
  docket.restart();
  EXPECT_LE(docket.engine().find_task(run)->children().size(), kAttemptsKept);
  EXPECT_EQ(docket.engine().find_task(TaskId{run.value + 1}), nullptr);
  const auto reader = docket.store->open_reader().value();
  EXPECT_EQ(reader->tasks({.parent = run, .limit = kMaxPage}).value().size(), kAttempts + 1)
      << "the store has them all";
  docket.advance(docket.settings.retention + std::chrono::hours{1});
  EXPECT_LE(reader->tasks({.parent = run, .limit = kMaxPage}).value().size(), kAttemptsKept + 1)
      << "as long as retention keeps them";
  docket.finish_attempt(run, 0);
  EXPECT_EQ(docket.stored(run).state, State::kDone);
}

}  // namespace
}  // namespace docket::engine
