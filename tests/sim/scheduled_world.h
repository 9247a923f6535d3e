#pragma once

// A world without clients in which schedules keep time while a script of faults goes on: for the
// checker's histories and for the long year.

#include <map>
#include <string>
#include <vector>

#include "sim/world.h"

namespace docket::sim {

struct ScheduleWish {
  std::string cron;
  std::string zone = "UTC";
};

class ScheduledWorld {
 public:
  ScheduledWorld(std::uint64_t seed, Time start, engine::Settings settings = roomy());

  static engine::Settings roomy();
  // One job for each wish; acknowledged when this returns.
  void add(const std::vector<ScheduleWish>& wishes);
  // Runs on until this much true time has passed since the beginning.
  void run_to(Duration when) { world.run_until(when); }
  void restart_after(Duration downtime);

  Verdict verdict;
  World world;
  struct Kept {
    ScheduleUid uid;
    model::ScheduleDefinition definition;
    Time since;
  };
  std::vector<Kept> schedules;

 private:
  void add_one(std::size_t number, const ScheduleWish& wish);
};

}  // namespace docket::sim
