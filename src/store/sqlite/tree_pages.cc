#include "store/sqlite/tree_pages.h"

#include <algorithm>

#include "store/sqlite/operation_rows.h"

namespace docket::store {
namespace {

// Conditions repeat those of the partial indexes: SQLite uses such an index only for a query that
// says it. No operation is of a job.
#define DOCKET_OPERATIONS_BY(index)                                     \
  "SELECT " DOCKET_TASK_COLUMNS ", '' FROM operation INDEXED BY " index \
  " CROSS JOIN task "                                                   \
  "ON task.id = operation.task WHERE operation.parent = ? AND "
#define DOCKET_ATTEMPTS                                                         \
  "SELECT " DOCKET_TASK_ROW_COLUMNS                                             \
  " FROM task INDEXED BY child_by_parent" DOCKET_JOIN_OPERATION DOCKET_JOIN_JOB \
  "WHERE task.parent <> 0 AND task.parent = ? AND "

std::int64_t page_size(std::uint32_t limit) { return std::min(limit, engine::kMaxPage); }

// No number in the store is above this one.
std::int64_t number(std::uint64_t value) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(value, INT64_MAX));
}

}  // namespace

TreePages::TreePages(Database& database)
    : kind_(database, "SELECT kind FROM task WHERE id = ?"),
      listed_(database,
              "SELECT " DOCKET_TASK_ROW_COLUMNS
              ", listing.until FROM listing INDEXED BY listing_in_order "
              "CROSS JOIN task ON task.id = listing.task" DOCKET_JOIN_OPERATION DOCKET_JOIN_JOB
              "WHERE listing.module = ? AND listing.lane = ? AND listing.internal = ? "
              "AND (listing.until, listing.task) > (?, ?) "
              "ORDER BY listing.until, listing.task LIMIT ?"),
      listing_(database, "SELECT task, module, lane, internal, until FROM listing WHERE task = ?"),
      by_uuid_(database,
               "SELECT max(task) FROM operation INDEXED BY operation_by_uuid "
               "WHERE uuid <> '' AND uuid = ?"),
      of_operation_{
          Statement(
              database,
              DOCKET_OPERATIONS_BY(
                  "operation_unfolded") "operation.fold = 0 AND operation.parent <> 0 "
                                        "AND operation.task > ? ORDER BY operation.task LIMIT ?"),
          Statement(database, DOCKET_OPERATIONS_BY(
                                  "operation_folded") "operation.fold <> 0 AND operation.fold > ? "
                                                      "ORDER BY operation.fold LIMIT ?"),
          Statement(database, DOCKET_OPERATIONS_BY(
                                  "operation_kept") "operation.kept = 1 AND operation.fold > ? "
                                                    "ORDER BY operation.fold LIMIT ?")},
      of_run_{Statement(database,
                        DOCKET_ATTEMPTS "task.state < 4 AND task.id > ? ORDER BY task.id LIMIT ?"),
              Statement(database,
                        DOCKET_ATTEMPTS "task.state >= 4 AND task.id > ? ORDER BY task.id LIMIT ?"),
              Statement(database, DOCKET_ATTEMPTS
                        "task.state IN (5, 6) AND task.id > ? ORDER BY task.id LIMIT ?")} {}

Result<std::vector<engine::TaskRow>> TreePages::children(const engine::ChildQuery& query) {
  const Result<bool> row = kind_.bind(number(query.parent.value)).step();
  if (!row) return fail(row.error());
  if (!*row) return std::vector<engine::TaskRow>{};
  const bool of_operation = kind_.integer(0) == static_cast<int>(model::TaskKind::kOperation);
  kind_.reset();
  Statement& read = (of_operation ? of_operation_ : of_run_)[static_cast<std::size_t>(query.which)];
  read.bind(query.parent.value).bind(number(query.after)).bind(page_size(query.limit));
  return collect(read, read_task_row);
}

// Behind (until, id) of the last row seen, and not before the first that is still shown.
Result<std::vector<engine::ListedRow>> TreePages::listed(const engine::ListedQuery& query) {
  std::pair behind(to_micros(query.now), INT64_MAX);
  if (query.after) {
    behind = std::max(behind, std::pair(to_micros(query.after_until), number(query.after->value)));
  }
  listed_.bind(query.module)
      .bind(query.lane)
      .bind(query.internal)
      .bind(behind.first)
      .bind(behind.second)
      .bind(page_size(query.limit));
  return collect(listed_, read_listed);
}

Result<std::optional<model::Listing>> TreePages::listing(TaskId task) {
  const Result<bool> row = listing_.bind(number(task.value)).step();
  if (!row) return fail(row.error());
  if (!*row) return std::nullopt;
  Result<model::Listing> found = read_listing(listing_);
  listing_.reset();
  if (!found) return fail(found.error());
  return std::optional(std::move(*found));
}

Result<std::optional<TaskId>> TreePages::task_of_uuid(const std::string& uuid) {
  const Result<bool> row = by_uuid_.bind(uuid).step();
  if (!row) return fail(row.error());
  std::optional<TaskId> found;
  if (!by_uuid_.is_null(0)) found = TaskId{static_cast<std::uint64_t>(by_uuid_.integer(0))};
  by_uuid_.reset();
  return found;
}

}  // namespace docket::store
