#include "engine/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace docket::engine {
namespace {

constexpr std::array kReasonNames{"finished",
                                  "running",
                                  "backoff",
                                  "timeout",
                                  "capacity",
                                  "never_fits",
                                  "running_limit",
                                  "turn",
                                  "lock",
                                  "constraint",
                                  "start_deadline",
                                  "dependency",
                                  "concurrency_policy",
                                  "schedule_disabled",
                                  "paused",
                                  "schedule_over",
                                  "next_due",
                                  "manual",
                                  "ready",
                                  "free",
                                  "held",
                                  "waiter",
                                  "not_before"};

// The biggest holders of a resource; the older first among equals. Looks at the runs that hold
// capacity, of which there are at most settings.running_max, and at none that wait.
std::vector<std::pair<std::int64_t, TaskId>> biggest_holders(
    const std::map<TaskId, Queue::Held>& holding, std::int64_t Demand::* resource) {
  std::vector<std::pair<std::int64_t, TaskId>> holders;
  for (const auto& [id, held] : holding) {
    if (held.demand.*resource > 0) holders.emplace_back(held.demand.*resource, id);
  }
  const auto shown = std::min(holders.size(), Explainer::kHoldersShown);
  const auto more = [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  };
  std::ranges::partial_sort(holders, holders.begin() + static_cast<std::ptrdiff_t>(shown), more);
  holders.resize(shown);
  return holders;
}

ReasonKind kind_of(BlockedBy what) {
  switch (what) {
    case BlockedBy::kTime:
      return ReasonKind::kNotBefore;
    case BlockedBy::kConstraint:
    case BlockedBy::kNoTarget:
      return ReasonKind::kConstraint;
    case BlockedBy::kNeverFits:
      return ReasonKind::kNeverFits;
    case BlockedBy::kCapacity:
      return ReasonKind::kCapacity;
    case BlockedBy::kRunningLimit:
      return ReasonKind::kRunningLimit;
    case BlockedBy::kLock:
      return ReasonKind::kLock;
    case BlockedBy::kKeptLock:
    case BlockedBy::kTurn:
      break;
  }
  return ReasonKind::kTurn;
}

std::string subject_of(const Blocker& blocker) {
  if (blocker.resource) return blocker.resource->name;
  return blocker.what == BlockedBy::kConstraint ? blocker.constraint.attribute : blocker.lock;
}

const char* words_of(ParentState state) {
  switch (state) {
    case ParentState::kUnknown:
      return "does not exist";
    case ParentState::kActive:
      return "is running or waiting";
    case ParentState::kNeverRan:
      return "has never run";
    case ParentState::kFailed:
      return "did not succeed the last time";
    case ParentState::kNotSince:
    case ParentState::kReady:
      break;
  }
  return "has not succeeded since this job's last start";
}

Error not_found(const char* subject, std::string message) {
  return {.kind = ErrorKind::kNotFound, .message = std::move(message), .subject = subject};
}

}  // namespace

const char* name_of(ReasonKind kind) { return kReasonNames[static_cast<std::size_t>(kind)]; }

std::optional<double> Reason::missing() const {
  if (!needed || !free) return std::nullopt;
  return std::max(0.0, *needed - *free);
}

// ---- runs

Result<Explanation> Explainer::run(TaskId id) const {
  const Node* node = engine_.find_task(id);
  if (!node || !node->job) return fail(not_found("run", "Job Run not found"));
  if (node->is_step() && engine_.waits_for_needs(*node)) return waiting_step(*node);
  const Node& run = node->root();
  Explanation out;
  if (run.is_final()) {
    const char* rest = run.live_attempts > 0 ? "; its last process is being stopped" : "";
    out.reasons.push_back({.kind = ReasonKind::kFinished,
                           .message = "it has ended: " + model::outcome_of(run.task) + rest,
                           .at = run.task.finished_at});
    return out;
  }
  if (!run.waits()) {
    add_running(run, out);
    return out;
  }
  add_waiting(run, out);
  return out;
}

void Explainer::add_waiting(const Node& task, Explanation& out) const {
  out.waiting = true;
  for (const Blocker& blocker : engine_.blockers(task, now_)) {
    out.reasons.push_back(reason_of(blocker));
    if (blocker.what == BlockedBy::kTime) out.earliest = blocker.at;
  }
  if (out.reasons.empty()) {
    out.reasons.push_back({.kind = ReasonKind::kReady, .message = "nothing is in its way"});
    out.earliest = now_;
  }
  if (task.start_deadline() == kNever) return;
  out.reasons.push_back({.kind = ReasonKind::kStartDeadline,
                         .message = "it fails then if it has not started",
                         .at = task.start_deadline()});
}

