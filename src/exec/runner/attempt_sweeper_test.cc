#include "exec/runner/attempt_sweeper.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "exec/runner/log_files.h"
#include "store/memory/memory_store.h"

namespace docket::runner {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// Asks the store, and counts how often.
class CountingReader : public engine::Reader {
 public:
  explicit CountingReader(engine::Store& store) : reader_(store.open_reader().value()) {}
  Result<std::optional<engine::TaskRow>> task(TaskId id) override {
    ++asked;
    return reader_->task(id);
  }
  Result<std::vector<engine::TaskRow>> tasks(const engine::TaskQuery& query) override {
    return reader_->tasks(query);
  }
  Result<std::vector<engine::FinishedRun>> history(const engine::HistoryQuery& query) override {
    return reader_->history(query);
  }
  Result<std::vector<model::Event>> events(const engine::EventQuery& query) override {
    return reader_->events(query);
  }
  Result<std::optional<model::Event>> event(EventSeq seq) override { return reader_->event(seq); }
  Result<std::optional<std::string>> result(TaskId task) override { return reader_->result(task); }
  Result<std::vector<model::LedgerEntry>> ledger(ScheduleUid schedule, Time from, Time until,
                                                 std::uint32_t limit) override {
    return reader_->ledger(schedule, from, until, limit);
  }
  Result<std::vector<engine::TaskRow>> children(const engine::ChildQuery& query) override {
    return reader_->children(query);
  }
  Result<std::vector<engine::ListedRow>> listed(const engine::ListedQuery& query) override {
    return reader_->listed(query);
  }
  Result<std::optional<model::Listing>> listing(TaskId task) override {
    return reader_->listing(task);
  }
  Result<std::optional<TaskId>> task_of_uuid(const std::string& uuid) override {
    return reader_->task_of_uuid(uuid);
  }
  Result<std::optional<model::JobPtr>> job_version(JobUid job, std::uint32_t version) override {
    return reader_->job_version(job, version);
  }
  int asked = 0;

 private:
  std::unique_ptr<engine::Reader> reader_;
};

// Reads at once, on the caller's thread.
class DirectArchive : public engine::Archive {
 public:
  explicit DirectArchive(engine::Reader& reader) : reader_(reader) {}
  void read(std::function<void(engine::Reader&)> work) override { work(reader_); }

 private:
  engine::Reader& reader_;
};

class AttemptSweeperTest : public ::testing::Test {
 protected:
  AttemptSweeperTest() { fs::create_directories(dir / "attempts"); }
  void TearDown() override { fs::remove_all(dir); }

  void leave_files(TaskId token) {
    fs::create_directories(work_path(dir, token));
    for (const auto& file :
         {record_path(dir, token), stdout_path(dir, token), stderr_path(dir, token)}) {
      std::ofstream(file) << "words";
    }
  }
  void want(TaskId token) {
    engine::Batch batch;
    batch.tasks.push_back({.id = token, .root = token});
    ASSERT_TRUE(store.commit(batch));
  }
  bool there(TaskId token) const { return fs::exists(record_path(dir, token)); }
  std::size_t entries() const {
    const fs::recursive_directory_iterator all(dir / "attempts");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

  fs::path dir = fs::temp_directory_path() / ("docket-sweeper-test-" + std::to_string(::getpid()));
  store::MemoryStore store;
  CountingReader reader{store};
  SweepRounds rounds{dir, 4};
};

TEST_F(AttemptSweeperTest, RemovesOnlyWhatTheStoreForgot) {
  want(TaskId{5});
  for (const std::uint64_t token : {5U, 6U, 1500U}) leave_files(TaskId{token});
  std::ofstream(work_path(dir, TaskId{6}) / "left") << "by the job";
  fs::create_directories(dir / "attempts/0/not-a-token");
  EXPECT_FALSE(rounds.go_on(reader, 10'000)) << "the end of the round";
  EXPECT_TRUE(there(TaskId{5}));
  EXPECT_TRUE(fs::exists(work_path(dir, TaskId{5})));
  EXPECT_TRUE(fs::exists(dir / "attempts/0/not-a-token"));
  EXPECT_FALSE(fs::exists(dir / "attempts/1")) << "an empty shard goes too";
  EXPECT_EQ(entries(), 1 + 4 + 1U);
}

// A round used to take one shard of a thousand attempts a minute.
TEST_F(AttemptSweeperTest, OneRoundTakesAllThatWasForgotten) {
  for (std::uint64_t token = 9'000; token < 90'000; token += 300) leave_files(TaskId{token});
  for (const std::uint64_t token : {9'300U, 60'300U, 89'700U}) want(TaskId{token});
  EXPECT_FALSE(rounds.go_on(reader, 10'000));
  EXPECT_EQ(entries(), 3 + 3 * 4U) << "three shards, each with the attempt that is wanted";
}

TEST_F(AttemptSweeperTest, ASliceHasALimitedNumberOfAttempts) {
  for (const std::uint64_t token : {1U, 2U, 3U}) leave_files(TaskId{token});
  for (int left = 2; left >= 0; --left) {
    EXPECT_TRUE(rounds.go_on(reader, 1));
    EXPECT_EQ(entries(), 1 + 4U * static_cast<unsigned>(left));
  }
  EXPECT_FALSE(rounds.go_on(reader, 1));
  EXPECT_EQ(entries(), 0U);
}

// A long history costs no more than a short one, and is still looked at.
TEST_F(AttemptSweeperTest, ARoundThatRemovesNothingLooksAtAnotherPartEachTime) {
  for (std::uint64_t shard = 1; shard <= 6; ++shard) {
    for (const std::uint64_t token : {shard * 1000, shard * 1000 + 1}) {
      leave_files(TaskId{token});
      if (token != 5'001) want(TaskId{token});
    }
  }
  for (int round = 0; round < 2; ++round) EXPECT_FALSE(rounds.go_on(reader, 10'000));
  EXPECT_EQ(reader.asked, 2 * 6) << "two shards with enough that is wanted, and one of the rest";
  EXPECT_TRUE(there(TaskId{5'001}));
  EXPECT_FALSE(rounds.go_on(reader, 10'000));
  EXPECT_FALSE(there(TaskId{5'001}));
  EXPECT_TRUE(there(TaskId{5'000}));
}

TEST_F(AttemptSweeperTest, GoesOnSliceAfterSliceByItself) {
  for (std::uint64_t token = 1; token <= 200; ++token) leave_files(TaskId{token});
  want(TaskId{7});
  boost::asio::io_context io;
  DirectArchive archive(reader);
  AttemptSweeper sweeper(io, archive, dir, 1ms);
  sweeper.start();
  for (int turn = 0; entries() > 5 && turn < 1000; ++turn) io.run_one_for(1s);
  EXPECT_EQ(entries(), 5U);
}

TEST_F(AttemptSweeperTest, KnowsTheHighestTokenEverStarted) {
  EXPECT_EQ(highest_token(dir), TaskId{});
  for (const std::uint64_t token : {5U, 9'999U, 10'002U, 10'001U}) leave_files(TaskId{token});
  EXPECT_EQ(highest_token(dir), TaskId{10'002});
}

}  // namespace
}  // namespace docket::runner
