// Long work on the store's files, with the store open and in use.

#include "store/sqlite/sqlite_care.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>

#include "conformance/describe.h"
#include "conformance/workload.h"
#include "core/json.h"
#include "store/sqlite/checksum_vfs.h"
#include "store/sqlite/database.h"
#include "store/sqlite/sqlite_store.h"
#include "support/faults/fault_vfs.h"

namespace docket::store {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

// Remembers the progress, and says stop when it was asked `patience` times.
class Watch : public engine::CareWatch {
 public:
  bool go_on(double completed_so_far, double out_of) override {
    EXPECT_LE(completed, completed_so_far) << "progress goes forward";
    EXPECT_LE(completed_so_far, out_of);
    completed = completed_so_far;
    total = out_of;
    return ++asked <= patience;
  }
  void rest() override { ++rests; }

  int patience = 1'000'000;
  int asked = 0;
  int rests = 0;
  double completed = 0;
  double total = 0;
};

class SqliteCareTest : public testing::Test {
 protected:
  SqliteCareTest() { open(); }
  void TearDown() override { fs::remove_all(directory_); }

  static std::string make_directory() {
    std::string pattern = testing::TempDir() + "docket-care-XXXXXX";
    return mkdtemp(pattern.data());
  }
  void open(const std::string& directory = "data") {
    store_.reset();
    auto opened = SqliteStore::open(
        {.directory = path(directory), .checkpoints = Checkpoints::kInCommits, .vfs = "quick"});
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
  }
  void fill(int batches) {
    for (int at = 0; at < batches; ++at) {
      const Result<> committed = store_->commit(workload_.next());
      ASSERT_TRUE(committed) << committed.error().message;
    }
  }
  // Adds runs that ended at the beginning of time, each with a long word.
  void add_ended_runs(std::uint64_t first, std::uint64_t count) {
    engine::Batch batch;
    for (std::uint64_t id = first; id < first + count; ++id) {
      batch.tasks.push_back({.id = TaskId{id},
                             .root = TaskId{id},
                             .state = model::State::kDone,
                             .created_at = from_micros(1),
                             .started_at = from_micros(2),
                             .finished_at = from_micros(static_cast<std::int64_t>(id)),
                             .message = std::string(2000, 'x')});
    }
    ASSERT_TRUE(store_->commit(batch));
  }
  void checkpoint() {
    Watch any;
    const auto done = care_.checkpoint(any);
    ASSERT_TRUE(done) << done.error().message;
  }
  void flip_byte(std::int64_t offset) const {
    const int descriptor = ::open((path("data/docket.db")).c_str(), O_RDWR | O_CLOEXEC);
    char byte = 0;
    ASSERT_EQ(pread(descriptor, &byte, 1, offset), 1);
    byte = static_cast<char>(byte ^ 0x10);
    ASSERT_EQ(pwrite(descriptor, &byte, 1, offset), 1);
    close(descriptor);
  }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(directory_), fs::directory_iterator()));
  }

  std::string directory_ = make_directory();
  FaultVfs vfs_{"quick"};  // here only because its syncs cost nothing
  conformance::Workload workload_{11};
  std::unique_ptr<SqliteStore> store_;
  SqliteCare care_{directory_ + "/data", "quick"};
  Watch watch_;
};

