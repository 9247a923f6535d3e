// Readers and backups beside a writer: each sees whole batches, none stops the other.

#include <atomic>
#include <filesystem>
#include <thread>

#include "conformance/describe.h"
#include "conformance/samples.h"
#include "conformance/store_under_test.h"

namespace docket::conformance {
namespace {

using model::State;

// A batch of ten runs; after it all runs of the job carry its number.
engine::Batch numbered(std::uint64_t number) {
  engine::Batch batch;
  if (number == 1) batch.jobs = {plain_job(1, "a")};
  for (std::uint64_t id = 1; id <= 10; ++id) {
    model::Task run = plain_run(id);
    run.message = std::to_string(number);
    batch.tasks.push_back(run);
  }
  batch.events = {plain_event(number, batch.tasks[0])};
  return batch;
}

TEST_P(StoreConformance, AReaderSeesWholeBatchesOnly) {
  commit(numbered(1));
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (std::uint64_t number = 2; number <= 60; ++number) {
      const Result<> committed = store_->commit(numbered(number));
      if (!committed) break;
    }
    done = true;
  });
  bool last_round = false;
  std::string seen;
  while (!last_round) {
    last_round = done;
    const auto page = reader().tasks({.parent = TaskId{}});
    ASSERT_TRUE(page);
    ASSERT_EQ(page->size(), 10U);
    seen = page->front().task.message;
    for (const engine::TaskRow& row : *page) ASSERT_EQ(row.task.message, seen);
  }
  writer.join();
  EXPECT_EQ(seen, "60");
}

TEST_P(StoreConformance, ANewReaderSeesWhatIsAcknowledged) {
  commit(numbered(1));
  const auto another = store_->open_reader();
  ASSERT_TRUE(another);
  EXPECT_EQ((*another)->tasks({})->size(), 10U);
}

TEST_P(StoreConformance, ABackupMadeWhileWritingIsWholeAndOpens) {
  if (world_->backup_file().empty()) GTEST_SKIP() << "this store has no backup";
  commit(numbered(1));
  std::filesystem::create_directories(std::filesystem::path(world_->backup_file()).parent_path());
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (std::uint64_t number = 2; !stop; ++number) {
      if (!store_->commit(numbered(number))) return;
    }
  });
  const Result<> copied = store_->backup(world_->backup_file());
  stop = true;
  writer.join();
  ASSERT_TRUE(copied) << copied.error().message;

  const auto copy = world_->open_backup();
  ASSERT_TRUE(copy);
  const auto snapshot = copy->load();
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  ASSERT_EQ(snapshot->tasks.size(), 10U);
  const std::string number = snapshot->tasks[0].message;
  for (const model::Task& run : snapshot->tasks) EXPECT_EQ(run.message, number);
  EXPECT_EQ(std::to_string(snapshot->last_event.value), number);
  EXPECT_TRUE(copy->commit(numbered(1000)));
}

TEST_P(StoreConformance, ABackupNeverReplacesAFile) {
  if (world_->backup_file().empty()) GTEST_SKIP() << "this store has no backup";
  commit(numbered(1));
  std::filesystem::create_directories(std::filesystem::path(world_->backup_file()).parent_path());
  ASSERT_TRUE(store_->backup(world_->backup_file()));
  const Result<> again = store_->backup(world_->backup_file());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::kConflict);
}

TEST_P(StoreConformance, ABackupToNowhereFailsAndLeavesTheStoreAlone) {
  commit(numbered(1));
  EXPECT_FALSE(store_->backup("/nonexistent/directory/copy.db"));
  commit(numbered(2));
}

}  // namespace
}  // namespace docket::conformance
