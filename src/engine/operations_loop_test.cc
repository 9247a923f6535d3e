// What the loop and operations promise each other: what counts as a change, and who waits for it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/loop.h"
#include "kinds/process/process_kind.h"
#include "store/memory/memory_store.h"
#include "support/fakes.h"

namespace docket::engine {
namespace {

class OperationsLoopTest : public ::testing::Test {
 protected:
  OperationsLoopTest() {
    engine.restore(store.load().value(), clock.now());
    loop.start([](const Result<>&) {});
    reactor.run_ready();
  }
  TaskId add(Duration lease = {}) {
    model::Operation what;
    what.module = "test";
    what.lease = lease;
    return operations.create(what, {}, true, clock.now()).value()->task.id;
  }
  void settle() {
    loop.drain([] {});
    reactor.run_ready();
  }
  void fill_the_store() {
    fate = store::CommitFate::kNoRoom;
    operations.add_module("full");
    settle();
  }
  void next_second() {
    clock.set(clock.now() + std::chrono::seconds{1});
    reactor.fire_timer();
    reactor.run_ready();
  }

  testing::FakeClock clock{Time{std::chrono::sys_days{std::chrono::year{2025} / 6 / 2}}};
  testing::SeededRandom random{1};
  testing::FakeVault vault;
  testing::FakeReactor reactor;
  testing::FakeExecutor executor;
  store::CommitFate fate = store::CommitFate::kDurable;
  store::MemoryStore store{std::make_shared<store::MemoryDisk>(),
                           [this](const Batch&) { return fate; }};
  testing::FakeCommitter committer{store, reactor};
  kinds::ProcessKind kind{std::chrono::seconds{3}};
  Engine engine{Settings{}, random, vault, {&kind}};
  Operations& operations = engine.operations();
  Loop loop{engine, committer, executor, clock, reactor};
};

// Rows that are to be written anyway, and those that take others back, are changes too.
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

TEST_F(OperationsLoopTest, ProgressOfWhatIsToBeWrittenAnywayWaitsForRoom) {
  const TaskId id = add();
  settle();
  fill_the_store();
  int answers = 0;
  for (const double completed : {1, 2}) {
    loop.call<int>(
        [=](Engine& full, Time now) -> Result<int> {
          const auto told = full.operations().report(id, {.completed = completed}, now);
          if (!told) return fail(told.error());
          return 0;
        },
        [&](const Result<int>& told) { answers += told.has_value(); });
    reactor.run_ready();
  }
  EXPECT_EQ(answers, 0);
  fate = store::CommitFate::kDurable;
  next_second();
  EXPECT_EQ(answers, 2);
}

}  // namespace
}  // namespace docket::engine
