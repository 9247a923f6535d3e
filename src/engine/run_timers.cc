#include "engine/run_timers.h"

#include <algorithm>

namespace docket::engine {

void RunTimers::set(TaskId run, Wake wake, Time at) {
  const auto sort = static_cast<std::size_t>(wake);
  if (const auto known = at_[sort].find(run); known != at_[sort].end()) {
    waiting_[sort].erase({known->second, run});
    at_[sort].erase(known);
  }
  if (at == kNever) return;
  waiting_[sort].emplace(at, run);
  at_[sort].emplace(run, at);
}

void RunTimers::clear(TaskId run) {
  set(run, Wake::kRetry, kNever);
  set(run, Wake::kTimeout, kNever);
}

std::optional<TaskId> RunTimers::due(Wake wake, Time now) {
  const Of& waiting = waiting_[static_cast<std::size_t>(wake)];
  if (waiting.empty() || waiting.begin()->first > now) return std::nullopt;
  const TaskId run = waiting.begin()->second;
  set(run, wake, kNever);
  return run;
}

Time RunTimers::of(TaskId run, Wake wake) const {
  const auto& at = at_[static_cast<std::size_t>(wake)];
  const auto known = at.find(run);
  return known == at.end() ? kNever : known->second;
}

Time RunTimers::next(Wake wake) const {
  const Of& waiting = waiting_[static_cast<std::size_t>(wake)];
  return waiting.empty() ? kNever : waiting.begin()->first;
}

void RunTimers::clock_set(Duration by) {
  for (std::size_t sort = 0; sort < waiting_.size(); ++sort) {
    for (auto& [run, at] : at_[sort]) at += by;
    waiting_[sort].clear();
    for (const auto& [run, at] : at_[sort]) waiting_[sort].emplace(at, run);
  }
}

}  // namespace docket::engine
