#pragma once

// Programs that report their work into the task tree, and people who tend it. Each reporter has
// operations with leases, which it renews as long as it lives, and some without. All of them abort,
// wait, drain and forget. Waiters are in waiters.h.

#include <functional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "sim/operation_expectations.h"
#include "sim/waiters.h"
#include "sim/world.h"

namespace docket::sim {

struct OperationHabits {
  bool deaf = false;       // a mutation: renewals of leases are not heard
  bool undying = false;    // a mutation: dead reporters go on renewing
  bool hasty = false;      // a mutation: waiters are called before the end is durable
  bool forgetful = false;  // a mutation: now and then a waiter is not called
};

class OperationClients {
 public:
  OperationClients(World& world, Dice dice, std::size_t count, Duration think_max,
                   OperationHabits habits);
  void stop() { active_ = false; }  // nothing new; leases are still renewed
  void server_died();
  void give_up();                                  // all reporters, for good
  void end_all(engine::Engine& engine, Time now);  // operations without a lease
  void check(const store::MemoryState& state) { expectations_.check(state); }
  const Waiters& waiters() const { return waiters_; }
  std::uint64_t acknowledged() const { return acknowledged_; }

 private:
  using Promise = std::function<void()>;  // made when the client gets its answer
  using Work = std::function<Result<Promise>(engine::Engine&, Time)>;
  struct Reporter {
    std::size_t number;
    Duration lease{};
    std::uint64_t life = 0;     // rises when one dies and the next takes its place
    std::uint64_t request = 0;  // rises with every request
    bool waiting = false;
  };
  struct Owned {
    TaskId id;
    std::size_t reporter;
    std::uint64_t life;
    bool leased;
    double completed = 0;
  };
  void be_born(Reporter& reporter);
  void die(Reporter& reporter);
  void think(Reporter& reporter);
  void ask(Reporter& reporter);
  void send(Reporter& reporter, std::uint64_t request, Work work);
  void arrive(Reporter& reporter, std::uint64_t request, const Work& work);
  void answered(Reporter& reporter, std::uint64_t request);
  void renew_later(Reporter& reporter, std::uint64_t life);
  void renew(const Reporter& reporter, std::uint64_t life);
  void prune();

  Work choose(Reporter& reporter);
  Work choose_of_own(TaskId own);
  Work choose_of_any();
  Work create(const Reporter& reporter, TaskId parent);
  Work begin(TaskId id);
  Work report(TaskId id);
  Work note(TaskId id);
  Work finish(TaskId id);
  Work abort(TaskId id);
  Work drop_module();
  Work drain();
  Work unlist();
  Work set_ttls();
  model::Operation draw(const Reporter& reporter, bool is_root);
  TaskId any_known();
  Owned* owned(TaskId id);

  World& world_;
  Dice dice_;
  Duration think_max_;
  OperationHabits habits_;
  OperationExpectations expectations_;
  Waiters waiters_;
  std::vector<Reporter> reporters_;
  std::vector<Owned> owned_;
  std::vector<TaskId> ended_;  // some that have
  std::uint64_t last_mark_ = 0;
  std::uint64_t acknowledged_ = 0;
  bool active_ = true;
  bool renewing_ = true;
};

}  // namespace docket::sim
