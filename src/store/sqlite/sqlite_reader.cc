#include "store/sqlite/sqlite_reader.h"

#include <algorithm>

#include "store/sqlite/rows.h"

namespace docket::store {
namespace {

// The SQL takes a negative number as "does not matter".
template <class Id>
std::int64_t number_or_any(const std::optional<Id>& id) {
  return id ? static_cast<std::int64_t>(id->value) : -1;
}

std::uint32_t page_size(std::uint32_t limit) { return std::min(limit, engine::kMaxPage); }

}  // namespace

SqliteReader::SqliteReader(Database database, const model::SpecReader* specs)
    : database_(std::move(database)),
      specs_(specs),
      pages_(database_),
      tree_(database_),
      ended_(database_, "SELECT " DOCKET_TASK_COLUMNS
                        " FROM task INDEXED BY run_by_job_end" DOCKET_JOIN_OPERATION
                        "WHERE task.parent = 0 AND task." DOCKET_IS_OVER
                        " AND task.job = ? AND (task." DOCKET_IS_DONE
                        ") = ? "
                        "ORDER BY task.finished_at DESC, task.id DESC LIMIT ?"),
      children_(database_,
                "SELECT id FROM task INDEXED BY child_by_parent WHERE parent <> 0 AND parent = ? "
                "ORDER BY id"),
      root_(database_, "SELECT root FROM task WHERE id = ?"),
      events_(database_,
              "SELECT " DOCKET_EVENT_COLUMNS " FROM event WHERE seq > ? ORDER BY seq LIMIT ?"),
      events_of_root_(database_, "SELECT " DOCKET_EVENT_COLUMNS
                                 " FROM event INDEXED BY event_by_root WHERE root = ?1 "
                                 "AND (?2 < 0 OR task = ?2) AND seq > ?3 AND (?4 < 0 OR job = ?4) "
                                 "ORDER BY seq LIMIT ?5"),
      events_of_job_(database_, "SELECT " DOCKET_EVENT_COLUMNS
                                " FROM event INDEXED BY event_by_job WHERE job = ? AND seq > ? "
                                "ORDER BY seq LIMIT ?"),
      event_(database_, "SELECT " DOCKET_EVENT_COLUMNS " FROM event WHERE seq = ?"),
      detail_(database_,
              "SELECT resource, changes, before, after, traceback FROM event_detail "
              "WHERE seq = ?"),
      result_(database_, "SELECT text FROM result WHERE task = ?"),
      ledger_start_(database_,
                    "SELECT max(first_due) FROM ledger WHERE schedule = ? AND first_due < ?"),
      ledger_(database_,
              "SELECT schedule, first_due, last_due, count, outcome, run FROM ledger "
              "WHERE schedule = ? AND first_due >= ? AND first_due < ? AND last_due >= ? "
              "ORDER BY first_due LIMIT ?"),
      version_(database_,
               "SELECT job, version, created_at, updated_at, definition FROM job_version "
               "WHERE job = ? AND version = ?") {}

Result<std::unique_ptr<SqliteReader>> SqliteReader::open(const std::string& file,
                                                         const std::string& vfs,
                                                         std::uint32_t cache_kib,
                                                         const model::SpecReader* specs) {
  Result<Database> database = Database::open(file, Access::kReadOnly, vfs);
  if (!database) return fail(database.error());
  const std::string setup = "PRAGMA cache_size = -" + std::to_string(cache_kib) +
                            "; PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; "
                            "PRAGMA temp_store = MEMORY";
  if (Result<> ready = database->run(setup.c_str()); !ready) return fail(ready.error());
  std::unique_ptr<SqliteReader> reader(new SqliteReader(std::move(*database), specs));
  if (Result<> ready = reader->version_.prepared(); !ready) return fail(ready.error());
  return reader;
}

Result<std::optional<engine::TaskRow>> SqliteReader::task(TaskId id) {
  const Transaction transaction(database_, Transaction::Mode::kRead);
  if (!transaction.begun()) return fail(transaction.begun().error());
  return pages_.task(id);
}

Result<std::vector<engine::TaskRow>> SqliteReader::tasks(const engine::TaskQuery& query) {
  const Transaction transaction(database_, Transaction::Mode::kRead);
  if (!transaction.begun()) return fail(transaction.begun().error());
  return pages_.page(query);
}

Result<std::vector<engine::TaskRow>> SqliteReader::children(const engine::ChildQuery& query) {
  const Transaction transaction(database_, Transaction::Mode::kRead);
  if (!transaction.begun()) return fail(transaction.begun().error());
  return tree_.children(query);
}

Result<std::vector<engine::ChildId>> SqliteReader::child_ids(const engine::ChildQuery& query) {
  const Transaction transaction(database_, Transaction::Mode::kRead);
  if (!transaction.begun()) return fail(transaction.begun().error());
  return tree_.child_ids(query);
}

Result<std::vector<engine::ListedRow>> SqliteReader::listed(const engine::ListedQuery& query) {
  const Transaction transaction(database_, Transaction::Mode::kRead);
  if (!transaction.begun()) return fail(transaction.begun().error());
  return tree_.listed(query);
}

Result<std::optional<model::Listing>> SqliteReader::listing(TaskId task) {
  return tree_.listing(task);
}

Result<std::optional<TaskId>> SqliteReader::task_of_uuid(const std::string& uuid) {
  return tree_.task_of_uuid(uuid);
}

Result<std::vector<engine::FinishedRun>> SqliteReader::history(const engine::HistoryQuery& query) {
  const Transaction transaction(database_, Transaction::Mode::kRead);
  if (!transaction.begun()) return fail(transaction.begun().error());
  ended_.bind(query.job.value).bind(query.succeeded).bind(page_size(query.limit));
  Result<std::vector<model::Task>> ended = collect(ended_, read_task);
  if (!ended) return fail(ended.error());
  std::vector<engine::FinishedRun> runs;
  for (model::Task& run : *ended) {
    Result<std::vector<TaskId>> attempts = attempts_of(run.id);
    if (!attempts) return fail(attempts.error());
    runs.push_back({std::move(run), std::move(*attempts)});
  }
  return runs;
}

Result<std::vector<TaskId>> SqliteReader::attempts_of(TaskId run) {
  children_.bind(run.value);
  return collect<TaskId>(children_, [](const Statement& row) -> Result<TaskId> {
    return TaskId{static_cast<std::uint64_t>(row.integer(0))};
  });
}

// A task's events are found through its tree. An unknown task has none, unless it was its own
// root.
Result<TaskId> SqliteReader::root_of(TaskId task) {
  const Result<bool> row = root_.bind(task.value).step();
  if (!row) return fail(row.error());
  const TaskId root = *row ? TaskId{static_cast<std::uint64_t>(root_.integer(0))} : task;
  root_.reset();
  return root;
}

Result<std::vector<model::Event>> SqliteReader::events(const engine::EventQuery& query) {
  const Transaction transaction(database_, Transaction::Mode::kRead);
  if (!transaction.begun()) return fail(transaction.begun().error());
  const std::uint32_t limit = page_size(query.limit);
  if (query.root || query.task) {
    const Result<TaskId> root = query.root ? *query.root : root_of(*query.task);
    if (!root) return fail(root.error());
    events_of_root_.bind(root->value)
        .bind(number_or_any(query.task))
        .bind(query.after.value)
        .bind(number_or_any(query.job))
        .bind(limit);
    return collect(events_of_root_, read_event);
  }
  if (query.job) {
    events_of_job_.bind(query.job->value).bind(query.after.value).bind(limit);
    return collect(events_of_job_, read_event);
  }
  events_.bind(query.after.value).bind(limit);
  return collect(events_, read_event);
}

Result<std::optional<model::Event>> SqliteReader::event(EventSeq seq) {
  const Transaction transaction(database_, Transaction::Mode::kRead);
  if (!transaction.begun()) return fail(transaction.begun().error());
  event_.bind(seq.value);
  auto events = collect(event_, read_event);
  if (!events) return fail(events.error());
  if (events->empty()) return std::nullopt;
  detail_.bind(seq.value);
  auto details = collect(detail_, read_event_detail);
  if (!details) return fail(details.error());
  model::Event& event = events->front();
  if (!details->empty()) {
    event.detail = std::make_shared<const model::EventDetail>(std::move(details->front()));
  }
  return std::move(event);
}

Result<std::optional<std::string>> SqliteReader::result(TaskId task) {
  const Transaction transaction(database_, Transaction::Mode::kRead);
  if (!transaction.begun()) return fail(transaction.begun().error());
  std::optional<std::string> text;
  const Result<bool> row = result_.bind(task.value).step();
  if (row && *row) text = result_.text(0);
  result_.reset();
  if (!row) return fail(row.error());
  return text;
}

// Entries of a schedule never overlap, so only the last one that begins before `from` can reach
// into the range.
Result<std::vector<model::LedgerEntry>> SqliteReader::ledger(ScheduleUid schedule, Time from,
                                                             Time until, std::uint32_t limit) {
  const Transaction transaction(database_, Transaction::Mode::kRead);
  if (!transaction.begun()) return fail(transaction.begun().error());
  const Result<bool> row = ledger_start_.bind(schedule.value).bind(to_micros(from)).step();
  if (!row) return fail(row.error());
  const std::int64_t start = ledger_start_.is_null(0) ? to_micros(from) : ledger_start_.integer(0);
  ledger_start_.reset();
  ledger_.bind(schedule.value)
      .bind(start)
      .bind(to_micros(until))
      .bind(to_micros(from))
      .bind(page_size(limit));
  return collect(ledger_, read_ledger);
}

Result<std::optional<model::JobPtr>> SqliteReader::job_version(JobUid job, std::uint32_t version) {
  const Result<bool> found = version_.bind(job.value).bind(version).step();
  if (!found) return fail(found.error());
  if (!*found) return std::nullopt;
  RowReader row(version_);
  Result<model::JobPtr> read = read_job_version(row, specs_);
  version_.reset();
  if (!read) return fail(read.error());
  return std::optional(std::move(*read));
}

}  // namespace docket::store
