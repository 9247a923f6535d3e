#include "store/sqlite/sweeper.h"

#include <algorithm>
#include <optional>

#include "model/task.h"
#include "store/sqlite/codes.h"
#include "store/sqlite/task_blocks.h"

namespace docket::store {

Sweeper::Sweeper(Database& database)
    : database_(&database),
      ended_roots_(database,
                   "SELECT id FROM task INDEXED BY run_by_end WHERE parent = 0 AND " DOCKET_IS_OVER
                   " "
                   "AND finished_at < ? ORDER BY finished_at, id"),
      newest_child_(database,
                    "SELECT id FROM task INDEXED BY child_by_parent "
                    "WHERE parent = ? AND parent <> 0 ORDER BY id DESC LIMIT 1"),
      live_roots_(database,
                  "SELECT DISTINCT root FROM task INDEXED BY child_by_state "
                  "WHERE parent <> 0 AND " DOCKET_IS_LIVE),
      oldest_events_(database,
                     "SELECT seq, at FROM event INDEXED BY event_by_root WHERE root = ? "
                     "ORDER BY seq LIMIT ?"),
      folded_(database,
              "SELECT operation.task, task.finished_at FROM operation "
              "INDEXED BY operation_folded JOIN task ON task.id = operation.task "
              "WHERE operation.parent = ? AND operation.fold <> 0 "
              "ORDER BY operation.fold LIMIT ?"),
      old_attempts_(database,
                    "SELECT id, finished_at FROM task INDEXED BY child_by_parent "
                    "WHERE parent = ? AND parent <> 0 AND " DOCKET_IS_ATTEMPT " AND " DOCKET_IS_OVER
                    " AND id < (SELECT id FROM task INDEXED BY child_by_parent "
                    "WHERE parent = ? AND parent <> 0 ORDER BY id DESC LIMIT 1 OFFSET 99) "
                    "ORDER BY id LIMIT ?"),
      use_of_task_(database, "SELECT job, job_version FROM task WHERE id = ?"),
      delete_task_(database, "DELETE FROM task WHERE id = ?"),
      delete_tree_events_(database, "DELETE FROM event WHERE root = ? AND seq <= ?"),
      delete_tree_details_(database, "DELETE FROM event_detail WHERE root = ? AND seq <= ?"),
      delete_result_(database, "DELETE FROM result WHERE task = ?"),
      delete_operation_(database, "DELETE FROM operation WHERE task = ?"),
      delete_listing_(database, "DELETE FROM listing WHERE task = ?"),
      delete_listings_(database,
                       "DELETE FROM listing WHERE task IN "
                       "(SELECT task FROM listing INDEXED BY listing_by_end "
                       "WHERE until <> 9223372036854775807 AND until <= ? "
                       "ORDER BY until, task LIMIT ?)"),
      release_use_(database,
                   "UPDATE job_version_use SET tasks = tasks - ? WHERE job = ? AND version = ?"),
      delete_ledger_(database,
                     "DELETE FROM ledger WHERE (schedule, first_due) IN "
                     "(SELECT schedule, first_due FROM ledger WHERE last_due < ? "
                     "ORDER BY last_due, schedule, first_due LIMIT ?)"),
      deleted_jobs_(database,
                    "SELECT uid FROM job WHERE deleted = 1 AND updated_at < ? "
                    "AND NOT EXISTS (SELECT 1 FROM task WHERE job = uid AND parent = 0) "
                    "AND NOT EXISTS (SELECT 1 FROM task WHERE job = uid AND parent <> 0) "
                    "ORDER BY updated_at, uid LIMIT ?"),
      delete_job_events_(database, "DELETE FROM event WHERE job = ?"),
      delete_job_(database, "DELETE FROM job WHERE uid = ?"),
      retire_uses_(database, "UPDATE job_version_use SET superseded = 1 WHERE job = ?"),
      delete_versions_(database,
                       "DELETE FROM job_version WHERE (job, version) IN (SELECT job, version "
                       "FROM job_version_use WHERE tasks = 0 AND superseded = 1)"),
      delete_uses_(database, "DELETE FROM job_version_use WHERE tasks = 0 AND superseded = 1"),
      delete_blocks_(database,
                     "DELETE FROM task_block WHERE block < (SELECT min(id) FROM task) / ?"),
      remember_(database,
                "INSERT INTO meta VALUES (?, ?) "
                "ON CONFLICT DO UPDATE SET value = max(value, excluded.value)") {}

Result<> Sweeper::prepared() const {
  for (const Statement* each : {&ended_roots_,         &newest_child_,    &live_roots_,
                                &oldest_events_,       &folded_,          &old_attempts_,
                                &use_of_task_,         &delete_task_,     &delete_tree_events_,
                                &delete_tree_details_, &delete_result_,   &delete_operation_,
                                &delete_listing_,      &delete_listings_, &release_use_,
                                &delete_ledger_,       &deleted_jobs_,    &delete_job_events_,
                                &delete_job_,          &retire_uses_,     &delete_versions_,
                                &delete_uses_,         &delete_blocks_,   &remember_}) {
    if (Result<> ready = each->prepared(); !ready) return ready;
  }
  return {};
}

Result<> Sweeper::sweep(const engine::Sweep& sweep) {
  if (Result<> kept = remember_last_numbers(); !kept) return kept;
  if (Result<> swept = sweep_trees(sweep); !swept) return swept;
  if (Result<> swept = sweep_listings(sweep); !swept) return swept;
  if (Result<> swept = sweep_ledger(sweep); !swept) return swept;
  if (Result<> swept = sweep_deleted_jobs(sweep); !swept) return swept;
  if (Result<> swept = delete_versions_.run(); !swept) return swept;
  if (Result<> swept = delete_uses_.run(); !swept) return swept;
  return delete_blocks_.bind(kTasksPerBlock).run();
}

Result<> Sweeper::remember_last_numbers() {
  const std::pair<std::string_view, const char*> numbers[] = {
      {"last_job", "SELECT max(uid) FROM job"},
      {"last_schedule", "SELECT max(uid) FROM schedule"},
      {"last_task", "SELECT max(id) FROM task"},
      {"last_event", "SELECT max(seq) FROM event"},
  };
  for (const auto& [name, sql] : numbers) {
    const Result<std::int64_t> last = database_->number(sql);
    if (!last) return fail(last.error());
    if (Result<> kept = remember_.bind(name).bind(*last).run(); !kept) return kept;
  }
  return {};
}

Result<> Sweeper::sweep_trees(const engine::Sweep& sweep) {
  rows_left_ = sweep.max_rows;
  const Result<std::vector<std::int64_t>> roots = ended_trees(sweep);
  if (!roots) return fail(roots.error());
  for (const std::int64_t root : *roots) {
    if (rows_left_ == 0) break;
    if (Result<> removed = remove_events(root, Time::max()); !removed) return removed;
    if (Result<> removed = remove_from_leaves(root); !removed) return removed;
  }
  for (const TaskId live : sweep.growing) {
    Result<> swept = sweep_below(static_cast<std::int64_t>(live.value), sweep);
    if (!swept) return swept;
  }
  return release_uses();
}

Result<std::vector<std::int64_t>> Sweeper::ended_trees(const engine::Sweep& sweep) {
  std::vector<std::int64_t> roots;
  std::optional<std::set<std::int64_t>> live;
  ended_roots_.bind(to_micros(sweep.finished_before));
  Result<bool> row = true;
  while (roots.size() < sweep.max_roots && (row = ended_roots_.step()) && *row) {
    if (!live) {
      Result<std::set<std::int64_t>> found = roots_with_live_children();
      if (!found) return fail(found.error());
      live = std::move(*found);
    }
    const std::int64_t root = ended_roots_.integer(0);
    if (!live->contains(root)) roots.push_back(root);
  }
  ended_roots_.reset();
  if (!row) return fail(row.error());
  return roots;
}

Result<std::set<std::int64_t>> Sweeper::roots_with_live_children() {
  std::set<std::int64_t> roots;
  Result<bool> row = true;
  while ((row = live_roots_.step()) && *row) roots.insert(live_roots_.integer(0));
  live_roots_.reset();
  if (!row) return fail(row.error());
  return roots;
}

// The oldest, as many as may go.
Result<> Sweeper::remove_events(std::int64_t root, Time before) {
  std::int64_t last = 0;
  oldest_events_.bind(root).bind(rows_left_);
  Result<bool> row = true;
  while ((row = oldest_events_.step()) && *row) {
    if (oldest_events_.integer(1) >= to_micros(before)) break;
    last = oldest_events_.integer(0);
    --rows_left_;
  }
  oldest_events_.reset();
  if (!row) return fail(row.error());
  if (last == 0) return {};
  if (Result<> gone = delete_tree_details_.bind(root).bind(last).run(); !gone) return gone;
  return delete_tree_events_.bind(root).bind(last).run();
}

// Goes down to a task without children, removes it, and goes on from its parent.
Result<> Sweeper::remove_from_leaves(std::int64_t top) {
  std::vector<std::int64_t> path{top};
  while (!path.empty() && rows_left_ > 0) {
    const Result<bool> child = newest_child_.bind(path.back()).step();
    const std::int64_t below = child && *child ? newest_child_.integer(0) : 0;
    newest_child_.reset();
    if (!child) return fail(child.error());
    if (below != 0) {
      path.push_back(below);
      continue;
    }
    if (Result<> removed = remove_task(path.back()); !removed) return removed;
    path.pop_back();
    --rows_left_;
  }
  return {};
}

static_assert(engine::kAttemptsKept == 100);

Result<> Sweeper::sweep_below(std::int64_t live, const engine::Sweep& sweep) {
  folded_.bind(live).bind(std::min(sweep.max_roots, rows_left_));
  if (Result<> removed = remove_trees(folded_, sweep.finished_before); !removed) return removed;
  old_attempts_.bind(live).bind(live).bind(std::min(sweep.max_roots, rows_left_));
  if (Result<> removed = remove_trees(old_attempts_, sweep.finished_before); !removed)
    return removed;
  return remove_events(live, sweep.finished_before);
}

// Of what the statement finds, which is by age, all that finished before.
Result<> Sweeper::remove_trees(Statement& found, Time finished_before) {
  std::vector<std::int64_t> old;
  Result<bool> row = true;
  while ((row = found.step()) && *row) {
    if (found.integer(1) >= to_micros(finished_before)) break;
    old.push_back(found.integer(0));
  }
  found.reset();
  if (!row) return fail(row.error());
  for (const std::int64_t top : old) {
    if (Result<> removed = remove_from_leaves(top); !removed) return removed;
  }
  return {};
}

Result<> Sweeper::remove_task(std::int64_t id) {
  const Result<bool> row = use_of_task_.bind(id).step();
  if (!row) return fail(row.error());
  const std::int64_t job = use_of_task_.integer(0);
  const std::int64_t version = use_of_task_.integer(1);
  use_of_task_.reset();
  if (job != 0) ++released_[{job, version}];
  if (Result<> removed = delete_operation_.bind(id).run(); !removed) return removed;
  if (Result<> removed = delete_listing_.bind(id).run(); !removed) return removed;
  if (Result<> removed = delete_result_.bind(id).run(); !removed) return removed;
  return delete_task_.bind(id).run();
}

Result<> Sweeper::release_uses() {
  for (const auto& [version, count] : released_) {
    if (Result<> put = release_use_.bind(count).bind(version.first).bind(version.second).run();
        !put) {
      return put;
    }
  }
  released_.clear();
  return {};
}

Result<> Sweeper::sweep_listings(const engine::Sweep& sweep) {
  return delete_listings_.bind(to_micros(sweep.listed_until)).bind(sweep.max_roots).run();
}

Result<> Sweeper::sweep_ledger(const engine::Sweep& sweep) {
  return delete_ledger_.bind(to_micros(sweep.finished_before)).bind(sweep.max_roots).run();
}

Result<> Sweeper::sweep_deleted_jobs(const engine::Sweep& sweep) {
  deleted_jobs_.bind(to_micros(sweep.finished_before)).bind(sweep.max_roots);
  std::vector<std::int64_t> gone;
  Result<bool> row = true;
  while ((row = deleted_jobs_.step()) && *row) gone.push_back(deleted_jobs_.integer(0));
  deleted_jobs_.reset();
  if (!row) return fail(row.error());
  for (std::int64_t uid : gone) {
    if (Result<> removed = remove_job(uid); !removed) return removed;
  }
  return {};
}

Result<> Sweeper::remove_job(std::int64_t uid) {
  if (Result<> removed = delete_job_events_.bind(uid).run(); !removed) return removed;
  if (Result<> removed = delete_job_.bind(uid).run(); !removed) return removed;
  return retire_uses_.bind(uid).run();
}

}  // namespace docket::store
