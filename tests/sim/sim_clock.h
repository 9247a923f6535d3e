#pragma once

// The wall clock of the simulated machine, which an operator or NTP may set, and the reactor that
// runs by it.

#include <functional>
#include <unordered_map>
#include <utility>

#include "core/clock.h"
#include "engine/ports.h"
#include "sim/dice.h"
#include "sim/timeline.h"

namespace docket::sim {

struct TimeHash {
  std::size_t operator()(Time time) const { return std::hash<std::int64_t>{}(to_micros(time)); }
};

class SimClock : public Clock {
 public:
  SimClock(Timeline& timeline, Time start) : timeline_(timeline), start_(start) {}
  Time now() override {
    const Time shown = start_ + timeline_.now() + offset_;
    shown_[shown] = timeline_.now();
    return shown;
  }
  // Blind: a mutation, in which setting the clock looks like time passing.
  ClockReading read() override {
    return {.wall = now(), .elapsed = timeline_.now() + (blind ? offset_ : Duration{}), .boot = 1};
  }
  // When this time was last read from the clock. Every timestamp was read.
  Duration true_time_of(Time wall) const {
    const auto found = shown_.find(wall);
    return found == shown_.end() ? instant_of(wall) : found->second;
  }
  Duration true_now() const { return timeline_.now(); }
  // The true instant at which the clock shows `wall`, if nobody sets it.
  Duration instant_of(Time wall) const { return wall - start_ - offset_; }
  void step(Duration by) { offset_ += by; }
  bool blind = false;

 private:
  Timeline& timeline_;
  Time start_;
  Duration offset_{0};
  std::unordered_map<Time, Duration, TimeHash> shown_;
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
