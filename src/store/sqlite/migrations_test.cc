// A store of each earlier schema, with a row of every kind in it, is opened by this program:
// nothing is lost, and what came later works in it.

#include "store/sqlite/migrations.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

#include "conformance/describe.h"
#include "conformance/samples.h"
#include "store/sqlite/checksum_vfs.h"
#include "store/sqlite/codes.h"
#include "store/sqlite/definition.h"
#include "store/sqlite/sqlite_store.h"

namespace docket::store {
namespace {

using conformance::at_second;
using conformance::describe;
using model::State;

constexpr std::int64_t kFirstWithOperations = 3;
constexpr std::int64_t kFirstWithKinds = 7;  // of jobs, beside their ids

// Under way when the old program ended.
model::Task housekeeping(std::uint64_t id) {
  model::Task task = conformance::plain_operation(id, nullptr);
  task.operation =
      std::make_shared<const model::Operation>(model::Operation{.module = "maintenance",
                                                                .type = "verify",
                                                                .scope = "node",
                                                                .keyspace = "process",
                                                                .table = "task",
                                                                .units = "bytes",
                                                                .sequence = 7,
                                                                .local = true});
  task.tally = {.counts = true, .completed = 1.5, .total = 9};
  return task;
}

// What the old store has.
struct Rows {
  engine::JobRow job = conformance::plain_job(1, "prod.email");
  model::Schedule schedule = conformance::plain_schedule(1, 1);
  model::Task live = conformance::plain_run(1, 1, State::kRunning);
  model::Task attempt = conformance::plain_attempt(2, live);
  model::Task over = conformance::ended(conformance::plain_run(3), State::kFailed, at_second(50));
  model::Task chore = housekeeping(4);  // since the third schema
  model::Lane lane{"maintenance", 0, 7};
  model::Event event = conformance::plain_event(4, live);
  model::Lock lock{"db", 7, TaskId{1}, at_second(5)};
  model::LedgerEntry entry = conformance::plain_entry(1, 10, 20);
  model::SealedSecret secret{"prod/db", "sealed", at_second(6)};
};

// Values of an INSERT: numbers and texts.
class Values {
 public:
  explicit Values(const char* table) : sql_(std::string("INSERT INTO ") + table + " VALUES (") {}
  Values& add(std::int64_t number) { return literal(std::to_string(number)); }
  Values& real(double number) { return literal(std::to_string(number)); }
  Values& add(Time time) { return add(to_micros(time)); }
  Values& add(const std::string& text) { return literal("'" + text + "'"); }
  Values& null() { return literal("NULL"); }
  template <class Tag>
  Values& add(NumericId<Tag> id) {
    return add(static_cast<std::int64_t>(id.value));
  }
  std::string sql() const { return sql_ + ")"; }

