#include "engine/clock_watch.h"

#include <algorithm>
#include <utility>

namespace docket::engine {

void ClockWatch::restore(const model::ClockRecord& record) {
  hands_ = record;
  hands_.steps.clear();
  has_read_ = true;
}

Duration ClockWatch::read(const ClockReading& reading) {
  const ClockReading before = std::exchange(hands_.read, reading);
  if (!std::exchange(has_read_, true)) {
    accept();
    return Duration::zero();
  }
  const bool seen = reading.boot == before.boot && reading.elapsed >= before.elapsed;
  Duration passed = seen ? reading.elapsed - before.elapsed : Duration::zero();
  Duration by = reading.wall - before.wall - passed;
  if (seen && std::chrono::abs(by) < kStepMin) passed += std::exchange(by, Duration::zero());
  hands_.trusted += passed;
  hands_.pending += passed;
  hands_.agreed += passed;
  settle();
  return seen ? by : Duration::zero();
}

void ClockWatch::settle() {
  const Time wall = hands_.read.wall;
  hands_.trusted = std::min(hands_.trusted, wall);
  hands_.pending = std::min(hands_.pending, wall);
  if (hands_.agreed >= kAgreement) hands_.trusted = hands_.pending;
  if (hands_.pending > hands_.trusted) return;
  hands_.pending = wall;  // what it shows now has to hold for a day
  hands_.agreed = Duration::zero();
}

void ClockWatch::accept() {
  hands_.trusted = hands_.pending = hands_.read.wall;
  hands_.agreed = Duration::zero();
}

}  // namespace docket::engine
