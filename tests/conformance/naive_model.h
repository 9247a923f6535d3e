#pragma once

// What a store should answer, computed the slow and obvious way: lists of rows, every question
// answered by looking at all of them. Shares no code with any store.

#include <vector>

#include "engine/store.h"

namespace docket::conformance {

class NaiveModel {
 public:
  void apply(const engine::Batch& batch);
  engine::Snapshot snapshot() const;
  std::vector<engine::TaskRow> tasks(const engine::TaskQuery& query) const;
  std::vector<engine::FinishedRun> history(const engine::HistoryQuery& query) const;
  std::vector<model::Event> events(const engine::EventQuery& query) const;
  std::vector<model::LedgerEntry> ledger(ScheduleUid schedule, Time from, Time until,
                                         std::uint32_t limit) const;
  std::vector<engine::TaskRow> children(const engine::ChildQuery& query) const;
  std::vector<engine::ListedRow> listed(const engine::ListedQuery& query) const;
  std::optional<model::Listing> listing(TaskId task) const;
  std::optional<TaskId> task_of_uuid(const std::string& uuid) const;
  std::optional<model::JobPtr> job_version(JobUid job, std::uint32_t version) const;
  const std::vector<model::Task>& all_tasks() const { return tasks_; }
  const std::vector<engine::JobRow>& all_jobs() const { return jobs_; }

 private:
  std::string job_id(JobUid job) const;
  engine::TaskRow row_of(const model::Task& task) const;
  const engine::JobRow* job(JobUid uid) const;
  bool has_tasks(JobUid job) const;
  bool is_current(const model::Job& version) const;
  bool is_used(const model::Job& version) const;
  bool tree_is_live(TaskId root) const;
  bool has_live_member(const model::Task& top) const;
  bool is_remembered(const model::Task& each) const;  // it is in a snapshot
  const model::Task* task(TaskId id) const;
  void put_listings(const engine::Batch& batch);
  void sweep(const engine::Sweep& sweep);
  void sweep_trees(const engine::Sweep& sweep);
  void sweep_listings(const engine::Sweep& sweep);
  void sweep_ledger(const engine::Sweep& sweep);
  void sweep_jobs(const engine::Sweep& sweep);
  void remember_last(const engine::Batch& batch);

  std::vector<engine::JobRow> jobs_;  // each list in the order of its key
  std::vector<model::JobPtr> versions_;
  std::vector<model::Schedule> schedules_;
  std::vector<model::Task> tasks_;
  std::vector<model::Event> events_;
  std::vector<model::Lock> locks_;
  std::vector<model::LedgerEntry> ledger_;
  std::vector<model::SealedSecret> secrets_;
  std::vector<model::Record> records_;
  std::vector<model::Listing> listings_;
  std::vector<model::Lane> lanes_;
  engine::Snapshot last_;  // only its numbers
};

}  // namespace docket::conformance
