#pragma once

// What the store keeps of the clock, so that a server that starts while the clock is wrong knows
// that. engine/clock_watch.h explains it.

#include <cstdint>
#include <vector>

#include "core/clock.h"
#include "core/ids.h"

namespace docket::model {

// The clock was set by this much when the tasks up to this one existed, and no later ones.
struct ClockStep {
  TaskId newest;
  Duration by{};
  bool operator==(const ClockStep&) const = default;
};

struct ClockRecord {
  ClockReading read;  // when this was written
  Time trusted = kNever;
  Time pending = kNever;
  Duration agreed{};
  std::vector<ClockStep> steps;  // that live runs lived through, oldest first
  bool operator==(const ClockRecord&) const = default;
};

}  // namespace docket::model
