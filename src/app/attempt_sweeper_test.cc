#include "app/attempt_sweeper.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "exec/runner/log_files.h"
#include "store/memory/memory_store.h"

namespace docket::app {
namespace {

namespace fs = std::filesystem;

class AttemptSweeperTest : public ::testing::Test {
 protected:
  AttemptSweeperTest() {
    engine::Batch batch;
    batch.tasks.push_back({.id = TaskId{5}, .root = TaskId{5}});
    EXPECT_TRUE(store.commit(batch));
  }
  ~AttemptSweeperTest() override { fs::remove_all(dir); }
  void leave_files(TaskId token) {
    fs::create_directories(runner::attempt_path(dir, token));
    std::ofstream(runner::stdout_path(dir, token)) << "words";
  }
  bool there(TaskId token) const { return fs::exists(runner::attempt_path(dir, token)); }

  store::MemoryStore store;
  fs::path dir = fs::temp_directory_path() / ("docket-sweeper-test-" + std::to_string(::getpid()));
};

TEST_F(AttemptSweeperTest, RemovesOnlyWhatTheStoreForgotShardByShard) {
  for (const std::uint64_t token : {5U, 6U, 1500U}) leave_files(TaskId{token});
  fs::create_directories(dir / "attempts" / "0" / "not-a-token");
  const auto reader = store.open_reader().value();
  const fs::path first = sweep_next_shard(dir, *reader, {});
  EXPECT_EQ(first.filename(), "0");
  EXPECT_TRUE(there(TaskId{5}));
  EXPECT_FALSE(there(TaskId{6}));
  EXPECT_TRUE(there(TaskId{1500}));
  const fs::path second = sweep_next_shard(dir, *reader, first);
  EXPECT_FALSE(there(TaskId{1500}));
  EXPECT_FALSE(fs::exists(second)) << "an empty shard goes too";
  EXPECT_TRUE(sweep_next_shard(dir, *reader, second).empty()) << "the end of the round";
  EXPECT_TRUE(fs::exists(dir / "attempts" / "0" / "not-a-token"));
}

TEST_F(AttemptSweeperTest, KnowsTheHighestTokenEverStarted) {
  EXPECT_EQ(highest_token(dir), TaskId{});
  for (const std::uint64_t token : {5U, 9'999U, 10'002U, 10'001U}) leave_files(TaskId{token});
  EXPECT_EQ(highest_token(dir), TaskId{10'002});
}

}  // namespace
}  // namespace docket::app
