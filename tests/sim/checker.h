#pragma once

// Judges a history of scheduled runs from outside, in the manner of Jepsen's test of Chronos: it
// knows when runs were due and when runs were made, and nothing of ledgers. Every due time needs a
// run of its own within its window; due times without one must be excused by an outage, and runs
// without a due time are extras.

#include <vector>

#include "core/cron.h"
#include "sim/world.h"

namespace docket::sim {

struct SeenRun {
  Time at;  // when it was made
  TaskId id;
};

struct Findings {
  std::vector<Time> missing;  // no run, and nothing to excuse it
  std::vector<Time> excused;  // no run, and an outage when it was due
  std::vector<SeenRun> extra;
  std::size_t matched = 0;
  bool right() const { return missing.empty() && extra.empty(); }
};

// Due times in rising order, each with the window [due, due + window]. Matching the earliest
// deadline first finds a perfect matching if there is one, as all windows are equally long.
Findings match(const std::vector<Time>& due, std::vector<SeenRun> runs, Duration window,
               const std::vector<Outage>& outages);

std::vector<Time> due_times(const Cron& cron, const Zone& zone, Time after, Time until);
// The runs that the record has of one schedule.
std::vector<SeenRun> runs_of(const Record& record, ScheduleUid schedule);

}  // namespace docket::sim
