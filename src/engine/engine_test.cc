// The engine's rules, through the loop and a store in memory: what a run, a schedule, a lock and a
// dependency do.

#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/harness.h"

namespace docket::engine {
namespace {

using model::State;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::Harness;
using testing::states;

class EngineTest : public ::testing::Test {
 protected:
  static Settings small_node() {
    Settings settings = Harness::roomy();
    settings.node.cpus = 1;
    return settings;
  }
  model::JobDefinition job_with_cpus(const std::string& id, double cpus) {
    model::JobDefinition definition = docket.job(id);
    kinds::change_process(definition.spec).cpus = cpus;
    return definition;
  }
  Harness docket;
};

// ---- kinds

TEST_F(EngineTest, AJobOfNoKindIsRefused) {
  model::JobDefinition definition = docket.job("a");
  definition.spec = {.kind = "dance", .body = nullptr};
  const auto refused = docket.engine().create_job(definition, {}, docket.clock.now());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fields.at(0).path, "/kind");
  EXPECT_THAT(refused.error().fields.at(0).errors,
              ElementsAre("must be a kind of this server: it has no 'dance'"));
}

// Made by a newer server, say.
TEST_F(EngineTest, ARunOfAKindThatIsNotThereAnyMoreFails) {
  auto job = std::make_shared<model::Job>();
  job->uid = JobUid{7};
  job->definition.id = "a";
  job->definition.spec = {.kind = "dance",
                          .body = std::make_shared<model::UnreadSpec>(R"({"steps":1})")};
  engine::JobRow row;
  row.job = job;
  ASSERT_TRUE(docket.store->commit({.jobs = {row}}));
  docket.restart();
  const auto run = docket.stored(docket.start("a"));
  EXPECT_EQ(run.state, State::kFailed);
  EXPECT_EQ(run.message, "This server has no kind 'dance'");
}

// ---- runs

TEST_F(EngineTest, ARunGoesFromQueuedThroughRunningToDone) {
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

TEST_F(EngineTest, NothingStartsBeforeItIsDurable) {
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

TEST_F(EngineTest, AFailedAttemptFailsTheRunWithAReason) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  docket.finish_attempt(run, 3);
  EXPECT_EQ(docket.stored(run).state, State::kFailed);
  EXPECT_EQ(docket.stored(run).message, "exit code 3");
  EXPECT_EQ(docket.engine().job("a")->row.stats.failure_count, 1U);
}

TEST_F(EngineTest, OnFailureRestartsInTheSameRunUntilTheDeadline) {
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

TEST_F(EngineTest, StoppingEndsTheRunAtOnceAndItsProcessLater) {
  Harness one(small_node());
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

TEST_F(EngineTest, RunNamesAreUniqueWithinOneSecond) {
  docket.add_job("a");
  std::set<std::string> names;
  for (int i = 0; i < 1000; ++i) names.insert(docket.stored(docket.start("a")).name);
  EXPECT_EQ(names.size(), 1000U);
  EXPECT_EQ(names.begin()->size(), 19U);
  EXPECT_TRUE(names.begin()->starts_with("20240115100000")) << *names.begin();
}

// ---- capacity

TEST_F(EngineTest, CapacityIsNeverExceededAndTheOldestGoesFirst) {
  Harness one(small_node());
  std::vector<TaskId> runs;
  model::JobDefinition half = one.job("half");
  kinds::change_process(half.spec).cpus = 0.5;
  one.add_job(half);
  for (int i = 0; i < 4; ++i) runs.push_back(one.start("half"));
  EXPECT_THAT(states(one.stored_runs("half")),
              ElementsAre(State::kRunning, State::kRunning, State::kQueued, State::kQueued));
  one.finish_attempt(runs[1], 0);
  EXPECT_THAT(states(one.stored_runs("half")),
              ElementsAre(State::kRunning, State::kDone, State::kRunning, State::kQueued));
}

TEST_F(EngineTest, ABigRunIsOvertakenForAMinuteThenGoesFirst) {
  Harness one(small_node());
  for (const auto& [id, cpus] : {std::pair{"big", 1.0}, std::pair{"small", 0.5}}) {
    model::JobDefinition definition = one.job(id);
    kinds::change_process(definition.spec).cpus = cpus;
    one.add_job(definition);
  }
  const TaskId first = one.start("small");
  const TaskId big = one.start("big");
  const TaskId second = one.start("small");
  EXPECT_EQ(one.stored(second).state, State::kRunning);
  one.advance(seconds{61});
  const TaskId third = one.start("small");
  one.finish_attempt(first, 0);
  EXPECT_EQ(one.stored(third).state, State::kQueued);
  one.finish_attempt(second, 0);
  EXPECT_EQ(one.stored(big).state, State::kRunning);
  one.finish_attempt(big, 0);
  EXPECT_EQ(one.stored(third).state, State::kRunning);
}

TEST_F(EngineTest, ConstraintsHoldARunBack) {
  model::JobDefinition definition = docket.job("a");
  kinds::change_process(definition.spec).constraints = {
      {"hostname", model::ConstraintOperator::kLike, "node[2-9]"}};
  docket.add_job(definition);
  EXPECT_EQ(docket.stored(docket.start("a")).state, State::kQueued);
  kinds::change_process(definition.spec).constraints = {
      {"hostname", model::ConstraintOperator::kIs, "node1"}};
  definition.id = "b";
  docket.add_job(definition);
  EXPECT_EQ(docket.stored(docket.start("b")).state, State::kRunning);
}

// Of a store from before anybody looked at patterns.
TEST_F(EngineTest, APatternThatCannotBeReadIsMatchedByNoNode) {
  using model::ConstraintOperator;
  const std::string deep = std::string(100'000, '(') + std::string(100'000, ')');
  const std::string slow = "([a-z0-9.-]+)+!";
  int count = 0;
  for (const std::string& pattern : {deep, slow, std::string("(?!x).*")}) {
    for (const auto op : {ConstraintOperator::kLike, ConstraintOperator::kUnlike}) {
      model::JobDefinition definition = docket.job("job" + std::to_string(++count));
      kinds::change_process(definition.spec).constraints = {{"hostname", op, pattern}};
      docket.find_job_in_store(definition);
      const bool readable = pattern == slow;
      const bool meets = readable && op == ConstraintOperator::kUnlike;
      const TaskId run = docket.start(definition.id);
      EXPECT_EQ(docket.stored(run).state, meets ? State::kRunning : State::kQueued);
    }
  }
  EXPECT_EQ(docket.engine().queue().size(), 5U);
}

// ---- locks

TEST_F(EngineTest, ALockIsHeldByOneRunAndFencesTheNext) {
  model::JobDefinition definition = docket.job("a");
  kinds::change_process(definition.spec).locks = {{"db", model::LockWait::kQueue}};
  docket.add_job(definition);
  definition.id = "impatient";
  kinds::change_process(definition.spec).locks = {{"db", model::LockWait::kFail}};
  docket.add_job(definition);
  const TaskId first = docket.start("a");
  const TaskId second = docket.start("a");
  const TaskId third = docket.start("impatient");
  EXPECT_EQ(docket.stored(second).state, State::kQueued);
  EXPECT_EQ(docket.stored(third).state, State::kFailed);
  EXPECT_EQ(docket.engine().locks().find("db")->fencing, 1U);
  docket.finish_attempt(first, 0);
  EXPECT_EQ(docket.stored(second).state, State::kRunning);
  EXPECT_EQ(docket.engine().locks().find("db")->holder, second);
  EXPECT_EQ(docket.engine().locks().find("db")->fencing, 2U);
  docket.restart();
  EXPECT_EQ(docket.engine().locks().find("db")->holder, second);
  docket.finish_attempt(second, 0);
  EXPECT_FALSE(docket.engine().locks().find("db")->holder);
}

// Two streams of runs that want one lock each, never both free: without a rule the run that wants
// both would wait for ever.
TEST_F(EngineTest, ARunThatWantsTwoLocksIsNotStarvedByStreamsThatWantOne) {
  const auto add = [&](const std::string& id, std::vector<model::LockRequest> locks) {
    auto definition = docket.job(id);
    kinds::change_process(definition.spec).locks = std::move(locks);
    docket.add_job(definition);
  };
  add("a", {{"left"}});
  add("b", {{"right"}});
  add("both", {{"left"}, {"right"}});
  const auto state = [&](TaskId run) { return docket.stored(run).state; };
  // The next waits already when the last one ends.
  const auto pass_on = [&](const std::string& id, TaskId& last) {
    if (state(last) != State::kRunning) return;
    const TaskId next = docket.start(id);
    docket.advance(seconds{5});
    docket.finish_attempt(std::exchange(last, next), 0);
  };
  TaskId left = docket.start("a");
  TaskId right = docket.start("b");
  const TaskId both = docket.start("both");
  int rounds = 0;
  for (; state(both) == State::kQueued && rounds < 100; ++rounds) {
    pass_on("a", left);
    pass_on("b", right);
  }
  EXPECT_EQ(docket.stored(both).state, State::kRunning) << rounds;
  EXPECT_GE(rounds, 5) << "overtaken for a minute, as the settings say";
  docket.finish_attempt(both, 0);
  EXPECT_EQ(docket.stored(left).state, State::kRunning);
  EXPECT_EQ(docket.stored(right).state, State::kRunning);
}

// ---- crashes

TEST_F(EngineTest, AfterARestartRunningWorkIsAdoptedAndNeverDoubled) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  docket.run_attempt(run);
  docket.restart();
  EXPECT_EQ(docket.executor.started.size(), 1U);
  EXPECT_EQ(docket.stored(run).state, State::kRunning);
  docket.finish_attempt(run, 0);
  EXPECT_EQ(docket.stored(run).state, State::kDone);
}

TEST_F(EngineTest, WhatEndedWhileTheServerWasDownIsFound) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  docket.run_attempt(run);
  const TaskId attempt = docket.newest_attempt(run);
  docket.executor.attempts.at(attempt).report.phase = AttemptPhase::kExited;
  docket.restart(minutes{5});
  EXPECT_EQ(docket.stored(run).state, State::kDone);
}

TEST_F(EngineTest, AStartLostInTheCrashIsMadeUpWithTheSameToken) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  const TaskId attempt = docket.newest_attempt(run);
  docket.executor.attempts.clear();
  docket.restart();
  EXPECT_THAT(docket.executor.started, ElementsAre(attempt, attempt));
}

TEST_F(EngineTest, ALostAttemptHasFailedAndSaysSo) {
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

TEST_F(EngineTest, ALostAttemptIsStartedAgainByARestartPolicyOrWhereItsJobAllowsThat) {
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

// A store that was restored, or an executor whose records are gone: what ran may have ended.
TEST_F(EngineTest, WhatWasSeenToRunIsNotStartedAgainWhenNobodyKnowsIt) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  docket.run_attempt(run);
  docket.executor.attempts.clear();
  docket.restart();
  EXPECT_EQ(docket.stored(run).state, State::kFailed);
  EXPECT_EQ(docket.stored(run).message, kOutcomeUnknown);
  EXPECT_EQ(docket.executor.started.size(), 1U);
}

TEST_F(EngineTest, AStopSurvivesTheServer) {
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

// ---- jobs

TEST_F(EngineTest, ARunKeepsTheSpecItStartedWith) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  docket.loop().call<int>(
      [&](Engine& engine, Time now) -> Result<int> {
        auto changed = docket.job("a");
        kinds::change_process(changed.spec).cmd = "false";
        EXPECT_TRUE(engine.update_job("a", changed, now));
        return 0;
      },
      [](const Result<int>&) {});
  docket.settle();
  docket.restart();
  EXPECT_EQ(kinds::process_of(docket.engine().find_task(run)->job->definition.spec).cmd, "true");
  EXPECT_EQ(docket.engine().job("a")->job().version, 2U);
}

TEST_F(EngineTest, DeletingAJobForgetsItsIdButNotItsRuns) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  docket.run_attempt(run);
  docket.loop().call<int>(
      [&](Engine& engine, Time now) -> Result<int> {
        EXPECT_EQ(engine.delete_job("a", ActiveRuns::kRefuse, now).error().kind,
                  ErrorKind::kConflict);
        EXPECT_TRUE(engine.delete_job("a", ActiveRuns::kStop, now));
        return 0;
      },
      [](const Result<int>&) {});
  docket.settle();
  EXPECT_EQ(docket.engine().job("a"), nullptr);
  EXPECT_EQ(docket.stored(run).state, State::kAborted);
  docket.restart();
  docket.add_job("a");
  EXPECT_EQ(docket.engine().job("a")->row.stats.failure_count, 0U);
  docket.executor.exit(TaskId{run.value + 1}, 0, docket.clock.now(), 15);
  docket.settle();
  EXPECT_EQ(docket.engine().queue().running(), 0U);
}

TEST_F(EngineTest, DeletionsAndRemakesCountTheirDyingProcesses) {
  std::vector<TaskId> attempts;
  for (int life = 0; life < 3; ++life) {
    docket.add_job("a");
    const TaskId run = docket.start("a");
    docket.run_attempt(run);
    attempts.push_back(docket.newest_attempt(run));
    ASSERT_TRUE(docket.engine().delete_job("a", ActiveRuns::kStop, docket.clock.now()));
    docket.settle();
  }
  docket.executor.exit(attempts[0], 0, docket.clock.now(), 15);
  docket.settle();
  docket.add_job("a");
  EXPECT_EQ(docket.engine().job("a")->terminating, 2U);
  docket.restart();
  EXPECT_EQ(docket.engine().job("a")->terminating, 2U);
  for (const TaskId attempt : {attempts[1], attempts[2]})
    docket.executor.exit(attempt, 0, docket.clock.now(), 15);
  docket.settle();
  EXPECT_EQ(docket.engine().job("a")->terminating, 0U);
}

// Its parent succeeded again while its run waited: the end of that run would start the next.
TEST_F(EngineTest, ADependentThatIsDeletedStartsNothing) {
  Harness one(small_node());
  const auto add = [&](const std::string& id, double cpus, std::vector<std::string> parents) {
    auto definition = job_with_cpus(id, cpus);
    definition.dependencies = std::move(parents);
    one.add_job(definition);
  };
  add("hog", 0.9, {});
  add("a", 0.1, {});
  add("z", 1, {"a"});
  one.start("hog");
  for (int i = 0; i < 2; ++i) one.finish_attempt(one.start("a"), 0);
  ASSERT_THAT(states(one.stored_runs("z")), ElementsAre(State::kQueued));
  one.loop().call<int>(
      [](Engine& engine, Time now) -> Result<int> {
        EXPECT_TRUE(engine.delete_job("z", ActiveRuns::kStop, now));
        return 0;
      },
      [](const Result<int>&) {});
  one.settle();
  EXPECT_THAT(states(one.stored_runs("z")), ElementsAre(State::kAborted));
}

// ---- memory

TEST_F(EngineTest, ARunThatRestartsForEverStaysSmall) {
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
  docket.finish_attempt(run, 0);
  EXPECT_EQ(docket.stored(run).state, State::kDone);
}

// ---- secrets

TEST_F(EngineTest, ASecretIsFoundWithAndWithoutTheLeadingSlash) {
  docket.loop().call<int>(
      [&](Engine& engine, Time now) -> Result<int> {
        EXPECT_TRUE(engine.put_secret("a/pw", "hunter2", now));
        return 0;
      },
      [](const Result<int>&) {});
  docket.settle();
  auto definition = docket.job("a");
  auto& spec = kinds::change_process(definition.spec);
  spec.env = {{"PW", kinds::SecretRef{"s"}}};
  spec.secrets = {{"s", "/a/pw"}};
  docket.add_job(definition);
  const TaskId attempt = docket.newest_attempt(docket.start("a"));
  EXPECT_THAT(docket.executor.attempts.at(attempt).spec.env,
              ::testing::Contains(::testing::Pair("PW", "hunter2")));
}

// ---- dependencies: the example of reference/metronome.md section 8

TEST_F(EngineTest, ParametersGoOnWithThePipelineAndEachRunSaysWhichOneStartedIt) {
  docket.add_job("first");
  auto second = docket.job("second");
  second.dependencies = {"first"};
  docket.add_job(second);
  auto third = docket.job("third");
  third.dependencies = {"second"};
  docket.add_job(third);
  const TaskId run = docket.start("first", std::make_shared<const model::RunParameters>(
                                               model::RunParameters{{{"DAY", "monday"}}, "again"}));
  docket.finish_attempt(run, 0);
  const model::Task next = docket.stored_runs("second").at(0);
  ASSERT_TRUE(next.parameters);
  EXPECT_EQ(next.parameters->env, (StringPairs{{"DAY", "monday"}}));
  EXPECT_EQ(next.parameters->started_by->run, run);
  EXPECT_EQ(next.parameters->started_by->job_id, "first");
  docket.finish_attempt(next.id, 0);
  const model::Task last = docket.stored_runs("third").at(0);
  EXPECT_EQ(last.parameters->env, (StringPairs{{"DAY", "monday"}}));
  EXPECT_EQ(last.parameters->description, "again");
  EXPECT_EQ(last.parameters->started_by->name, next.name);
  EXPECT_THAT(docket.executor.attempts.at(docket.newest_attempt(last.id)).spec.env,
              ::testing::Contains(::testing::Pair("DAY", "monday")));
}

TEST_F(EngineTest, AChildStartsOncePerRoundOfParentSuccesses) {
  docket.add_job("a");
  docket.add_job("b");
  auto child = docket.job("z");
  child.dependencies = {"a", "b"};
  docket.add_job(child);
  const auto succeed = [&](const std::string& id, Duration lasting) {
    const TaskId run = docket.start(id);
    docket.advance(lasting);
    docket.finish_attempt(run, 0);
  };
  succeed("a", minutes{15});
  EXPECT_TRUE(docket.stored_runs("z").empty());
  succeed("b", minutes{5});
  ASSERT_EQ(docket.stored_runs("z").size(), 1U);
  EXPECT_EQ(docket.stored_runs("z")[0].trigger, model::Trigger::kDependency);
  docket.advance(minutes{8});
  docket.finish_attempt(docket.stored_runs("z")[0].id, 0);
  succeed("b", minutes{20});
  EXPECT_EQ(docket.stored_runs("z").size(), 1U);
  docket.restart();
  succeed("a", minutes{15});
  EXPECT_EQ(docket.stored_runs("z").size(), 2U);
}

TEST_F(EngineTest, AClockSetBackStallsNoDependents) {
  docket.add_job("a");
  auto child = docket.job("z");
  child.dependencies = {"a"};
  docket.add_job(child);
  docket.finish_attempt(docket.start("a"), 0);
  docket.finish_attempt(docket.stored_runs("z").at(0).id, 0);
  docket.clock.set(docket.clock.now() - hours{1});
  docket.restart();
  docket.finish_attempt(docket.start("a"), 0);
  EXPECT_EQ(docket.stored_runs("z").size(), 2U);
}

TEST_F(EngineTest, ParentsThatSucceedWhileAChildDiesStartItOnceItIsGone) {
  docket.add_job("a");
  auto child = docket.job("z");
  child.dependencies = {"a"};
  docket.add_job(child);
  docket.finish_attempt(docket.start("a"), 0);
  const TaskId stopped = docket.stored_runs("z").at(0).id;
  docket.run_attempt(stopped);
  const TaskId attempt = docket.newest_attempt(stopped);
  ASSERT_TRUE(docket.engine().stop_run(stopped, docket.clock.now()));
  docket.finish_attempt(docket.start("a"), 0);
  EXPECT_EQ(docket.stored_runs("z").size(), 1U) << "never two at a time";
  docket.executor.exit(attempt, 0, docket.clock.now(), 15);
  docket.settle();
  EXPECT_EQ(docket.stored_runs("z").size(), 2U);
}

TEST_F(EngineTest, AChildThatFindsNoRoomStartsWhenThereIsRoom) {
  docket.add_job("a");
  auto child = docket.job("z");
  child.dependencies = {"a"};
  docket.add_job(child);
  const TaskId parent = docket.start("a");
  docket.engine().refuse_new_work("The disk is full");
  docket.finish_attempt(parent, 0);
  EXPECT_TRUE(docket.stored_runs("z").empty());
  docket.engine().refuse_new_work({});
  docket.advance(minutes{2});
  EXPECT_EQ(docket.stored_runs("z").size(), 1U);
}

TEST_F(EngineTest, AChildThatFoundNoRoomStartsAfterACrashToo) {
  docket.add_job("a");
  auto child = docket.job("z");
  child.dependencies = {"a"};
  docket.add_job(child);
  docket.add_job("made.later");
  const TaskId parent = docket.start("a");
  docket.engine().refuse_new_work("The disk is full");
  docket.finish_attempt(parent, 0);
  child.id = "younger";
  docket.restart();
  docket.advance(seconds{1});
  EXPECT_EQ(docket.stored_runs("z").size(), 1U);
  docket.finish_attempt(docket.stored_runs("z")[0].id, 0);
  docket.add_job(child);
  docket.restart();
  docket.advance(minutes{2});
  EXPECT_EQ(docket.stored_runs("z").size(), 1U) << "once";
  EXPECT_TRUE(docket.stored_runs("younger").empty()) << "its parent succeeded before it was made";
}

TEST_F(EngineTest, AnAttemptReportedOnlyAtItsEndHasRunAllTheSame) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  docket.finish_attempt(run, 0);
  const auto events =
      docket.store->open_reader().value()->events({.root = run, .limit = 100}).value();
  std::vector<std::pair<State, State>> moves;
  for (const auto& event : events) {
    if (event.type == model::EventType::kAttemptChanged)
      moves.emplace_back(event.before, event.after);
  }
  EXPECT_THAT(moves, ElementsAre(std::pair{State::kCreated, State::kRunning},
                                 std::pair{State::kRunning, State::kDone}));
}

TEST_F(EngineTest, CyclesAndUnknownParentsAreRefused) {
  docket.add_job("a");
  auto b = docket.job("b");
  b.dependencies = {"a"};
  docket.add_job(b);
  docket.loop().call<int>(
      [&](Engine& engine, Time now) -> Result<int> {
        auto a = docket.job("a");
        a.dependencies = {"b"};
        EXPECT_EQ(engine.update_job("a", a, now).error().message, "Dependencies have a cycle.");
        a.dependencies = {"a"};
        EXPECT_EQ(engine.update_job("a", a, now).error().message, "Dependencies have a cycle.");
        a.dependencies = {"x", "y"};
        EXPECT_EQ(engine.update_job("a", a, now).error().message,
                  "Dependencies contain unknown jobs. unknown=[x, y]");
        EXPECT_EQ(engine.delete_job("a", ActiveRuns::kStop, now).error().message,
                  "There are jobs with a dependency on a. children=[b]");
        return 0;
      },
      [](const Result<int>&) {});
  docket.settle();
}

}  // namespace
}  // namespace docket::engine
