// Jobs, their kinds and their secrets: definitions, and what becomes of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine.h"
#include "support/harness.h"

namespace docket::engine {
namespace {

using model::State;
using ::testing::ElementsAre;
using testing::states;

class EngineJobsTest : public ::testing::Test {
 protected:
  model::JobDefinition job_with_cpus(const std::string& id, double cpus) {
    model::JobDefinition definition = docket.job(id);
    kinds::change_process(definition.spec).cpus = cpus;
    return definition;
  }
  testing::Harness docket;
};

// ---- kinds

TEST_F(EngineJobsTest, AJobOfAnUnknownKindIsRefused) {
  model::JobDefinition definition = docket.job("a");
  definition.spec = {.kind = "dance", .body = nullptr};
  const auto refused = docket.engine().create_job(definition, {}, docket.clock.now());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fields.at(0).path, "/kind");
  EXPECT_THAT(refused.error().fields.at(0).errors,
              ElementsAre("must be a kind of this server: it has no 'dance'"));
}

TEST_F(EngineJobsTest, AJobStaysOfItsKind) {
  docket.add_job("a");
  model::JobDefinition definition = docket.job("a");
  definition.spec = kinds::spec_of(kinds::TestSpec{.steps = {{.name = "a"}}});
  const auto refused = docket.engine().update_job("a", definition, docket.clock.now());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fields.at(0).path, "/kind");
  EXPECT_THAT(refused.error().fields.at(0).errors,
              ElementsAre("cannot be changed: the job is of kind 'process'"));
}

TEST_F(EngineJobsTest, AKindHasAModuleWhileItHasJobs) {
  EXPECT_THAT(docket.engine().modules(), ElementsAre("process"));
  model::JobDefinition definition = docket.job("a");
  definition.spec = kinds::spec_of(kinds::TestSpec{.steps = {{.name = "a"}}});
  docket.add_job(definition);
  EXPECT_THAT(docket.engine().modules(), ElementsAre("process", "test"));
  EXPECT_THAT(docket.engine().lanes("test"), ElementsAre(0U));
  docket.restart();
  EXPECT_TRUE(docket.engine().has_module("test"));
  ASSERT_TRUE(docket.engine().delete_job("a", engine::ActiveRuns::kRefuse, docket.clock.now()));
  EXPECT_FALSE(docket.engine().has_module("test"));
  EXPECT_TRUE(docket.engine().drain("process"));
  EXPECT_EQ(docket.engine().drain("test").error().kind, ErrorKind::kNotFound);
}

// Made by a newer server, say.
TEST_F(EngineJobsTest, ARunOfAKindThatIsGoneFails) {
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

// ---- jobs

TEST_F(EngineJobsTest, ARunKeepsTheSpecItStartedWith) {
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

TEST_F(EngineJobsTest, DeletingAJobForgetsItsIdButNotItsRuns) {
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

TEST_F(EngineJobsTest, RecreatedJobsCountTheProcessesOfDeletedOnes) {
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
TEST_F(EngineJobsTest, ADeletedDependentStartsNothing) {
  testing::Harness one(testing::Harness::one_core());
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

// ---- secrets

TEST_F(EngineJobsTest, ASecretIsFoundWithAndWithoutTheLeadingSlash) {
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

}  // namespace
}  // namespace docket::engine
