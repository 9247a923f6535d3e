#include "store/sqlite/loader.h"

#include <algorithm>
#include <functional>

#include "store/sqlite/clock_rows.h"
#include "store/sqlite/operation_rows.h"

namespace docket::store {
namespace {

// Tasks that have not ended, all above them, and, for each of these that belongs to a job, the
// newest children (engine/batch.h, kAttemptsKept) and the steps that stay.
#define DOCKET_LIVE_TREES                                                                     \
  "WITH RECURSIVE live(id) AS ("                                                              \
  "  SELECT id FROM task INDEXED BY run_by_state WHERE parent = 0 AND state IN (0, 1, 2, 3) " \
  "  UNION SELECT id FROM task INDEXED BY child_by_state "                                    \
  "    WHERE parent <> 0 AND state IN (0, 1, 2, 3) "                                          \
  "  UNION SELECT task.parent FROM live CROSS JOIN task ON task.id = live.id "                \
  "    WHERE task.parent <> 0 "                                                               \
  "  UNION SELECT task.id FROM live CROSS JOIN task AS above ON above.id = live.id "          \
  "    CROSS JOIN task ON task.id IN ("                                                       \
  "    SELECT child.id FROM task AS child INDEXED BY child_by_parent "                        \
  "    WHERE child.parent = live.id AND child.parent <> 0 "                                   \
  "    ORDER BY child.id DESC LIMIT 100) "                                                    \
  "    WHERE above.job <> 0 "                                                                 \
  "  UNION SELECT step.task FROM live CROSS JOIN task AS above ON above.id = live.id "        \
  "    CROSS JOIN operation AS step INDEXED BY operation_unfolded "                           \
  "    ON step.parent = live.id AND step.fold = 0 AND step.parent <> 0 "                      \
  "    WHERE above.job <> 0) "
static_assert(engine::kAttemptsKept == 100);

using RowHandler = std::function<Result<>(const Statement&)>;

Result<> for_each(Database& database, const char* sql, const RowHandler& handle) {
  Statement statement(database, sql);
  Result<bool> row = true;
  while ((row = statement.step()) && *row) {
    if (Result<> handled = handle(statement); !handled) return handled;
  }
  if (!row) return fail(row.error());
  return {};
}

// Reads all rows of `sql` into `into`.
template <class T, class Read>
Result<> read_all(Database& database, const char* sql, Read read, std::vector<T>& into) {
  return for_each(database, sql, [&](const Statement& row) -> Result<> {
    auto value = read(row);
    if (!value) return fail(value.error());
    into.push_back(std::move(*value));
    return {};
  });
}

Result<engine::JobRow> read_job(const Statement& row, const model::SpecReader* specs) {
  RowReader read(row);
  Result<model::JobPtr> job = read_job_version(read, specs);
  if (!job) return fail(job.error());
  return read_job_row(read, std::move(*job));
}

Result<model::Lock> read_lock(const Statement& row) {
  RowReader read(row);
  model::Lock lock;
  lock.name = read.string();
  lock.fencing = read.integer<std::uint64_t>();
  lock.holder = read.id<TaskId>();
  lock.held_since = read.time();
  return lock;
}

Result<model::SealedSecret> read_secret(const Statement& row) {
  RowReader read(row);
  model::SealedSecret secret;
  secret.path = read.string();
  secret.sealed = read.string();
  secret.updated_at = read.time();
  return secret;
}

Result<> load_tasks(Database& database, engine::Snapshot& snapshot) {
  Result<> read = read_all(database,
                           DOCKET_LIVE_TREES
                           "SELECT " DOCKET_TASK_COLUMNS
                           " FROM live CROSS JOIN task ON task.id = live.id" DOCKET_JOIN_OPERATION
                           "ORDER BY task.id",
                           read_task, snapshot.tasks);
  return read;
}

// Jobs that are not deleted, and deleted ones with live runs; then the versions that only live runs
// still need.
Result<> load_jobs(Database& database, const model::SpecReader* specs, engine::Snapshot& snapshot) {
  const auto read_frozen = [specs](const Statement& row) {
    RowReader read(row);
    return read_job_version(read, specs);
  };
  Result<> read = read_all(
      database,
      DOCKET_LIVE_TREES
      "SELECT v.job, v.version, v.created_at, v.updated_at, v.definition, "
      "job.success_count, job.failure_count, job.last_success_at, job.last_failure_at, "
      "job.dependency_started_at, job.last_run_state, job.held_back, "
      "job.handed_on, job.deleted "
      "FROM job LEFT JOIN job_version v ON v.job = job.uid AND v.version = job.version "
      "WHERE job.deleted = 0 OR job.uid IN "
      "(SELECT task.job FROM live CROSS JOIN task ON task.id = live.id) ORDER BY job.uid",
      [specs](const Statement& row) { return read_job(row, specs); }, snapshot.jobs);
  if (!read) return read;
  return read_all(database,
                  DOCKET_LIVE_TREES
                  "SELECT v.job, v.version, v.created_at, v.updated_at, v.definition "
                  "FROM (SELECT DISTINCT task.job, task.job_version "
                  "      FROM live CROSS JOIN task ON task.id = live.id) used "
                  "JOIN job_version v ON v.job = used.job AND v.version = used.job_version "
                  "LEFT JOIN job ON job.uid = v.job "
                  "WHERE job.version IS NOT v.version ORDER BY v.job, v.version",
                  read_frozen, snapshot.frozen);
}

Result<std::uint64_t> last_number(Database& database, const char* in_table, const char* in_meta) {
  const Result<std::int64_t> row = database.number(in_table);
  const Result<std::int64_t> kept = database.number(in_meta);
  if (!row) return fail(row.error());
  if (!kept) return fail(kept.error());
  return static_cast<std::uint64_t>(std::max(*row, *kept));
}

Result<> load_numbers(Database& database, engine::Snapshot& snapshot) {
  const auto job = last_number(database, "SELECT max(uid) FROM job",
                               "SELECT value FROM meta WHERE key = 'last_job'");
  const auto schedule = last_number(database, "SELECT max(uid) FROM schedule",
                                    "SELECT value FROM meta WHERE key = 'last_schedule'");
  const auto task = last_number(database, "SELECT max(id) FROM task",
                                "SELECT value FROM meta WHERE key = 'last_task'");
  const auto event = last_number(database, "SELECT max(seq) FROM event",
                                 "SELECT value FROM meta WHERE key = 'last_event'");
  const auto record = last_number(database, "SELECT max(id) FROM record",
                                  "SELECT value FROM meta WHERE key = 'last_record'");
  const auto epoch = database.number("SELECT value FROM meta WHERE key = 'epoch'");
  if (!epoch) return fail(epoch.error());
  for (const auto* read : {&job, &schedule, &task, &event, &record}) {
    if (!*read) return fail(read->error());
  }
  snapshot.epoch = static_cast<std::uint64_t>(*epoch);
  snapshot.last_job = JobUid{*job};
  snapshot.last_schedule = ScheduleUid{*schedule};
  snapshot.last_task = TaskId{*task};
  snapshot.last_event = EventSeq{*event};
  snapshot.last_record = RecordId{*record};
  return {};
}

}  // namespace

Result<engine::Snapshot> load_snapshot(Database& database, const model::SpecReader* specs) {
  const Transaction transaction(database, Transaction::Mode::kRead);
  if (!transaction.begun()) return fail(transaction.begun().error());
  engine::Snapshot snapshot;
  if (Result<> read = load_tasks(database, snapshot); !read) return fail(read.error());
  if (Result<> read = load_jobs(database, specs, snapshot); !read) return fail(read.error());
  Result<> read =
      read_all(database, "SELECT * FROM schedule ORDER BY uid", read_schedule, snapshot.schedules);
  if (!read) return fail(read.error());
  read = read_all(database, "SELECT * FROM lock ORDER BY name", read_lock, snapshot.locks);
  if (!read) return fail(read.error());
  read = read_all(database, "SELECT * FROM secret ORDER BY path", read_secret, snapshot.secrets);
  if (!read) return fail(read.error());
  read = read_all(database, "SELECT * FROM record ORDER BY id", read_record, snapshot.records);
  if (!read) return fail(read.error());
  read = read_all(database, "SELECT module, lane, last FROM lane ORDER BY module, lane", read_lane,
                  snapshot.lanes);
  if (!read) return fail(read.error());
  Result<std::optional<model::ClockRecord>> clock = load_clock(database);
  if (!clock) return fail(clock.error());
  snapshot.clock = std::move(*clock);
  if (read = load_numbers(database, snapshot); !read) return fail(read.error());
  return snapshot;
}

}  // namespace docket::store
