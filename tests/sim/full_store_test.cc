// The orders that go out while the store is full.

#include <gmock/gmock.h>

#include "engine/loop.h"
#include "kinds/process/process_kind.h"
#include "store/memory/memory_store.h"
#include "support/fakes.h"

namespace docket::sim {
namespace {

using ::testing::Contains;
using testing::FakeCommitter;
using testing::FakeExecutor;
using testing::FakeReactor;

class FullStore : public ::testing::Test {
 protected:
  FullStore() {
    engine.restore(store.load().value(), clock.now());
    loop.start([](const Result<>&) {});
    reactor.run_ready();
  }

  model::JobDefinition restarting_job() {
    kinds::ProcessSpec spec;
    spec.cpus = 0.1;
    spec.restart.policy = kinds::RestartPolicy::kOnFailure;
    return {.id = "a",
            .description = {},
            .labels = {},
            .dependencies = {},
            .spec = kinds::spec_of(spec)};
  }

  testing::FakeClock clock{Time{std::chrono::sys_days{std::chrono::year{2025} / 6 / 2}}};
  testing::SeededRandom random{1};
  testing::FakeVault vault;
  FakeReactor reactor;
  FakeExecutor executor;
  bool full = false;
  store::MemoryStore store{std::make_shared<store::MemoryDisk>(), [this](const engine::Batch&) {
                             return full ? store::CommitFate::kNoRoom : store::CommitFate::kDurable;
                           }};
  FakeCommitter committer{store, reactor};
  kinds::ProcessKind kind{std::chrono::seconds{3}};
  engine::Engine engine{engine::Settings{}, random, vault, {&kind}};
  engine::Loop loop{engine, committer, engine::Executors(executor), clock, reactor};
};

// The attempt's start and the order to stop it are in one tick, which has to wait for room. An
// order to stop that went out first would mean nothing to the executor, and be lost.
TEST_F(FullStore, AnAttemptThatStartsAndStopsInOneTickIsStopped) {
  ASSERT_TRUE(engine.create_job(restarting_job(), {}, clock.now()));
  const TaskId run = engine.start_run("a", nullptr, clock.now()).value()->task.id;
  loop.drain([] {});
  reactor.run_ready();
  ASSERT_EQ(executor.started.size(), 1U);
  executor.run(executor.started[0], clock.now());
  reactor.run_ready();

  full = true;
  executor.exit(executor.started[0], 1, clock.now());  // the next attempt is planned
  ASSERT_TRUE(engine.stop_run(run, clock.now()));
  reactor.run_ready();
  full = false;
  clock.set(clock.now() + std::chrono::seconds{1});
  reactor.fire_timer();
  reactor.run_ready();

  for (std::size_t i = 1; i < executor.started.size(); ++i)
    EXPECT_THAT(executor.stopped, Contains(executor.started[i]));
}

}  // namespace
}  // namespace docket::sim
