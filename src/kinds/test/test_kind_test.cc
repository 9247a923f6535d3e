// Trees of the kind `test`, through the loop and a store in memory: what every kind may do.

#include "kinds/test/test_kind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "core/json_reader.h"
#include "engine/progress_sums.h"
#include "support/harness.h"

namespace docket::kinds {
namespace {

using model::State;
using ::testing::ElementsAre;
using testing::Harness;
using ::testing::IsEmpty;

class TestKindTest : public ::testing::Test {
 protected:
  static TestSpec read(const std::string& text, std::vector<JsonComplaint>* complaints = nullptr) {
    const auto value = parse_json(text);
    JsonComplaints found;
    JsonReader in(*value, found);
    TestSpec spec = read_test_spec(in);
    if (complaints) *complaints = found.list;
    return spec;
  }
  TaskId start(const std::string& spec) {
    model::JobDefinition job = docket.job("tree");
    job.spec = spec_of(read(spec));
    docket.add_job(job);
    return docket.start("tree");
  }
  std::vector<TaskId> live() {
    std::vector<TaskId> tokens;
    for (const auto& [executor, attempts] : docket.engine().live_attempts()) {
      for (const engine::AttemptQuery& each : attempts) tokens.push_back(each.token);
    }
    return tokens;
  }
  // The keys of steps that have a live attempt, and that attempt.
  std::map<std::string, TaskId> working(TaskId run) {
    std::map<std::string, TaskId> found;
    const engine::Node* root = docket.engine().find_task(run);
    if (!root) return found;
    for (const auto& [key, step] : root->steps()) {
      for (const auto& [id, child] : step->children()) {
        if (child->is_attempt() && !child->is_final()) found[key] = id;
      }
    }
    return found;
  }
  std::vector<std::string> keys_working(TaskId run) {
    std::vector<std::string> keys;
    for (const auto& [key, attempt] : working(run)) keys.push_back(key);
    return keys;
  }
  void end(TaskId run, const std::string& key, int code = 0) {
    docket.executor.exit(working(run).at(key), code, docket.clock.now());
    docket.settle();
  }
  State state_of(TaskId run, const std::string& key) {
    return docket.engine().find_task(run)->step(key)->task.state;
  }
  Harness docket;
};

constexpr const char* kThreeLevels = R"({"concurrency": 2, "steps": [
  {"name": "a", "steps": [{"name": "x", "steps": [{"name": "1"}, {"name": "2"}]}, {"name": "y"}]},
  {"name": "b"}]})";

TEST_F(TestKindTest, ATreeOfThreeLevelsRunsToItsEnd) {
  const TaskId run = start(kThreeLevels);
  EXPECT_THAT(keys_working(run), ElementsAre("a/x/1", "a/x/2"));
  EXPECT_EQ(state_of(run, "a"), State::kRunning) << "it runs when something below it does";
  EXPECT_EQ(state_of(run, "b"), State::kCreated);
  end(run, "a/x/1");
  EXPECT_THAT(keys_working(run), ElementsAre("a/x/2", "a/y"));
  end(run, "a/x/2");
  EXPECT_EQ(state_of(run, "a/x"), State::kDone);
  EXPECT_EQ(state_of(run, "a"), State::kRunning);
  end(run, "a/y");
  EXPECT_EQ(state_of(run, "a"), State::kDone);
  end(run, "b");
  EXPECT_EQ(docket.stored(run).state, State::kDone);
  EXPECT_EQ(docket.engine().find_task(run), nullptr) << "nothing of it is left in memory";
}

TEST_F(TestKindTest, AFailureFailsItsGroupAndItsRun) {
  const TaskId run = start(kThreeLevels);
  end(run, "a/x/1", 3);
  end(run, "a/x/2");
  EXPECT_EQ(state_of(run, "a/x"), State::kFailed);
  EXPECT_EQ(docket.engine().find_task(run)->step("a/x/1")->task.message, "exit code 3");
  end(run, "a/y");
  end(run, "b");
  EXPECT_EQ(docket.stored(run).state, State::kFailed);
}

TEST_F(TestKindTest, AfterACrashTheTreeIsWhereItWas) {
  const TaskId run = start(kThreeLevels);
  end(run, "a/x/1");
  docket.restart();
  EXPECT_THAT(keys_working(run), ElementsAre("a/x/2", "a/y"));
  EXPECT_EQ(state_of(run, "a/x/1"), State::kDone);
  EXPECT_EQ(state_of(run, "a/x"), State::kRunning);
  end(run, "a/x/2");
  end(run, "a/y");
  docket.restart();
  end(run, "b");
  EXPECT_EQ(docket.stored(run).state, State::kDone);
}

