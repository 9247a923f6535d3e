#include "sim/batch_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "kinds/test/spec.h"

namespace docket::sim {
namespace {

using model::DueOutcome;
using model::EventType;
using model::State;

auto identity(const model::Task& task) {
  return std::tie(task.id, task.parent, task.root, task.job, task.job_version, task.kind,
                  task.trigger, task.name, task.created_at, task.schedule, task.due_at);
}

std::string show(const model::LedgerEntry& entry) {
  return fmt::format("schedule {} due {}..{} ({}, run {})", entry.schedule.value,
                     format_rfc3339(entry.first_due), format_rfc3339(entry.last_due),
                     model::name_of(entry.outcome), entry.run.value);
}

}  // namespace

void BatchRules::apply(const engine::Batch& batch) {
  ++record_.batches;
  states_.clear();
  Rows rows;
  for (const model::Task& task : batch.tasks) {
    if (model::is_step(task)) record_.steps[task.id] = task;
    if (task.operation && !model::is_action(task)) continue;  // see OperationRules, StepRules
    verdict_.require(rows.emplace(task.id, &task).second, "a task appears once in a batch",
                     fmt::format("task {}", task.id.value));
  }
  take_jobs(batch);
  follow_events(batch, rows);
  take_tasks(rows);
  take_ledger(batch);
  take_schedules(batch);
  take_locks(batch);
  for (const model::SealedSecret& secret : batch.secrets) record_.secrets[secret.path] = secret;
  for (const std::string& path : batch.dropped_secrets) record_.secrets.erase(path);
  for (const engine::Sweep& sweep : batch.sweeps) take_sweep(sweep);
  check_stats(batch, rows);
  for (const TaskId run : record_.scheduled_runs) {
    const model::Task& task = *record_.task(run);
    const auto& entries = record_.ledger[task.schedule];
    const auto entry = entries.find(task.due_at);
    verdict_.require(entry != entries.end() && entry->second.run == run,
                     "every scheduled run is in the ledger", fmt::format("run {}", run.value));
  }
  record_.scheduled_runs.clear();
}

// ---- retention

// Whatever the clock has shown meanwhile.
void BatchRules::take_sweep(const engine::Sweep& sweep) {
  record_.swept_until = std::max(record_.swept_until, sweep.finished_before);
  while (!ended_runs_.empty() && ended_runs_.begin()->first < sweep.finished_before) {
    const auto [finished_at, run] = *ended_runs_.begin();
    ended_runs_.erase(ended_runs_.begin());
    const Duration age = clock_.true_now() - clock_.true_time_of(finished_at);
    verdict_.require(age >= settings_.retention, "nothing is removed before its retention is over",
                     fmt::format("run {}, {} s old", run.value, age.count() / 1'000'000));
  }
}

// ---- jobs

void BatchRules::take_jobs(const engine::Batch& batch) {
  for (const engine::JobRow& row : batch.jobs) {
    JobLife& life = record_.jobs[row.job->uid];
    verdict_.require(!life.row.deleted, "a deleted job stays deleted", row.job->id());
    if (life.row.job) {
      verdict_.require(row.job->version >= life.row.job->version, "job versions only rise",
                       row.job->id());
    }
    life.versions.emplace(row.job->version, row.job);
    life.row = row;
  }
}

void BatchRules::check_stats(const engine::Batch& batch, const Rows& rows) {
  std::set<JobUid> touched;
  for (const engine::JobRow& row : batch.jobs) touched.insert(row.job->uid);
  for (const auto& [id, task] : rows) touched.insert(task->job);
  for (const JobUid uid : touched) {
    const JobLife& life = record_.jobs[uid];
    if (life.row.deleted) continue;  // its last runs may end after it
    const model::JobStats& stats = life.row.stats;
    verdict_.require(
        stats.success_count == life.succeeded && stats.failure_count == life.failed,
        "a job's totals equal its history",
        fmt::format("job {}: {} + {} told, {} + {} ended", uid.value, stats.success_count,
                    stats.failure_count, life.succeeded, life.failed));
  }
}

// ---- events

void BatchRules::follow_events(const engine::Batch& batch, const Rows& rows) {
  for (const model::Event& event : batch.events) {
    verdict_.require(event.seq > record_.last_event, "events are numbered in rising order",
                     fmt::format("{} after {}", event.seq.value, record_.last_event.value));
    record_.last_event = event.seq;
    newest_at_ = std::max(newest_at_, event.at);
    const auto of = rows.find(event.task);
    const bool of_action = of != rows.end() && model::is_action(*of->second);
    if (event.type == EventType::kTaskNote) continue;
    if (event.type >= EventType::kTaskCreated && !of_action) continue;  // of an operation
    verdict_.require(record_.jobs.contains(event.job), "every event has a job",
                     fmt::format("event {}", event.seq.value));
    if (!event.task) continue;
    const auto row = rows.find(event.task);
    if (row == rows.end()) {
      verdict_.violated("every event has a task", fmt::format("event {}", event.seq.value));
      continue;
    }
    follow(event, *row->second);
    if (event.type == EventType::kRunCreated) forbid(batch, *row->second);
  }
}

void BatchRules::follow(const model::Event& event, const model::Task& row) {
  const model::Task* known = record_.task(event.task);
  State& state = states_.emplace(event.task, known ? known->state : State::kCreated).first->second;
  const bool made = event.type == EventType::kRunCreated || event.type == EventType::kTaskCreated;
  if (made && event.after == State::kCreated) {
    record_.jobs[row.job].active.insert(row.id);
    return;
  }
  if (event.before == event.after && event.before == state && !row.parent) {
    return verdict_.require(row.stopping, "an abort is recorded and kept",
                            fmt::format("task {}", event.task.value));
  }
  verdict_.require(event.before == state && model::may_move(event.before, event.after),
                   "the states of a task form a path",
                   fmt::format("task {} is {}: {} to {}", event.task.value, model::name_of(state),
                               model::name_of(event.before), model::name_of(event.after)));
  verdict_.require(event.root == row.root, "an event knows its run",
                   fmt::format("event {}", event.seq.value));
  state = event.after;
  if (row.parent) return;
  JobLife& life = record_.jobs[row.job];
  if (model::is_final(state)) {
    life.active.erase(row.id);
  } else {
    life.active.insert(row.id);
  }
}

// When a FORBID schedule makes a run, nothing of its job runs, waits or has a process left, and
// neither does anything of a deleted job that had its id.
void BatchRules::forbid(const engine::Batch& batch, const model::Task& run) {
  if (run.trigger != model::Trigger::kSchedule) return;
  const auto forbids = [&](const model::Schedule& schedule) {
    return schedule.definition.policy == model::ConcurrencyPolicy::kForbid;
  };
  const auto known = record_.schedules.find(run.schedule);
  if (known != record_.schedules.end() && !forbids(known->second)) return;
  for (const model::Schedule& schedule : batch.schedules) {
    if (schedule.uid == run.schedule && !forbids(schedule)) return;
  }
  const JobLife& life = record_.jobs[run.job];
  verdict_.require(life.active.size() == 1, "FORBID never overlaps a run",
                   fmt::format("run {} beside {} others", run.id.value, life.active.size() - 1));
  const std::string& job_id = life.row.job->id();
  std::set<TaskId> attempts;
  for (const auto& [uid, other] : record_.jobs) {
    if (other.row.job->id() == job_id) attempts.insert(other.live.begin(), other.live.end());
  }
  for (const model::Task& task : batch.tasks) {
    if (task.kind == model::TaskKind::kAttempt && task.id < run.id && !record_.task(task.id) &&
        record_.jobs[task.job].row.job->id() == job_id)
      attempts.insert(task.id);
  }
  for (const TaskId attempt : attempts) {
    const auto state = states_.find(attempt);
    verdict_.require(state != states_.end() && model::is_final(state->second),
                     "FORBID never overlaps a terminating process",
                     fmt::format("run {}, attempt {}", run.id.value, attempt.value));
  }
}

// ---- tasks

void BatchRules::take_tasks(const Rows& rows) {
  for (const auto& [id, task] : rows) take_task(*task);
}

void BatchRules::take_task(const model::Task& task) {
  const auto known = record_.tasks.find(task.id);
  const bool is_new = known == record_.tasks.end();
  const State before = is_new ? State::kCreated : known->second.state;
  const auto told = states_.find(task.id);
  verdict_.require(task.state == (told == states_.end() ? before : told->second),
                   "a task's state agrees with its events",
                   fmt::format("task {}: {}", task.id.value, model::name_of(task.state)));
  if (is_new) {
    check_new(task);
    record_.tasks.emplace(task.id, task);
  } else {
    verdict_.require(identity(task) == identity(known->second), "a task stays what it is",
                     fmt::format("task {}", task.id.value));
    known->second = task;
  }
  check_time(task);
  JobLife& life = record_.jobs[task.job];
  const bool ended = model::is_final(task.state) && !model::is_final(before);
  if (!task.parent) {
    if (!ended) return;
    if (!model::is_action(task)) ++(task.state == State::kDone ? life.succeeded : life.failed);
    ended_runs_.emplace(task.finished_at, task.id);
    return;
  }
  if (is_new && !ended) {
    life.live.insert(task.id);
    ++record_.live_attempts[task.root];
    ++record_.beside[task.parent];
  } else if (!is_new && ended) {
    life.live.erase(task.id);
    --record_.live_attempts[task.root];
    --record_.beside[task.parent];
  }
  verdict_.require(record_.beside[task.parent] <= 1, "a run has one process at a time",
                   fmt::format("run {}", task.parent.value));
}

// A run with a NOT_BEFORE is not begun before it, by what the clock has shown.
void BatchRules::check_time(const model::Task& task) {
  const model::JobPtr job = record_.job_of(task);
  if (task.parent || !task.parameters || job->definition.spec.kind != kinds::kTest) return;
  for (const auto& [name, value] : task.parameters->env) {
    if (name != kinds::kNotBefore || task.started_at == kNever) continue;
    verdict_.require(newest_at_ >= parse_time(value).value(), "no run begins before its start time",
                     fmt::format("run {}", task.id.value));
  }
}

void BatchRules::check_new(const model::Task& task) {
  verdict_.require(record_.job_of(task) != nullptr, "a task has its job's definition",
                   fmt::format("task {}", task.id.value));
  record_.last_task = std::max(record_.last_task, task.id);
  if (task.kind == model::TaskKind::kAttempt) {
    verdict_.require(record_.task(task.root) != nullptr, "an attempt has a run",
                     fmt::format("attempt {}", task.id.value));
    return;
  }
  if (model::is_action(task)) return;
  verdict_.require(record_.jobs[task.job].run_names.insert(task.name).second,
                   "run names are unique in their job", task.name);
  if (task.trigger == model::Trigger::kSchedule) record_.scheduled_runs.push_back(task.id);
}

// ---- schedules and their ledger

void BatchRules::take_schedules(const engine::Batch& batch) {
  for (const model::Schedule& schedule : batch.schedules) {
    const auto [known, is_new] = record_.schedules.try_emplace(schedule.uid, schedule);
    if (is_new) continue;
    follow_schedule(known->second, schedule);
    known->second = schedule;
  }
  for (const ScheduleUid uid : batch.dropped_schedules) record_.schedules.erase(uid);
}

// Every due time that the schedule has passed is in the ledger.
void BatchRules::follow_schedule(const model::Schedule& before, const model::Schedule& after) {
  const model::ScheduleDefinition& definition = after.definition;
  if (!definition.enabled || !same_timing(before.definition, definition)) return;
  verdict_.require(
      after.checked_until >= before.checked_until, "no due time is looked at twice",
      fmt::format("schedule {} goes back from {} to {}", after.uid.value,
                  format_rfc3339(before.checked_until), format_rfc3339(after.checked_until)));
  std::uint64_t told = 0;
  const auto& entries = record_.ledger[after.uid];
  for (auto it = entries.upper_bound(before.checked_until);
       it != entries.end() && it->first <= after.checked_until; ++it)
    told += it->second.count;
  const std::uint64_t due =
      definition.cron.count(before.checked_until, after.checked_until, definition.zone, 1'000'000);
  verdict_.require(
      told == due, "every due time is in the ledger",
      fmt::format("schedule {} ({}): {} of {} due in ({}, {}]", after.uid.value,
                  definition.cron.text(), told, due, format_rfc3339(before.checked_until),
                  format_rfc3339(after.checked_until)));
}

void BatchRules::take_ledger(const engine::Batch& batch) {
  // A schedule with new times starts afresh: after a backward step of the clock it may be due
  // again at an instant that the ledger has already.
  for (const model::Schedule& schedule : batch.schedules) {
    const auto known = record_.schedules.find(schedule.uid);
    if (known == record_.schedules.end() ||
        same_timing(known->second.definition, schedule.definition))
      continue;
    if (schedule.checked_until < known->second.checked_until) set_back_.insert(schedule.uid);
    auto& entries = record_.ledger[schedule.uid];
    std::erase_if(
        entries, [&](const auto& entry) { return entry.second.last_due > schedule.checked_until; });
  }
  for (const model::LedgerEntry& entry : batch.ledger) take_entry(batch, entry);
}

void BatchRules::take_entry(const engine::Batch& batch, const model::LedgerEntry& entry) {
  auto& entries = record_.ledger[entry.schedule];
  // A run from before the change may still pass its deadline, among the new times.
  if (entry.outcome == DueOutcome::kPastDeadline && set_back_.contains(entry.schedule)) return;
  const auto after = entries.upper_bound(entry.last_due);
  if (after != entries.begin()) {
    const model::LedgerEntry& before = std::prev(after)->second;
    const bool closes = before.outcome == DueOutcome::kRan &&
                        entry.outcome == DueOutcome::kPastDeadline &&
                        before.first_due == entry.first_due && before.run == entry.run;
    verdict_.require(before.last_due < entry.first_due || closes,
                     "a due time is in one row of the ledger",
                     show(entry) + " after " + show(before));
  }
  entries[entry.first_due] = entry;
  const bool has_run =
      entry.outcome == DueOutcome::kRan || entry.outcome == DueOutcome::kPastDeadline;
  if (has_run) check_ran(entry);
  if (entry.outcome == DueOutcome::kRan) check_lateness(batch, entry);
  std::vector<const model::ScheduleDefinition*> definitions;
  const auto known = record_.schedules.find(entry.schedule);
  if (known != record_.schedules.end()) definitions.push_back(&known->second.definition);
  for (const model::Schedule& schedule : batch.schedules) {
    if (schedule.uid == entry.schedule) definitions.push_back(&schedule.definition);
  }
  const bool right = std::ranges::any_of(definitions, [&](const auto* definition) {
    const auto first = definition->cron.next(entry.first_due - Duration{1}, definition->zone);
    return first == entry.first_due &&
           definition->cron.count(entry.first_due - Duration{1}, entry.last_due, definition->zone,
                                  1'000'000) == entry.count;
  });
  // A run may pass its deadline after its schedule has changed or gone.
  verdict_.require(right || entry.outcome == DueOutcome::kPastDeadline,
                   "the ledger has due times only", show(entry));
}

// Late runs are those that the schedule's policy for missed times asks for, and no others.
void BatchRules::check_lateness(const engine::Batch& batch, const model::LedgerEntry& entry) {
  const model::Task* run = record_.task(entry.run);
  if (!run || run->created_at - run->due_at <= settings_.lateness_max) return;
  const auto may_be_late = [](const model::Schedule& schedule) {
    return schedule.definition.missed != model::MissedPolicy::kNone;
  };
  const auto known = record_.schedules.find(entry.schedule);
  bool may = known != record_.schedules.end() && may_be_late(known->second);
  for (const model::Schedule& schedule : batch.schedules)
    may = may || (schedule.uid == entry.schedule && may_be_late(schedule));
  verdict_.require(may, "nothing runs too late", show(entry));
}

void BatchRules::check_ran(const model::LedgerEntry& entry) {
  const model::Task* run = record_.task(entry.run);
  verdict_.require(run && run->schedule == entry.schedule && run->due_at == entry.first_due &&
                       entry.last_due == entry.first_due && entry.count == 1,
                   "a ledger row names its run", show(entry));
  if (!run) return;
  verdict_.require(run->created_at >= run->due_at, "nothing runs before it is due", show(entry));
}

// ---- locks

void BatchRules::take_locks(const engine::Batch& batch) {
  for (const model::Lock& lock : batch.locks) {
    model::Lock& known = record_.locks[lock.name];
    const bool granted = bool(lock.holder);
    verdict_.require(
        granted != bool(known.holder), "a lock has one holder",
        fmt::format("{}: {} after {}", lock.name, lock.holder.value, known.holder.value));
    verdict_.require(lock.fencing == known.fencing + (granted ? 1 : 0),
                     "the fencing number rises with every grant", lock.name);
    known = lock;
    if (granted) check_turn(lock);
  }
  check_holders();
}

// A run that could start on the empty node is overtaken on a lock for overtaking_max and no
// longer.
void BatchRules::check_turn(const model::Lock& granted) {
  const Duration limit = clock_.true_time_of(granted.held_since) - settings_.overtaking_max;
  for (const auto& [uid, life] : record_.jobs) {
    for (const TaskId id : life.active) {
      if (id >= granted.holder) break;
      const model::Task& run = *record_.task(id);
      if (run.state != State::kQueued || clock_.true_time_of(run.created_at) > limit) continue;
      const model::JobPtr job = record_.job_of(run);
      const kinds::ProcessSpec* process = process_of(*job);
      if (!process) continue;
      const auto& requests = process->locks;
      const bool wants = std::ranges::any_of(requests, [&](const model::LockRequest& request) {
        return request.name == granted.name;
      });
      const model::Needs needs = kind_.needs(*job, nullptr, {});
      if (!wants || !node_.fits_empty(needs.demand) || targets_.unmet(needs.constraints)) continue;
      verdict_.violated(
          "a lock goes to the run that was overtaken for too long",
          fmt::format("{} to run {} before {}", granted.name, granted.holder.value, id.value));
    }
  }
}

void BatchRules::check_holders() {
  for (const auto& [name, lock] : record_.locks) {
    verdict_.require(!lock.holder || record_.is_live(lock.holder), "a lock's holder lives",
                     fmt::format("{}: run {}", name, lock.holder.value));
  }
}

}  // namespace docket::sim
