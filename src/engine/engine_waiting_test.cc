// What runs wait for: capacity, constraints, locks.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine.h"
#include "support/harness.h"

namespace docket::engine {
namespace {

using model::State;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::states;

class EngineWaitingTest : public ::testing::Test {
 protected:
  testing::Harness docket;
};

// ---- capacity

TEST_F(EngineWaitingTest, CapacityIsNeverExceededAndTheOldestGoesFirst) {
  testing::Harness one(testing::Harness::one_core());
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

TEST_F(EngineWaitingTest, ABigRunIsOvertakenForAMinuteThenGoesFirst) {
  testing::Harness one(testing::Harness::one_core());
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

TEST_F(EngineWaitingTest, ConstraintsHoldARunBack) {
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

// From a store of a version that did not check patterns.
TEST_F(EngineWaitingTest, NoNodeMatchesAnUnreadablePattern) {
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

TEST_F(EngineWaitingTest, ALockIsHeldByOneRunAndFencesTheNext) {
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

// Two streams of runs that want one lock each, and the locks are never free together: without a
// rule the run that wants both would wait for ever.
TEST_F(EngineWaitingTest, ARunThatWantsTwoLocksIsNotStarvedByStreamsThatWantOne) {
  const auto add = [&](const std::string& id, std::vector<model::LockRequest> locks) {
    auto definition = docket.job(id);
    kinds::change_process(definition.spec).locks = std::move(locks);
    docket.add_job(definition);
  };
  add("a", {{"left"}});
  add("b", {{"right"}});
  add("both", {{"left"}, {"right"}});
  const auto state = [&](TaskId run) { return docket.stored(run).state; };
  // The next one already waits when the last one ends.
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

}  // namespace
}  // namespace docket::engine
