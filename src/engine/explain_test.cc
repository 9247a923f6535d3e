#include "engine/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/harness.h"

namespace docket::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

Settings small_node() {
  Settings settings = testing::Harness::roomy();
  settings.node.cpus = 4;
  settings.node.mem_mib = 1024;
  settings.node.attributes = {{"@zone", "b"}};
  return settings;
}

class ExplainTest : public ::testing::Test {
 protected:
  explicit ExplainTest(Settings settings = small_node()) : docket(std::move(settings)) {}

  template <class Change>
  TaskId start_with(const std::string& id, Change change) {
    auto job = docket.job(id);
    change(kinds::change_process(job.spec));
    docket.add_job(job);
    return docket.start(id);
  }
  TaskId start(const std::string& id, double cpus, double mem = 32) {
    return start_with(id, [&](kinds::ProcessSpec& spec) {
      spec.cpus = cpus;
      spec.mem = mem;
    });
  }
  Explanation run(TaskId id) {
    auto explanation = Explainer(docket.engine(), docket.clock.now()).run(id);
    EXPECT_TRUE(explanation) << explanation.error().message;
    return explanation.value_or(Explanation{});
  }
  Explanation job(const std::string& id) {
    return Explainer(docket.engine(), docket.clock.now()).job(id).value();
  }
  Explanation lock(const std::string& name) {
    return Explainer(docket.engine(), docket.clock.now()).lock(name);
  }
  Explanation schedule_of(const std::string& id) {
    const JobEntry* entry = docket.engine().job(id);
    return Explainer(docket.engine(), docket.clock.now())
        .schedule(entry->schedules.begin()->second)
        .value();
  }
  void finish(TaskId id, int code) {
    docket.run_attempt(id);
    docket.finish_attempt(id, code);
  }
  static std::string kinds(const Explanation& explanation) {
    std::string out;
    for (const Reason& reason : explanation.reasons) {
      out += (out.empty() ? "" : " ") + std::string(name_of(reason.kind));
    }
    return out;
  }

  testing::Harness docket;
};

TEST_F(ExplainTest, EveryShortResourceIsNamedWithTheBiggestHoldersFirst) {
  const TaskId small = start("small", 1, 600);
  const TaskId big = start("big", 2, 200);
  const auto why = run(start("waits", 3, 500));
  EXPECT_TRUE(why.waiting);
  ASSERT_EQ(kinds(why), "capacity capacity");
  const Reason& cpus = why.reasons[0];
  EXPECT_EQ(cpus.subject, "cpus");
  EXPECT_EQ(cpus.needed, 3);
  EXPECT_EQ(cpus.free, 1);
  EXPECT_EQ(cpus.total, 4);
  EXPECT_EQ(cpus.missing(), 2);
  ASSERT_THAT(cpus.holders, SizeIs(2));
  EXPECT_EQ(cpus.holders[0].run, big);
  EXPECT_EQ(cpus.holders[0].job_id, "big");
  EXPECT_EQ(cpus.holders[0].amount, 2);
  EXPECT_EQ(cpus.holders[1].run, small);
  EXPECT_EQ(why.reasons[1].subject, "mem");
  EXPECT_EQ(why.reasons[1].missing(), 276);
  EXPECT_EQ(why.reasons[1].holders[0].run, small);
  EXPECT_EQ(why.earliest, kNever);
}

TEST_F(ExplainTest, WhatTheEmptyNodeCannotHoldNeverFits) {
  const auto why = run(start("huge", 5));
  EXPECT_EQ(kinds(why), "never_fits");
  EXPECT_EQ(why.reasons[0].total, 4);
}

