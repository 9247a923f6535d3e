#pragma once

// What goes wrong, and when. Every seed draws which kinds of faults its world knows and how often
// they come, so that some worlds meet all of them and some meet one kind many times.

#include <functional>

#include "sim/world.h"

namespace docket::sim {

class Faults {
 public:
  Faults(World& world, Dice dice);
  void stop();  // all faults end; a dead server is started
  void watch_commit();
  void watch_step();
  void store_failed();

 private:
  void every(Duration mean, std::function<void()> fault);
  void repeat(Duration mean, const std::function<void()>& fault);
  void crash();
  void crash_after_commit();
  void wrong_clock();
  void leap_second();
  void slow_disk();
  void full_disk();
  void runner_dies();
  void slow_executor();
  Duration downtime();
  Duration now() const { return world_.timeline.now(); }

  World& world_;
  Dice dice_;
  bool active_ = true;
  bool clock_is_wrong_ = false;
  bool crash_at_commit_ = false;
  std::uint64_t crash_in_steps_ = 0;  // 0: no crash is planned
  std::uint64_t starts_ = 0;
};

}  // namespace docket::sim
