#pragma once

// What the store must hold: an independent model, made from the batches that became durable. The
// invariants are judged on it, and the store is compared with it after every restart.

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/batch.h"
#include "engine/kind.h"
#include "kinds/process/spec.h"

namespace docket::sim {

struct JobLife {
  std::map<std::uint32_t, model::JobPtr> versions;
  engine::JobRow row;
  std::uint64_t succeeded = 0;  // counted from the runs
  std::uint64_t failed = 0;
  std::set<TaskId> active;  // runs that are not final
  std::set<TaskId> live;    // attempts that are not final
  std::set<std::string> run_names;
};

struct OperationLife {
  model::Task task;       // its newest row
  model::Tally tally;     // counted from the ends of its children
  std::set<TaskId> live;  // children; once it has ended: those that it left behind
  model::State state = model::State::kCreated;  // by its events
  bool stopping = false;
  EventSeq ended_by;
};

struct Record {
  std::map<JobUid, JobLife> jobs;
  std::map<ScheduleUid, model::Schedule> schedules;
  std::unordered_map<TaskId, model::Task> tasks;
  std::unordered_map<TaskId, model::Task> steps;
  std::unordered_map<TaskId, std::uint32_t> live_attempts;  // of a run, also below its steps
  std::unordered_map<TaskId, std::uint32_t> beside;         // live attempts of one run or step
  std::map<std::string, model::Lock> locks;
  std::map<ScheduleUid, std::map<Time, model::LedgerEntry>> ledger;  // by first due time
  std::vector<TaskId> scheduled_runs;
  std::map<std::string, model::SealedSecret> secrets;
  std::unordered_map<TaskId, OperationLife> operations;
  std::set<TaskId> live_operations;
  std::map<std::pair<std::string, std::uint32_t>, std::uint64_t> lanes;  // their last numbers
  std::map<std::string, model::Event> notes;                             // by their text
  Time swept_until = kNever;  // what had finished before may be gone
  EventSeq last_event;
  TaskId last_task;
  std::uint64_t batches = 0;

  const model::Task* task(TaskId id) const {
    const auto it = tasks.find(id);
    return it == tasks.end() ? nullptr : &it->second;
  }
  model::JobPtr job_of(const model::Task& task) const {
    const auto life = jobs.find(task.job);
    if (life == jobs.end()) return nullptr;
    const auto version = life->second.versions.find(task.job_version);
    return version == life->second.versions.end() ? nullptr : version->second;
  }
  // The job with this id that is not deleted, or null.
  const JobLife* job(const std::string& id) const {
    for (const auto& [uid, life] : jobs) {
      if (!life.row.deleted && life.row.job->id() == id) return &life;
    }
    return nullptr;
  }
  bool may_be_swept(TaskId run) const {
    const model::Task* found = task(run);
    return found && !is_live(run) && found->finished_at < swept_until;
  }
  // It, or something above it, ended long ago and was a root or has folded.
  bool may_be_swept_operation(TaskId id) const {
    for (auto at = operations.find(id); at != operations.end();) {
      const model::Task& task = at->second.task;
      const bool left = !task.parent || task.tally.fold != 0;
      if (model::is_final(at->second.state) && left && task.finished_at < swept_until) return true;
      at = task.parent ? operations.find(task.parent) : operations.end();
    }
    return false;
  }
  bool is_live_step(TaskId id) const {
    const auto step = steps.find(id);
    if (step == steps.end()) return false;
    const auto attempts = beside.find(id);
    return !model::is_final(step->second.state) ||
           (attempts != beside.end() && attempts->second > 0);
  }
  bool is_live(TaskId run) const {  // not final, or with a process that is not gone
    const model::Task* found = task(run);
    if (!found) return is_live_step(run);
    const auto attempts = live_attempts.find(run);
    return !model::is_final(found->state) ||
           (attempts != live_attempts.end() && attempts->second > 0);
  }
};

// Null: the job is of another kind.
inline const kinds::ProcessSpec* process_of(const model::Job& job) {
  return model::get_if<kinds::ProcessSpec>(job.definition.spec);
}

// Due times come from the same three things; a change of another member leaves them alone.
inline bool same_timing(const model::ScheduleDefinition& a, const model::ScheduleDefinition& b) {
  return a.cron == b.cron && a.zone == b.zone && a.enabled == b.enabled;
}

}  // namespace docket::sim