 private:
  Values& literal(const std::string& text) {
    sql_ += (sql_.ends_with("(") ? "" : ", ") + text;
    return *this;
  }
  std::string sql_;
};

std::string insert_of(const model::Task& task) {
  Values values(
      "task (id, parent, root, job, job_version, kind, state, trigger, stopping, name, created_at, "
      "started_at, finished_at, schedule, due_at, start_deadline, exit_code, signal, message, "
      "parameters)");
  values.add(task.id).add(task.parent).add(task.root).add(task.job).add(task.job_version);
  values.add(code_of(task.kind)).add(code_of(task.state));
  values.add(code_of(task.trigger)).add(task.stopping).add(task.name);
  values.add(task.created_at).add(task.started_at).add(task.finished_at).add(task.schedule);
  values.add(task.due_at).add(task.start_deadline).add(task.exit_code).add(task.signal);
  return values.add(task.message).null().sql();
}

std::string insert_of(const model::Event& event) {
  Values values("event (seq, at, type, job, task, root, before, after, job_id, message)");
  values.add(static_cast<std::int64_t>(event.seq.value)).add(event.at);
  values.add(code_of(event.type)).add(event.job).add(event.task).add(event.root);
  values.add(code_of(event.before)).add(code_of(event.after));
  return values.add(event.job_id).add(event.message).sql();
}

// As the first schema had them; the second only added columns with defaults.
std::vector<std::string> inserts_of_job(const Rows& rows) {
  const model::Job& job = *rows.job.job;
  std::string definition;
  write_definition(definition, job.definition);
  const Time never = kNever;
  return {
      Values("job (uid, id, version, updated_at, success_count, failure_count, "
             "last_success_at, last_failure_at, dependency_started_at, last_run_state, deleted)")
          .add(job.uid)
          .add(job.id())
          .add(job.version)
          .add(job.updated_at)
          .add(0)
          .add(0)
          .add(never)
          .add(never)
          .add(never)
          .add(0)
          .add(0)
          .sql(),
      Values("job_version")
          .add(job.uid)
          .add(job.version)
          .add(job.created_at)
          .add(job.updated_at)
          .add(definition)
          .sql(),
      Values("job_version_use").add(job.uid).add(job.version).add(3).add(0).sql()};
}

std::vector<std::string> inserts_of_the_rest(const Rows& rows) {
  const model::Schedule& schedule = rows.schedule;
  const model::ScheduleDefinition& what = schedule.definition;
  return {Values("schedule (uid, job, id, cron, zone, starting_deadline_s, policy, enabled, "
                 "missed, missed_limit, created_at, checked_until)")
              .add(schedule.uid)
              .add(schedule.job)
              .add(what.id)
              .add(what.cron.text())
              .add(std::string(what.zone.name()))
              .add(what.starting_deadline_s)
              .add(code_of(what.policy))
              .add(what.enabled)
              .add(code_of(what.missed))
              .add(what.missed_limit)
              .add(schedule.created_at)
              .add(schedule.checked_until)
              .sql(),
          insert_of(rows.live),
          insert_of(rows.attempt),
          insert_of(rows.over),
          Values("task_block").add(0).add(rows.live.created_at).add(rows.over.created_at).sql(),
          insert_of(rows.event),
          Values("lock")
              .add(rows.lock.name)
              .add(static_cast<std::int64_t>(rows.lock.fencing))
              .add(rows.lock.holder)
              .add(rows.lock.held_since)
              .sql(),
          Values("ledger")
              .add(rows.entry.schedule)
              .add(rows.entry.first_due)
              .add(rows.entry.last_due)
              .add(static_cast<std::int64_t>(rows.entry.count))
              .add(code_of(rows.entry.outcome))
              .add(rows.entry.run)
              .sql(),
          Values("secret")
              .add(rows.secret.path)
              .add(rows.secret.sealed)
              .add(rows.secret.updated_at)
              .sql()};
}

std::vector<std::string> inserts_of_operations(const Rows& rows) {
  const model::Task& task = rows.chore;
  const model::Operation& what = *task.operation;
  constexpr int kLocal = 16;  // the fifth of the flags
  Values operation("operation");
  operation.add(task.id).add(task.parent).add(what.uuid).add(what.module).add(what.type);
  operation.add(what.scope).add(what.keyspace).add(what.table).add(what.entity).add(what.units);
  operation.null().add(0).add(7).null().add(0).add(kLocal).add(1).real(task.tally.completed);
  operation.real(task.tally.total).add(0).add(0).real(0).real(0).add(0).add(0).add(0);
  return {insert_of(task), operation.sql(),
          Values("lane").add(rows.lane.module).add(0).add(7).sql()};
}

class OldStore : public testing::TestWithParam<std::int64_t> {
 protected:
  OldStore() {
    std::string pattern = testing::TempDir() + "docket-old-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void run(Database& database, const std::string& sql) {
    const Result<> ran = database.run(sql.c_str());
    ASSERT_TRUE(ran) << ran.error().message;
  }