TEST_F(SqliteCareTest, ABackupIsTheStoreOfThatInstant) {
  fill(20);
  const std::string before = conformance::describe(*store_->load());
  const auto done = care_.backup(path("copy.db"), watch_);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(watch_.completed, watch_.total);
  EXPECT_EQ(watch_.total, static_cast<double>(fs::file_size(path("copy.db"))));
  EXPECT_EQ(fs::status(path("copy.db")).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  fill(20);
  fs::create_directories(path("other"));
  fs::copy_file(path("copy.db"), path("other/docket.db"));
  open("other");
  EXPECT_EQ(conformance::describe(*store_->load()), before);
}

TEST_F(SqliteCareTest, ABackupNeverReplacesAFile) {
  std::ofstream(path("mine")) << "words";
  const auto refused = care_.backup(path("mine"), watch_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(fs::file_size(path("mine")), 5U);
}

TEST_F(SqliteCareTest, StoppedWorkLeavesNothingBehind) {
  add_ended_runs(1, 5000);
  checkpoint();
  for (const bool backup : {true, false}) {
    Watch impatient;
    impatient.patience = 0;
    const auto stopped =
        backup ? care_.backup(path("x"), impatient) : care_.export_records(path("x"), impatient);
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().kind, ErrorKind::kCancelled);
  }
  EXPECT_EQ(files(), 1U) << "the store's own directory";
}

TEST_F(SqliteCareTest, AnUnwritablePlaceIsAnError) {
  EXPECT_FALSE(care_.backup(path("no/such/place"), watch_));
  EXPECT_FALSE(care_.export_records(path("no/such/place"), watch_));
}

// ---- verify

TEST_F(SqliteCareTest, ASoundStorePasses) {
  fill(20);
  checkpoint();
  const auto done = care_.verify({}, watch_);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(watch_.completed, watch_.total);
  EXPECT_EQ(watch_.total, 2.0 * static_cast<double>(fs::file_size(path("data/docket.db"))));
  for (const char* family : {"job", "schedule", "task", "event", "ledger", "lock", "secret",
                             "record", "operation", "listing"}) {
    Watch each;
    const auto sound = care_.verify({family}, each);
    EXPECT_TRUE(sound) << family << ": " << sound.error().message;
  }
}

TEST_F(SqliteCareTest, AFlippedByteIsFoundWhereverItIs) {
  add_ended_runs(1, 100);
  checkpoint();
  const auto size = static_cast<std::int64_t>(fs::file_size(path("data/docket.db")));
  for (const std::int64_t at : {std::int64_t{5000}, size / 2 + 7, size - 1}) {
    Watch each;
    flip_byte(at);
    const auto damaged = care_.verify({}, each);
    ASSERT_FALSE(damaged) << at;
    EXPECT_EQ(damaged.error().kind, ErrorKind::kInternal);
    EXPECT_THAT(damaged.error().message, HasSubstr("1 of " + std::to_string(size / 4096) +
                                                   " pages do not match their checksums (" +
                                                   std::to_string(at / 4096 + 1) + ")"));
    flip_byte(at);
  }
  EXPECT_TRUE(care_.verify({}, watch_));
}

TEST_F(SqliteCareTest, AnIndexThatLacksARowIsFound) {
  add_ended_runs(1, 10);
  {  // the checksums are right: a program wrote this
    auto database =
        Database::open(path("data/docket.db"), Access::kReadWrite, checksum_vfs("quick"));
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->run(
        "PRAGMA writable_schema = ON; "
        "UPDATE sqlite_schema SET sql = sql || ' AND state = 5' WHERE name = 'run_by_end'"));
  }
  const auto damaged = care_.verify({"task"}, watch_);
  ASSERT_FALSE(damaged);
  EXPECT_THAT(damaged.error().message, HasSubstr("run_by_end"));
}

