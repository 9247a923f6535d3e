// What the loop and operations promise each other: what counts as a change, and who waits for it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/engine_loop.h"

namespace docket::engine {
namespace {

class OperationsLoopTest : public ::testing::Test, protected testing::EngineLoop {
 protected:
  TaskId add(Duration lease = {}) {
    model::Operation what;
    what.module = "test";
    what.lease = lease;
    what.abortable = true;
    return operations.create(what, {}, true, clock.now()).value()->task.id;
  }
  void fill_the_store() {
    fate = store::CommitFate::kNoRoom;
    operations.add_module("full");
    settle();
  }

  Operations& operations = engine.operations();
};

// Updating a row that is written in this tick anyway, and taking rows back, are changes too.
TEST_F(OperationsLoopTest, EveryFigureIsAChangeAndSoIsADrop) {
  const TaskId id = add();
  std::size_t before = engine.open_size();
  ASSERT_TRUE(operations.report(id, {.completed = 1}, clock.now()));
  EXPECT_GT(engine.open_size(), before);
  before = engine.open_size();
  ASSERT_TRUE(operations.report(id, {.completed = 2}, clock.now()));
  EXPECT_GT(engine.open_size(), before);
  before = engine.open_size();
  ASSERT_TRUE(operations.report(id, {}, clock.now()));
  EXPECT_EQ(engine.open_size(), before);  // nothing new
  operations.add_module("empty");
  before = engine.open_size();
  ASSERT_TRUE(operations.drop_module("empty", clock.now()));
  EXPECT_GT(engine.open_size(), before);
}

TEST_F(OperationsLoopTest, ARepeatedRequestWaitsForRoomToo) {
  const TaskId id = add();
  settle();
  fill_the_store();
  const auto report = [id](double completed) {
    return [id, completed](Engine& full, Time now) {
      return full.operations().report(id, {.completed = completed}, now).has_value();
    };
  };
  const auto abort = [id](Engine& full, Time now) { return full.abort_task(id, now).has_value(); };
  int answers = 0;
  const std::vector<std::function<bool(Engine&, Time)>> requests{report(1), report(2), report(2),
                                                                 abort, abort};
  for (const auto& request : requests) {
    loop.call<bool>(
        [&request](Engine& full, Time now) -> Result<bool> { return request(full, now); },
        [&](const Result<bool>& done) { answers += done.value() ? 1 : 0; });
    reactor.run_ready();
  }
  EXPECT_EQ(answers, 0);
  fate = store::CommitFate::kDurable;
  next_second();
  EXPECT_EQ(answers, 5);
}

// An end that waits for room has not happened yet, and a waiter with a deadline is answered by
// then.
TEST_F(OperationsLoopTest, AWaiterIsCalledWhenThereIsRoomForTheEnd) {
  const TaskId id = add();
  settle();
  fill_the_store();
  ASSERT_TRUE(operations.finish(id, {}, clock.now()));
  std::vector<std::string> told;
  const auto wait = [&](const std::string& who, Time until) {
    loop.wait(id, until, [&told, who](const Result<bool>& ended) {
      told.push_back(who + (ended.value() ? ": ended" : ": late"));
    });
  };
  wait("patient", kNever);
  wait("hasty", clock.now() + std::chrono::seconds{1});
  EXPECT_THAT(told, ::testing::IsEmpty());
  next_second();
  EXPECT_THAT(told, ::testing::ElementsAre("hasty: late"));
  fate = store::CommitFate::kDurable;
  next_second();
  next_second();
  EXPECT_THAT(told, ::testing::ElementsAre("hasty: late", "patient: ended"));
}

// ---- leases

class LeaseTest : public OperationsLoopTest {
 protected:
  TaskId add_below(TaskId parent, Duration lease) {
    model::Operation what;
    what.lease = lease;
    return operations.create(what, parent, true, clock.now()).value()->task.id;
  }
  bool lives_after(TaskId id, Duration pause) {
    clock.set(clock.now() + pause);
    reactor.fire_timer();
    reactor.run_ready();
    return engine.is_live(id);
  }
};

TEST_F(LeaseTest, ALeaseFoundToHaveRunOutLongAgoBeginsAnew) {
  const TaskId slept = add(std::chrono::seconds{30});
  settle();
  EXPECT_TRUE(lives_after(slept, std::chrono::hours{1}));  // asleep; or the clock was set
  EXPECT_TRUE(lives_after(slept, std::chrono::seconds{29}));
  EXPECT_FALSE(lives_after(slept, std::chrono::seconds{1}));
}

TEST_F(LeaseTest, SettingTheClockBackLengthensNoLease) {
  const TaskId id = add(std::chrono::seconds{10});
  settle();
  EXPECT_TRUE(lives_after(id, -std::chrono::hours{1}));
  EXPECT_TRUE(lives_after(id, std::chrono::seconds{9}));
  EXPECT_FALSE(lives_after(id, std::chrono::seconds{1}));
}

// A task below with a lease of its own belongs to another reporter, whatever became of those
// above.
TEST_F(LeaseTest, ALossSparesTasksWithAnotherLease) {
  const TaskId root = add(std::chrono::seconds{10});
  const TaskId own = add_below(root, {});
  const TaskId others = add_below(own, std::chrono::seconds{60});
  const TaskId below_others = add_below(others, {});
  settle();
  EXPECT_FALSE(lives_after(root, std::chrono::seconds{10}));
  EXPECT_FALSE(engine.is_live(own));
  EXPECT_TRUE(engine.is_live(others));
  EXPECT_TRUE(engine.is_live(below_others));
}

// Nobody else could end what a parent leaves behind, even after a restart.
TEST_F(LeaseTest, ALossAndAnAbortReachWhatParentsLeftBehind) {
  const TaskId root = add(std::chrono::seconds{10});
  const TaskId middle = add_below(root, {});
  const TaskId lower = add_below(middle, {});
  const TaskId leaf = add_below(lower, {});
  ASSERT_TRUE(operations.finish(middle, {}, clock.now()));
  ASSERT_TRUE(operations.finish(lower, {}, clock.now()));
  settle();
  Engine again{Settings{}, random, vault, {&kind}};
  again.restore(store.load().value(), clock.now());
  ASSERT_TRUE(again.abort_task(root, clock.now()));
  EXPECT_TRUE(is_stopping(*again.operations().find(leaf)));
  EXPECT_TRUE(engine.is_live(leaf));
  EXPECT_FALSE(lives_after(root, std::chrono::seconds{10}));
  EXPECT_FALSE(engine.is_live(leaf));
  EXPECT_EQ(operations.live(), 0U);
}

// A start takes as long as an executor needs to say what runs.
TEST_F(LeaseTest, LeasesBeginWhenTheServerIsReady) {
  const TaskId id = add(std::chrono::seconds{20});
  settle();
  Engine again{Settings{}, random, vault, {&kind}};
  again.restore(store.load().value(), clock.now());
  again.advance(clock.now() + std::chrono::seconds{60});  // an attempt is reported meanwhile
  EXPECT_TRUE(again.is_live(id));
  again.reconcile({}, clock.now() + std::chrono::seconds{60});
  again.advance(clock.now() + std::chrono::seconds{79});
  EXPECT_TRUE(again.is_live(id));
  again.advance(clock.now() + std::chrono::seconds{80});
  EXPECT_FALSE(again.is_live(id));
}

// When the server came back, the reporter may have been in a pause that is longer than the lease.
TEST_F(LeaseTest, AfterAStartEveryReporterGetsTheLongestPause) {
  const TaskId id = add(std::chrono::seconds{2});
  settle();
  Engine again{Settings{}, random, vault, {&kind}};
  again.restore(store.load().value(), clock.now());
  again.reconcile({}, clock.now());
  again.advance(clock.now() + kReporterPauseMax - Duration{1});
  ASSERT_TRUE(again.is_live(id));
  ASSERT_TRUE(again.operations().report(id, {}, clock.now() + kReporterPauseMax - Duration{1}));
  again.advance(clock.now() + kReporterPauseMax + std::chrono::seconds{2});
  EXPECT_FALSE(again.is_live(id)) << "from then on its own lease counts";
}

// The server was away when the work began, and when it ended.
TEST_F(LeaseTest, TheReporterGivesTheTimesOfTheWork) {
  model::Operation what;
  what.module = "backups";
  const Time now = clock.now();
  const auto made = operations.create(what, {}, true, now, std::chrono::minutes{5});
  ASSERT_TRUE(made);
  const TaskId id = (*made)->task.id;
  EXPECT_EQ((*made)->task.started_at, now - std::chrono::minutes{5});
  ASSERT_TRUE(operations.finish(id, {}, now, std::chrono::hours{1}));
  settle();
  const auto stored = store.open_reader().value()->task(id).value();
  EXPECT_EQ(stored->task.finished_at, now - std::chrono::minutes{5}) << "not before it began";
}

}  // namespace
}  // namespace docket::engine
