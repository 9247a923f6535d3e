#include "sim/checker.h"

#include <algorithm>

namespace docket::sim {
namespace {

bool excused(Time due, Duration window, const std::vector<Outage>& outages) {
  return std::ranges::any_of(outages, [&](const Outage& outage) {
    return due <= outage.until && due + window >= outage.from;
  });
}

}  // namespace

Findings match(const std::vector<Time>& due, std::vector<SeenRun> runs, Duration window,
               const std::vector<Outage>& outages) {
  std::ranges::sort(runs, {}, &SeenRun::at);
  Findings findings;
  auto run = runs.begin();
  for (const Time at : due) {
    for (; run != runs.end() && run->at < at; ++run) findings.extra.push_back(*run);
    if (run != runs.end() && run->at <= at + window) {
      ++findings.matched;
      ++run;
    } else {
      (excused(at, window, outages) ? findings.excused : findings.missing).push_back(at);
    }
  }
  findings.extra.insert(findings.extra.end(), run, runs.end());
  return findings;
}

std::vector<Time> due_times(const Cron& cron, const Zone& zone, Time after, Time until) {
  std::vector<Time> times;
  for (auto at = cron.next(after, zone); at && *at <= until; at = cron.next(*at, zone))
    times.push_back(*at);
  return times;
}

std::vector<SeenRun> runs_of(const Record& record, ScheduleUid schedule) {
  std::vector<SeenRun> runs;
  for (const auto& [id, task] : record.tasks) {
    if (task.kind == model::TaskKind::kRun && task.schedule == schedule)
      runs.push_back({task.created_at, id});
  }
  return runs;
}

}  // namespace docket::sim
