#include "engine/engine.h"

#include <algorithm>

#include "model/secret_path.h"

namespace docket::engine {

Engine::Engine(Settings settings, Random& random, Vault& vault, Kinds kinds)
    : settings_(std::move(settings)),
      random_(random),
      vault_(vault),
      kinds_(std::move(kinds)),
      targets_(settings_.node),
      queue_(settings_, locks_, targets_),
      operations_(settings_, tree_, *this) {}

Engine::~Engine() = default;

// ---- start-up

void Engine::restore(Snapshot snapshot, Time now) {
  started_at_ = now;
  next_sweep_ = now + settings_.sweep_interval;
  swept_at_ = now;
  swept_task_ = snapshot.last_task;
  last_task_ = snapshot.last_task;
  last_event_ = snapshot.last_event;
  open_.batch->epoch = epoch_ = snapshot.epoch + 1;
  if (snapshot.clock) restore_clock(*snapshot.clock);
  jobs_.restore(snapshot.last_job);
  scheduler_.restore(snapshot.last_schedule);
  locks_.restore(std::move(snapshot.locks));
  records_.restore(snapshot);
  for (model::SealedSecret& secret : snapshot.secrets) secrets_.emplace(secret.path, secret);

  std::map<std::pair<JobUid, std::uint32_t>, model::JobPtr> versions;
  for (const model::JobPtr& job : snapshot.frozen)
    versions.emplace(std::pair{job->uid, job->version}, job);
  for (JobRow& row : snapshot.jobs) {
    versions.emplace(std::pair{row.job->uid, row.job->version}, row.job);
    last_stamp_ = std::max({last_stamp_, row.stats.last_success_at, row.stats.last_failure_at,
                            row.dependency_started_at});
    if (row.deleted) continue;
    if (row.held_back) held_back_.insert(row.job->uid);
    jobs_.insert(std::move(row));
  }
  jobs_.link_all();
  for (model::Schedule& schedule : snapshot.schedules) {
    JobEntry* entry = jobs_.find(schedule.job);
    if (!entry) continue;
    entry->schedules.emplace(schedule.definition.id, schedule.uid);
    scheduler_.insert(std::move(schedule));
  }
  // A parent's number is always smaller than its children's, so one pass in order builds the trees.
  std::ranges::sort(snapshot.tasks, {}, [](const model::Task& task) { return task.id; });
  operations_.restore(snapshot, now);
  for (model::Task& task : snapshot.tasks) {
    const auto job = versions.find({task.job, task.job_version});
    if (job != versions.end()) adopt(std::move(task), job->second);
  }
  std::vector<Node*> steps;
  tree_.for_each([&steps](Node& node) {
    if (node.is_step()) steps.push_back(&node);
  });
  for (auto& [id, run] : runs_) resume(*run);
  for (Node* step : steps) resume_step(*step);
}

void Engine::adopt(model::Task task, model::JobPtr job) {
  if (task.parent && !tree_.find(task.parent)) return;
  Node& node = tree_.insert(std::move(task), std::move(job));
  node.recovered = true;
  if (node.parent) return trim_attempts(*node.parent);
  node.clock_set = set_since(node.task.id);
  runs_.emplace(node.task.id, &node);
}

// Puts a restored run back where it was: waiting, running, or ended with processes that still have
// to go.
void Engine::resume(Node& run) {
  if (run.is_final()) {
    hold(run);
    jobs_.add_terminating(run.job->id());
    return;
  }
  if (JobEntry* entry = jobs_.find(run.task.job)) {
    enter(*entry, run);
  } else if (!model::is_action(run.task)) {
    jobs_.add_terminating(run.job->id());
  }
  run.waits() ? await(run, needs_of(run), started_at_) : hold(run);
}

void Engine::resume_step(Node& step) {
  const model::Needs needs = needs_of(step);
  if (!needs.any()) return;
  if (step.waits()) {
    step.clock_set = set_since(step.task.id);
    await(step, needs, started_at_);
  } else if (!step.is_final() || has_live_attempt_below(step)) {
    hold(step);
  }
}

void Engine::hold(Node& node) {
  const Target* target = targets_.find(model::target_of(node.task));
  const auto number = target ? static_cast<Targets::Number>(target - targets_.all().data()) : 0;
  queue_.hold(node, needs_of(node).demand, number);
}

std::map<std::string, std::vector<AttemptQuery>> Engine::live_attempts() const {
  std::map<std::string, std::vector<AttemptQuery>> attempts;
  tree_.for_each([&attempts](const Node& node) {
    if (!node.is_attempt() || node.is_final()) return;
    const std::string executor(model::executor_of(node.task));
    attempts[executor].push_back({node.task.id, model::seq_of(node.task)});
  });
  for (auto& [executor, sought] : attempts) std::ranges::sort(sought, {}, &AttemptQuery::token);
  return attempts;
}

void Engine::reconcile(const std::vector<AttemptReport>& reports, Time now) {
  for (const AttemptReport& report : reports) {
    Node* node = tree_.find(report.token);
    if (!node || node->is_final()) continue;
    const std::string executor(model::executor_of(node->task));
    on_attempt(report, executor, now);
    // The order to stop may have been lost with the last server.
    if (!node->is_final() && node->task.stopping) {
      open_.stops.push_back({.token = report.token, .executor = executor});
    }
  }
  std::vector<Node*> begun;
  for (const auto& [id, run] : runs_) {
    if (!run->is_final() && !run->waits()) begun.push_back(run);
  }
  for (Node* run : begun) {
    if (!run->is_final()) plan(*run, Look{}, now);
  }
  operations_.begin_leases(now);
}

// ---- ticks

bool Engine::dirty() const {
  return !open_.batch->empty() || tree_.dirty() || !dirty_jobs_.empty() || !open_.starts.empty() ||
         !open_.stops.empty() || !open_.forgets.empty() || !open_.taken.empty();
}

std::size_t Engine::open_size() const {
  const Batch& batch = *open_.batch;
  return batch.jobs.size() + batch.schedules.size() + batch.dropped_schedules.size() +
         batch.events.size() + batch.results.size() + batch.locks.size() + batch.ledger.size() +
         batch.secrets.size() + batch.dropped_secrets.size() + batch.records.size() +
         batch.dropped_records.size() + batch.drains.size() + batch.listings.size() +
         (batch.clock ? 1 : 0) + tree_.changes() + dirty_jobs_.size() + open_.starts.size() +
         open_.stops.size() + open_.forgets.size();
}

Tick Engine::take() {
  Batch& batch = *open_.batch;
  for (JobEntry* entry : dirty_jobs_) {
    entry->dirty = false;
    batch.jobs.push_back(entry->row);
  }
  dirty_jobs_.clear();
  tree_.take(batch);
  if (!batch.empty()) record_clock_now_and_then();
  return std::exchange(open_, Tick{});
}

void Engine::touch(JobEntry& entry) {
  if (!std::exchange(entry.dirty, true)) dirty_jobs_.push_back(&entry);
}

void Engine::log_job(model::EventType type, const model::Job& job, Time now) {
  append({.seq = {},
          .at = now,
          .type = type,
          .job = job.uid,
          .task = {},
          .root = {},
          .before = model::State::kCreated,
          .after = model::State::kCreated,
          .job_id = job.id(),
          .message = {}},
         {});
}

EventSeq Engine::append(model::Event event, const std::string& run_name) {
  const EventSeq seq{++last_event_.value};
  event.seq = seq;
  if (observed_) open_.notices.push_back({event, run_name});
  open_.batch->events.push_back(std::move(event));
  return seq;
}

// ---- tasks of every kind

bool Engine::is_live(TaskId id) const {
  const Node* node = find_task(id);
  return node && !node->is_final();
}

Result<> Engine::abort_task(TaskId id, Time now) {
  Node* node = tree_.find(id);
  if (!node || node->is_final() || node->is_reported()) return operations_.abort(id, now);
  if (node->is_step()) return fail(ErrorKind::kDenied, "a step ends only with its run");
  if (node->parent) return fail(ErrorKind::kDenied, "an attempt ends only with its run");
  if (model::is_action(node->task) && !node->what().abortable) {
    return fail(ErrorKind::kDenied, "the task cannot be aborted");
  }
  stop(*node, "Stopped", now);
  return {};
}

bool Engine::has_runs(const std::string& module) const {
  return module == kinds_.all().front()->name() || jobs_.has_kind(module);
}

bool Engine::has_module(const std::string& module) const {
  return has_runs(module) || operations_.has_module(module);
}

std::vector<std::string> Engine::modules() const {
  std::vector<std::string> names;
  for (const Kind* kind : kinds_.all()) {
    if (has_runs(std::string(kind->name()))) names.emplace_back(kind->name());
  }
  for (std::string& name : operations_.modules()) {
    if (!has_runs(name)) names.push_back(std::move(name));
  }
  return names;
}

std::vector<std::uint32_t> Engine::lanes(const std::string& module) const {
  std::vector<std::uint32_t> lanes = operations_.lanes(module);
  if (has_runs(module) && (lanes.empty() || lanes.front() != 0)) lanes.insert(lanes.begin(), 0);
  return lanes;
}

Result<> Engine::drain(const std::string& module) {
  if (!has_module(module)) {
    return fail({.kind = ErrorKind::kNotFound, .message = "no such module", .subject = "module"});
  }
  operations_.drain(module);
  return {};
}

void Engine::set_task_ttls(Duration ttl, Duration user_ttl) {
  settings_.task_ttl = ttl;
  settings_.user_task_ttl = user_ttl;
}

void Engine::unlist(TaskId id) {
  open_.batch->listings.push_back(
      {.task = id, .module = {}, .lane = 0, .internal = false, .until = kNever});
}

// A run that somebody asked for is forgotten later than one that a schedule or a parent started.
void Engine::list_ended(const Node& run, Time now) {
  if (model::is_action(run.task)) return operations_.list_ended(run, now);
  const bool asked_for = run.task.trigger == model::Trigger::kManual;
  const Duration ttl = asked_for ? settings_.user_task_ttl : settings_.task_ttl;
  if (ttl == Duration::zero()) return;
  open_.batch->listings.push_back({.task = run.task.id,
                                   .module = run.job->definition.spec.kind,
                                   .lane = 0,
                                   .internal = false,
                                   .until = trusted(now) + ttl});
}

// ---- secrets

Result<> Engine::put_secret(const std::string& name, const std::string& value, Time now) {
  if (!refusal_.empty()) return fail(ErrorKind::kExhausted, refusal_);
  const std::string path(model::secret_place(name));
  model::SealedSecret secret{path, vault_.seal(path, value, random_), now};
  open_.batch->secrets.push_back(secret);
  secrets_[path] = std::move(secret);
  return {};
}

Result<> Engine::delete_secret(const std::string& name) {
  const std::string path(model::secret_place(name));
  if (secrets_.erase(path) == 0) {
    return fail({.kind = ErrorKind::kNotFound, .message = "Secret not found", .subject = "secret"});
  }
  open_.batch->dropped_secrets.push_back(path);
  return {};
}

std::vector<std::pair<std::string, Time>> Engine::secrets() const {
  std::vector<std::pair<std::string, Time>> paths;
  for (const auto& [path, secret] : secrets_) paths.emplace_back(path, secret.updated_at);
  return paths;
}

Result<std::string> Engine::secret(const std::string& path) const {
  const auto it = secrets_.find(std::string(model::secret_place(path)));
  if (it == secrets_.end())
    return fail(ErrorKind::kNotFound, "secret \"" + path + "\" is not in the secret store");
  return vault_.unseal(it->first, it->second.sealed);
}

}  // namespace docket::engine
