// Jobs that start when others have succeeded: reference/metronome.md section 8.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine.h"
#include "support/harness.h"

namespace docket::engine {
namespace {

using model::State;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;

class DependenciesTest : public ::testing::Test {
 protected:
  testing::Harness docket;
};

TEST_F(DependenciesTest, ParametersArePassedOnAndEachRunNamesItsStarter) {
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

TEST_F(DependenciesTest, AChildStartsOncePerRoundOfParentSuccesses) {
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

TEST_F(DependenciesTest, AClockSetBackStallsNoDependents) {
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

TEST_F(DependenciesTest, ParentsThatSucceedWhileAChildEndsStartItOnceItIsGone) {
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

TEST_F(DependenciesTest, AChildThatFindsNoRoomStartsWhenThereIsRoom) {
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

TEST_F(DependenciesTest, AChildThatFoundNoRoomStartsAfterACrashToo) {
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
  EXPECT_TRUE(docket.stored_runs("younger").empty()) << "its parent succeeded before it existed";
}

TEST_F(DependenciesTest, AnAttemptReportedOnlyAtItsEndHasRun) {
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

TEST_F(DependenciesTest, CyclesAndUnknownParentsAreRefused) {
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
