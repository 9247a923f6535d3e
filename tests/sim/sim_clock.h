#pragma once

// The wall clock of the simulated machine, which an operator or NTP may set, and the reactor that
// lives by it.

#include <functional>
#include <utility>

#include "core/clock.h"
#include "engine/ports.h"
#include "sim/dice.h"
#include "sim/timeline.h"

namespace docket::sim {

class SimClock : public Clock {
 public:
  SimClock(Timeline& timeline, Time start) : timeline_(timeline), start_(start) {}
  Time now() override { return start_ + timeline_.now() + offset_; }
  // The true instant at which the clock shows `wall`, if nobody sets it.
  Duration instant_of(Time wall) const { return wall - start_ - offset_; }
  void step(Duration by) { offset_ += by; }
  Duration offset() const { return offset_; }

 private:
  Timeline& timeline_;
  Time start_;
  Duration offset_{0};
};

class SimReactor : public engine::Reactor {
 public:
  SimReactor(Timeline& timeline, SimClock& clock, Dice dice)
      : timeline_(timeline), clock_(clock), dice_(dice) {}

  void post(std::function<void()> work) override {
    timeline_.at_server(timeline_.now(), std::move(work));
  }
  void arm(Time when, std::function<void()> work) override {
    work_ = std::move(work);
    wake_at(clock_.instant_of(when) + dice_.between(Duration{0}, Duration{2000}), ++armed_);
  }
  // The port promises a wake within a second of a step.
  void clock_stepped() {
    wake_at(timeline_.now() + dice_.between(Duration{0}, std::chrono::seconds{1}), armed_);
  }

 private:
  void wake_at(Duration when, std::uint64_t armed) {
    timeline_.at_server(when, [this, armed] {
      if (armed != armed_) return;
      if (const auto work = std::exchange(work_, nullptr)) work();
    });
  }

  Timeline& timeline_;
  SimClock& clock_;
  Dice dice_;
  std::uint64_t armed_ = 0;
  std::function<void()> work_;
};

}  // namespace docket::sim
