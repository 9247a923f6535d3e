// Jobs and schedules: the definitions part of the engine.

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "engine/engine.h"
#include "model/flaws.h"

namespace docket::engine {
namespace {

Error not_found(const char* subject, const char* message) {
  return {.kind = ErrorKind::kNotFound, .message = message, .subject = subject};
}

Error no_such_job() { return not_found("job", "Job not found"); }
Error no_such_schedule() { return not_found("schedule", "Schedule not found"); }

}  // namespace

Result<const JobEntry*> Engine::create_job(model::JobDefinition definition,
                                           std::vector<model::ScheduleDefinition> schedules,
                                           Time now) {
  if (!refusal_.empty()) return fail(ErrorKind::kExhausted, refusal_);
  if (const auto checked = check(definition, schedules); !checked) return fail(checked.error());
  if (jobs_.find(definition.id))
    return fail(ErrorKind::kConflict, "Job with this id already exists");
  if (jobs_.by_id().size() >= settings_.jobs_max)
    return fail(ErrorKind::kExhausted, "too many jobs");

  auto job = std::make_shared<model::Job>();  // shared: see model::JobPtr
  job->uid = jobs_.new_uid();
  job->created_at = job->updated_at = now;
  job->definition = std::move(definition);
  JobRow row;
  row.job = std::move(job);
  JobEntry& entry = jobs_.insert(std::move(row));
  touch(entry);
  for (model::ScheduleDefinition& schedule : schedules)
    insert_schedule(entry, std::move(schedule), now);
  log_job(model::EventType::kJobCreated, entry.job(), now);
  return &entry;
}

Result<const JobEntry*> Engine::update_job(const std::string& id, model::JobDefinition definition,
                                           Time now) {
  JobEntry* entry = jobs_.find(id);
  if (!entry) return fail(no_such_job());
  return update_job(id, std::move(definition), schedules_of(*entry), now);
}

Result<const JobEntry*> Engine::update_job(const std::string& id, model::JobDefinition definition,
                                           std::vector<model::ScheduleDefinition> schedules,
                                           Time now) {
  if (!refusal_.empty()) return fail(ErrorKind::kExhausted, refusal_);
  JobEntry* entry = jobs_.find(id);
  if (!entry) return fail(no_such_job());
  definition.id = id;
  if (const auto checked = check(definition, schedules); !checked) return fail(checked.error());
  if (const std::string& kind = entry->job().definition.spec.kind; kind != definition.spec.kind) {
    return fail(
        invalid({{"/kind", {fmt::format("cannot be changed: the job is of kind '{}'", kind)}}}));
  }

  auto job = std::make_shared<model::Job>(entry->job());  // shared: see model::JobPtr
  ++job->version;
  job->updated_at = now;
  job->definition = std::move(definition);
  jobs_.set_definition(*entry, std::move(job));
  touch(*entry);
  put_schedules(*entry, std::move(schedules), now);
  log_job(model::EventType::kJobUpdated, entry->job(), now);
  return entry;
}

Result<model::JobPtr> Engine::delete_job(const std::string& id, ActiveRuns active, Time now) {
  JobEntry* entry = jobs_.find(id);
  if (!entry) return fail(no_such_job());
  // Dependents first: nothing may be stopped for a deletion that is refused (reference section 3,
  // [rule]).
  if (!entry->dependents.empty()) {
    std::vector<std::string> children;
    for (const JobEntry* child : entry->dependents) children.push_back(child->id());
    std::ranges::sort(children);
    return fail(ErrorKind::kConflict,
                fmt::format("There are jobs with a dependency on {}. children=[{}]", id,
                            fmt::join(children, ", ")));
  }
  if (!entry->active.empty() && active == ActiveRuns::kRefuse) {
    return fail(ErrorKind::kConflict,
                "There are active job runs. Override with stopCurrentJobRuns=true");
  }
  entry->leaving = true;
  stop_all(*entry, "The job was deleted", now);
  while (!entry->schedules.empty()) drop_schedule(*entry, entry->schedules.begin()->second);
  model::JobPtr job = entry->row.job;
  log_job(model::EventType::kJobDeleted, *job, now);
  auto last = std::make_shared<model::Job>(*job);  // shared: see model::JobPtr
  last->updated_at = now;                          // retention counts from here
  entry->row.job = std::move(last);
  entry->row.deleted = true;
  std::erase(dirty_jobs_, entry);
  // A run of a deleted job that is not over yet blocks a new job with this id.
  entry->terminating += static_cast<std::uint32_t>(entry->active.size());
  open_.batch->jobs.push_back(entry->row);
  jobs_.erase(*entry);
  return job;
}

const JobEntry* Engine::job(const std::string& id) const { return jobs_.find(id); }

Result<> Engine::check(const model::JobDefinition& definition,
                       const std::vector<model::ScheduleDefinition>& schedules) const {
  model::Flaws flaws;
  model::check(definition, flaws);
  kinds_.of(definition.spec).check(definition, flaws);
  if (auto fields = flaws.take(); !fields.empty()) return fail(invalid(std::move(fields)));
  if (!definition.dependencies.empty() && !schedules.empty()) {
    return fail(invalid({{"/", {"Jobs may not have both dependencies and schedules specified"}}}));
  }
  if (schedules.size() > settings_.schedules_per_job_max) {
    return fail(ErrorKind::kInvalid, fmt::format("a job may have at most {} schedules",
                                                 settings_.schedules_per_job_max));
  }
  std::set<std::string_view> ids;
  for (const model::ScheduleDefinition& schedule : schedules) {
    if (!ids.insert(schedule.id).second) return fail(schedule_exists(schedule.id));
  }
  return jobs_.check_dependencies(definition);
}

// ---- schedules

std::vector<model::ScheduleDefinition> Engine::schedules_of(const JobEntry& entry) const {
  std::vector<model::ScheduleDefinition> definitions;
  for (const auto& [id, uid] : entry.schedules) {
    definitions.push_back(scheduler_.find(uid)->definition);
  }
  return definitions;
}

Error Engine::invalid(std::vector<FieldError> fields) {
  return {
      .kind = ErrorKind::kInvalid, .message = "Object is not valid", .fields = std::move(fields)};
}

Error Engine::schedule_exists(const std::string& id) {
  return {.kind = ErrorKind::kConflict,
          .message = fmt::format("requirement failed: A schedule with id {} already exists", id)};
}

Result<const model::Schedule*> Engine::add_schedule(const std::string& job_id,
                                                    model::ScheduleDefinition definition,
                                                    Time now) {
  if (!refusal_.empty()) return fail(ErrorKind::kExhausted, refusal_);
  JobEntry* entry = jobs_.find(job_id);
  if (!entry) return fail(no_such_job());
  if (entry->schedules.contains(definition.id)) return fail(schedule_exists(definition.id));
  std::vector<model::ScheduleDefinition> all = schedules_of(*entry);
  all.push_back(definition);
  if (const auto checked = check(entry->job().definition, all); !checked) {
    return fail(checked.error());
  }
  return &insert_schedule(*entry, std::move(definition), now);
}

Result<const model::Schedule*> Engine::update_schedule(const std::string& job_id,
                                                       model::ScheduleDefinition definition,
                                                       Time now) {
  if (!refusal_.empty()) return fail(ErrorKind::kExhausted, refusal_);
  JobEntry* entry = jobs_.find(job_id);
  if (!entry) return fail(no_such_job());
  const auto it = entry->schedules.find(definition.id);
  if (it == entry->schedules.end()) return fail(no_such_schedule());
  model::Schedule& schedule = *scheduler_.find(it->second);
  redefine(schedule, std::move(definition), now);
  return &schedule;
}

Result<> Engine::remove_schedule(const std::string& job_id, const std::string& schedule_id, Time) {
  JobEntry* entry = jobs_.find(job_id);
  if (!entry) return fail(no_such_job());
  const auto it = entry->schedules.find(schedule_id);
  if (it == entry->schedules.end()) return fail(no_such_schedule());
  drop_schedule(*entry, it->second);
  return {};
}

std::optional<Time> Engine::next_run_at(const model::Schedule& schedule, Time now) {
  return schedule.definition.cron.next(now, schedule.definition.zone);
}

const model::Schedule& Engine::insert_schedule(JobEntry& entry,
                                               model::ScheduleDefinition definition, Time now) {
  model::Schedule schedule{.uid = scheduler_.new_uid(),
                           .job = entry.job().uid,
                           .definition = std::move(definition),
                           .created_at = now,
                           .checked_until = now,
                           .watched_from = now};
  open_.batch->schedules.push_back(schedule);
  entry.schedules.emplace(schedule.definition.id, schedule.uid);
  return scheduler_.insert(std::move(schedule));
}

// A schedule with other times starts afresh: what was due before now is not looked at again
// (reference section 6). One that keeps its times continues where it is: an update must not
// swallow a due time that no tick has seen yet, nor fire one again after the clock was set back.
void Engine::redefine(model::Schedule& schedule, model::ScheduleDefinition definition, Time now) {
  const auto times = [](const model::ScheduleDefinition& of) {
    return std::tie(of.cron, of.zone, of.enabled);
  };
  const bool same = times(schedule.definition) == times(definition);
  schedule.definition = std::move(definition);
  if (!same) {
    schedule.watched_from = now;
    schedule.done_from = schedule.done_until = kNever;
  }
  scheduler_.advance_to(schedule, same ? schedule.checked_until : now);
  open_.batch->schedules.push_back(schedule);
}

void Engine::drop_schedule(JobEntry& entry, ScheduleUid uid) {
  entry.schedules.erase(scheduler_.find(uid)->definition.id);
  scheduler_.erase(uid);
  open_.batch->dropped_schedules.push_back(uid);
}

// Makes the job's schedules exactly these; one that keeps its id keeps its number, and so its
// ledger.
void Engine::put_schedules(JobEntry& entry, std::vector<model::ScheduleDefinition> schedules,
                           Time now) {
  std::map<std::string, ScheduleUid> gone = entry.schedules;
  for (const model::ScheduleDefinition& schedule : schedules) gone.erase(schedule.id);
  for (const auto& [id, uid] : gone) drop_schedule(entry, uid);
  for (model::ScheduleDefinition& schedule : schedules) {
    const auto it = entry.schedules.find(schedule.id);
    if (it == entry.schedules.end()) {
      insert_schedule(entry, std::move(schedule), now);
    } else {
      redefine(*scheduler_.find(it->second), std::move(schedule), now);
    }
  }
}

}  // namespace docket::engine