TEST_F(ExplainTest, WaitingRunsOfAJobComeFirst) {
  auto job = docket.job("huge");
  kinds::change_process(job.spec).cpus = 100;
  docket.add_job(job, {docket.schedule("0 11 * * *")});
  for (int i = 0; i < 5; ++i) docket.start("huge");
  const auto why = Explainer(docket.engine(), docket.clock.now()).job("huge").value();
  EXPECT_EQ(kinds(why), "never_fits never_fits never_fits waiter next_due");
  const std::string name = docket.stored_runs("huge").at(0).name;
  EXPECT_THAT(why.reasons[0].message, ::testing::HasSubstr(name + " waits: needs 100 cpus"));
  EXPECT_EQ(why.reasons[3].message, "2 more runs wait");
  EXPECT_TRUE(why.waiting);
}

TEST_F(ExplainTest, ManyHoldersAreCut) {
  for (int i = 0; i < 8; ++i) start("j" + std::to_string(i), 0.5);
  EXPECT_THAT(run(start("waits", 1)).reasons[0].holders, SizeIs(Explainer::kHoldersShown));
}

TEST_F(ExplainTest, AnAttemptIsExplainedAsItsRun) {
  const TaskId id = start("a", 1);
  EXPECT_EQ(kinds(run(docket.newest_attempt(id))), "running");
  EXPECT_FALSE(run(id).waiting);
}

TEST_F(ExplainTest, AnEndedRunWithALastProcess) {
  const TaskId id = start("a", 1);
  docket.run_attempt(id);
  docket.stop(id);
  const auto why = run(id);
  EXPECT_EQ(kinds(why), "finished");
  EXPECT_THAT(why.reasons[0].message, HasSubstr("last process"));
}

