#pragma once

// Retention: removes trees that ended long ago, then what only they needed. The work of one sweep
// is bounded by what it removes, not by the length of history: every candidate comes from an index.
// Writer's thread only.

#include <cstdint>
#include <map>
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
  struct Tree {
    std::vector<std::int64_t> members;  // the root first
    bool live = false;                  // a member has not ended
  };

  Result<> sweep_trees(const engine::Sweep& sweep);
  Result<std::vector<Tree>> ended_trees(const engine::Sweep& sweep);
  Result<Tree> tree_of(std::int64_t root);
  Result<> remove_tree(const Tree& tree);
  Result<> remove_task(std::int64_t id);
  Result<> release_uses();
  Result<> sweep_listings(const engine::Sweep& sweep);
  Result<> sweep_ledger(const engine::Sweep& sweep);
  Result<> sweep_deleted_jobs(const engine::Sweep& sweep);
  Result<> remove_job(std::int64_t uid);

  Database* database_;
  Statement ended_roots_, children_, use_of_task_, delete_task_, delete_tree_events_;
  Statement delete_tree_details_, delete_result_;
  Statement delete_operation_, delete_listing_, delete_listings_;
  Statement release_use_, delete_ledger_, deleted_jobs_, delete_job_events_, delete_job_,
      retire_uses_;
  Statement delete_versions_, delete_uses_, delete_blocks_, remember_;
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> released_;
};

}  // namespace docket::store
