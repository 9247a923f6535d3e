#include "engine/clock_watch.h"

#include <algorithm>
#include <utility>

namespace docket::engine {

void ClockWatch::restore(const model::ClockRecord& record) {
  record_ = record;
  record_.steps.clear();
  has_read_ = true;
}

Duration ClockWatch::read(const ClockReading& reading) {
  const ClockReading before = std::exchange(record_.read, reading);
  if (!std::exchange(has_read_, true)) {
    accept();
    return Duration::zero();
  }
  const bool seen = reading.boot == before.boot && reading.elapsed >= before.elapsed;
  Duration passed = seen ? reading.elapsed - before.elapsed : Duration::zero();
  Duration by = reading.wall - before.wall - passed;
  if (seen && std::chrono::abs(by) < kStepMin) passed += std::exchange(by, Duration::zero());
  record_.trusted += passed;
  record_.pending += passed;
  record_.agreed += passed;
  settle();
  return seen ? by : Duration::zero();
}

void ClockWatch::settle() {
  const Time wall = record_.read.wall;
  record_.trusted = std::min(record_.trusted, wall);
  record_.pending = std::min(record_.pending, wall);
  if (record_.agreed >= kAgreement) record_.trusted = record_.pending;
  if (record_.pending > record_.trusted) return;
  record_.pending = wall;  // what it shows now has to hold for a day
  record_.agreed = Duration::zero();
}

void ClockWatch::accept() {
  record_.trusted = record_.pending = record_.read.wall;
  record_.agreed = Duration::zero();
}

}  // namespace docket::engine
