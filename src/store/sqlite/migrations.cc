#include "store/sqlite/migrations.h"

#include <array>
#include <string>

#include "store/sqlite/file_header.h"

namespace docket::store {
namespace {

// Columns follow the members of the model's structs, in name and order. Instants are microseconds
// since 1970 UTC, 0 for "not yet"; enumerations are the model's numbers (views spell them out); 0
// in an id column means none.
//
// Which index serves what: reader.cc, task_pages.cc and tree_pages.cc for pages, loader.cc for
// start-up, sweeper.cc for retention. The number of a row is the last column of every index, so all
// of them answer in order of ids.
constexpr const char* kFirst = R"sql(
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE job (
  uid INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  success_count INTEGER NOT NULL,
  failure_count INTEGER NOT NULL,
  last_success_at INTEGER NOT NULL,
  last_failure_at INTEGER NOT NULL,
  dependency_started_at INTEGER NOT NULL,
  last_run_state INTEGER NOT NULL,
  deleted INTEGER NOT NULL
) STRICT;
CREATE INDEX job_by_id ON job (id);
CREATE INDEX job_deleted ON job (updated_at) WHERE deleted = 1;

CREATE TABLE job_version (
  job INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  definition TEXT NOT NULL,
  PRIMARY KEY (job, version)
) STRICT;

-- How many tasks were started with a version: the version is kept while there are any, or while it
-- is the present one. Apart from job_version because it changes with every run and should stay small.
CREATE TABLE job_version_use (
  job INTEGER NOT NULL,
  version INTEGER NOT NULL,
  tasks INTEGER NOT NULL,
  superseded INTEGER NOT NULL,
  PRIMARY KEY (job, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_version_unused ON job_version_use (job, version)
  WHERE tasks = 0 AND superseded = 1;

CREATE TABLE schedule (
  uid INTEGER PRIMARY KEY,
  job INTEGER NOT NULL,
  id TEXT NOT NULL,
  cron TEXT NOT NULL,
  zone TEXT NOT NULL,
  starting_deadline_s INTEGER NOT NULL,
  policy INTEGER NOT NULL,
  enabled INTEGER NOT NULL,
  missed INTEGER NOT NULL,
  missed_limit INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  checked_until INTEGER NOT NULL
) STRICT;

CREATE TABLE task (
  id INTEGER PRIMARY KEY,
  parent INTEGER NOT NULL,
  root INTEGER NOT NULL,
  job INTEGER NOT NULL,
  job_version INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  state INTEGER NOT NULL,
  trigger INTEGER NOT NULL,
  stopping INTEGER NOT NULL,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER NOT NULL,
  schedule INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  start_deadline INTEGER NOT NULL,
  exit_code INTEGER NOT NULL,
  signal INTEGER NOT NULL,
  message TEXT NOT NULL,
  parameters TEXT
) STRICT;
CREATE INDEX run_by_job ON task (job, state) WHERE parent = 0;
CREATE INDEX run_by_state ON task (state) WHERE parent = 0;
CREATE INDEX run_by_job_end ON task (job, (state = 4), finished_at)
  WHERE parent = 0 AND state >= 4;
CREATE INDEX run_by_end ON task (finished_at) WHERE parent = 0 AND state >= 4;
CREATE INDEX task_by_name ON task (name) WHERE name <> '';
CREATE INDEX task_by_schedule ON task (schedule, state) WHERE schedule <> 0;
CREATE INDEX child_by_parent ON task (parent) WHERE parent <> 0;
CREATE INDEX child_by_job ON task (job, state) WHERE parent <> 0;
CREATE INDEX child_by_state ON task (state) WHERE parent <> 0;

-- For each 1024 task ids, the earliest and latest creation among them. Ids rise with time except when
-- the clock steps back, so a range of time becomes a range of ids by looking at this small table: no
-- index on created_at.
CREATE TABLE task_block (
  block INTEGER PRIMARY KEY,
  first_created INTEGER NOT NULL,
  last_created INTEGER NOT NULL
) STRICT;

CREATE TABLE event (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  type INTEGER NOT NULL,
  job INTEGER NOT NULL,
  task INTEGER NOT NULL,
  root INTEGER NOT NULL,
  before INTEGER NOT NULL,
  after INTEGER NOT NULL,
  job_id TEXT NOT NULL,
  message TEXT NOT NULL
) STRICT;
CREATE INDEX event_by_root ON event (root, seq, task);  -- root 0: events of jobs
CREATE INDEX event_by_job ON event (job);

CREATE TABLE lock (
  name TEXT PRIMARY KEY,
  fencing INTEGER NOT NULL,
  holder INTEGER NOT NULL,
  held_since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
  schedule INTEGER NOT NULL,
  first_due INTEGER NOT NULL,
  last_due INTEGER NOT NULL,
  count INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  run INTEGER NOT NULL,
  PRIMARY KEY (schedule, first_due)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_by_end ON ledger (last_due);

CREATE TABLE secret (
  path TEXT PRIMARY KEY,
  sealed TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- For people with a sqlite3 prompt.
CREATE VIEW state_name (state, name) AS
  VALUES (0, 'created'), (1, 'queued'), (2, 'running'), (3, 'paused'), (4, 'done'), (5, 'failed'),
         (6, 'aborted');
CREATE VIEW run AS
  SELECT task.id, job.id AS job, task.name, state_name.name AS state, task.job_version,
         task.stopping,
         strftime('%Y-%m-%dT%H:%M:%SZ', task.created_at / 1e6, 'unixepoch') AS created,
         strftime('%Y-%m-%dT%H:%M:%SZ', nullif(task.started_at, 0) / 1e6, 'unixepoch') AS started,
         strftime('%Y-%m-%dT%H:%M:%SZ', nullif(task.finished_at, 0) / 1e6, 'unixepoch') AS finished,
         task.message
  FROM task JOIN state_name ON state_name.state = task.state LEFT JOIN job ON job.uid = task.job
  WHERE task.parent = 0;
CREATE VIEW attempt AS
  SELECT task.id, task.parent AS run, state_name.name AS state, task.exit_code, task.signal,
         task.message,
         strftime('%Y-%m-%dT%H:%M:%SZ', task.created_at / 1e6, 'unixepoch') AS created,
         strftime('%Y-%m-%dT%H:%M:%SZ', nullif(task.finished_at, 0) / 1e6, 'unixepoch') AS finished
  FROM task JOIN state_name ON state_name.state = task.state
  WHERE task.parent <> 0;
)sql";

constexpr const char* kSecond = R"sql(
ALTER TABLE job ADD COLUMN held_back INTEGER NOT NULL DEFAULT 0;
ALTER TABLE schedule ADD COLUMN watched_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE schedule ADD COLUMN done_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE schedule ADD COLUMN done_until INTEGER NOT NULL DEFAULT 0;
)sql";

// Operations. The table has what such a task has beyond the columns of task. Its indexes are the
// three ways of listing the children of a parent (engine/store.h, Fold), so `fold` and `kept` are
// written with the end of an operation and not with its progress. A listing until
// 9223372036854775807 stays while its task is live.
constexpr const char* kThird = R"sql(
CREATE TABLE operation (
  task INTEGER PRIMARY KEY,
  parent INTEGER NOT NULL,
  uuid TEXT NOT NULL,
  module TEXT NOT NULL,
  type TEXT NOT NULL,
  scope TEXT NOT NULL,
  keyspace TEXT NOT NULL,
  tbl TEXT NOT NULL,
  entity TEXT NOT NULL,
  units TEXT NOT NULL,
  labels TEXT,
  lane INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  expected REAL,
  lease INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  counts INTEGER NOT NULL,
  completed REAL NOT NULL,
  total REAL NOT NULL,
  children INTEGER NOT NULL,
  failing INTEGER NOT NULL,
  children_completed REAL NOT NULL,
  children_total REAL NOT NULL,
  unfolded INTEGER NOT NULL,
  fold INTEGER NOT NULL,
  kept INTEGER NOT NULL
) STRICT;
CREATE INDEX operation_unfolded ON operation (parent) WHERE fold = 0 AND parent <> 0;
CREATE INDEX operation_folded ON operation (parent, fold) WHERE fold <> 0;
CREATE INDEX operation_kept ON operation (parent, fold) WHERE kept = 1;
CREATE INDEX operation_by_uuid ON operation (uuid) WHERE uuid <> '';

CREATE TABLE listing (
  task INTEGER PRIMARY KEY,
  module TEXT NOT NULL,
  lane INTEGER NOT NULL,
  internal INTEGER NOT NULL,
  until INTEGER NOT NULL
) STRICT;
CREATE INDEX listing_in_order ON listing (module, lane, internal, until);
CREATE INDEX listing_by_end ON listing (until) WHERE until <> 9223372036854775807;

CREATE TABLE lane (
  module TEXT NOT NULL,
  lane INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (module, lane)
) STRICT, WITHOUT ROWID;

-- As before, but roots may be operations now.
DROP VIEW run;
DROP VIEW attempt;
CREATE VIEW run AS
  SELECT task.id, job.id AS job, task.name, state_name.name AS state, task.job_version,
         task.stopping,
         strftime('%Y-%m-%dT%H:%M:%SZ', task.created_at / 1e6, 'unixepoch') AS created,
         strftime('%Y-%m-%dT%H:%M:%SZ', nullif(task.started_at, 0) / 1e6, 'unixepoch') AS started,
         strftime('%Y-%m-%dT%H:%M:%SZ', nullif(task.finished_at, 0) / 1e6, 'unixepoch') AS finished,
         task.message
  FROM task JOIN state_name ON state_name.state = task.state LEFT JOIN job ON job.uid = task.job
  WHERE task.parent = 0 AND task.kind = 0;
CREATE VIEW attempt AS
  SELECT task.id, task.parent AS run, state_name.name AS state, task.exit_code, task.signal,
         task.message,
         strftime('%Y-%m-%dT%H:%M:%SZ', task.created_at / 1e6, 'unixepoch') AS created,
         strftime('%Y-%m-%dT%H:%M:%SZ', nullif(task.finished_at, 0) / 1e6, 'unixepoch') AS finished
  FROM task JOIN state_name ON state_name.state = task.state
  WHERE task.parent <> 0 AND task.kind = 1;
CREATE VIEW operations AS
  SELECT task.id, nullif(task.parent, 0) AS parent, operation.module, operation.sequence,
         operation.type, operation.entity, state_name.name AS state, operation.completed,
         operation.total, operation.units,
         strftime('%Y-%m-%dT%H:%M:%SZ', task.created_at / 1e6, 'unixepoch') AS created,
         strftime('%Y-%m-%dT%H:%M:%SZ', nullif(task.finished_at, 0) / 1e6, 'unixepoch') AS finished,
         task.message
  FROM operation JOIN task ON task.id = operation.task
                 JOIN state_name ON state_name.state = task.state;
)sql";

// The clock, as engine/clock_watch.h sees it: one row, and one for each step by which it was set
// while the tasks up to `task` existed.
constexpr const char* kFourth = R"sql(
CREATE TABLE clock (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  wall INTEGER NOT NULL,
  elapsed INTEGER NOT NULL,
  boot INTEGER NOT NULL,
  trusted INTEGER NOT NULL,
  pending INTEGER NOT NULL,
  agreed INTEGER NOT NULL
) STRICT;

CREATE TABLE clock_step (
  task INTEGER PRIMARY KEY,
  shift INTEGER NOT NULL
) STRICT;
)sql";

// What a job's newest success hands on to the runs that it starts.
constexpr const char* kFifth = R"sql(
ALTER TABLE job ADD COLUMN handed_on TEXT;
)sql";

// What kinds say of their runs, of the steps in these, and of events; which executor has an
// attempt, where, and the newest of its reports; results.
constexpr const char* kSixth = R"sql(
ALTER TABLE task ADD COLUMN key TEXT;
ALTER TABLE task ADD COLUMN word TEXT;
ALTER TABLE task ADD COLUMN facts TEXT;
ALTER TABLE task ADD COLUMN cells TEXT;
ALTER TABLE task ADD COLUMN executor TEXT;
ALTER TABLE task ADD COLUMN seq INTEGER;
ALTER TABLE task ADD COLUMN target TEXT;
ALTER TABLE event ADD COLUMN subtype TEXT;
CREATE TABLE event_detail (
  seq INTEGER PRIMARY KEY,
  root INTEGER NOT NULL,
  resource TEXT,
  changes INTEGER NOT NULL,
  before TEXT,
  after TEXT,
  traceback TEXT
) STRICT;
CREATE INDEX event_detail_by_root ON event_detail (root);
CREATE TABLE result (task INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
)sql";

// The kind of a job beside its id.
constexpr const char* kSeventh = R"sql(
ALTER TABLE job ADD COLUMN kind TEXT;
UPDATE job SET kind = (SELECT json_extract(definition, '$.kind') FROM job_version
                       WHERE job_version.job = job.uid AND job_version.version = job.version);
)sql";

