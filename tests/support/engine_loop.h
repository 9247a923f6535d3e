#pragma once

// A loop with its engine, and a store whose commits end as the test wishes; no doors, no jobs: for
// what the loop itself promises. Everything else is tested with a Harness.

#include <memory>

#include "engine/loop.h"
#include "kinds/process/process_kind.h"
#include "kinds/process/spec.h"
#include "store/memory/memory_store.h"
#include "support/fakes.h"

namespace docket::testing {

struct EngineLoop {
  EngineLoop() {
    engine.restore(store.load().value(), clock.now());
    loop.start([](const Result<>&) {});
    reactor.run_ready();
  }
  // Runs until all that was asked for is done, or waits for the store.
  void settle() {
    loop.drain([] {});
    reactor.run_ready();
  }
  void next_second() {
    clock.set(clock.now() + std::chrono::seconds{1});
    reactor.fire_timer();
    reactor.run_ready();
  }

  FakeClock clock{Time{std::chrono::sys_days{std::chrono::year{2025} / 6 / 2}}};
  SeededRandom random{1};
  FakeVault vault;
  FakeReactor reactor;
  FakeExecutor executor;
  store::CommitFate fate = store::CommitFate::kDurable;
  store::MemoryStore store{std::make_shared<store::MemoryDisk>(),
                           [this](const engine::Batch&) { return fate; }};
  FakeCommitter committer{store, reactor};
  kinds::ProcessKind kind{std::chrono::seconds{3}};
  engine::Engine engine{engine::Settings{}, random, vault, {&kind}};
  engine::Loop loop{engine, committer, engine::Executors(executor), clock, reactor};
};

}  // namespace docket::testing