Reason Explainer::reason_of(const Blocker& blocker) const {
  Reason reason{.kind = kind_of(blocker.what),
                .message = words_of(blocker),
                .subject = subject_of(blocker),
                .at = blocker.at};
  const bool counted = blocker.resource || blocker.what == BlockedBy::kRunningLimit;
  const double unit = blocker.resource ? blocker.resource->unit : 1;
  if (counted) {
    reason.needed = static_cast<double>(blocker.needed) / unit;
    reason.free = static_cast<double>(blocker.free) / unit;
    reason.total = static_cast<double>(blocker.total) / unit;
  }
  if (blocker.resource) add_holders(*blocker.resource, reason);
  if (!blocker.by) return reason;
  Holder& holder = reason.holders.emplace_back(holder_of(blocker.by));
  if (blocker.what == BlockedBy::kLock) {
    holder.since = engine_.locks().find(blocker.lock)->held_since;
  }
  return reason;
}

void Explainer::add_holders(const Resource& resource, Reason& reason) const {
  for (const auto& [amount, id] : biggest_holders(engine_.queue().holding(), resource.amount)) {
    Holder& holder = reason.holders.emplace_back(holder_of(id));
    holder.amount = static_cast<double>(amount) / resource.unit;
  }
}

void Explainer::add_running(const Node& run, Explanation& out) const {
  std::vector<Reason> limits;
  for (const auto& [name, wake] : engine_.wakes_.of(run.task.id)) {
    if (!wake.begins_work) {
      limits.push_back({.kind = ReasonKind::kTimeout, .message = wake.why, .at = wake.at});
      continue;
    }
    out.waiting = true;
    out.earliest = std::max(wake.at, now_);
    out.reasons.push_back({.kind = ReasonKind::kBackoff, .message = wake.why, .at = out.earliest});
  }
  if (out.reasons.empty()) {
    out.reasons.push_back(
        {.kind = ReasonKind::kRunning, .message = "it has started", .at = run.task.started_at});
  }
  std::ranges::move(limits, std::back_inserter(out.reasons));
  add_waiting_steps(run, out);
}

void Explainer::add_waiting_steps(const Node& run, Explanation& out) const {
  std::size_t shown = 0;
  for (const auto& [key, step] : run.steps()) {
    if (step->task.state != model::State::kQueued) continue;
    if (++shown > kWaitingExplained) return;
    for (Reason& reason : waiting_step(*step).reasons) {
      reason.message = fmt::format("step '{}' waits: {}", key, reason.message);
      out.reasons.push_back(std::move(reason));
    }
  }
}

Explanation Explainer::waiting_step(const Node& step) const {
  Explanation out;
  add_waiting(step, out);
  return out;
}

// ---- jobs and schedules

Result<Explanation> Explainer::job(const std::string& id) const {
  const JobEntry* entry = engine_.job(id);
  if (!entry) return fail(not_found("job", "Job not found"));
  Explanation out;
  add_waiting_runs(*entry, out);
  out.waiting = !out.reasons.empty();
  add_dependencies(*entry, out);
  for (const auto& [schedule_id, uid] : entry->schedules) {
    if (const model::Schedule* schedule = engine_.schedule(uid)) add_schedule(*schedule, out);
  }
  const bool by_itself = !entry->job().definition.dependencies.empty() || !entry->schedules.empty();
  if (!by_itself) {
    out.reasons.push_back(
        {.kind = ReasonKind::kManual,
         .message = "it has neither schedules nor dependencies: it runs when asked"});
  }
  out.waiting = out.waiting || by_itself;
  return out;
}

// What holds back its oldest waiting runs comes before what starts new ones.
void Explainer::add_waiting_runs(const JobEntry& entry, Explanation& out) const {
  std::size_t waiting = 0;
  for (const auto& [id, node] : entry.active) {
    if (!node->waits() || ++waiting > kWaitingExplained) continue;
    const auto why = run(id);
    for (Reason reason : why ? why->reasons : std::vector<Reason>{}) {
      reason.message = fmt::format("{} waits: {}", node->task.name, reason.message);
      out.reasons.push_back(std::move(reason));
    }
  }
  if (waiting <= kWaitingExplained) return;
  out.reasons.push_back({.kind = ReasonKind::kWaiter,
                         .message = fmt::format("{} more runs wait", waiting - kWaitingExplained)});
}

