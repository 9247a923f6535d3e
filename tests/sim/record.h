#pragma once

// What the store must hold: a model of its own, made from the batches that became durable. The
// invariants are judged on it, and the store is compared with it after every restart.

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/batch.h"
#include "engine/kind.h"

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

struct Record {
  std::map<JobUid, JobLife> jobs;
  std::map<ScheduleUid, model::Schedule> schedules;
  std::unordered_map<TaskId, model::Task> tasks;
  std::unordered_map<TaskId, std::uint32_t> live_attempts;  // of a run
  std::map<std::string, model::Lock> locks;
  std::map<ScheduleUid, std::map<Time, model::LedgerEntry>> ledger;  // by first due time
  std::vector<TaskId> scheduled_runs;
  std::map<std::string, model::SealedSecret> secrets;
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
  bool is_live(TaskId run) const {  // not final, or with a process that is not gone
    const model::Task* found = task(run);
    if (!found) return false;
    const auto attempts = live_attempts.find(run);
    return !model::is_final(found->state) ||
           (attempts != live_attempts.end() && attempts->second > 0);
  }
};

inline const model::ProcessSpec& process_of(const model::Job& job) {
  return std::get<model::ProcessSpec>(job.definition.spec);
}

// Due times come from the same three things; a change of another member leaves them alone.
inline bool same_timing(const model::ScheduleDefinition& a, const model::ScheduleDefinition& b) {
  return a.cron == b.cron && a.zone == b.zone && a.enabled == b.enabled;
}

}  // namespace docket::sim