TEST_F(SqliteCareTest, AVerificationCanBeStoppedInBothHalves) {
  add_ended_runs(1, 20'000);
  checkpoint();
  ASSERT_TRUE(care_.verify({}, watch_));
  ASSERT_GT(watch_.asked, 40);
  for (const int patience : {0, watch_.asked / 4, watch_.asked - 2}) {
    Watch each;
    each.patience = patience;
    const auto stopped = care_.verify({}, each);
    ASSERT_FALSE(stopped) << patience;
    EXPECT_EQ(stopped.error().kind, ErrorKind::kCancelled);
    EXPECT_EQ(each.asked, patience + 1);
  }
}

// ---- vacuum

TEST_F(SqliteCareTest, VacuumGivesPagesBackWhileTheStoreIsUsed) {
  add_ended_runs(1, 3000);
  checkpoint();
  const auto before = fs::file_size(path("data/docket.db"));
  engine::Batch batch;
  batch.sweeps.push_back({.finished_before = from_micros(2901), .max_roots = 10'000});
  ASSERT_TRUE(store_->commit(batch));
  ASSERT_TRUE(care_.vacuum(watch_));
  EXPECT_GT(watch_.total, 1000);
  EXPECT_EQ(watch_.completed, watch_.total);
  EXPECT_GT(watch_.rests, 10) << "commits go first now and then";
  EXPECT_LT(fs::file_size(path("data/docket.db")), before / 5);
  EXPECT_EQ(fs::file_size(path("data/docket.db-wal")), 0U);
  add_ended_runs(10'000, 10);
  Watch again;
  EXPECT_TRUE(care_.verify({}, again));
}

TEST_F(SqliteCareTest, AStoppedVacuumKeepsWhatItHasDone) {
  add_ended_runs(1, 3000);
  engine::Batch batch;
  batch.sweeps.push_back({.finished_before = from_micros(2901), .max_roots = 10'000});
  ASSERT_TRUE(store_->commit(batch));
  watch_.patience = 5;
  const auto stopped = care_.vacuum(watch_);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::kCancelled);
  Watch again;
  ASSERT_TRUE(care_.vacuum(again));
  EXPECT_LT(again.total, watch_.total);
  Watch check;
  EXPECT_TRUE(care_.verify({}, check));
}

TEST_F(SqliteCareTest, ACheckpointEmptiesTheLog) {
  fill(5);
  EXPECT_GT(fs::file_size(path("data/docket.db-wal")), 0U);
  ASSERT_TRUE(care_.checkpoint(watch_));
  EXPECT_GT(watch_.total, 0);
  EXPECT_EQ(fs::file_size(path("data/docket.db-wal")), 0U);
  fill(1);
}

// A reader of an old snapshot is not waited for.
TEST_F(SqliteCareTest, ACheckpointBesideAReader) {
  fill(5);
  auto database = Database::open(path("data/docket.db"), Access::kReadOnly, checksum_vfs("quick"));
  ASSERT_TRUE(database);
  const Transaction snapshot(*database, Transaction::Mode::kRead);
  ASSERT_TRUE(database->number("SELECT count(*) FROM task"));
  fill(5);
  ASSERT_TRUE(care_.checkpoint(watch_));
  EXPECT_GT(fs::file_size(path("data/docket.db-wal")), 0U);
}

// ---- export, and the rest

TEST_F(SqliteCareTest, AnExportHasEveryRecordOnALineOfItsOwn) {
  fill(60);
  ASSERT_TRUE(care_.export_records(path("all.jsonl"), watch_));
  EXPECT_EQ(watch_.completed, watch_.total);
  std::map<std::string, std::int64_t> seen;
  std::ifstream lines(path("all.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const auto value = parse_json(line);
    ASSERT_TRUE(value) << line;
    ++seen[std::string(value->as_object().at("record").as_string())];
  }
  auto database = Database::open(path("data/docket.db"), Access::kReadOnly, checksum_vfs("quick"));
  ASSERT_TRUE(database);
  std::int64_t all = 0;
  for (const auto& [record, table] :
       std::map<std::string, std::string>{{"job", "job"},
                                          {"jobVersion", "job_version"},
                                          {"schedule", "schedule"},
                                          {"task", "task"},
                                          {"operation", "operation"},
                                          {"event", "event"},
                                          {"ledger", "ledger"},
                                          {"lock", "lock"},
                                          {"record", "record"}}) {
    const auto rows = database->number(("SELECT count(*) FROM " + table).c_str());
    ASSERT_TRUE(rows);
    EXPECT_EQ(seen[record], *rows) << table;
    EXPECT_GT(*rows, 0) << table << ": the workload has none";
    all += *rows;
  }
  EXPECT_EQ(watch_.total, static_cast<double>(all));
}

TEST_F(SqliteCareTest, TreesThatEndedBeforeAnInstant) {
  add_ended_runs(1, 10);
  EXPECT_EQ(care_.trees_ended_before(from_micros(1)), 0U);
  EXPECT_EQ(care_.trees_ended_before(from_micros(5)), 4U);
  EXPECT_EQ(care_.trees_ended_before(from_micros(100)), 10U);
}

TEST_F(SqliteCareTest, AnOpenStoreHasTheSchemaOfThisProgram) {
  EXPECT_TRUE(care_.upgrade(watch_));
  EXPECT_EQ(watch_.completed, watch_.total);
}

}  // namespace
}  // namespace docket::store