void Explainer::add_dependencies(const JobEntry& entry, Explanation& out) const {
  for (const std::string& id : entry.job().definition.dependencies) {
    const ParentState state = engine_.jobs_.parent_state(entry, id);
    if (state == ParentState::kReady) continue;
    out.reasons.push_back({.kind = ReasonKind::kDependency,
                           .message = fmt::format("job '{}' {}", id, words_of(state)),
                           .subject = id});
  }
}

Result<Explanation> Explainer::schedule(ScheduleUid uid) const {
  const model::Schedule* schedule = engine_.schedule(uid);
  if (!schedule) return fail(not_found("schedule", "Schedule not found"));
  Explanation out;
  out.waiting = true;
  add_schedule(*schedule, out);
  return out;
}

void Explainer::add_schedule(const model::Schedule& schedule, Explanation& out) const {
  const model::ScheduleDefinition& definition = schedule.definition;
  const auto next = engine_.next_run_at(schedule, now_);
  if (!definition.enabled) {
    out.reasons.push_back({.kind = ReasonKind::kScheduleDisabled,
                           .message = fmt::format("schedule '{}' is disabled", definition.id),
                           .subject = definition.id});
    return;
  }
  if (engine_.settings().paused) {
    out.reasons.push_back({.kind = ReasonKind::kPaused,
                           .message = "the server was started with `paused`: no schedule starts a "
                                      "run"});
    return;
  }
  if (definition.cron.is_reboot()) {
    out.reasons.push_back(
        {.kind = ReasonKind::kNextDue,
         .message = fmt::format("schedule '{}' is due when the machine starts", definition.id),
         .subject = definition.id});
    return;
  }
  if (!next) {
    out.reasons.push_back(
        {.kind = ReasonKind::kScheduleOver,
         .message = fmt::format("schedule '{}' is never due again", definition.id),
         .subject = definition.id});
    return;
  }
  out.reasons.push_back({.kind = ReasonKind::kNextDue,
                         .message = fmt::format("schedule '{}' is due then", definition.id),
                         .subject = definition.id,
                         .at = *next});
  if (out.earliest == kNever || *next < out.earliest) out.earliest = *next;
  const JobEntry* entry = engine_.jobs_.find(schedule.job);
  if (!entry || definition.policy != model::ConcurrencyPolicy::kForbid) return;
  if (!entry->is_busy()) return;
  out.reasons.push_back(blocking_runs(*entry, schedule));
}

Reason Explainer::blocking_runs(const JobEntry& entry, const model::Schedule& schedule) const {
  Reason reason{.kind = ReasonKind::kConcurrencyPolicy,
                .message = "FORBID: a due time is skipped while a run of the job is active",
                .subject = schedule.definition.id};
  for (const auto& [id, run] : entry.active) {
    if (reason.holders.size() == kHoldersShown) break;
    reason.holders.push_back(holder_of(id));
  }
  return reason;
}

// ---- locks

Explanation Explainer::lock(const std::string& name) const {
  Explanation out;
  const model::Lock* lock = engine_.locks().find(name);
  if (!lock || !lock->holder) {
    out.reasons.push_back({.kind = ReasonKind::kFree,
                           .message = fmt::format("lock '{}' is free", name),
                           .subject = name});
    return out;
  }
  Holder holder = holder_of(lock->holder);
  holder.since = lock->held_since;
  out.reasons.push_back({.kind = ReasonKind::kHeld,
                         .message = fmt::format("run {} holds it", lock->holder.value),
                         .subject = name,
                         .holders = {std::move(holder)},
                         .at = lock->held_since});
  Reason waiters{.kind = ReasonKind::kWaiter, .message = "", .subject = name};
  for (const TaskId id : waiters_of(engine_, name, kWaitersShown)) {
    waiters.holders.push_back(holder_of(id));
  }
  if (waiters.holders.empty()) return out;
  out.waiting = true;
  waiters.message = fmt::format("{} runs wait for it, oldest first", waiters.holders.size());
  out.reasons.push_back(std::move(waiters));
  return out;
}

std::vector<TaskId> Explainer::waiters_of(const Engine& engine, const std::string& lock,
                                          std::size_t most) {
  return engine.queue().waiters_of(lock, most);
}

// ---- holders

Holder Explainer::holder_of(TaskId run) const {
  Holder holder{.run = run};
  if (const Node* node = engine_.find_task(run)) {
    const Node& root = node->root();
    holder.run = root.task.id;
    holder.run_name = root.task.name;
    holder.job_id = root.job->id();
    holder.since = node->task.started_at != kNever ? node->task.started_at : node->task.created_at;
  }
  return holder;
}

}  // namespace docket::engine
