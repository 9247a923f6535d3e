// Attempts on more than one executor, and what executors report besides phases.

#include "engine/executors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/test/spec.h"
#include "support/harness.h"

namespace docket::engine {
namespace {

using model::State;
using ::testing::ElementsAre;
using testing::Harness;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ExecutorsTest : public ::testing::Test {
 protected:
  // Two leaves: one is a process, the other runs inside the server.
  TaskId start(bool restarts_lost = false) {
    kinds::TestSpec spec{.steps = {{.name = "process"}, {.name = "server", .in_server = true}},
                         .concurrency = 2};
    spec.restarts_lost = restarts_lost;
    model::JobDefinition job = docket.job("tree");
    job.spec = kinds::spec_of(spec);
    docket.add_job(job);
    const TaskId run = docket.start("tree");
    docket.executor.run(first(), docket.clock.now());
    docket.tester.run(second(), docket.clock.now());
    docket.settle();
    return run;
  }
  TaskId first() const { return docket.executor.started.at(0); }
  TaskId second() const { return docket.tester.started.at(0); }
  const model::Task& step(TaskId run, const char* key) {
    return docket.engine().find_task(run)->step(key)->task;
  }
  std::vector<std::string> notes() const {
    std::vector<std::string> said;
    for (const auto& [seq, event] : docket.disk->state.events()) {
      if (event.type == model::EventType::kTaskNote) said.push_back(event.message);
    }
    return said;
  }

  Harness docket;
};

TEST_F(ExecutorsTest, OrdersGoToTheExecutorOfTheAttempt) {
  const TaskId run = start();
  EXPECT_EQ(docket.executor.started.size(), 1U);
  EXPECT_EQ(docket.tester.started.size(), 1U);
  EXPECT_EQ(docket.stored(second()).work->executor, "test");
  EXPECT_FALSE(docket.stored(first()).work) << "nothing is stored for the first executor";
  docket.stop(run);
  EXPECT_THAT(docket.executor.stopped, ElementsAre(first()));
  EXPECT_THAT(docket.tester.stopped, ElementsAre(second()));
  docket.executor.exit(first(), 0, docket.clock.now(), 15);
  docket.tester.exit(second(), 0, docket.clock.now(), 15);
  docket.settle();
  EXPECT_THAT(docket.executor.forgotten, ElementsAre(first()));
  EXPECT_THAT(docket.tester.forgotten, ElementsAre(second()));
}

TEST_F(ExecutorsTest, AfterARestartEachIsAskedForItsOwnAttempts) {
  const TaskId run = start();
  const TaskId of_test = second();
  docket.tester.attempts.clear();  // it ended with the server
  const std::uint64_t epoch = docket.executor.epoch;
  docket.restart();
  EXPECT_GT(docket.executor.epoch, epoch) << "each start is an epoch of its own";
  EXPECT_EQ(docket.tester.epoch, docket.executor.epoch);
  EXPECT_EQ(step(run, "process").state, State::kRunning);
  EXPECT_EQ(step(run, "server").state, State::kFailed);
  EXPECT_EQ(docket.stored(of_test).message, kOutcomeUnknown);
}

TEST_F(ExecutorsTest, ALostAttemptStartsAgainIfTheKindSaysSo) {
  const TaskId run = start(true);
  docket.tester.attempts.clear();
  docket.restart();
  EXPECT_EQ(docket.tester.started.size(), 2U);
  EXPECT_EQ(step(run, "server").state, State::kRunning);
}

TEST_F(ExecutorsTest, AnUnreachableExecutorHoldsUpNothing) {
  const TaskId run = start();
  docket.tester.attempts.at(second()).report.phase = AttemptPhase::kOutOfReach;
  docket.restart();
  EXPECT_EQ(step(run, "server").state, State::kRunning);
  EXPECT_EQ(docket.stored(second()).state, State::kRunning);
  docket.tester.exit(second(), 0, docket.clock.now());  // it is back
  docket.settle();
  EXPECT_EQ(step(run, "server").state, State::kDone);
}

TEST_F(ExecutorsTest, AMissingExecutorIsNamed) {
  const TaskId run = start();
  docket.has_test_executor = false;
  docket.restart();
  EXPECT_EQ(docket.stored(second()).state, State::kFailed);
  EXPECT_THAT(docket.stored(second()).message, HasSubstr("has no executor 'test'"));
  EXPECT_EQ(step(run, "process").state, State::kRunning);
  docket.start("tree");
  docket.settle();
  EXPECT_EQ(docket.executor.started.size(), 2U) << "the other leaf of the second run";
}

TEST_F(ExecutorsTest, OnlyTheExecutorOfAnAttemptMayReportIt) {
  start();
  docket.tester.start(first(), nullptr);
  docket.tester.exit(first(), 0, docket.clock.now());
  docket.settle();
  EXPECT_EQ(docket.stored(first()).state, State::kRunning);
}

TEST_F(ExecutorsTest, AReportIsTakenOnce) {
  const TaskId run = start();
  AttemptReport news;
  news.notes = {{"half"}, {"way"}};
  news.progress = model::Progress{1, 2};
  news.facts = R"({"score":7})";
  docket.tester.say(second(), news);
  docket.settle();
  news.notes = {{"again"}};
  docket.tester.say(second(), news, 1);
  docket.settle();
  EXPECT_THAT(notes(), ElementsAre("half", "way"));
  EXPECT_EQ(step(run, "server").planned->facts, R"({"score":7})");
  EXPECT_EQ(step(run, "server").tally.completed, 1);
  EXPECT_EQ(step(run, "server").tally.total, 2);
  EXPECT_THAT(docket.tester.taken_reports,
              ElementsAre(std::pair(second(), 1U), std::pair(second(), 1U)));
  EXPECT_EQ(docket.stored(second()).work->seq, 1U);
}

TEST_F(ExecutorsTest, FiguresAreWrittenOnceASecond) {
  const TaskId run = start();
  const TaskId of = step(run, "server").id;
  const auto tell = [&](double completed) {
    AttemptReport news;
    news.phase = AttemptPhase::kRunning;
    news.progress = model::Progress{completed, 9};
    docket.tester.say(second(), news);
    docket.settle();
  };
  tell(1);
  EXPECT_EQ(docket.stored(of).tally.completed, 1);
  const int commits = docket.committer->commits;
  tell(2);
  tell(3);
  EXPECT_EQ(step(run, "server").tally.completed, 3) << "seen at once";
  EXPECT_EQ(docket.committer->commits, commits);
  EXPECT_THAT(docket.tester.taken_reports, ElementsAre(std::pair(second(), 1U)));
  docket.advance(std::chrono::seconds{1});
  EXPECT_EQ(docket.stored(of).tally.completed, 3);
  EXPECT_EQ(docket.tester.taken_reports.back(), std::pair(second(), std::uint64_t{3}));
  tell(4);
  AttemptReport news;
  news.notes = {{"not alone"}};
  docket.tester.say(second(), news);
  docket.settle();
  EXPECT_EQ(docket.stored(of).tally.completed, 4) << "with what is written anyway";
}

TEST_F(ExecutorsTest, TakenReportsAreKnownAfterARestart) {
  start();
  AttemptReport news;
  news.notes = {{"once"}};
  docket.tester.say(second(), news);
  docket.settle();
  docket.restart();
  docket.tester.say(second(), news, 1);
  docket.settle();
  EXPECT_THAT(notes(), ElementsAre("once"));
  docket.tester.say(second(), news);
  docket.settle();
  EXPECT_THAT(notes(), ElementsAre("once", "once"));
}

TEST_F(ExecutorsTest, ResultsAndDetailsGoToTheStore) {
  const TaskId run = start();
  const TaskId of = step(run, "server").id;
  AttemptReport news;
  news.result = R"({"changed":true})";
  news.notes = {{.message = "mode",
                 .subtype = "change/file",
                 .detail = std::make_shared<const model::EventDetail>(
                     model::EventDetail{.resource = "/etc/x", .changes = true})}};
  docket.tester.say(second(), news);
  docket.settle();
  EXPECT_EQ(docket.disk->state.results().at(of), R"({"changed":true})");
  const model::Event& event = docket.disk->state.events().rbegin()->second;
  EXPECT_EQ(event.subtype, "change/file");
  EXPECT_EQ(event.detail->resource, "/etc/x");
}

TEST_F(ExecutorsTest, AnInvalidDetailIsLeftOut) {
  start();
  AttemptReport news;
  news.notes = {
      {.message = "half",
       .subtype = {},
       .detail = std::make_shared<const model::EventDetail>(model::EventDetail{.before = "[1]"})}};
  docket.tester.say(second(), news);
  docket.settle();
  EXPECT_THAT(notes(), ElementsAre(HasSubstr("half (reported in a note whose before or after")));
  EXPECT_FALSE(docket.disk->state.events().rbegin()->second.detail);
}

TEST_F(ExecutorsTest, InvalidFactsAreReported) {
  const TaskId run = start();
  AttemptReport news;
  news.facts = "[1]";
  docket.tester.say(second(), news);
  docket.settle();
  EXPECT_THAT(step(run, "server").planned->facts, IsEmpty());
  EXPECT_THAT(notes(), ElementsAre(HasSubstr("not a JSON object")));
}

}  // namespace
}  // namespace docket::engine
