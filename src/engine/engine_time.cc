// What happens as time passes: due schedules, expired waits, dependents, retention.

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "engine/engine.h"

namespace docket::engine {
namespace {

using model::DueOutcome;

// Due times of one schedule that one tick looks at. A longer absence takes several ticks, so that
// no tick is long.
constexpr std::uint64_t kCatchUpStep = 5000;

constexpr int kDuePerTick = 128;

// The least time between two sweeps.
constexpr Duration kSweepPause = std::chrono::milliseconds{100};

// A clock that was this far ahead was wrong, and the times it passed over are still to come.
constexpr Duration kFarAhead = std::chrono::hours{24};

}  // namespace

void Engine::advance(Time now) {
  // When the clock was set back, due times from here on were not missed while down.
  started_at_ = std::min(started_at_, now);
  if (last_seen_ == kNever || now < last_seen_) notice_step_back(now);
  last_seen_ = now;
  if (std::exchange(booted_, false) && !settings_.paused) fire_at_boot(now);
  if (!settings_.paused) fire_due(now);
  expire_waiting(now);
  expire_stops(now);
  write_late_figures(now);
  continue_plans(now);
  wake_runs(now, false);
  operations_.expire(now);
  start_held_back(now);
  // A full store keeps what room is left for the ends of runs.
  if (refusal_.empty()) {
    queue_due(now);
    wake_runs(now, true);
    place_waiting(now);
  }
  next_sweep_ = std::min(next_sweep_, now + settings_.sweep_interval);  // the clock was set back
  if (now >= next_sweep_) sweep(now, settings_.sweep_rows_max);
}

Time Engine::next_wake() {
  const Time impatience = stop_deadlines_.empty() ? kNever : stop_deadlines_.begin()->first;
  const Time figures = late_figures_.empty() ? kNever : figures_due_;
  const Time waits = earlier(queue_.next_deadline(), earlier(impatience, figures));
  const Time queue = earlier(waits, operations_.next_wake());
  const Time due = settings_.paused ? kNever : scheduler_.next_due();
  const Time later = not_before_.empty() ? kNever : not_before_.begin()->first;
  const Time work = refusal_.empty() ? earlier(wakes_.next(true), later) : kNever;
  const Time runs = earlier(wakes_.next(false), work);
  if (!unfinished_plans_.empty()) return last_seen_;
  return earlier(earlier(due, queue), earlier(runs, next_sweep_));
}

// ---- schedules

// After a small step back schedules wait until the clock has caught up: no due time is looked at
// twice. After a step of more than a day they would be silent for as long as the clock was wrong,
// so they go on from now. Due times that the clock had jumped over are due again, in spite of
// their row in the ledger (the newer row holds). Due times that were dealt with after the jump, by
// the wrong clock, are not (reference section 6: a due time fires once).
void Engine::notice_step_back(Time now) {
  scheduler_.for_each([&](model::Schedule& schedule) {
    if (schedule.checked_until - now > kFarAhead) go_back(schedule, now);
  });
}

void Engine::go_back(model::Schedule& schedule, Time now) {
  // Watched all the way from here: the clock did not jump but run fast, and everything was dealt
  // with. A store that does not yet say since when it was watched: nothing is known to have been
  // dealt with.
  if (schedule.watched_from != kNever) {
    schedule.done_from = std::max(schedule.watched_from, now);
    schedule.done_until = schedule.checked_until;
  }
  schedule.watched_from = now;
  settle(schedule, now);
}

// The record of this start of the machine is stored with the runs: they start exactly once.
void Engine::fire_at_boot(Time now) {
  record_clock();
  scheduler_.for_each([&](model::Schedule& schedule) {
    const auto& definition = schedule.definition;
    if (!definition.enabled || !definition.cron.is_reboot()) return;
    fire(schedule, now, now);
    settle(schedule, now);
  });
}

void Engine::fire_due(Time now) {
  // Bounded, with the rest in the next tick: a schedule that is far behind is looked at in steps,
  // and of a thousand that are due at once the first start while the others are still being
  // written.
  int budget = kDuePerTick;
  while (budget-- > 0) {
    const auto due = scheduler_.due(now);
    if (!due) return;
    if (due->schedule->is_done(due->at)) {
      settle(*due->schedule, due->at);
    } else if (is_missed(due->at, now)) {
      catch_up(*due->schedule, due->at, now);
    } else {
      fire(*due->schedule, due->at, now);
      settle(*due->schedule, due->at);
    }
  }
}

bool Engine::is_missed(Time due, Time now) const {
  return due <= started_at_ || now - due > settings_.lateness_max;
}

// Walks the due times that were not seen in time, records them as one stretch, and runs those that
// the schedule's missed policy asks for: the newest of them.
void Engine::catch_up(model::Schedule& schedule, Time first, Time now) {
  const auto& definition = schedule.definition;
  const bool down = first <= started_at_;
  // A long stretch may take several steps: each begins where the last one ended.
  const bool jumped = now - first > kFarAhead || schedule.watched_from == schedule.checked_until;
  const std::size_t wanted = definition.missed == model::MissedPolicy::kNone ? 0
                             : definition.missed == model::MissedPolicy::kLast
                                 ? 1
                                 : definition.missed_limit;
  std::deque<Time> newest;  // candidates for a late run
  Stretch missed;
  std::optional<Time> at = first;
  std::uint64_t steps = 0;
  for (; at && *at <= now && is_missed(*at, now) && (*at <= started_at_) == down &&
         !schedule.is_done(*at) && steps < kCatchUpStep;
       ++steps) {
    newest.push_back(*at);
    if (newest.size() > wanted) {
      missed.add(newest.front());
      newest.pop_front();
    }
    schedule.checked_until = *at;
    at = definition.cron.next(*at, definition.zone);
  }
  const bool finished = steps < kCatchUpStep;
  for (; !finished && !newest.empty(); newest.pop_front()) missed.add(newest.front());
  if (missed.count > 0) {
    counters_.due_missed += missed.count;
    record(schedule, missed, down ? DueOutcome::kMissedDown : DueOutcome::kMissedLate, {});
  }
  if (jumped) {
    schedule.watched_from = newest.empty() ? schedule.checked_until : newest.front() - Duration{1};
  }
  for (const Time due : newest) fire(schedule, due, now);
  settle(schedule, schedule.checked_until);
}

void Engine::fire(const model::Schedule& schedule, Time due, Time now) {
  JobEntry* entry = jobs_.find(schedule.job);
  const Stretch once{due, due, 1};
  if (entry->is_busy() && schedule.definition.policy == model::ConcurrencyPolicy::kForbid) {
    return record(schedule, once, DueOutcome::kForbidden, {});
  }
  if (!room_for_run()) return record(schedule, once, DueOutcome::kMissedLate, {});
  if (schedule.definition.policy == model::ConcurrencyPolicy::kReplace) {
    stop_all(*entry, "Replaced by a newer run", now);
  }
  model::Task task;
  task.trigger = model::Trigger::kSchedule;
  task.schedule = schedule.uid;
  task.due_at = due;
  task.start_deadline = now + std::chrono::seconds{schedule.definition.starting_deadline_s};
  const Node& run = create_run(*entry, std::move(task), now);
  record(schedule, once, DueOutcome::kRan, run.task.id);
}

void Engine::record(const model::Schedule& schedule, const Stretch& stretch, DueOutcome outcome,
                    TaskId run) {
  open_.batch->ledger.push_back(
      {schedule.uid, stretch.first, stretch.last, stretch.count, outcome, run});
}

void Engine::settle(model::Schedule& schedule, Time until) {
  scheduler_.advance_to(schedule, until);
  open_.batch->schedules.push_back(schedule);
}

// ---- dependencies (reference/metronome.md section 8)

// Wall time that never stands still or goes back: the ends of runs must be ordered even when the
// clock is set back, or when two runs end in one instant.
Time Engine::monotonic_stamp(Time now) {
  last_stamp_ = std::max(now, last_stamp_ + Duration{1});
  return last_stamp_;
}

void Engine::start_dependents(const JobEntry& parent, Time now) {
  // Copied: a start changes the table's entries, though not the list.
  const std::vector<JobEntry*> children = parent.dependents;
  for (JobEntry* child : children) start_if_ready(*child, now);
  if (JobEntry* self = jobs_.find(parent.id())) start_if_ready(*self, now);
}

// Once per round of its parents' successes, with the parameters of the last run of the round.
void Engine::start_if_ready(JobEntry& child, Time now) {
  const auto& parents = child.job().definition.dependencies;
  if (parents.empty() || child.leaving || child.is_busy()) return;
  const JobEntry* last = nullptr;
  for (const std::string& id : parents) {
    if (jobs_.parent_state(child, id) != ParentState::kReady) return;
    const JobEntry* parent = jobs_.find(id);
    const bool later = !last || parent->row.stats.last_success_at > last->row.stats.last_success_at;
    if (later) last = parent;
  }
  if (!room_for_run()) {
    // Stored with the end that made it ready, so that it starts after a crash, too.
    child.row.held_back = true;
    held_back_.insert(child.job().uid);
    return touch(child);
  }
  child.row.dependency_started_at = monotonic_stamp(now);
  touch(child);
  model::Task task;
  task.trigger = model::Trigger::kDependency;
  task.parameters = last->row.handed_on;
  create_run(child, std::move(task), now);
}

void Engine::start_held_back(Time now) {
  if (held_back_.empty() || !room_for_run()) return;
  for (const JobUid uid : std::exchange(held_back_, {})) {
    JobEntry* child = jobs_.find(uid);
    if (!child) continue;
    child->row.held_back = false;
    touch(*child);
    start_if_ready(*child, now);
  }
}

// ---- retention

// Often enough that trees go as fast as they come. What was made in a busy hour ends its retention
// within one hour, and is removed in a busy hour if there is one every day.
Duration Engine::sweep_pause(Time now) {
  const std::uint64_t made = last_task_.value - std::exchange(swept_task_, last_task_).value;
  const Duration elapsed = std::max(now - std::exchange(swept_at_, now), Duration{1});
  if (made == 0) return settings_.sweep_interval;
  const double pause =
      static_cast<double>(elapsed.count()) * settings_.sweep_roots_max / static_cast<double>(made);
  const Duration longest = settings_.sweep_interval;
  if (pause >= static_cast<double>(longest.count())) return longest;
  return std::max(Duration{static_cast<std::int64_t>(pause)}, std::min(kSweepPause, longest));
}

void Engine::sweep(Time now, std::uint32_t max_rows) {
  next_sweep_ = now + sweep_pause(now);
  const Time before = kept_since(now);
  open_.batch->sweeps.push_back({.finished_before = before,
                                 .max_roots = settings_.sweep_roots_max,
                                 .listed_until = trusted(now),
                                 .max_rows = max_rows,
                                 .growing = growing(before)});
}

// Live tasks from before that instant, into which something may have folded, or with many attempts.
std::vector<TaskId> Engine::growing(Time before) const {
  std::vector<TaskId> tasks;
  tree_.for_each([&](const Node& node) {
    const bool grows = node.task.tally.children > 0 || (!node.parent && !node.steps().empty()) ||
                       node.children().size() + 1 >= kAttemptsKept;
    if (grows && !node.is_final() && node.task.created_at < before) tasks.push_back(node.task.id);
  });
  std::ranges::sort(tasks);
  return tasks;
}

}  // namespace docket::engine
