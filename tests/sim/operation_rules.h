#pragma once

// The rules of operations (src/engine/operations.h), judged on every durable batch before the
// record takes it in: numbers, states, folding, inherited aborts, leases, listings. The tallies of
// parents are counted again here, from the events. Costs what the batch costs.

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/settings.h"
#include "sim/record.h"
#include "sim/sim_clock.h"
#include "sim/verdict.h"

namespace docket::sim {

class OperationRules {
 public:
  OperationRules(Record& record, Verdict& verdict, const SimClock& clock,
                 const engine::Settings& settings)
      : record_(record),
        verdict_(verdict),
        clock_(clock),
        ttls_{settings.task_ttl, settings.user_task_ttl} {}

  void apply(const engine::Batch& batch);
  // The snapshot of a restart has the live operations, and their figures.
  void check_loaded(const engine::Snapshot& snapshot);
  // While nothing is being committed: no live operation was silent for longer than its lease.
  void check_leases();

  // What is known of reporters, and of what may delay the engine, in true time.
  void heard(TaskId operation) { heard_[operation] = clock_.true_now(); }
  void fell_silent(TaskId operation) { silent_.insert(operation); }
  void booted();
  void disturbed(Duration until) { disturbed_ = std::max(disturbed_, until); }
  void clock_set(Duration by) { ahead_max_ += std::max(by, Duration::zero()); }
  void ttls_set(Duration ttl, Duration user_ttl) { ttls_.insert({ttl, user_ttl}); }

 private:
  void collect(const engine::Batch& batch);
  void follow(const model::Event& event);
  void follow_change(const model::Event& event, OperationLife& life);
  void create(const model::Task& row);
  void number(const model::Task& row, const OperationLife* parent);
  void take_number(const model::Operation& what);
  void end(const model::Event& event, OperationLife& life);
  void fold(OperationLife& parent, const OperationLife& child, const model::Task& row);
  void check_end(const model::Event& event, const OperationLife& life);
  void check_lost(const model::Event& event, const OperationLife& life);
  void take_row(const model::Task& row);
  void check_families();
  bool is_stopping(const OperationLife& life);
  void check_nothing_hangs_on(TaskId lost);
  std::vector<TaskId> live_below(TaskId id) const;
  bool is_due(TaskId id, Time at) const;
  bool has_its_time(Time until, Time finished_at) const;
  void take_lanes(const engine::Batch& batch);
  void check_listings(const engine::Batch& batch);
  OperationLife* life_of(TaskId id);

  Record& record_;
  Verdict& verdict_;
  const SimClock& clock_;
  std::set<Duration> ttls_;  // that listings may have
  Duration ahead_max_{};     // by how much the clock was set forward, in all
  std::unordered_map<TaskId, Duration> heard_;
  std::set<TaskId> silent_;  // whose reporters are gone
  Duration disturbed_{};

  // For the batch at hand.
  std::map<TaskId, const model::Task*> rows_;
  std::map<TaskId, const model::Task*> actions_;  // they have numbers, but are judged elsewhere
  std::map<std::string, std::size_t> drops_;      // of modules, that no number has shown yet
  std::set<std::string> dropped_;
  std::vector<TaskId> parents_;   // whose tallies have changed
  std::vector<TaskId> lost_;      // not heard from
  std::vector<TaskId> too_late_;  // created below one that was asked to stop
};

}  // namespace docket::sim