TEST_F(TestKindTest, AStopEndsRunningAndUnstartedSteps) {
  const TaskId run = start(kThreeLevels);
  const auto attempts = working(run);
  docket.stop(run);
  docket.settle();
  EXPECT_EQ(docket.stored(run).state, State::kAborted);
  EXPECT_EQ(state_of(run, "b"), State::kAborted);
  EXPECT_EQ(docket.executor.stopped.size(), 2U);
  for (const auto& [key, attempt] : attempts) {
    docket.executor.exit(attempt, 143, docket.clock.now());
  }
  docket.settle();
  EXPECT_EQ(docket.engine().find_task(run), nullptr);
}

TEST_F(TestKindTest, ADrainLetsStartedStepsEnd) {
  const TaskId run = start(R"({"onStop": "drain", "steps": [{"name": "a"}, {"name": "b"}]})");
  docket.stop(run);
  docket.settle();
  EXPECT_EQ(docket.stored(run).state, State::kRunning);
  EXPECT_TRUE(docket.stored(run).stopping);
  EXPECT_EQ(docket.stored(run).planned->word, "draining");
  EXPECT_THAT(docket.executor.stopped, IsEmpty());
  docket.restart();
  end(run, "a");
  EXPECT_EQ(docket.stored(run).state, State::kAborted);
}

TEST_F(TestKindTest, PausesLieBetweenStepsThatStart) {
  const TaskId run =
      start(R"({"concurrency": 9, "pauseSeconds": 10, "steps": [{"name": "a"}, {"name": "b"}]})");
  EXPECT_THAT(keys_working(run), ElementsAre("a"));
  docket.advance_to(docket.clock.now() + std::chrono::seconds{9});
  EXPECT_THAT(keys_working(run), ElementsAre("a"));
  docket.advance_to(docket.clock.now() + std::chrono::seconds{1});
  EXPECT_THAT(keys_working(run), ElementsAre("a", "b"));
}

TEST_F(TestKindTest, FoldedStepsLeaveMemoryAndAreRemembered) {
  const TaskId run = start(R"({"steps": [{"name": "g", "steps": [
      {"name": "a", "folds": true}, {"name": "b", "folds": true}]}, {"name": "c"}]})");
  end(run, "g/a", 1);
  EXPECT_EQ(docket.engine().find_task(run)->step("g/a"), nullptr);
  docket.restart();
  end(run, "g/b");
  EXPECT_EQ(state_of(run, "g"), State::kFailed);
  end(run, "c");
  EXPECT_EQ(docket.stored(run).state, State::kFailed);
}

TEST_F(TestKindTest, AGroupThatFoldsStaysWhileAProcessBelowItLives) {
  const TaskId run =
      start(R"({"steps": [{"name": "g", "folds": true, "steps": [{"name": "a"}]}]})");
  const TaskId attempt = working(run).at("g/a");
  docket.stop(run);
  EXPECT_EQ(docket.stored(run).state, State::kAborted);
  EXPECT_EQ(live(), std::vector<TaskId>{attempt});
  docket.restart();
  EXPECT_EQ(live(), std::vector<TaskId>{attempt});
  docket.executor.exit(attempt, 143, docket.clock.now());
  docket.settle();
  EXPECT_EQ(docket.stored(attempt).state, State::kFailed);
  EXPECT_EQ(docket.engine().find_task(run), nullptr);
}

TEST_F(TestKindTest, ATreeThatIsLargerThanAPlanIsMadeInSeveral) {
  std::string steps;
  for (int i = 0; i < 2500; ++i)
    steps += (i ? R"(,{"name":")" : R"({"name":")") + std::to_string(i) + "\"}";
  const TaskId run = start(R"({"concurrency": 3, "steps": [)" + steps + "]}");
  EXPECT_EQ(docket.engine().find_task(run)->steps().size(), 2500U);
  EXPECT_EQ(working(run).size(), 3U);
}

TEST_F(TestKindTest, ReadsWhatItWritesAndNamesFlaws) {
  model::Spec spec = spec_of(read(kThreeLevels));
  EXPECT_EQ(spec_of(read(spec.text())), spec);
  std::vector<JsonComplaint> complaints;
  read(R"({"steps": [{"name": "a"}, {"name": "a"}, {"name": "x/y"}, {"seconds": -1}],
           "concurrency": 0, "onStop": "never"})",
       &complaints);
  std::vector<std::string> told;
  for (const auto& each : complaints) told.push_back(each.path.pointer());
  EXPECT_THAT(told, ElementsAre("/steps/1/name", "/steps/2/name", "/steps/3/name",
                                "/steps/3/seconds", "/concurrency", "/onStop"));
}

// ---- what steps and runs wait for