  // The file as the program of schema `version` left it.
  void build(std::int64_t version) {
    Result<Database> database =
        Database::open(directory_ + "/docket.db", Access::kReadWrite, checksum_vfs(""));
    ASSERT_TRUE(database);
    int reserved = kReservedBytes;
    sqlite3_file_control(database->handle(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    run(*database, "PRAGMA page_size = " + std::to_string(kPageBytes));
    run(*database, "PRAGMA journal_mode = WAL");
    const Result<> made = migrate(*database, version);
    ASSERT_TRUE(made) << made.error().message;
    ASSERT_EQ(*database->number("PRAGMA user_version"), version);
    for (const std::string& sql : inserts_of_job(rows_)) run(*database, sql);
    for (const std::string& sql : inserts_of_the_rest(rows_)) run(*database, sql);
    if (version >= kFirstWithKinds) run(*database, "UPDATE job SET kind = 'process'");
    if (version < kFirstWithOperations) return;
    live_.push_back(rows_.chore);
    lanes_.push_back(rows_.lane);
    for (const std::string& sql : inserts_of_operations(rows_)) run(*database, sql);
  }

  Rows rows_;
  std::vector<model::Task> live_{rows_.live, rows_.attempt};
  std::vector<model::Lane> lanes_;
  std::string directory_;
};

TEST_P(OldStore, LosesNothing) {
  ASSERT_NO_FATAL_FAILURE(build(GetParam()));
  auto store = SqliteStore::open({.directory = directory_});
  ASSERT_TRUE(store) << store.error().message;
  ASSERT_TRUE((*store)->verify());
  const engine::Snapshot snapshot = (*store)->load().value();
  EXPECT_EQ(describe(snapshot.jobs), describe(std::vector{rows_.job}));
  EXPECT_EQ(describe(snapshot.schedules), describe(std::vector{rows_.schedule}));
  EXPECT_EQ(describe(snapshot.tasks), describe(live_));
  EXPECT_EQ(describe(snapshot.locks), describe(std::vector{rows_.lock}));
  EXPECT_EQ(describe(snapshot.secrets), describe(std::vector{rows_.secret}));
  EXPECT_EQ(describe(snapshot.lanes), describe(lanes_));
  EXPECT_FALSE(snapshot.clock);
  EXPECT_EQ(snapshot.last_task, std::max(rows_.over.id, live_.back().id));
  EXPECT_EQ(snapshot.last_event, rows_.event.seq);

  const auto reader = (*store)->open_reader().value();
  const std::string& job = rows_.job.job->id();
  const std::string& kind = rows_.job.job->definition.spec.kind;
  const std::vector<engine::TaskRow> tasks{
      {rows_.over, job, kind}, {rows_.attempt, job, kind}, {rows_.live, job, kind}};
  EXPECT_EQ(describe(reader->tasks({.job = JobUid{1}})), describe(tasks));
  EXPECT_EQ(describe(reader->tasks({.created_until = at_second(2)})),
            describe(std::vector{tasks[2]}));
  EXPECT_EQ(describe(reader->history({JobUid{1}, false})),
            describe(std::vector<engine::FinishedRun>{{rows_.over, {}}}));
  EXPECT_EQ(describe(reader->children({rows_.live.id})), describe(std::vector{tasks[1]}));
  EXPECT_EQ(describe(reader->events({})), describe(std::vector{rows_.event}));
  EXPECT_EQ(describe(reader->ledger(ScheduleUid{1}, kNever, at_second(99), 9)),
            describe(std::vector{rows_.entry}));
  EXPECT_EQ(describe(reader->job_version(JobUid{1}, 1)), describe(rows_.job.job));
}

TEST_P(OldStore, TakesWhatIsNew) {
  ASSERT_NO_FATAL_FAILURE(build(GetParam()));
  auto store = SqliteStore::open({.directory = directory_});
  ASSERT_TRUE(store) << store.error().message;
  const model::Task root = conformance::rich_operation(5);
  const model::Task child = conformance::folded(conformance::plain_operation(6, &root), 8);
  const model::Lane lane{"backups", 1, 2};
  const model::ClockRecord clock{.trusted = at_second(9), .steps = {{root.id, Duration{3}}}};
  rows_.job.held_back = true;
  rows_.schedule = conformance::rich_schedule(1, 1);
  ASSERT_TRUE((*store)->commit({.jobs = {rows_.job},
                                .schedules = {rows_.schedule},
                                .tasks = {root, child},
                                .listings = {conformance::plain_listing(root)},
                                .lanes = {lane},
                                .clock = clock}));
  store->reset();
  store = SqliteStore::open({.directory = directory_});
  ASSERT_TRUE(store) << store.error().message;
  const engine::Snapshot snapshot = (*store)->load().value();
  live_.push_back(root);
  lanes_.insert(lanes_.begin(), lane);
  EXPECT_EQ(describe(snapshot.tasks), describe(live_));
  EXPECT_EQ(describe(snapshot.jobs), describe(std::vector{rows_.job}));
  EXPECT_EQ(describe(snapshot.schedules), describe(std::vector{rows_.schedule}));
  EXPECT_EQ(describe(snapshot.lanes), describe(lanes_));
  EXPECT_EQ(snapshot.clock, clock);
  const auto reader = (*store)->open_reader().value();
  EXPECT_EQ(describe(reader->children({root.id, engine::Fold::kFolded})),
            describe(std::vector{engine::TaskRow{child, ""}}));
  EXPECT_EQ(describe(reader->listing(root.id)), describe(conformance::plain_listing(root)));
  // Retention still knows which versions are used.
  ASSERT_TRUE((*store)->commit({.sweeps = {{at_second(100), 9}}}));
  EXPECT_EQ(describe(reader->task(rows_.over.id)), "none");
  EXPECT_NE(describe(reader->job_version(JobUid{1}, 1)), "none");
}

INSTANTIATE_TEST_SUITE_P(Schema, OldStore, testing::Range<std::int64_t>(1, newest_schema()),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace docket::store
