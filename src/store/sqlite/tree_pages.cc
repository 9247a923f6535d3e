#include "store/sqlite/tree_pages.h"

#include <algorithm>
#include <iterator>

#include "store/sqlite/operation_rows.h"

namespace docket::store {
namespace {

// Conditions repeat those of the partial indexes: SQLite uses such an index only for a query that
// has them. No operation belongs to a job.
#define DOCKET_OPERATION_ROWS(index)                                    \
  "SELECT " DOCKET_TASK_COLUMNS ", '' FROM operation INDEXED BY " index \
  " CROSS JOIN task ON task.id = operation.task WHERE operation.parent = ? AND "
#define DOCKET_OPERATION_IDS(index)                                           \
  "SELECT task, iif(fold, fold, task), uuid FROM operation INDEXED BY " index \
  " WHERE operation.parent = ? AND "
#define DOCKET_UNFOLDED(select) \
  select("operation_unfolded") "operation.fold = 0 AND operation.parent <> 0 " \
                               "AND operation.task > ? ORDER BY operation.task LIMIT ?"
#define DOCKET_FOLDED(select) \
  select("operation_folded") "operation.fold <> 0 AND operation.fold > ? " \
                             "ORDER BY operation.fold LIMIT ?"
#define DOCKET_KEPT(select) \
  select("operation_kept") "operation.kept = 1 AND operation.fold > ? " \
                           "ORDER BY operation.fold LIMIT ?"
#define DOCKET_ATTEMPT_ROWS                                                     \
  "SELECT " DOCKET_TASK_ROW_COLUMNS                                             \
  " FROM task INDEXED BY child_by_parent" DOCKET_JOIN_OPERATION DOCKET_JOIN_JOB \
  "WHERE task.parent <> 0 AND task.parent = ? AND "
#define DOCKET_ATTEMPT_IDS                                  \
  "SELECT id, id, '' FROM task INDEXED BY child_by_parent " \
  "WHERE task.parent <> 0 AND task.parent = ? AND "
#define DOCKET_STATES(select, states) \
  select "task.state " states " AND task.id > ? ORDER BY task.id LIMIT ?"
#define DOCKET_LISTED                                                               \
  "SELECT " DOCKET_TASK_ROW_COLUMNS                                                 \
  ", listing.until FROM listing INDEXED BY listing_in_order "                       \
  "CROSS JOIN task ON task.id = listing.task" DOCKET_JOIN_OPERATION DOCKET_JOIN_JOB \
  "WHERE listing.module = ? AND listing.lane = ? AND listing.internal = ? "

std::int64_t page_size(std::uint32_t limit) { return std::min(limit, engine::kMaxPage); }

// No number in the store is above this one.
std::int64_t number(std::uint64_t value) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(value, INT64_MAX));
}

Result<engine::ChildId> read_child_id(const Statement& row) {
  RowReader read(row);
  engine::ChildId child{.id = read.id<TaskId>()};
  child.place = read.integer<std::uint64_t>();
  child.uuid = read.string();
  return child;
}

}  // namespace

