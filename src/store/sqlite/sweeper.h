#pragma once

// Retention: removes trees that ended long ago, then what only they needed. The work of one sweep
// is bounded by what it removes, not by the length of history: every candidate comes from an index.
// Writer's thread only.

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "engine/batch.h"
#include "store/sqlite/database.h"

namespace docket::store {

class Sweeper {
 public:
  explicit Sweeper(Database& database);
  Result<> prepared() const;

  Result<> sweep(const engine::Sweep& sweep);
  void forget_cached() { released_.clear(); }  // after a rollback
  // Numbers are never given out again, so the highest ones must outlive their rows: call before
  // deleting jobs, schedules, tasks or events.
  Result<> remember_last_numbers();

 private:
  Result<> sweep_trees(const engine::Sweep& sweep);
  Result<std::vector<std::int64_t>> ended_trees(const engine::Sweep& sweep);
  Result<std::set<std::int64_t>> roots_with_live_children();
  Result<> remove_events(std::int64_t root, Time before);
  Result<> remove_from_leaves(std::int64_t top);
  Result<> sweep_below(std::int64_t live, const engine::Sweep& sweep);
  Result<> remove_trees(Statement& found, Time finished_before);
  Result<> remove_task(std::int64_t id);
  Result<> release_uses();
  Result<> sweep_listings(const engine::Sweep& sweep);
  Result<> sweep_ledger(const engine::Sweep& sweep);
  Result<> sweep_deleted_jobs(const engine::Sweep& sweep);
  Result<> remove_job(std::int64_t uid);

  Database* database_;
  std::uint32_t rows_left_ = 0;  // of this sweep
  Statement ended_roots_, newest_child_, live_roots_, oldest_events_, folded_, old_attempts_;
  Statement use_of_task_;
  Statement delete_task_, delete_tree_events_, delete_tree_details_, delete_result_;
  Statement delete_operation_, delete_listing_, delete_listings_;
  Statement release_use_, delete_ledger_, deleted_jobs_, delete_job_events_, delete_job_,
      retire_uses_;
  Statement delete_versions_, delete_uses_, delete_blocks_, remember_;
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> released_;
};

}  // namespace docket::store
