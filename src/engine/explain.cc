#include "engine/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/pattern.h"

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
                                  "waiter"};

// A resource of the node: how to find it in a Demand, and what it is called and counted in.
struct Resource {
  const char* name;
  std::int64_t Demand::* amount;
  double unit;  // internal amounts in one of what people say
};
constexpr std::array kResources{
    Resource{"cpus", &Demand::cpus_micro, 1e6}, Resource{"mem", &Demand::mem_kib, 1024},
    Resource{"disk", &Demand::disk_kib, 1024}, Resource{"gpus", &Demand::gpus, 1}};

double in_units(const Resource& resource, const Demand& demand) {
  return static_cast<double>(demand.*resource.amount) / resource.unit;
}

// Who holds most of a resource, the older first among equals. Looks at the runs that hold capacity,
// of which there are at most settings.running_max, and at none that waits.
std::vector<std::pair<std::int64_t, TaskId>> biggest_holders(
    const std::map<TaskId, Demand>& holding, std::int64_t Demand::* resource) {
  std::vector<std::pair<std::int64_t, TaskId>> holders;
  for (const auto& [id, demand] : holding) {
    if (demand.*resource > 0) holders.emplace_back(demand.*resource, id);
  }
  const auto shown = std::min(holders.size(), Explainer::kHoldersShown);
  const auto more = [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  };
  std::ranges::partial_sort(holders, holders.begin() + static_cast<std::ptrdiff_t>(shown), more);
  holders.resize(shown);
  return holders;
}

const char* word_of(model::ConstraintOperator op) {
  constexpr std::array kWords{"IS", "LIKE", "UNLIKE"};
  return kWords[static_cast<std::size_t>(op)];
}

// A pattern that an older store brought along may be one that nothing can match.
std::string in_words(const model::Constraint& constraint) {
  const std::string& value = *constraint.value;
  const bool is_long = value.size() > model::kPatternBytesMax;
  std::string text = fmt::format("{} {} {}", constraint.attribute, word_of(constraint.op),
                                 is_long ? "a long pattern" : value);
  if (constraint.op == model::ConstraintOperator::kIs) return text;
  const auto pattern = model::Pattern::compile(value);
  return pattern ? text : fmt::format("{}: the pattern {}", text, pattern.error().message);
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
  const Node& run = node->root();
  Explanation out;
  if (run.is_final()) {
    const char* rest = run.live_attempts > 0 ? "; its last process is being stopped" : "";
    out.reasons.push_back({.kind = ReasonKind::kFinished,
                           .message = "it has ended: " + model::outcome_of(run.task) + rest,
                           .at = run.task.finished_at});
    return out;
  }
  if (run.task.state != model::State::kQueued && run.task.state != model::State::kCreated) {
    add_running(run, out);
    return out;
  }
  out.waiting = true;
  add_constraint(run, out);
  add_capacity(run, out);
  add_lock(run, out);
  if (out.reasons.empty()) add_turn(run, out);
  if (out.reasons.empty()) {
    out.reasons.push_back({.kind = ReasonKind::kReady, .message = "nothing is in its way"});
    out.earliest = now_;
  }
  if (run.start_deadline() != kNever) {
    out.reasons.push_back({.kind = ReasonKind::kStartDeadline,
                           .message = "it fails then if it has not started",
                           .at = run.start_deadline()});
  }
  return out;
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
}

void Explainer::add_constraint(const Node& run, Explanation& out) const {
  const auto& constraints = engine_.kind_of(*run.job).constraints(*run.job);
  if (const model::Constraint* unmet = engine_.placement_.unmet(constraints)) {
    out.reasons.push_back({.kind = ReasonKind::kConstraint,
                           .message = "no node satisfies " + in_words(*unmet),
                           .subject = unmet->attribute});
  }
}

void Explainer::add_capacity(const Node& run, Explanation& out) const {
  const Queue& queue = engine_.queue();
  const auto demand = queue.demand_of(run);
  if (!demand) return;
  for (const Resource& resource : kResources) {
    const double needed = in_units(resource, *demand);
    const double free = in_units(resource, queue.free());
    const double total = in_units(resource, queue.total());
    // Nothing wanted is nothing missing, also of a resource that restarts with less have overdrawn.
    if (needed <= 0 || needed <= free) continue;
    Reason reason{.kind = needed > total ? ReasonKind::kNeverFits : ReasonKind::kCapacity,
                  .message = fmt::format("needs {:g} {}, {:g} of {:g} free", needed, resource.name,
                                         free, total),
                  .subject = resource.name,
                  .needed = needed,
                  .free = free,
                  .total = total};
    for (const auto& [amount, id] : biggest_holders(queue.holding(), resource.amount)) {
      Holder& holder = reason.holders.emplace_back(holder_of(id));
      holder.amount = static_cast<double>(amount) / resource.unit;
    }
    out.reasons.push_back(std::move(reason));
  }
  if (queue.running() < engine_.settings().running_max) return;
  out.reasons.push_back(
      {.kind = ReasonKind::kRunningLimit,
       .message = fmt::format("{} runs have processes, the most that may", queue.running()),
       .needed = 1,
       .free = 0,
       .total = engine_.settings().running_max});
}

