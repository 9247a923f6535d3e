// What happens when the disk fails: at every write, sync, open and truncation of a scripted life of
// a store, at every instant of a power cut, and when there is no room. One promise: what was
// acknowledged is there, what was not is there whole or not at all.

#include <gtest/gtest.h>

#include <array>
#include <filesystem>

#include "conformance/describe.h"
#include "conformance/naive_model.h"
#include "conformance/workload.h"
#include "store/sqlite/sqlite_store.h"
#include "support/faults/fault_vfs.h"

namespace docket::store {
namespace {

using conformance::describe;

constexpr std::size_t kBatches = 8;

// The batches of the script, and how the store must look before the first and after each.
struct Script {
  std::vector<engine::Batch> batches;
  std::vector<std::string> states;
};

std::string state_of(const engine::Snapshot& snapshot, const std::vector<engine::TaskRow>& tasks,
                     const std::vector<model::Event>& events) {
  return describe(snapshot) + "\nall tasks:\n" + describe(tasks) + "\nall events:\n" +
         describe(events);
}

const Script& script() {
  static const Script made = [] {
    Script script;
    conformance::Workload workload(7);
    conformance::NaiveModel model;
    const auto note = [&] {
      script.states.push_back(
          state_of(model.snapshot(), model.tasks({.limit = 1000}), model.events({.limit = 1000})));
    };
    note();
    while (script.batches.size() < kBatches) {
      engine::Batch batch = workload.next();
      if (batch.empty()) continue;
      if (script.batches.size() % 3 == 2) batch.sweeps.push_back({workload.some_time(), 3});
      model.apply(batch);
      script.batches.push_back(std::move(batch));
      note();
    }
    return script;
  }();
  return made;
}

class SqliteFaults : public testing::Test {
 protected:
  SqliteFaults() {
    std::string pattern = testing::TempDir() + "docket-faults-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~SqliteFaults() override { std::filesystem::remove_all(directory_); }

  // A fresh directory for each life.
  std::string data() const { return directory_ + "/data"; }
  void begin() {
    std::filesystem::remove_all(data());
    vfs_.reset();
    vfs_ = std::make_unique<FaultVfs>("faulty");
  }

  SqliteOptions options(DiskReserve* reserve = nullptr) const {
    return {.directory = data(),
            .checkpoint_pages = 24,  // so that the script has several checkpoints
            .checkpoints = Checkpoints::kInCommits,
            .reserve = reserve,
            .vfs = "faulty"};
  }

  // Runs the script, opening the store anew in the middle, until something fails. Returns how many
  // batches were acknowledged.
  std::size_t live() {
    std::size_t acknowledged = 0;
    for (std::size_t half : {kBatches / 2, kBatches}) {
      Result<std::unique_ptr<SqliteStore>> store = SqliteStore::open(options());
      if (!store) return acknowledged;
      for (; acknowledged < half; ++acknowledged) {
        if (!(*store)->commit(script().batches[acknowledged])) {
          expect_to_stay_failed(**store);
          return acknowledged;
        }
      }
    }
    return acknowledged;
  }

  void expect_to_stay_failed(SqliteStore& store) {
    const std::uint64_t before = vfs_->count();
    const Result<> again = store.commit(script().batches[0]);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(vfs_->count(), before) << "a failed store touched its files";
  }

  std::string state(SqliteStore& store) {
    const Result<engine::Snapshot> snapshot = store.load();
    if (!snapshot) return snapshot.error().message;
    const auto reader = store.open_reader();
    if (!reader) return reader.error().message;
    const auto tasks = (*reader)->tasks({.limit = 1000});
    const auto events = (*reader)->events({.limit = 1000});
    if (!tasks) return tasks.error().message;
    if (!events) return events.error().message;
    return state_of(*snapshot, *tasks, *events);
  }

  // Everything acknowledged is there; the batch after it may be. The store works.
  void expect_nothing_lost(std::size_t acknowledged) {
    Result<std::unique_ptr<SqliteStore>> store = SqliteStore::open(options());
    ASSERT_TRUE(store) << store.error().message;
    const Result<> verified = (*store)->verify();
    EXPECT_TRUE(verified) << verified.error().message;
    const std::string found = state(**store);
    std::size_t next = acknowledged;
    if (next < kBatches && found == script().states[next + 1]) ++next;
    ASSERT_EQ(found, script().states[next]) << acknowledged << " batches were acknowledged";
    for (; next < kBatches; ++next) ASSERT_TRUE((*store)->commit(script().batches[next]));
    EXPECT_EQ(state(**store), script().states[kBatches]);
  }

  std::string directory_;
  std::unique_ptr<FaultVfs> vfs_;
};

TEST_F(SqliteFaults, TheScriptItselfIsFine) {
  begin();
  EXPECT_EQ(live(), kBatches);
  EXPECT_GT(vfs_->count(Operation::kSync), 20U);
  EXPECT_GT(vfs_->count(Operation::kTruncate) + vfs_->count(Operation::kDelete), 0U);
  expect_nothing_lost(kBatches);
}

class SqliteFaultAt : public SqliteFaults, public testing::WithParamInterface<Operation> {};

TEST_P(SqliteFaultAt, EveryFailureLosesNothingAcknowledged) {
  std::uint64_t nth = 1;
  for (bool reached = true; reached; ++nth) {
    SCOPED_TRACE("failure of number " + std::to_string(nth));
    begin();
    vfs_->fail(GetParam(), nth);
    const std::size_t acknowledged = live();
    reached = vfs_->has_failed();
    vfs_->heal();
    ASSERT_NO_FATAL_FAILURE(expect_nothing_lost(acknowledged));
  }
  EXPECT_GT(nth, 2U);
}

std::string operation_name(const testing::TestParamInfo<Operation>& each) {
  return std::array{"Open", "Write", "Sync", "Truncate",
                    "Delete"}[static_cast<std::size_t>(each.param)];
}

INSTANTIATE_TEST_SUITE_P(Each, SqliteFaultAt,
                         testing::Values(Operation::kOpen, Operation::kWrite, Operation::kSync,
                                         Operation::kTruncate, Operation::kDelete),
                         operation_name);

class SqlitePowerCut : public SqliteFaults, public testing::WithParamInterface<Unsynced> {};

TEST_P(SqlitePowerCut, AtAnyInstantLosesNothingAcknowledged) {
  std::uint64_t after = 0;
  for (bool reached = true; reached; ++after) {
    SCOPED_TRACE("power cut after operation " + std::to_string(after));
    begin();
    vfs_->cut_power_after(after);
    const std::size_t acknowledged = live();
    reached = vfs_->has_failed();
    vfs_->restore_power(GetParam(), after);
    ASSERT_NO_FATAL_FAILURE(expect_nothing_lost(acknowledged));
  }
  EXPECT_GT(after, 100U);
}

std::string unsynced_name(const testing::TestParamInfo<Unsynced>& each) {
  return std::array{"Lost", "KeptInPart", "Kept"}[static_cast<std::size_t>(each.param)];
}

INSTANTIATE_TEST_SUITE_P(WhatWasNotSynced, SqlitePowerCut,
                         testing::Values(Unsynced::kLost, Unsynced::kSomeOfIt, Unsynced::kKept),
                         unsynced_name);

TEST_F(SqliteFaults, AFullDiskRefusesAndThenGoesOn) {
  begin();
  SqliteOptions no_checkpoints = options();
  no_checkpoints.checkpoint_pages = 100'000;  // a log that is started anew has room in its file
  auto store = SqliteStore::open(no_checkpoints);
  ASSERT_TRUE(store) << store.error().message;
  for (std::size_t at = 0; at < 3; ++at) ASSERT_TRUE((*store)->commit(script().batches[at]));
  vfs_->set_full([] { return true; });
  std::size_t at = 3;
  Result<> refused;
  while (at < kBatches && (refused = (*store)->commit(script().batches[at]))) ++at;
  ASSERT_LT(at, kBatches);
  EXPECT_EQ(refused.error().kind, ErrorKind::kExhausted) << refused.error().message;
  EXPECT_EQ((*store)->commit(script().batches[at]).error().kind, ErrorKind::kExhausted);
  vfs_->set_full(nullptr);
  EXPECT_EQ(state(**store), script().states[at]);
  for (; at < kBatches; ++at) ASSERT_TRUE((*store)->commit(script().batches[at]));
  EXPECT_EQ(state(**store), script().states[kBatches]);
}

TEST_F(SqliteFaults, ReadersGoOnWhileTheDiskIsFull) {
  begin();
  auto store = SqliteStore::open(options());
  ASSERT_TRUE(store) << store.error().message;
  ASSERT_TRUE((*store)->commit(script().batches[0]));
  const auto reader = (*store)->open_reader();
  ASSERT_TRUE(reader);
  vfs_->set_full([] { return true; });
  EXPECT_TRUE((*reader)->tasks({}));
  EXPECT_TRUE((*reader)->events({}));
}

TEST_F(SqliteFaults, AStoreOpensOnAFullDiskWithItsReserve) {
  begin();
  std::filesystem::create_directories(data());
  DiskReserve reserve(data(), DiskReserve::kChunkBytes);
  {
    auto store = SqliteStore::open(options());
    ASSERT_TRUE(store) << store.error().message;
    ASSERT_TRUE((*store)->commit(script().batches[0]));
  }
  ASSERT_TRUE(reserve.restore());
  vfs_->set_full([&reserve] { return reserve.held_bytes() > 0; });
  const auto refused = SqliteStore::open(options());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kExhausted) << refused.error().message;
  EXPECT_EQ(reserve.held_bytes(), DiskReserve::kChunkBytes);

  auto store = SqliteStore::open(options(&reserve));
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ(reserve.held_bytes(), 0U);
  EXPECT_EQ(state(**store), script().states[1]);
  EXPECT_TRUE((*store)->commit(script().batches[1]));
}

}  // namespace
}  // namespace docket::store
