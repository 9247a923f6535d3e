#pragma once

// People who order housekeeping, and change their minds.

#include <vector>

#include "kinds/maintenance/orders.h"
#include "sim/world.h"

namespace docket::sim {

class Caretakers {
 public:
  Caretakers(World& world, Dice dice, Duration think_max);
  void stop() { active_ = false; }
  std::uint64_t acknowledged() const { return acknowledged_; }

 private:
  void think();
  void order();
  void abort(TaskId task);
  kinds::Order draw();

  World& world_;
  Dice dice_;
  const Duration think_max_;
  const kinds::Orders orders_{"/nonexistent"};
  std::vector<TaskId> known_;
  std::uint64_t acknowledged_ = 0;
  bool active_ = true;
};

}  // namespace docket::sim
