#pragma once

// Clients that wait for the end of an operation. Each is called once: at its end, when that is
// durable, or at the instant it named if the operation is still live. A crash breaks the
// connection, which is answer enough.

#include <map>
#include <optional>

#include "sim/world.h"

namespace docket::sim {

class Waiters {
 public:
  explicit Waiters(World& world) : world_(world) {}

  // Without patience: no deadline. Hasty and forgetful: mutations, see OperationHabits.
  void wait(TaskId task, std::optional<Duration> patience, bool hasty, bool forgetful);
  void server_died() { waiting_.clear(); }
  // While nothing is being committed: nobody waits for an operation that has ended, or longer than
  // asked.
  void check() const;
  std::uint64_t told() const { return told_; }

 private:
  struct Waiter {
    TaskId task;
    std::optional<Duration> until;  // true time
  };
  void tell(std::uint64_t ticket, const Result<bool>& ended);

  World& world_;
  std::map<std::uint64_t, Waiter> waiting_;
  std::uint64_t last_ticket_ = 0;
  std::uint64_t told_ = 0;
};

}  // namespace docket::sim