TEST_F(TestKindTest, AStepWaitsForItsLockWhileItsRunGoesOn) {
  const TaskId run = start(R"({"concurrency": 9, "steps": [
    {"name": "a", "locks": [{"name": "db"}]}, {"name": "b", "locks": [{"name": "db"}]},
    {"name": "c"}]})");
  EXPECT_THAT(keys_working(run), ElementsAre("a", "c"));
  EXPECT_EQ(state_of(run, "b"), State::kQueued);
  end(run, "c");
  end(run, "a");
  EXPECT_THAT(keys_working(run), ElementsAre("b"));
  EXPECT_EQ(docket.engine().locks().find("db")->holder,
            docket.engine().find_task(run)->step("b")->task.id);
  end(run, "b");
  EXPECT_EQ(docket.stored(run).state, State::kDone);
  EXPECT_FALSE(docket.engine().locks().find("db")->holder);
}

TEST_F(TestKindTest, AStepThatWaitsIsFoundWaitingAfterACrash) {
  const TaskId run = start(R"({"steps": [
    {"name": "a", "cpus": 40}, {"name": "b", "cpus": 40}, {"name": "c", "cpus": 24}]})");
  EXPECT_THAT(keys_working(run), ElementsAre("a", "c")) << "of 64 cores";
  docket.restart();
  EXPECT_EQ(state_of(run, "b"), State::kQueued);
  EXPECT_EQ(docket.engine().queue().free().cpus_micro, 0);
  end(run, "a");
  EXPECT_THAT(keys_working(run), ElementsAre("b", "c"));
  end(run, "b");
  end(run, "c");
  EXPECT_EQ(docket.stored(run).state, State::kDone);
  EXPECT_EQ(docket.engine().queue().free(), docket.engine().queue().total());
}

TEST_F(TestKindTest, AStepThatLosesPatienceFailsAndNamesItsBlocker) {
  const TaskId run = start(R"({"steps": [
    {"name": "a", "locks": [{"name": "db"}]},
    {"name": "b", "locks": [{"name": "db"}], "patienceSeconds": 10},
    {"name": "c", "locks": [{"name": "db"}], "patienceSeconds": 0},
    {"name": "d", "locks": [{"name": "db", "wait": "fail"}]}]})");
  docket.advance(std::chrono::seconds{1});
  EXPECT_EQ(state_of(run, "b"), State::kQueued);
  EXPECT_EQ(state_of(run, "c"), State::kFailed);
  EXPECT_EQ(state_of(run, "d"), State::kFailed);
  docket.restart();
  docket.advance(std::chrono::seconds{9});
  EXPECT_EQ(state_of(run, "b"), State::kFailed);
  EXPECT_EQ(
      docket.engine().find_task(run)->step("b")->task.message,
      "It waited too long: lock 'db' is held by step 'a' of run " + std::to_string(run.value));
  end(run, "a");
  EXPECT_EQ(docket.stored(run).state, State::kFailed);
}

TEST_F(TestKindTest, AStepMayNotWaitForeverWhileItsRunHoldsALock) {
  const TaskId run = start(R"({"locks": [{"name": "a"}], "steps": [
    {"name": "x", "locks": [{"name": "b"}]}]})");
  EXPECT_EQ(docket.stored(run).message,
            "The kind 'test' made a plan that cannot be carried out: a step that waits for a lock "
            "without limit while its run holds one");
}

TEST_F(TestKindTest, AStopEndsStepsThatWait) {
  const TaskId run = start(R"({"steps": [
    {"name": "a", "locks": [{"name": "db"}]}, {"name": "b", "locks": [{"name": "db"}]}]})");
  const TaskId attempt = working(run).at("a");
  docket.stop(run);
  EXPECT_EQ(docket.engine().queue().size(), 0U);
  EXPECT_TRUE(docket.engine().locks().find("db")->holder) << "until its process is gone";
  docket.executor.exit(attempt, 143, docket.clock.now());
  docket.settle();
  EXPECT_FALSE(docket.engine().locks().find("db")->holder);
}