TEST_F(ExplainTest, UnknownIsNotFound) {
  const Explainer explainer(docket.engine(), docket.clock.now());
  EXPECT_EQ(explainer.run(TaskId{99}).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(explainer.job("x").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(explainer.schedule(ScheduleUid{9}).error().kind, ErrorKind::kNotFound);
}

TEST_F(ExplainTest, AFreeLockThatIsKeptForAnOlderRun) {
  const auto requested = [](std::vector<model::LockRequest> locks) {
    return [=](kinds::ProcessSpec& spec) { spec.locks = locks; };
  };
  start_with("a", requested({{.name = "left"}}));
  const TaskId older = start_with("both", requested({{.name = "left"}, {.name = "right"}}));
  docket.advance(docket.engine().settings().overtaking_max);
  const auto why = run(start_with("b", requested({{.name = "right"}})));
  EXPECT_EQ(kinds(why), "turn");
  EXPECT_EQ(why.reasons[0].subject, "right");
  EXPECT_EQ(why.reasons[0].holders[0].run, older);
}

TEST_F(ExplainTest, ALockAndItsHolder) {
  const auto locked = [](kinds::ProcessSpec& spec) {
    spec.locks = {{.name = "free"}, {.name = "db"}};
  };
  const TaskId holder = start_with("a", locked);
  docket.advance(std::chrono::seconds{10});
  const TaskId waiter = start_with("b", locked);
  const auto why = run(waiter);
  EXPECT_EQ(kinds(why), "lock lock");
  EXPECT_EQ(why.reasons[1].subject, "db");
  EXPECT_EQ(why.reasons[1].holders[0].run, holder);
  EXPECT_EQ(why.reasons[1].holders[0].since, testing::working_day());

  const auto held = lock("db");
  EXPECT_TRUE(held.waiting);
  EXPECT_EQ(kinds(held), "held waiter");
  EXPECT_EQ(held.reasons[1].holders[0].run, waiter);
  finish(holder, 0);
  EXPECT_EQ(lock("db").reasons[0].holders[0].run, waiter);
  EXPECT_FALSE(lock("db").waiting);
  finish(waiter, 0);
  EXPECT_EQ(kinds(lock("db")), "free");
  EXPECT_EQ(kinds(lock("never heard of")), "free");
}

TEST_F(ExplainTest, AConstraintThatNoNodeSatisfies) {
  const auto why = run(start_with("a", [](kinds::ProcessSpec& spec) {
    spec.constraints = {
        {.attribute = "@zone", .value = "b"},
        {.attribute = "@zone", .op = model::ConstraintOperator::kUnlike, .value = "b|c"}};
  }));
  EXPECT_EQ(kinds(why), "constraint");
  EXPECT_EQ(why.reasons[0].message, "no node satisfies @zone UNLIKE b|c");
}

TEST_F(ExplainTest, APatternThatNothingCanMatch) {
  auto job = docket.job("a");
  kinds::change_process(job.spec).constraints = {
      {.attribute = "@zone", .op = model::ConstraintOperator::kUnlike, .value = "(?!c)."}};
  docket.find_job_in_store(job);
  const auto why = run(docket.start("a"));
  EXPECT_EQ(why.reasons[0].message,
            "no node satisfies @zone UNLIKE (?!c).: the pattern is not an RE2 regular "
            "expression: invalid perl operator: (?!");
}

TEST_F(ExplainTest, TheStartingDeadlineIsNamed) {
  docket.add_job(docket.job("hog"));
  auto job = docket.job("a");
  kinds::change_process(job.spec).cpus = 100;
  docket.add_job(job, {docket.schedule("0 11 * * *")});
  docket.advance(std::chrono::hours{1});
  const auto why = run(docket.stored_runs("a").at(0).id);
  EXPECT_EQ(kinds(why), "never_fits start_deadline");
  EXPECT_EQ(why.reasons[1].at, testing::working_day() + std::chrono::minutes{75});
}

Settings one_at_a_time() {
  Settings settings = small_node();
  settings.running_max = 1;
  return settings;
}

class ExplainRunningLimit : public ExplainTest {
 protected:
  ExplainRunningLimit() : ExplainTest(one_at_a_time()) {}
};

TEST_F(ExplainRunningLimit, IsAReason) {
  start("a", 1);
  const auto why = run(start("b", 1));
  EXPECT_EQ(kinds(why), "running_limit");
  EXPECT_EQ(why.reasons[0].total, 1);
}

TEST_F(ExplainTest, ARunThatFitsWaitsForOneThatWasOvertakenTooLong) {
  start("hog", 2);
  const TaskId starving = start("wants-all", 4);
  docket.advance(std::chrono::seconds{61});
  const auto why = run(start("fits", 1));
  EXPECT_EQ(kinds(why), "turn");
  EXPECT_EQ(why.reasons[0].holders[0].run, starving);
}

// ---- jobs and schedules

TEST_F(ExplainTest, AJobThatNothingStartsIsManual) {
  docket.add_job("a");
  EXPECT_EQ(kinds(job("a")), "manual");
  EXPECT_FALSE(job("a").waiting);
}

TEST_F(ExplainTest, MissingParentsAreNamedWithTheirFault) {
  for (const char* id : {"never", "runs", "failed", "fine"}) docket.add_job(id);
  auto child = docket.job("child");
  child.dependencies = {"never", "runs", "failed", "fine"};
  docket.add_job(child);
  docket.start("runs");
  finish(docket.start("failed"), 1);
  docket.advance(std::chrono::seconds{1});
  finish(docket.start("fine"), 0);
  const auto why = job("child");
  EXPECT_TRUE(why.waiting);
  ASSERT_EQ(kinds(why), "dependency dependency dependency");
  EXPECT_EQ(why.reasons[0].message, "job 'never' has never run");
  EXPECT_EQ(why.reasons[1].message, "job 'runs' is running or waiting");
  EXPECT_EQ(why.reasons[2].message, "job 'failed' did not succeed the last time");
}

TEST_F(ExplainTest, AParentMustSucceedAgainForTheNextStart) {
  docket.add_job("parent");
  auto child = docket.job("child");
  child.dependencies = {"parent"};
  docket.add_job(child);
  docket.advance(std::chrono::seconds{1});
  finish(docket.start("parent"), 0);
  ASSERT_THAT(docket.stored_runs("child"), SizeIs(1));
  const auto why = job("child");
  ASSERT_EQ(kinds(why), "dependency");
  EXPECT_THAT(why.reasons[0].message, HasSubstr("not succeeded since"));
}

TEST_F(ExplainTest, AScheduleSaysWhenItIsDue) {
  docket.add_job(docket.job("a"), {docket.schedule("0 12 * * *")});
  const auto why = schedule_of("a");
  EXPECT_EQ(kinds(why), "next_due");
  EXPECT_EQ(why.earliest, testing::working_day() + std::chrono::hours{2});
  EXPECT_EQ(job("a").earliest, why.earliest);
}

TEST_F(ExplainTest, ADisabledScheduleIsNotDue) {
  auto schedule = docket.schedule("0 12 * * *");
  schedule.enabled = false;
  docket.add_job(docket.job("a"), {schedule});
  EXPECT_EQ(kinds(schedule_of("a")), "schedule_disabled");
  EXPECT_EQ(schedule_of("a").earliest, kNever);
}

TEST_F(ExplainTest, PausedSchedulesAreExplained) {
  docket.add_job(docket.job("a"), {docket.schedule("0 11 * * *")});
  docket.settings.paused = true;
  docket.restart();
  EXPECT_EQ(kinds(job("a")), "paused");
}

TEST_F(ExplainTest, AScheduleWhoseYearsAreOver) {
  docket.add_job(docket.job("a"), {docket.schedule("0 12 * * * 2024")});
  docket.advance(std::chrono::days{366});
  EXPECT_EQ(kinds(schedule_of("a")), "schedule_over");
}

TEST_F(ExplainTest, ForbidNamesTheRunsInItsWay) {
  auto schedule = docket.schedule("0 12 * * *");
  schedule.policy = model::ConcurrencyPolicy::kForbid;
  docket.add_job(docket.job("a"), {schedule});
  EXPECT_EQ(kinds(schedule_of("a")), "next_due");
  const TaskId busy = docket.start("a");
  const auto why = schedule_of("a");
  ASSERT_EQ(kinds(why), "next_due concurrency_policy");
  EXPECT_EQ(why.reasons[1].holders[0].run, busy);
}

// ---- steps

TEST_F(ExplainTest, ARunningRunNamesItsWaitingSteps) {
  ::docket::kinds::TestSpec spec;
  for (const char* name : {"a", "b"}) {
    spec.steps.push_back({.name = name, .needs = {.locks = {{.name = "db"}}}});
  }
  docket.add_job({.id = "tree", .spec = ::docket::kinds::spec_of(spec)});
  const TaskId tree = docket.start("tree");
  const auto why = run(tree);
  EXPECT_EQ(kinds(why), "running lock");
  const std::string held = "lock 'db' is held by step 'a' of run " + std::to_string(tree.value);
  EXPECT_EQ(why.reasons[1].message, "step 'b' waits: " + held);
  EXPECT_EQ(why.reasons[1].holders.at(0).run, tree);
  const auto step = run(docket.engine().find_task(tree)->step("b")->task.id);
  EXPECT_TRUE(step.waiting);
  EXPECT_EQ(step.reasons.at(0).message, held);
}

TEST_F(ExplainTest, ARunWithAStartTimeNamesIt) {
  ::docket::kinds::TestSpec spec;
  spec.steps = {{.name = "a"}};
  docket.add_job({.id = "tree", .spec = ::docket::kinds::spec_of(spec)});
  const Time at = docket.clock.now() + std::chrono::minutes{5};
  const auto why =
      run(docket.start("tree", std::make_shared<const model::RunParameters>(model::RunParameters{
                                   .env = {{::docket::kinds::kNotBefore, format_rfc3339(at)}}})));
  EXPECT_EQ(kinds(why), "not_before");
  EXPECT_EQ(why.earliest, at);
}

}  // namespace
}  // namespace docket::engine
