// What the loop answers, and when; while the store is full, and after it has failed.

#include "engine/loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/engine_loop.h"

namespace docket::engine {
namespace {

using ::testing::Contains;

class LoopTest : public ::testing::Test, protected testing::EngineLoop {
 protected:
  static model::JobDefinition job(const std::string& id) {
    return {.id = id, .description = {}, .labels = {}, .dependencies = {}, .spec = spec()};
  }
  static model::Spec spec() {
    kinds::ProcessSpec spec;
    spec.cpus = 0.1;
    return kinds::spec_of(spec);
  }
  TaskId start_run(const std::string& id) {
    EXPECT_TRUE(engine.create_job(job(id), {}, clock.now()));
    const TaskId run = engine.start_run(id, nullptr, clock.now()).value()->task.id;
    settle();
    return run;
  }
  bool drained() {
    bool done = false;
    loop.drain([&] { done = true; });
    reactor.run_ready();
    next_second();
    return done;
  }
};

TEST_F(LoopTest, AFailedStoreHoldsUpNoStop) {
  fate = store::CommitFate::kFailedAbsent;
  ASSERT_TRUE(engine.create_job(job("a"), {}, clock.now()));
  bool stopped = false;
  loop.on_failure([&](const Error&) { loop.drain([&] { stopped = true; }); });
  loop.drain([] {});
  reactor.run_ready();
  EXPECT_TRUE(loop.failed());
  EXPECT_TRUE(stopped);
}

TEST_F(LoopTest, AFullStoreHoldsUpNoStop) {
  fate = store::CommitFate::kNoRoom;
  ASSERT_TRUE(engine.create_job(job("a"), {}, clock.now()));
  EXPECT_TRUE(drained());
}

TEST_F(LoopTest, AFullStoreHoldsUpNoStart) {
  start_run("a");
  executor.exit(executor.started[0], 0, clock.now());  // to be written when the next server starts
  fate = store::CommitFate::kNoRoom;
  Engine restarted{Settings{}, random, vault, {&kind}};
  restarted.restore(store.load().value(), clock.now());
  Loop next{restarted, committer, Executors(executor), clock, reactor};
  bool ready = false;
  next.start([&](const Result<>& result) { ready = result.has_value(); });
  reactor.run_ready();
  EXPECT_TRUE(next.full());
  EXPECT_TRUE(ready);
}

TEST_F(LoopTest, RequestsThatChangeNothingAreAnsweredWhileTheStoreIsFull) {
  start_run("a");
  fate = store::CommitFate::kNoRoom;
  ASSERT_TRUE(engine.create_job(job("b"), {}, clock.now()));
  loop.drain([] {});
  reactor.run_ready();
  executor.exit(executor.started[0], 0, clock.now());  // waits for room
  int answers = 0;
  loop.call<int>([](Engine&, Time) -> Result<int> { return 0; },
                 [&](const Result<int>& read) { answers += read.has_value(); });
  loop.call<int>(
      [](Engine& now_full, Time now) -> Result<int> {
        const auto run = now_full.start_run("a", nullptr, now);
        if (!run) return fail(run.error());
        return 0;
      },
      [&](const Result<int>& refused) {
        answers += !refused && refused.error().kind == ErrorKind::kExhausted;
      });
  reactor.run_ready();
  EXPECT_EQ(answers, 2);
}

// Only when the commit fails is it known that there is no room.
TEST_F(LoopTest, ReadsThatWaitForACommitAreAnsweredWhenThereIsNoRoomForIt) {
  fate = store::CommitFate::kNoRoom;
  int reads = 0;
  const auto read = [&] {
    loop.call<int>([](Engine&, Time) -> Result<int> { return 0; },
                   [&](const Result<int>& answer) { reads += answer.has_value(); });
  };
  bool created = false;
  loop.call<int>(
      [&](Engine& now, Time at) -> Result<int> {
        EXPECT_TRUE(now.create_job(job("b"), {}, at));
        return 0;
      },
      [&](const Result<int>&) { created = true; });
  read();
  reactor.run_ready();
  EXPECT_TRUE(loop.full());
  EXPECT_EQ(reads, 1);
  EXPECT_FALSE(created);
  fate = store::CommitFate::kDurable;
  next_second();
  EXPECT_TRUE(created);
}

// The process may be what fills the disk.
TEST_F(LoopTest, AStopThatIsAskedWhileTheStoreIsFullReachesTheProcess) {
  const TaskId run = start_run("a");
  fate = store::CommitFate::kNoRoom;
  ASSERT_TRUE(engine.create_job(job("b"), {}, clock.now()));
  loop.drain([] {});
  reactor.run_ready();
  ASSERT_TRUE(engine.stop_run(run, clock.now()));
  next_second();
  EXPECT_THAT(executor.stopped, Contains(executor.started[0]));
}

TEST_F(LoopTest, ASubscriptionEndsWithItsLifeAndMayOutliveTheLoop) {
  int seen = 0;
  Loop::Subscription subscription;
  {
    Loop other(engine, committer, Executors(executor), clock, reactor);
    subscription = other.subscribe([&](const Notice&) { ++seen; });
    EXPECT_TRUE(engine.create_job(job("a"), {}, clock.now()));
    other.drain([] {});
    reactor.run_ready();
    EXPECT_EQ(seen, 1);
    subscription = {};
    EXPECT_TRUE(engine.create_job(job("b"), {}, clock.now()));
    other.drain([] {});
    reactor.run_ready();
    EXPECT_EQ(seen, 1);
    subscription = other.subscribe([](const Notice&) {});
  }
  subscription = {};
}

TEST_F(LoopTest, AModuleThatIsAddedIsAChange) {
  const std::size_t before = engine.open_size();
  engine.operations().add_module("new");
  EXPECT_GT(engine.open_size(), before);
}

// ---- waiting

class WaitTest : public LoopTest {
 protected:
  TaskId add(Duration lease = {}) {
    model::Operation what;
    what.module = "test";
    what.lease = lease;
    const TaskId id = engine.operations().create(what, {}, true, clock.now()).value()->task.id;
    settle();
    return id;
  }
  void wait(TaskId id, Time until = kNever) {
    loop.wait(id, until, [this](Result<bool> ended) {
      told.emplace_back(!ended ? "failed" : *ended ? "ended" : "late");
    });
  }
  std::vector<std::string> told;
};

TEST_F(WaitTest, AWaiterIsCalledWhenTheEndIsDurable) {
  const TaskId id = add();
  wait(id);
  ASSERT_TRUE(engine.operations().finish(id, {}, clock.now()));
  wait(id);  // not live any more, but not on disk either
  EXPECT_TRUE(told.empty());
  settle();
  EXPECT_EQ(told, (std::vector<std::string>{"ended", "ended"}));
}

TEST_F(WaitTest, RunsAndAttemptsCanBeWaitedForToo) {
  const TaskId run = start_run("a");
  wait(run);
  ASSERT_TRUE(engine.abort_task(run, clock.now()));
  settle();
  EXPECT_EQ(told, std::vector<std::string>{"ended"});
}

TEST_F(WaitTest, ADeadlineIsKept) {
  const TaskId id = add();
  wait(id, clock.now() + std::chrono::seconds{1});
  wait(id, clock.now());
  EXPECT_EQ(told, std::vector<std::string>{"late"});
  next_second();
  EXPECT_EQ(told, (std::vector<std::string>{"late", "late"}));
}

TEST_F(WaitTest, ACancelledWaiterIsForgottenAtOnce) {
  const TaskId id = add();
  const Loop::Waiter leaver = loop.wait(id, kNever, [this](Result<bool>) { told.push_back("?"); });
  wait(id);
  EXPECT_EQ(loop.waiters(), 2U);
  leaver.cancel();
  EXPECT_EQ(loop.waiters(), 1U);
  ASSERT_TRUE(engine.operations().finish(id, {}, clock.now()));
  settle();
  EXPECT_EQ(told, std::vector<std::string>{"ended"});
  leaver.cancel();
  EXPECT_EQ(loop.waiters(), 0U);
}

TEST_F(WaitTest, AnUnknownTaskCountsAsEnded) {
  wait(TaskId{77});
  reactor.run_ready();
  EXPECT_EQ(told, std::vector<std::string>{"ended"});
}

TEST_F(WaitTest, ALeaseThatRunsOutWakesTheLoop) {
  const TaskId id = add(std::chrono::seconds{1});
  wait(id);
  next_second();
  EXPECT_EQ(told, std::vector<std::string>{"ended"});
}

TEST_F(WaitTest, AFailedStoreIsReportedToAllWaiters) {
  const TaskId id = add();
  wait(id);
  fate = store::CommitFate::kFailedAbsent;
  ASSERT_TRUE(engine.operations().note(id, "x", clock.now()));
  settle();
  EXPECT_EQ(told, std::vector<std::string>{"failed"});
  wait(id);
  EXPECT_EQ(told.size(), 2U);
}

}  // namespace
}  // namespace docket::engine
