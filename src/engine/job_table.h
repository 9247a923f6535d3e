#pragma once

// Jobs by id, with what the engine knows about each: its totals, its live runs, its schedules.
// Strand only.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "engine/batch.h"
#include "engine/task_tree.h"

namespace docket::engine {

struct JobEntry {
  JobRow row;
  std::map<TaskId, Node*> active;                              // runs not final, oldest first
  std::unordered_map<std::string_view, Node*> active_by_name;  // keys point into the nodes
  // Final runs with a process that has not ended yet, and those runs of deleted jobs with this id
  // that are not wholly over.
  std::uint32_t terminating = 0;
  std::map<std::string, ScheduleUid> schedules;  // by schedule id
  std::vector<JobEntry*> dependents;             // jobs that name this one as a dependency
  bool dirty = false;
  bool leaving = false;  // is being deleted: nothing starts it any more

  const model::Job& job() const { return *row.job; }
  const std::string& id() const { return row.job->id(); }
  // A run of it waits, runs, or has a process that has not ended yet.
  bool is_busy() const { return !active.empty() || terminating > 0; }
};

// The state of a parent job, for the start of its dependent (reference/metronome.md section 8).
enum class ParentState : std::uint8_t {
  kReady,    // its newest run succeeded, and has not yet started the child
  kUnknown,  // there is no such job
  kActive,   // it waits or runs
  kNeverRan,
  kFailed,    // or was stopped
  kNotSince,  // its success was before the child's last start
};

class JobTable {
 public:
  JobEntry* find(const std::string& id) const;
  JobEntry* find(JobUid uid) const;  // of the present life only
  const std::map<std::string, std::unique_ptr<JobEntry>>& by_id() const { return by_id_; }
  bool has_kind(std::string_view kind) const { return by_kind_.contains(kind); }
  JobUid last_uid() const { return last_uid_; }
  JobUid new_uid() { return JobUid{++last_uid_.value}; }

  JobEntry& insert(JobRow row);  // the id must be free
  void erase(JobEntry& entry);
  void set_definition(JobEntry& entry, model::JobPtr job);  // same id and kind
  void restore(JobUid last_uid) { last_uid_ = last_uid; }
  void link_all();  // after a restore, when every job is in
  // From here on, or no longer, a run of the job with this id counts as terminating (JobEntry).
  void add_terminating(const std::string& id);
  void remove_terminating(const std::string& id);

  ParentState parent_state(const JobEntry& child, const std::string& parent_id) const;

  // kInvalid, worded as in the reference: unknown ids, a cycle (also a job that depends on
  // itself).
  Result<> check_dependencies(const model::JobDefinition& definition) const;

 private:
  void link(JobEntry& entry);
  void unlink(JobEntry& entry);
  bool reaches(const JobEntry& from, const std::string& target,
               std::set<const JobEntry*>& seen) const;

  std::map<std::string, std::unique_ptr<JobEntry>> by_id_;
  std::unordered_map<JobUid, JobEntry*> by_uid_;
  std::map<std::string, std::size_t, std::less<>> by_kind_;     // how many jobs there are
  std::unordered_map<std::string, std::uint32_t> terminating_;  // of ids that no job has at present
  JobUid last_uid_;
};

}  // namespace docket::engine