TreePages::TreePages(Database& database)
    : kind_(database, "SELECT " DOCKET_IS_OPERATION " AND job = 0 FROM task WHERE id = ?"),
      listed_at_(database, DOCKET_LISTED
                 "AND listing.until = ? AND listing.task > ? ORDER BY listing.task LIMIT ?"),
      listed_behind_(database, DOCKET_LISTED
                     "AND listing.until > ? ORDER BY listing.until, listing.task LIMIT ?"),
      listing_(database, "SELECT task, module, lane, internal, until FROM listing WHERE task = ?"),
      by_uuid_(database,
               "SELECT max(task) FROM operation INDEXED BY operation_by_uuid "
               "WHERE uuid <> '' AND uuid = ?"),
      of_operation_{Statement(database, DOCKET_UNFOLDED(DOCKET_OPERATION_ROWS)),
                    Statement(database, DOCKET_FOLDED(DOCKET_OPERATION_ROWS)),
                    Statement(database, DOCKET_KEPT(DOCKET_OPERATION_ROWS))},
      of_run_{Statement(database, DOCKET_STATES(DOCKET_ATTEMPT_ROWS, "< 4")),
              Statement(database, DOCKET_STATES(DOCKET_ATTEMPT_ROWS, ">= 4")),
              Statement(database, DOCKET_STATES(DOCKET_ATTEMPT_ROWS, "IN (5, 6)"))},
      ids_of_operation_{Statement(database, DOCKET_UNFOLDED(DOCKET_OPERATION_IDS)),
                        Statement(database, DOCKET_FOLDED(DOCKET_OPERATION_IDS)),
                        Statement(database, DOCKET_KEPT(DOCKET_OPERATION_IDS))},
      ids_of_run_{Statement(database, DOCKET_STATES(DOCKET_ATTEMPT_IDS, "< 4")),
                  Statement(database, DOCKET_STATES(DOCKET_ATTEMPT_IDS, ">= 4")),
                  Statement(database, DOCKET_STATES(DOCKET_ATTEMPT_IDS, "IN (5, 6)"))} {}

Result<Statement*> TreePages::bound(const engine::ChildQuery& query, ByFold& of_operation,
                                    ByFold& of_run) {
  const Result<bool> row = kind_.bind(number(query.parent.value)).step();
  if (!row) return fail(row.error());
  if (!*row) return nullptr;
  const bool is_operation = kind_.integer(0) != 0;  // a step has what a run has: attempts, too
  kind_.reset();
  Statement& read = (is_operation ? of_operation : of_run)[static_cast<std::size_t>(query.which)];
  read.bind(query.parent.value).bind(number(query.after)).bind(page_size(query.limit));
  return &read;
}

Result<std::vector<engine::TaskRow>> TreePages::children(const engine::ChildQuery& query) {
  const Result<Statement*> read = bound(query, of_operation_, of_run_);
  if (!read) return fail(read.error());
  if (!*read) return std::vector<engine::TaskRow>{};
  return collect(**read, read_task_row);
}

Result<std::vector<engine::ChildId>> TreePages::child_ids(const engine::ChildQuery& query) {
  const Result<Statement*> read = bound(query, ids_of_operation_, ids_of_run_);
  if (!read) return fail(read.error());
  if (!*read) return std::vector<engine::ChildId>{};
  return collect(**read, read_child_id);
}

namespace {

Statement& bind_lane_of(Statement& read, const engine::ListedQuery& query) {
  return read.bind(query.module).bind(query.lane).bind(query.internal);
}

}  // namespace

// After the last row seen, and not before the first that is still shown. All live tasks are listed
// until the same instant, so the rest of an instant is a query of its own: for a comparison of
// (until, task) SQLite would scan all of it again.
Result<std::vector<engine::ListedRow>> TreePages::listed(const engine::ListedQuery& query) {
  const std::int64_t limit = page_size(query.limit);
  const bool goes_on = query.after && query.after_until > query.now;
  std::vector<engine::ListedRow> page;
  if (goes_on) {
    bind_lane_of(listed_at_, query)
        .bind(to_micros(query.after_until))
        .bind(number(query.after->value))
        .bind(limit);
    Result<std::vector<engine::ListedRow>> rest = collect(listed_at_, read_listed);
    if (!rest) return rest;
    page = std::move(*rest);
  }
  bind_lane_of(listed_behind_, query)
      .bind(to_micros(goes_on ? query.after_until : query.now))
      .bind(limit - static_cast<std::int64_t>(page.size()));
  Result<std::vector<engine::ListedRow>> later = collect(listed_behind_, read_listed);
  if (!later) return later;
  std::move(later->begin(), later->end(), std::back_inserter(page));
  return page;
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
