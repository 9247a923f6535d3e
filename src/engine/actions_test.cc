// Runs that no job has (model::is_action). Their kind is `test` here, but could be any.

#include <gtest/gtest.h>

#include "kinds/test/spec.h"
#include "support/harness.h"

namespace docket::engine {
namespace {

using model::State;

class ActionsTest : public ::testing::Test {
 protected:
  static kinds::TestSpec two_steps() {
    kinds::TestSpec spec;
    spec.steps = {{.name = "a", .in_server = true}, {.name = "b", .in_server = true}};
    return spec;
  }
  static model::Operation shown() {
    return {.module = "chores", .type = "two steps", .abortable = true, .user = true};
  }
  Result<TaskId> act(kinds::TestSpec spec = two_steps(), model::Operation what = shown()) {
    Result<TaskId> made = fail(ErrorKind::kInternal, "no answer");
    docket.loop().call<TaskId>(
        [&](Engine& engine, Time now) -> Result<TaskId> {
          const auto run = engine.start_action(kinds::spec_of(spec), what, now);
          if (!run) return fail(run.error());
          return (*run)->task.id;
        },
        [&](Result<TaskId> task) { made = std::move(task); });
    docket.settle();
    return made;
  }
  Result<> abort(TaskId task) {
    Result<> aborted;
    docket.loop().call<bool>(
        [&](Engine& engine, Time now) -> Result<bool> {
          aborted = engine.abort_task(task, now);
          return true;
        },
        [](const Result<bool>&) {});
    docket.settle();
    return aborted;
  }
  void end_step() {
    const auto live = docket.tester.attempts;
    ASSERT_FALSE(live.empty());
    docket.tester.exit(live.begin()->first, 0, docket.clock.now());
    docket.settle();
  }
  std::optional<model::Listing> listing(TaskId task) {
    return docket.store->open_reader().value()->listing(task).value();
  }

  testing::Harness docket;
};

TEST_F(ActionsTest, IsARunWithItsOwnDefinition) {
  const auto first = act();
  const auto second = act();
  ASSERT_TRUE(first && second);
  const model::Task root = docket.stored(*first);
  EXPECT_TRUE(model::is_action(root));
  EXPECT_FALSE(model::is_step(root));
  EXPECT_STREQ(model::kind_name(root), "operation");
  EXPECT_EQ(root.state, State::kRunning);
  EXPECT_EQ(root.operation->sequence, 1U);
  EXPECT_EQ(docket.stored(*second).operation->sequence, 2U);
  EXPECT_NE(root.job, docket.stored(*second).job);
  EXPECT_TRUE(docket.engine().jobs().empty());
  EXPECT_EQ(listing(*first)->until, model::kForever);
  end_step();
}

TEST_F(ActionsTest, EndsAsItsKindDecides) {
  const auto task = act();
  end_step();
  EXPECT_EQ(docket.stored(*task).state, State::kRunning);
  end_step();
  const model::Task ended = docket.stored(*task);
  EXPECT_EQ(ended.state, State::kDone);
  EXPECT_EQ(ended.tally.children, 2U) << "steps are folded into it";
  EXPECT_EQ(listing(*task)->until, docket.clock.now() + docket.engine().settings().user_task_ttl);
  EXPECT_FALSE(docket.engine().find_task(*task));
}

TEST_F(ActionsTest, ContinuesAfterARestart) {
  const auto task = act();
  end_step();
  docket.restart();
  EXPECT_TRUE(docket.engine().is_live(*task));
  end_step();
  EXPECT_EQ(docket.stored(*task).state, State::kDone);
}

TEST_F(ActionsTest, WaitsForItsLockInTheQueue) {
  kinds::TestSpec spec = two_steps();
  spec.needs.locks = {{.name = "one at a time"}};
  const auto first = act(spec);
  const auto second = act(spec);
  EXPECT_EQ(docket.stored(*second).state, State::kQueued);
  docket.restart();
  end_step();
  end_step();
  EXPECT_EQ(docket.stored(*first).state, State::kDone);
  EXPECT_EQ(docket.stored(*second).state, State::kRunning);
}

TEST_F(ActionsTest, CanBeAbortedIfItIsAbortable) {
  model::Operation stubborn = shown();
  stubborn.abortable = false;
  const auto goes_on = act(two_steps(), stubborn);
  EXPECT_EQ(abort(*goes_on).error().kind, ErrorKind::kDenied);
  const auto task = act();
  EXPECT_TRUE(abort(*task));
  EXPECT_EQ(docket.stored(*task).state, State::kAborted);
  EXPECT_EQ(abort(*task).error().kind, ErrorKind::kNotFound);
}

TEST_F(ActionsTest, CannotBeStoppedAsARunOfAJob) {
  const auto task = act();
  docket.loop().call<bool>(
      [&](Engine& engine, Time now) -> Result<bool> {
        EXPECT_EQ(engine.stop_run(*task, now).error().kind, ErrorKind::kNotFound);
        return true;
      },
      [](const Result<bool>&) {});
  docket.settle();
  EXPECT_TRUE(docket.engine().is_live(*task));
}

TEST_F(ActionsTest, AnInvalidOneChangesNothing) {
  model::Operation unnamed = shown();
  unnamed.module = "";
  EXPECT_EQ(act(two_steps(), unnamed).error().kind, ErrorKind::kInvalid);
  kinds::TestSpec flawed = two_steps();
  flawed.steps[0].name = "a\nb";
  EXPECT_EQ(act(flawed).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(docket.store->load()->last_task, TaskId{});
}

TEST_F(ActionsTest, ItsDefinitionGoesWithIt) {
  const auto task = act();
  end_step();
  end_step();
  const JobUid definition = docket.stored(*task).job;
  const auto reader = docket.store->open_reader().value();
  EXPECT_TRUE(reader->job_version(definition, 1).value());
  docket.advance(docket.engine().settings().retention + std::chrono::hours{1});
  docket.advance(std::chrono::hours{1});
  EXPECT_FALSE(reader->task(*task).value());
  EXPECT_FALSE(reader->job_version(definition, 1).value());
}

// A run that outlived its job, and whose last attempt outlived the run.
TEST_F(ActionsTest, TheEndOfARunOfADeletedJobIsCountedOnce) {
  kinds::TestSpec spec = two_steps();
  spec.on_stop = kinds::OnStop::kDrain;
  docket.add_job({.id = "gone", .spec = kinds::spec_of(spec)});
  const TaskId run = docket.start("gone");
  docket.change([](Engine& engine, Time now) {
    EXPECT_TRUE(engine.delete_job("gone", ActiveRuns::kStop, now));
  });
  docket.add_job({.id = "gone", .spec = kinds::spec_of(spec)});
  docket.change([run](Engine& engine, Time now) { EXPECT_TRUE(engine.stop_run(run, now)); });
  EXPECT_EQ(docket.stored(run).state, State::kAborted);
  EXPECT_EQ(docket.engine().job("gone")->terminating, 1U);
  docket.tester.exit(docket.tester.attempts.begin()->first, 0, docket.clock.now(), 15);
  docket.settle();
  EXPECT_EQ(docket.engine().job("gone")->terminating, 0U);
}

}  // namespace
}  // namespace docket::engine
