// How setting the clock changes deadlines, and what is remembered of it (clock_watch.h).

#include <algorithm>

#include "engine/engine.h"

namespace docket::engine {
namespace {

// The least time between two records of a clock that nobody sets: they are written with other
// rows.
constexpr Duration kRecordEvery = std::chrono::minutes{1};

// Steps that are remembered one by one: smearing a leap second takes a hundred.
constexpr std::size_t kStepsMax = 1000;

}  // namespace

// A task number that was given out and never stored must not go to a run that is made after the
// step: the run would seem to have lived through the step.
void Engine::restore_clock(const model::ClockRecord& record) {
  clock_.restore(record);
  clock_steps_ = record.steps;
  for (const model::ClockStep& step : clock_steps_) last_task_ = std::max(last_task_, step.newest);
}

// By how much the clock was set since the task was made.
Duration Engine::set_since(TaskId task) const {
  Duration by{};
  for (const model::ClockStep& step : clock_steps_) {
    if (task <= step.newest) by += step.by;
  }
  return by;
}

Duration Engine::see_clock(const ClockReading& reading) {
  if (clock_.has_read() && clock_.last().boot != reading.boot) booted_ = true;
  const Duration by = clock_.read(reading);
  if (by == Duration::zero()) return by;
  for (auto& [id, run] : runs_) run->clock_set += by;
  for (const auto& [id, waits] : queue_.waiting()) {
    if (waits.task->is_step()) waits.task->clock_set += by;
  }
  std::set<std::pair<Time, TaskId>> moved;
  for (const auto& [at, attempt] : stop_deadlines_) moved.emplace(at + by, attempt);
  stop_deadlines_ = std::move(moved);
  queue_.clock_set(by);
  wakes_.clock_set(by);
  operations_.clock_set(by);
  remember_step(by);
  record_clock();
  return by;
}

void Engine::remember_step(Duration by) {
  if (!clock_steps_.empty() && clock_steps_.back().newest == last_task_) {
    clock_steps_.back().by += by;
    return;
  }
  clock_steps_.push_back({last_task_, by});
  if (clock_steps_.size() <= kStepsMax) return;
  clock_steps_[1].by += clock_steps_[0].by;
  clock_steps_.erase(clock_steps_.begin());
}

void Engine::accept_clock() {
  clock_.accept();
  record_clock();
}

// Written with the open tick. Steps go when no run is left that lived through them.
void Engine::record_clock() {
  if (!clock_steps_.empty()) {
    const TaskId oldest = runs_.empty() ? TaskId{UINT64_MAX} : runs_.begin()->first;
    std::erase_if(clock_steps_,
                  [oldest](const model::ClockStep& step) { return step.newest < oldest; });
  }
  open_.batch->clock = clock_.record();
  open_.batch->clock->steps = clock_steps_;
  clock_recorded_ = clock_.last().elapsed;
}

void Engine::record_clock_now_and_then() {
  if (!clock_.has_read()) return;
  const Duration elapsed = clock_.last().elapsed;
  if (!clock_recorded_ || elapsed >= *clock_recorded_ + kRecordEvery) record_clock();
}

Time Engine::trusted(Time now) const { return clock_.has_read() ? clock_.trusted() : now; }

Time Engine::kept_since(Time now) const {
  return settings_.retention == Duration::zero() ? kNever : trusted(now) - settings_.retention;
}

}  // namespace docket::engine