void Explainer::add_lock(const Node& run, Explanation& out) const {
  for (const model::LockWish& wish : engine_.kind_of(*run.job).locks(*run.job)) {
    const model::Lock* lock = engine_.locks().find(wish.name);
    if (!lock || !lock->holder) {
      add_kept(run, wish, out);
      continue;
    }
    Holder holder = holder_of(lock->holder);
    holder.since = lock->held_since;
    out.reasons.push_back(
        {.kind = ReasonKind::kLock,
         .message = fmt::format("lock '{}' is held by run {}", wish.name, lock->holder.value),
         .subject = wish.name,
         .holders = {std::move(holder)}});
  }
}

// Nobody holds the lock, but an older run that waited too long is to have it (queue.h).
void Explainer::add_kept(const Node& run, const model::LockWish& wish, Explanation& out) const {
  const Node* older = engine_.queue().kept_for(wish.name, run.task.id, now_);
  if (!older) return;
  out.reasons.push_back(
      {.kind = ReasonKind::kTurn,
       .message = fmt::format("lock '{}' is kept for run {}, which has been overtaken for too long",
                              wish.name, older->task.id.value),
       .subject = wish.name,
       .holders = {holder_of(older->task.id)}});
}

// It fits and still waits: then an older run, overtaken for too long, is served first (queue.h).
void Explainer::add_turn(const Node& run, Explanation& out) const {
  const Node* first = engine_.queue().first_in_turn(now_);
  if (!first || first->task.id >= run.task.id) return;
  const TaskId id = first->task.id;
  out.reasons.push_back(
      {.kind = ReasonKind::kTurn,
       .message = fmt::format("run {} has been overtaken for too long and goes first", id.value),
       .holders = {holder_of(id)}});
}

// ---- jobs and schedules

Result<Explanation> Explainer::job(const std::string& id) const {
  const JobEntry* entry = engine_.job(id);
  if (!entry) return fail(not_found("job", "Job not found"));
  Explanation out;
  add_waiting(*entry, out);
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

// What holds its oldest waiting runs back comes before what starts new ones.
void Explainer::add_waiting(const JobEntry& entry, Explanation& out) const {
  std::size_t waiting = 0;
  for (const auto& [id, node] : entry.active) {
    if (node->task.state != model::State::kQueued || ++waiting > kWaitingExplained) continue;
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

// The same rule as Engine::start_if_ready, told parent by parent.
void Explainer::add_dependencies(const JobEntry& entry, Explanation& out) const {
  const Time baseline = std::max(entry.row.stats.last_success_at, entry.row.dependency_started_at);
  for (const std::string& id : entry.job().definition.dependencies) {
    const JobEntry* parent = engine_.job(id);
    std::string why;
    if (!parent) {
      why = "does not exist";
    } else if (!parent->active.empty()) {
      why = "is running or waiting";
    } else if (parent->row.last_run_state == model::State::kCreated) {
      why = "has never run";
    } else if (parent->row.last_run_state != model::State::kDone) {
      why = "did not succeed the last time";
    } else if (parent->row.stats.last_success_at <= baseline) {
      why = "has not succeeded since this job's last start";
    } else {
      continue;
    }
    out.reasons.push_back({.kind = ReasonKind::kDependency,
                           .message = fmt::format("job '{}' {}", id, why),
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
         .message = fmt::format("schedule '{}' is due when the machine has started", definition.id),
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
  if (entry->active.empty() && entry->dying == 0) return;
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

// ---- who

Holder Explainer::holder_of(TaskId run) const {
  Holder holder{.run = run};
  if (const Node* node = engine_.find_task(run)) {
    holder.run_name = node->task.name;
    holder.job_id = node->job->id();
    holder.since = node->task.started_at != kNever ? node->task.started_at : node->task.created_at;
  }
  return holder;
}

}  // namespace docket::engine
