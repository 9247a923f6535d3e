#pragma once

// One simulated machine with one docket on it: the real engine and the real loop over a simulated
// clock, disk and executor. It can crash between any two events, start again, freeze, and have its
// clock set. After every durable batch and every start of a process the rules are judged.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/loop.h"
#include "exec/care/care_executor.h"
#include "exec/test/test_executor.h"
#include "kinds/maintenance/maintenance_kind.h"
#include "kinds/process/process_kind.h"
#include "kinds/test/test_kind.h"
#include "sim/batch_rules.h"
#include "sim/care_rules.h"
#include "sim/echo.h"
#include "sim/operation_rules.h"
#include "sim/process_rules.h"
#include "sim/sim_clock.h"
#include "sim/sim_committer.h"
#include "sim/sim_executor.h"
#include "sim/step_rules.h"
#include "sim/timeline.h"
#include "sim/twice.h"
#include "sim/verdict.h"
#include "store/memory/memory_store.h"

namespace docket::sim {

// Wall time during which something kept the server from working, or moved the clock past it.
struct Outage {
  enum class Why { kDown, kFrozen, kClock, kFull, kStore };
  Why why;
  Time from;
  Time until;
};

struct WorldPlan {
  std::uint64_t seed = 0;
  engine::Settings truth;   // what the rules are judged by
  engine::Settings belief;  // what the engine gets: the same, unless a mutation changes it
  Time start;
  std::shared_ptr<const engine::Kind> kind;            // none: the real one; shared with the caller
  std::shared_ptr<const engine::Kind> test_kind = {};  // likewise
  std::shared_ptr<const engine::Kind> maintenance_kind = {};  // likewise
  bool pretends = false;                                      // a mutation, see sim_care.h
  bool renumbers = false;                                     // a mutation, see echo.h
  bool with_reserve = true;  // room kept for the end of work when the disk is full
};

class World {
 public:
  World(const WorldPlan& plan, Verdict& verdict);
  ~World();

  void boot();
  void crash();  // as kill -9 would
  void freeze(Duration how_long);
  void step_clock(Duration by);
  void fill_disk(bool full);
  bool up() const { return server_ != nullptr; }
  // The loop of a serving server; null while it is down or still finding out what runs.
  engine::Loop* loop();
  const engine::Engine& engine() const;
  bool at_rest() const;  // nothing to commit, nothing being committed
  // The server has had time to see what the clock shows.
  bool settled() const { return at_rest() && timeline.now() >= stirred_ + std::chrono::seconds{2}; }
  // Compares the engine with one that starts from the store.
  void audit();
  std::shared_ptr<store::MemoryDisk> disk() const { return disk_; }
  const engine::Settings& settings() const { return plan_.truth; }

  // Runs events until true time `until`, or until a rule is broken.
  void run_until(Duration until);

  void on_boot(std::function<void(const engine::Snapshot&)> watcher) {
    on_boot_ = std::move(watcher);
  }
  void on_crash(std::function<void()> watcher) { on_crash_ = std::move(watcher); }
  void on_commit(std::function<void()> watcher) { on_commit_ = std::move(watcher); }
  // Called when a failed store makes the server end itself; someone must start it again.
  void on_failure(std::function<void()> watcher) { on_failure_ = std::move(watcher); }
  // Before each event, with the number of events so far.
  void before_step(std::function<void()> watcher) { before_step_ = std::move(watcher); }

  Verdict& verdict;
  Dice dice;
  Timeline timeline;
  SimClock clock;
  DiskHealth health;
  Record record;
  ProcessRules processes;
  OperationRules operations;
  StepRules steps;
  CareRules chores;
  SimExecutor executor;
  std::vector<Outage> outages;

 private:
  struct Server;
  void check_loaded(const engine::Snapshot& snapshot);

  const WorldPlan plan_;
  BatchRules rules_;
  testing::FakeVault vault_;
  kinds::ProcessKind process_kind_;
  kinds::MaintenanceKind maintenance_kind_;
  kinds::TestKind test_kind_;
  const Twice process_twice_, maintenance_twice_, test_twice_;
  const engine::Kinds kinds_;
  std::shared_ptr<store::MemoryDisk> disk_;  // shared with the store of each life of the server
  std::unique_ptr<Server> server_;
  Time went_down_ = kNever;
  Time became_full_ = kNever;
  Duration stirred_{};  // when the server last froze, or its clock was set
  std::function<void(const engine::Snapshot&)> on_boot_;
  std::function<void()> on_crash_;
  std::function<void()> on_commit_;
  std::function<void()> on_failure_;
  std::function<void()> before_step_;
};

}  // namespace docket::sim
