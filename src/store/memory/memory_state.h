#pragma once

// The content of a memory store as one value: copy it to fork a world, keep it to survive a
// simulated crash. Ordered maps, so that every answer comes in the order of the port without
// sorting. apply() costs O(batch), never O(state).

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/store.h"

namespace docket::store {

class MemoryState {
 public:
  // Refuses (kInternal, nothing changed) a task whose identity differs from what was put before,
  // see same_identity(); and an operation that does not say what it is.
  Result<> apply(const engine::Batch& batch);
  engine::Snapshot snapshot() const;

  const std::map<TaskId, model::Task>& tasks() const { return tasks_; }
  const std::map<EventSeq, model::Event>& events() const { return events_; }
  const std::map<std::pair<ScheduleUid, Time>, model::LedgerEntry>& ledger() const {
    return ledger_;
  }
  const std::map<TaskId, std::string>& results() const { return results_; }
  const std::map<TaskId, model::Listing>& listings() const { return listings_; }
  const model::Task* task(TaskId id) const;
  std::string job_id(JobUid job) const;
  engine::TaskRow row_of(const model::Task& task) const;
  model::JobPtr job_version(JobUid job, std::uint32_t version) const;
  std::vector<TaskId> children(TaskId parent) const;  // oldest first
  std::vector<TaskId> roots_of_job(JobUid job) const;

 private:
  struct Version {
    model::JobPtr job;
    std::uint64_t tasks = 0;  // that were started with it
  };
  using VersionKey = std::pair<JobUid, std::uint32_t>;

  void put_job(const engine::JobRow& row);
  void put_task(const model::Task& task);
  void put_ledger(const model::LedgerEntry& entry);
  void put_listings(const engine::Batch& batch);
  void sweep(const engine::Sweep& sweep);
  void sweep_trees(const engine::Sweep& sweep);
  void sweep_listings(const engine::Sweep& sweep);
  void sweep_ledger(const engine::Sweep& sweep);
  void sweep_deleted_jobs(const engine::Sweep& sweep);
  void sweep_versions();
  void erase_events(TaskId root, Time before);
  void erase_event(EventSeq seq);
  void erase_from_leaves(TaskId top);
  void sweep_below(TaskId live, const engine::Sweep& sweep);
  void erase_attempts(TaskId live, const engine::Sweep& sweep);
  void erase_task(TaskId id);
  std::vector<TaskId> tree(TaskId root) const;  // the root, then all below it
  bool has_live(TaskId root) const;
  std::set<TaskId> live_members() const;  // what a snapshot has

  std::map<JobUid, engine::JobRow> jobs_;
  std::map<VersionKey, Version> versions_;
  std::map<ScheduleUid, model::Schedule> schedules_;
  std::map<TaskId, model::Task> tasks_;
  std::map<EventSeq, model::Event> events_;
  std::map<TaskId, std::string> results_;
  std::map<std::string, model::Lock> locks_;
  std::map<std::pair<ScheduleUid, Time>, model::LedgerEntry> ledger_;
  std::map<std::string, model::SealedSecret> secrets_;
  std::map<RecordId, model::Record> records_;
  RecordId last_record_;
  std::map<TaskId, model::Listing> listings_;
  std::map<std::pair<std::string, std::uint32_t>, model::Lane> lanes_;
  // Indexes of tasks_ and events_.
  std::set<std::pair<TaskId, TaskId>> by_parent_;  // (parent, child)
  std::set<std::pair<JobUid, TaskId>> by_job_;     // every task
  std::set<TaskId> live_;                          // not final
  std::set<std::pair<Time, TaskId>> ended_roots_;  // (finished_at, root)
  std::set<std::pair<TaskId, EventSeq>> events_by_root_;
  std::set<std::pair<JobUid, EventSeq>> events_by_job_;
  std::set<std::tuple<Time, ScheduleUid, Time>> ledger_by_end_;  // (last_due, schedule, first_due)
  std::optional<model::ClockRecord> clock_;
  std::uint64_t epoch_ = 0;
  std::uint32_t rows_left_ = 0;  // of the sweep
  JobUid last_job_;
  ScheduleUid last_schedule_;
  TaskId last_task_;
  EventSeq last_event_;
};

// A task's identity never changes once it was put: its place in the tree, its job and version, its
// name, when and why it was made, the description of an operation. The rest (state, instants,
// outcome, message) is what an upsert may change.
bool same_identity(const model::Task& one, const model::Task& other);

}  // namespace docket::store