// What doors and kinds keep beside jobs. sealed: a JSON object of secret members, or NULL.
constexpr const char* kEighth = R"sql(
CREATE TABLE record (
  id INTEGER PRIMARY KEY,
  family TEXT NOT NULL,
  parent INTEGER NOT NULL,
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  sealed TEXT,
  created_at INTEGER NOT NULL,
  modified_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  modified_by TEXT NOT NULL
) STRICT;
)sql";

constexpr std::array kSteps{kFirst, kSecond, kThird, kFourth, kFifth, kSixth, kSeventh, kEighth};

Result<> take(Database& database, std::int64_t step) {
  Transaction transaction(database, Transaction::Mode::kWrite);
  if (!transaction.begun()) return transaction.begun();
  if (Result<> made = database.run(kSteps[static_cast<std::size_t>(step)]); !made) return made;
  const std::string mark = "PRAGMA application_id = " + std::to_string(kApplicationId) +
                           "; PRAGMA user_version = " + std::to_string(step + 1);
  if (Result<> marked = database.run(mark.c_str()); !marked) return marked;
  return transaction.commit();
}

}  // namespace

std::int64_t newest_schema() { return static_cast<std::int64_t>(kSteps.size()); }

Result<> check_version(std::int64_t version, const std::string& store) {
  if (version <= newest_schema()) return {};
  return fail(ErrorKind::kInvalid,
              store + " has schema " + std::to_string(version) +
                  ", made by a newer docket; this docket knows schemas up to " +
                  std::to_string(newest_schema()));
}

Result<> migrate(Database& database, std::int64_t until) {
  const Result<std::int64_t> application = database.number("PRAGMA application_id");
  const Result<std::int64_t> version = database.number("PRAGMA user_version");
  const Result<std::int64_t> tables = database.number("SELECT count(*) FROM sqlite_schema");
  for (const auto* read : {&application, &version, &tables}) {
    if (!*read) return fail(read->error());
  }
  const bool is_new = *application == 0 && *version == 0 && *tables == 0;
  if (!is_new && *application != kApplicationId) {
    return fail(ErrorKind::kInvalid, "a SQLite file, but not made by docket");
  }
  if (Result<> known = check_version(*version, "the store"); !known) return known;
  for (std::int64_t step = *version; step < until; ++step) {
    if (Result<> taken = take(database, step); !taken) return taken;
  }
  return {};
}

}  // namespace docket::store
