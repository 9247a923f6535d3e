// What is particular to SQLite: opening, refusing, migrating, damage. What every store must do is
// in tests/conformance.

#include "store/sqlite/sqlite_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "conformance/describe.h"
#include "conformance/samples.h"
#include "conformance/workload.h"
#include "store/sqlite/migrations.h"
#include "support/faults/fault_vfs.h"

namespace docket::store {
namespace {

using conformance::describe;
using testing::HasSubstr;
namespace fs = std::filesystem;

class SqliteStoreTest : public testing::Test {
 protected:
  SqliteStoreTest() {
    std::string pattern = testing::TempDir() + "docket-sqlite-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~SqliteStoreTest() override { fs::remove_all(directory_); }

  std::string data() const { return directory_ + "/data"; }
  std::string file() const { return data() + "/docket.db"; }
  SqliteOptions options() const {
    return {.directory = data(), .checkpoints = Checkpoints::kInCommits, .vfs = "quick"};
  }
  Result<std::unique_ptr<SqliteStore>> open() { return SqliteStore::open(options()); }

  void write_file(const std::string& content) {
    fs::create_directories(data());
    std::ofstream(file(), std::ios::binary) << content;
  }
  static std::string content_of(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  void expect_refused(ErrorKind kind, const std::string& message) {
    const auto refused = open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, kind);
    EXPECT_THAT(refused.error().message, HasSubstr(message));
  }
  // Another program writes to the database file.
  void run_sql(const char* sql) {
    Result<Database> database = Database::open(file(), Access::kReadWrite, "");
    ASSERT_TRUE(database);
    const Result<> ran = database->run(sql);
    ASSERT_TRUE(ran) << ran.error().message;
  }
  void fill(SqliteStore& store, int batches) {
    conformance::Workload workload(11);
    for (int at = 0; at < batches; ++at) {
      const Result<> committed = store.commit(workload.next());
      ASSERT_TRUE(committed) << committed.error().message;
    }
  }

  std::string directory_;
  FaultVfs vfs_{"quick"};  // here only because its syncs cost nothing
};

TEST_F(SqliteStoreTest, AMissingDirectoryIsMade) {
  ASSERT_TRUE(open());
  EXPECT_TRUE(fs::exists(file()));
  EXPECT_EQ(fs::status(data()).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(file()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(SqliteStoreTest, AnOrderlyCloseLeavesAnEmptyLog) {
  {
    auto store = open();
    ASSERT_TRUE(store);
    fill(**store, 3);
  }
  EXPECT_EQ(fs::file_size(file() + "-wal"), 0U);
  EXPECT_TRUE(fs::exists(file() + "-shm")) << "its room is kept for the next open";
}

// On a full disk it could not write.
TEST_F(SqliteStoreTest, OpeningAgainWritesNothing) {
  {
    auto store = open();
    ASSERT_TRUE(store);
    fill(**store, 3);
  }
  vfs_.heal();
  ASSERT_TRUE(open());
  EXPECT_EQ(vfs_.count(Operation::kWrite), 0U);
}

// What is written into files that no name leads to is lost with the process.
TEST_F(SqliteStoreTest, AStoreThatIsElsewhereRefusesUntilItIsBack) {
  auto store = open();
  ASSERT_TRUE(store);
  conformance::Workload workload(11);
  ASSERT_TRUE((*store)->commit(workload.next()));
  const engine::Batch batch = workload.next();
  fs::rename(data(), directory_ + "/elsewhere");
  for (int i = 0; i < 2; ++i) {
    const Result<> refused = (*store)->commit(batch);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kDenied) << refused.error().message;
  }
  fs::create_directory(data());
  std::ofstream(file()) << "another file of this name";
  EXPECT_EQ((*store)->commit(batch).error().kind, ErrorKind::kDenied);
  fs::remove_all(data());
  fs::rename(directory_ + "/elsewhere", data());
  EXPECT_TRUE((*store)->commit(batch));
}

TEST_F(SqliteStoreTest, AStoreWhoseFilesAreDeletedFailsForGood) {
  for (const char* suffix : {"-wal", ""}) {
    auto store = open();
    ASSERT_TRUE(store);
    fill(**store, 1);
    const std::string before = describe((*store)->load().value());
    fs::remove(file() + suffix);
    for (int i = 0; i < 2; ++i) {
      const Result<> refused = (*store)->commit(conformance::Workload(12).next());
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable) << refused.error().message;
    }
    store->reset();
    if (suffix == std::string()) break;
    auto again = open();
    ASSERT_TRUE(again);
    EXPECT_EQ(describe((*again)->load().value()), before) << "the log was copied at the end";
    again->reset();
    fs::remove_all(data());
  }
}

TEST_F(SqliteStoreTest, TwoServersCannotShareAStore) {
  const auto first = open();
  ASSERT_TRUE(first);
  expect_refused(ErrorKind::kConflict, "another docket server");
}

TEST_F(SqliteStoreTest, FilesOfOtherProgramsAreRefused) {
  write_file("this is not a database, and it is longer than the hundred bytes of a header: " +
             std::string(200, 'x'));
  expect_refused(ErrorKind::kInvalid, "is not a docket store");
  write_file("SQLite format 3");
  expect_refused(ErrorKind::kInvalid, "is not a docket store");
  fs::remove(file());
  run_sql("CREATE TABLE task (id INTEGER PRIMARY KEY)");
  expect_refused(ErrorKind::kInvalid, "was not made by docket");
}

TEST_F(SqliteStoreTest, AnEmptyFileBecomesAStore) {
  write_file("");
  EXPECT_TRUE(open());
}

TEST_F(SqliteStoreTest, ANewerStoreIsRefusedWithBothVersions) {
  ASSERT_TRUE(open());
  {
    Result<Database> database = Database::open(file(), Access::kReadWrite, "docket-checksum-quick");
    ASSERT_TRUE(database->run("PRAGMA user_version = 4711"));
  }
  expect_refused(ErrorKind::kInvalid, "4711");
  expect_refused(ErrorKind::kInvalid, "up to " + std::to_string(newest_schema()));
}

// A newer docket may have another checksum: the error must be its version, not damage.
TEST_F(SqliteStoreTest, ANewerStoreIsRefusedBeforeAnyPageIsRead) {
  ASSERT_TRUE(open());
  std::fstream header(file(), std::ios::in | std::ios::out | std::ios::binary);
  header.seekp(60).write("\0\0\x12\x67", 4);  // user_version 4711
  header.close();
  expect_refused(ErrorKind::kInvalid, file() + " has schema 4711");
}

TEST_F(SqliteStoreTest, AStoreWithoutItsTablesIsDamaged) {
  ASSERT_TRUE(open());
  {
    Result<Database> database = Database::open(file(), Access::kReadWrite, "docket-checksum-quick");
    ASSERT_TRUE(database->run("DROP TABLE ledger"));
  }
  EXPECT_FALSE(open());
}

TEST_F(SqliteStoreTest, PeopleCanReadItWithSqlite) {
  const auto store = open();
  ASSERT_TRUE(store);
  const auto run = conformance::ended(conformance::plain_run(5), model::State::kFailed,
                                      conformance::at_second(86'400));
  const Result<> committed =
      (*store)->commit({.jobs = {conformance::plain_job(1, "prod.email")},
                        .tasks = {run, conformance::plain_attempt(6, run, model::State::kFailed)}});
  ASSERT_TRUE(committed);
  Result<Database> database = Database::open(file(), Access::kReadOnly, "");
  ASSERT_TRUE(database);
  Statement runs(*database, "SELECT job, name, state, finished FROM run");
  ASSERT_TRUE(*runs.step());
  EXPECT_EQ(runs.text(0), "prod.email");
  EXPECT_EQ(runs.text(1), "run-5");
  EXPECT_EQ(runs.text(2), "failed");
  EXPECT_EQ(runs.text(3), "1970-01-02T00:00:00Z");
  Statement attempts(*database, "SELECT run, state FROM attempt");
  ASSERT_TRUE(*attempts.step());
  EXPECT_EQ(attempts.integer(0), 5);
}

TEST_F(SqliteStoreTest, PeopleSeeOperationsApartFromRuns) {
  const auto store = open();
  ASSERT_TRUE(store);
  const auto root = conformance::plain_operation(5);
  auto child = conformance::folded(conformance::plain_operation(6, &root), 86'400);
  child.tally.completed = 2.5;
  ASSERT_TRUE((*store)->commit({.tasks = {root, child}}));
  Result<Database> database = Database::open(file(), Access::kReadOnly, "");
  ASSERT_TRUE(database);
  EXPECT_EQ(*database->number("SELECT count(*) FROM run"), 0);
  EXPECT_EQ(*database->number("SELECT count(*) FROM attempt"), 0);
  Statement rows(*database, "SELECT parent, module, state, completed, finished FROM operations");
  ASSERT_TRUE(*rows.step());
  EXPECT_TRUE(rows.is_null(0));
  ASSERT_TRUE(*rows.step());
  EXPECT_EQ(rows.integer(0), 5);
  EXPECT_EQ(rows.text(1), "backups");
  EXPECT_EQ(rows.text(2), "done");
  EXPECT_EQ(rows.real(3), 2.5);
  EXPECT_EQ(rows.text(4), "1970-01-02T00:00:00Z");
}

// No job, no version: its use need not be counted.
TEST_F(SqliteStoreTest, OperationsDoNotCountAsUsesOfAJob) {
  const auto store = open();
  ASSERT_TRUE(store);
  const auto root = conformance::plain_operation(5);
  ASSERT_TRUE((*store)->commit({.tasks = {root}}));
  const auto over = conformance::ended(root, model::State::kDone, conformance::at_second(1));
  ASSERT_TRUE((*store)->commit({.tasks = {over}}));
  Result<Database> database = Database::open(file(), Access::kReadOnly, "");
  EXPECT_EQ(*database->number("SELECT count(*) FROM job_version_use"), 0);
  ASSERT_TRUE((*store)->commit({.sweeps = {{conformance::at_second(9), 9}}}));
  EXPECT_EQ(*database->number("SELECT count(*) FROM job_version_use"), 0);
  EXPECT_EQ(*database->number("SELECT count(*) FROM operation"), 0);
}

TEST_F(SqliteStoreTest, AnOperationWithoutItsRowIsDamage) {
  auto store = open();
  ASSERT_TRUE(store);
  ASSERT_TRUE((*store)->commit({.tasks = {conformance::plain_operation(5)}}));
  store->reset();
  {
    Result<Database> database = Database::open(file(), Access::kReadWrite, "docket-checksum-quick");
    ASSERT_TRUE(database->run("DELETE FROM operation"));
  }
  store = open();
  ASSERT_TRUE(store);
  const auto reader = (*store)->open_reader();
  const auto task = (*reader)->task(TaskId{5});
  ASSERT_FALSE(task);
  EXPECT_THAT(task.error().message, HasSubstr("damaged row 5 in table task"));
}

// Every enumeration in the view has the name that the model gives it.
TEST_F(SqliteStoreTest, StateNamesInSqlAreThoseOfTheModel) {
  const auto store = open();
  ASSERT_TRUE(store);
  Result<Database> database = Database::open(file(), Access::kReadOnly, "");
  Statement names(*database, "SELECT state, name FROM state_name ORDER BY state");
  for (int state = 0; state < model::kStateCount; ++state) {
    ASSERT_TRUE(*names.step());
    EXPECT_EQ(names.integer(0), state);
    EXPECT_EQ(names.text(1), name_of(static_cast<model::State>(state)));
  }
}

TEST_F(SqliteStoreTest, NumbersThatNoEnumerationHasAreDamage) {
  auto store = open();
  ASSERT_TRUE(store);
  ASSERT_TRUE((*store)->commit(
      {.jobs = {conformance::plain_job(1, "a")}, .tasks = {conformance::plain_run(5)}}));
  store->reset();
  {
    Result<Database> database = Database::open(file(), Access::kReadWrite, "docket-checksum-quick");
    ASSERT_TRUE(database->run("UPDATE task SET trigger = 99"));
  }
  store = open();
  ASSERT_TRUE(store);
  const auto snapshot = (*store)->load();
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().kind, ErrorKind::kInternal);
  EXPECT_THAT(snapshot.error().message, HasSubstr("damaged row 5 in table task"));
}

TEST_F(SqliteStoreTest, APageWrittenByAnotherProgramIsRefused) {
  {
    const auto store = open();
    ASSERT_TRUE(store);
    ASSERT_TRUE((*store)->commit({.jobs = {conformance::plain_job(1, "a")}}));
  }
  run_sql("UPDATE job SET id = 'b'");
  const auto store = open();
  if (!store) return;
  EXPECT_FALSE((*store)->load());
  EXPECT_FALSE((*store)->verify());
}

// One bit anywhere in the file: whatever the store then answers is an error or correct.
TEST_F(SqliteStoreTest, AFlippedBitIsDetectedOrHarmless) {
  const auto answers = [](SqliteStore& store) -> Result<std::string> {
    if (Result<> verified = store.verify(); !verified) return fail(verified.error());
    const auto snapshot = store.load();
    if (!snapshot) return fail(snapshot.error());
    const auto reader = store.open_reader();
    if (!reader) return fail(reader.error());
    const auto tasks = (*reader)->tasks({.limit = 1000});
    const auto events = (*reader)->events({.limit = 1000});
    if (!tasks) return fail(tasks.error());
    if (!events) return fail(events.error());
    return describe(*snapshot) + describe(*tasks) + describe(*events);
  };
  std::string truth;
  {
    auto store = open();
    ASSERT_TRUE(store);
    fill(**store, 60);
    truth = *answers(**store);
  }
  const std::string content = content_of(file());
  std::mt19937_64 random(3);
  int detected = 0;
  for (int round = 0; round < 400; ++round) {
    // Every other flip hits the first page, where the file's own description is.
    const std::size_t at = random() % (round % 2 == 0 ? content.size() : 4096);
    std::string damaged = content;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
    SCOPED_TRACE("byte " + std::to_string(at));
    write_file(damaged);
    auto store = open();
    const Result<std::string> found = store ? answers(**store) : fail(store.error());
    if (found) {
      ASSERT_EQ(*found, truth);
    } else {
      ASSERT_FALSE(found.error().message.empty());
      ++detected;
    }
  }
  EXPECT_GT(detected, 380);
}

// A log as a killed server leaves it, with one bit flipped anywhere: opening fails, or at most the
// last transactions are lost, which cannot be told from a transaction that was cut off.
TEST_F(SqliteStoreTest, AFlippedBitInTheLogIsDetectedUnlessAtItsEnd) {
  std::string database, log;
  constexpr int kBatches = 40;
  {
    auto store = open();
    ASSERT_TRUE(store);
    for (int at = 1; at <= kBatches; ++at) {
      model::Task run = conformance::plain_run(static_cast<std::uint64_t>(at));
      ASSERT_TRUE((*store)->commit(
          {.tasks = {run}, .events = {conformance::plain_event(run.id.value, run)}}));
    }
    database = content_of(file());
    log = content_of(file() + "-wal");
  }
  std::mt19937_64 random(5);
  int detected = 0;
  for (int round = 0; round < 150; ++round) {
    const std::size_t at = random() % (round % 10 == 0 ? 32 : log.size());  // 32: the header
    SCOPED_TRACE("byte " + std::to_string(at) + " of " + std::to_string(log.size()));
    std::string damaged = log;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
    write_file(database);
    std::ofstream(file() + "-wal", std::ios::binary) << damaged;
    auto store = open();
    if (!store) {
      ++detected;
      continue;
    }
    const auto snapshot = (*store)->load();
    ASSERT_TRUE(snapshot) << snapshot.error().message;
    ASSERT_GE(snapshot->tasks.size() + 2, static_cast<std::size_t>(kBatches));
  }
  EXPECT_GT(detected, 120);
}

TEST_F(SqliteStoreTest, ATruncatedFileIsDetected) {
  {
    auto store = open();
    ASSERT_TRUE(store);
    fill(**store, 30);
  }
  const std::string content = content_of(file());
  for (std::size_t keep = 4096; keep < content.size(); keep += 3 * 4096 + 1000) {
    SCOPED_TRACE("first " + std::to_string(keep) + " bytes");
    write_file(content.substr(0, keep));
    auto store = open();
    if (store) {
      EXPECT_FALSE((*store)->verify());
    }
  }
}

TEST_F(SqliteStoreTest, CheckpointsByTheThreadKeepTheLogShort) {
  SqliteOptions in_background = options();
  in_background.checkpoints = Checkpoints::kInBackground;
  in_background.checkpoint_pages = 64;
  auto store = SqliteStore::open(in_background);
  ASSERT_TRUE(store);
  fill(**store, 400);
  EXPECT_LT(fs::file_size(file() + "-wal"), 64U * 4096 * 8);
  EXPECT_TRUE((*store)->verify());
}

}  // namespace
}  // namespace docket::store
