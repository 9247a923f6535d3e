#pragma once

// The rules that every durable batch must keep, judged against the record, which then takes the
// batch in. Costs what the batch costs, not what history costs.

#include <map>
#include <string>

#include "engine/queue.h"
#include "engine/settings.h"
#include "kinds/process/process_kind.h"
#include "sim/record.h"
#include "sim/sim_clock.h"
#include "sim/verdict.h"

namespace docket::sim {

class BatchRules {
 public:
  BatchRules(Record& record, Verdict& verdict, const SimClock& clock,
             const engine::Settings& settings)
      : record_(record),
        verdict_(verdict),
        clock_(clock),
        settings_(settings),
        kind_(settings.kill_grace),
        targets_(settings.node),
        node_(settings, no_locks_, targets_) {}
  void apply(const engine::Batch& batch);

 private:
  using Rows = std::map<TaskId, const model::Task*>;

  void take_jobs(const engine::Batch& batch);
  void follow_events(const engine::Batch& batch, const Rows& rows);
  void follow(const model::Event& event, const model::Task& row);
  void forbid(const engine::Batch& batch, const model::Task& run);
  void take_tasks(const Rows& rows);
  void take_task(const model::Task& task);
  void check_new(const model::Task& task);
  void check_time(const model::Task& task);
  void take_schedules(const engine::Batch& batch);
  void follow_schedule(const model::Schedule& before, const model::Schedule& after);
  void take_ledger(const engine::Batch& batch);
  void take_entry(const engine::Batch& batch, const model::LedgerEntry& entry);
  void check_lateness(const engine::Batch& batch, const model::LedgerEntry& entry);
  void check_ran(const model::LedgerEntry& entry);
  void take_locks(const engine::Batch& batch);
  void check_turn(const model::Lock& granted);
  void check_holders();
  void take_sweep(const engine::Sweep& sweep);
  void check_stats(const engine::Batch& batch, const Rows& rows);

  Record& record_;
  Verdict& verdict_;
  const SimClock& clock_;
  const engine::Settings& settings_;
  const kinds::ProcessKind kind_;
  const engine::LockTable no_locks_;
  Time newest_at_ = kNever;  // of an event
  const engine::Targets targets_;
  const engine::Queue node_;        // the empty node
  std::set<ScheduleUid> set_back_;  // got new times while the clock was behind their ledger
  std::set<std::pair<Time, TaskId>> ended_runs_;  // that no sweep was allowed to remove
  std::map<TaskId, model::State> states_;         // within this batch, by its events
};

}  // namespace docket::sim