TEST_F(TestKindTest, ARunWithAStartTimeBeginsThen) {
  model::JobDefinition job = docket.job("tree");
  job.spec = spec_of(read(R"({"steps": [{"name": "a"}]})"));
  docket.add_job(job);
  const auto at = [this](Duration from_now) {
    return std::make_shared<const model::RunParameters>(
        model::RunParameters{.env = {{kNotBefore, format_rfc3339(docket.clock.now() + from_now)}}});
  };
  const TaskId soon = docket.start("tree", at(std::chrono::minutes{5}));
  const TaskId stopped = docket.start("tree", at(std::chrono::minutes{5}));
  const TaskId missed = docket.start("tree", at(std::chrono::minutes{90}));
  EXPECT_EQ(docket.stored(soon).state, State::kCreated);
  docket.stop(stopped);
  EXPECT_EQ(docket.stored(stopped).state, State::kAborted);
  docket.restart();
  docket.advance(std::chrono::minutes{4});
  EXPECT_EQ(docket.stored(soon).state, State::kCreated);
  docket.advance(std::chrono::minutes{1});
  EXPECT_EQ(docket.stored(soon).state, State::kRunning);
  end(soon, "a");
  docket.restart(std::chrono::hours{3});
  EXPECT_EQ(docket.stored(missed).state, State::kAborted);
  EXPECT_EQ(docket.stored(missed).message, "Its time was over before it could begin");
}

TEST_F(TestKindTest, OnlyLeavesWaitByThemselves) {
  for (const char* need : {R"("cpus": 1)", R"("mem": 1)", R"("locks": [{"name": "db"}])"}) {
    std::vector<JsonComplaint> complaints;
    read(std::string(R"({"steps": [{"name": "a", "steps": [{"name": "x"}], )") + need + "}]}",
         &complaints);
    EXPECT_EQ(complaints.size(), 1U) << need;
  }
}

// ---- what runs are asked for, and how they are stopped

TEST_F(TestKindTest, APausedRunStartsNothingUntilItIsResumed) {
  const TaskId run = start(R"({"steps": [{"name": "a"}, {"name": "b"}]})");
  const auto ask = [&](const std::string& word) {
    Result<> answer = fail(ErrorKind::kInternal, "no answer");
    docket.loop().call<bool>(
        [&](engine::Engine& engine, Time now) -> Result<bool> {
          answer = engine.ask(run, word, {}, now);
          return true;
        },
        [](const Result<bool>&) {});
    docket.settle();
    return answer ? "" : answer.error().message;
  };
  EXPECT_EQ(ask("dance"), "A run of kind 'test' has no word 'dance'");
  EXPECT_EQ(ask("resume"), "the run is not paused");
  EXPECT_EQ(ask("pause"), "");
  EXPECT_EQ(ask("pause"), "the run is paused already");
  EXPECT_EQ(docket.stored(run).state, State::kPaused);
  end(run, "a");
  EXPECT_THAT(keys_working(run), IsEmpty());
  docket.restart();
  EXPECT_THAT(keys_working(run), IsEmpty());
  EXPECT_EQ(docket.stored(run).state, State::kPaused);
  EXPECT_EQ(ask("resume"), "");
  EXPECT_THAT(keys_working(run), ElementsAre("b"));
  EXPECT_EQ(ask("pause"), "");
  end(run, "b");
  EXPECT_EQ(docket.stored(run).state, State::kDone) << "nothing was left to start";
  EXPECT_EQ(ask("resume"), "Job Run not found");
}

TEST_F(TestKindTest, StoppedStepsAreAwaitedAndThenLost) {
  const TaskId run = start(R"({"onStop": "await", "stopPatienceSeconds": 30, "concurrency": 2,
                               "steps": [{"name": "a"}, {"name": "b"}, {"name": "c"}]})");
  const auto attempts = working(run);
  docket.stop(run);
  docket.settle();
  EXPECT_EQ(docket.stored(run).state, State::kRunning);
  EXPECT_EQ(docket.stored(run).planned->word, "stopping");
  docket.executor.exit(attempts.at("a"), 0, docket.clock.now(), 15);
  docket.settle();
  EXPECT_THAT(keys_working(run), ElementsAre("b")) << "and nothing more";
  docket.restart();
  docket.advance(std::chrono::seconds{29});
  EXPECT_EQ(docket.stored(run).state, State::kRunning) << "patience began anew";
  docket.advance(std::chrono::seconds{1});
  EXPECT_EQ(docket.stored(run).state, State::kAborted);
  const model::Task lost = docket.stored(attempts.at("b"));
  EXPECT_EQ(lost.state, State::kFailed);
  EXPECT_EQ(lost.message, "It was stopped and did not end in time");

  // It is still alive: it is stopped again whenever it is heard of, and forgotten when it is over.
  const auto forgotten = [&] {
    return std::ranges::count(docket.executor.forgotten, attempts.at("b"));
  };
  EXPECT_EQ(forgotten(), 0);
  docket.executor.stopped.clear();
  docket.executor.run(attempts.at("b"), docket.clock.now());
  docket.settle();
  EXPECT_THAT(docket.executor.stopped, ElementsAre(attempts.at("b")));
  docket.executor.exit(attempts.at("b"), 0, docket.clock.now(), 9);
  docket.settle();
  EXPECT_EQ(forgotten(), 1);
}

}  // namespace
}  // namespace docket::kinds
