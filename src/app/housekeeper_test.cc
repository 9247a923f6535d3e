// The whole server with fakes at its ports; the work runs when the test says so.

#include "app/housekeeper.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "support/harness.h"

namespace docket::app {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using engine::Chore;
using engine::ChoreOrder;

// Does what `during` says, then answers `result`.
class FakeCare : public engine::StoreCare {
 public:
  Result<> backup(const std::string& file, engine::CareWatch& watch) override {
    return note("backup " + fs::path(file).filename().string(), watch);
  }
  Result<> verify(const std::vector<std::string>& families, engine::CareWatch& watch) override {
    return note("verify" + (families.empty() ? "" : " " + families.front()), watch);
  }
  Result<> vacuum(engine::CareWatch& watch) override { return note("vacuum", watch); }
  Result<> checkpoint(engine::CareWatch& watch) override { return note("checkpoint", watch); }
  Result<> export_records(const std::string& file, engine::CareWatch& watch) override {
    return note("export " + fs::path(file).filename().string(), watch);
  }
  Result<> upgrade(engine::CareWatch& watch) override { return note("upgrade", watch); }
  Result<std::uint64_t> trees_ended_before(Time instant) override {
    asked_before = instant;
    if (trees.empty()) return 0;
    const std::uint64_t count = trees.front();
    if (trees.size() > 1) trees.erase(trees.begin());
    return count;
  }

  std::function<void(engine::CareWatch&)> during = [](engine::CareWatch&) {};
  Result<> result;
  std::vector<std::string> done;
  std::vector<std::uint64_t> trees;  // at each look, the last for ever
  Time asked_before = kNever;

 private:
  Result<> note(std::string what, engine::CareWatch& watch) {
    done.push_back(std::move(what));
    during(watch);
    return result;
  }
};

class HousekeeperTest : public ::testing::Test {
 protected:
  void TearDown() override { fs::remove_all(directory); }

  Result<TaskId> ask(ChoreOrder order) {
    Result<TaskId> answer = fail(ErrorKind::kInternal, "no answer");
    docket.loop().call<TaskId>(
        [&](engine::Engine& engine, Time now) { return keeper.ask(engine, order, now); },
        [&](Result<TaskId> task) { answer = std::move(task); });
    docket.settle();
    return answer;
  }
  // The next piece of work, and what follows from it.
  void work() {
    ASSERT_FALSE(pieces.empty());
    const auto piece = std::move(pieces.front());
    pieces.pop_front();
    piece();
    docket.settle();
  }
  void abort(TaskId task) {
    docket.loop().call<bool>(
        [task](engine::Engine& engine, Time now) -> Result<bool> {
          EXPECT_TRUE(engine.abort_task(task, now));
          return true;
        },
        [](const Result<bool>&) {});
    docket.settle();
  }
  model::State state(TaskId task) { return docket.stored(task).state; }

  testing::Harness docket;
  FakeCare care;
  std::deque<std::function<void()>> pieces;
  std::string directory =
      (fs::temp_directory_path() / ("docket-housekeeper-" + std::to_string(getpid()))).string();
  Housekeeper keeper{docket.loop(), docket.clock, care, directory,
                     [this](std::function<void()> piece) { pieces.push_back(std::move(piece)); }};
};

TEST_F(HousekeeperTest, AnOrderIsATaskFromTheStart) {
  const auto task = ask({.chore = Chore::kBackup, .file = "a.db"});
  ASSERT_TRUE(task);
  const model::Task stored = docket.stored(*task);
  EXPECT_EQ(stored.state, model::State::kRunning);
  const model::Operation& what = *stored.operation;
  EXPECT_EQ(what.module, "maintenance");
  EXPECT_EQ(what.type, "backup");
  EXPECT_EQ(what.scope, "node");
  EXPECT_EQ(what.entity, "a.db");
  EXPECT_EQ(what.units, "bytes");
  EXPECT_TRUE(what.abortable && what.user && what.local && !what.internal);
  EXPECT_TRUE(care.done.empty()) << "done elsewhere";
  work();
  EXPECT_EQ(state(*task), model::State::kDone);
  EXPECT_EQ(care.done, std::vector<std::string>{"backup a.db"});
}

TEST_F(HousekeeperTest, OneAfterTheOther) {
  const auto first = ask({.chore = Chore::kVerify, .families = {"task"}});
  const auto second = ask({.chore = Chore::kVacuum,
                           .type = "major compaction",
                           .keyspace = "process",
                           .table = "task"});
  EXPECT_EQ(state(*first), model::State::kRunning);
  EXPECT_EQ(state(*second), model::State::kCreated);
  EXPECT_EQ(docket.stored(*second).operation->type, "major compaction");
  EXPECT_EQ(docket.stored(*second).operation->scope, "table");
  work();
  EXPECT_EQ(state(*first), model::State::kDone);
  EXPECT_EQ(state(*second), model::State::kRunning);
  work();
  EXPECT_EQ(state(*second), model::State::kDone);
  EXPECT_EQ(care.done, (std::vector<std::string>{"verify task", "vacuum"}));
}

TEST_F(HousekeeperTest, ProgressComesAtABoundedRateAndTheLastFigureAlways) {
  const auto task = ask({.chore = Chore::kExport});
  care.during = [&](engine::CareWatch& watch) {
    EXPECT_TRUE(watch.go_on(1, 10));
    docket.settle();
    EXPECT_EQ(docket.stored(*task).tally.completed, 1);
    for (int i = 2; i < 8; ++i) EXPECT_TRUE(watch.go_on(i, 10));
    docket.settle();
    EXPECT_EQ(docket.stored(*task).tally.completed, 1) << "not yet";
    docket.advance(100ms);
    EXPECT_TRUE(watch.go_on(8, 10));
    docket.settle();
    EXPECT_EQ(docket.stored(*task).tally.completed, 8);
    EXPECT_TRUE(watch.go_on(10, 10));
  };
  work();
  EXPECT_EQ(docket.stored(*task).tally.completed, 10);
  EXPECT_EQ(docket.stored(*task).tally.total, 10);
}

TEST_F(HousekeeperTest, AFailureIsTheTasksError) {
  care.result = fail(ErrorKind::kInternal, "The store is damaged");
  const auto task = ask({.chore = Chore::kVerify});
  work();
  EXPECT_EQ(state(*task), model::State::kFailed);
  EXPECT_EQ(docket.stored(*task).message, "The store is damaged");
  care.result = {};
  EXPECT_TRUE(ask({.chore = Chore::kVerify}));
  work();
}

TEST_F(HousekeeperTest, AnAbortStopsTheWork) {
  const auto task = ask({.chore = Chore::kVerify});
  care.result = engine::cancelled();
  care.during = [&](engine::CareWatch& watch) {
    EXPECT_TRUE(watch.go_on(1, 10));
    docket.settle();
    abort(*task);
    docket.advance(100ms);
    EXPECT_TRUE(watch.go_on(2, 10)) << "asks, and hears it with the answer";
    docket.settle();
    EXPECT_FALSE(watch.go_on(3, 10));
  };
  work();
  EXPECT_EQ(state(*task), model::State::kAborted);
  EXPECT_EQ(docket.stored(*task).message, "");
}

TEST_F(HousekeeperTest, WhatWaitsIsAbortedWithoutWaiting) {
  const auto first = ask({.chore = Chore::kVerify});
  const auto second = ask({.chore = Chore::kVerify});
  const auto third = ask({.chore = Chore::kVacuum});
  abort(*second);
  care.during = [&](engine::CareWatch& watch) {
    watch.go_on(1, 10);
    docket.settle();
    EXPECT_EQ(state(*second), model::State::kAborted);
  };
  work();
  EXPECT_EQ(state(*first), model::State::kDone);
  work();
  EXPECT_EQ(state(*third), model::State::kDone);
  EXPECT_EQ(care.done.size(), 2U);
}

TEST_F(HousekeeperTest, AnAbortBeforeTheBeginning) {
  const auto first = ask({.chore = Chore::kVerify});
  const auto second = ask({.chore = Chore::kVerify});
  abort(*second);
  work();
  EXPECT_EQ(state(*first), model::State::kDone);
  EXPECT_EQ(state(*second), model::State::kAborted);
  EXPECT_TRUE(pieces.empty());
}

// ---- orders that are refused

TEST_F(HousekeeperTest, FilesAreNeverReplaced) {
  fs::create_directories(directory);
  std::ofstream(directory + "/there") << "words";
  const auto there = ask({.chore = Chore::kBackup, .file = "there"});
  ASSERT_FALSE(there);
  EXPECT_EQ(there.error().kind, ErrorKind::kConflict);
  ASSERT_TRUE(ask({.chore = Chore::kBackup}));
  ASSERT_TRUE(ask({.chore = Chore::kBackup, .file = "x"}));
  EXPECT_FALSE(ask({.chore = Chore::kExport, .file = "x"})) << "it will be there";
  EXPECT_EQ(ask({.chore = Chore::kBackup, .file = "../x"}).error().kind, ErrorKind::kInvalid);
}

TEST_F(HousekeeperTest, AFileWithoutANameIsNamedByTheInstant) {
  const auto task = ask({.chore = Chore::kBackup});
  EXPECT_EQ(docket.stored(*task).operation->entity, "docket-20240115T100000.000000Z.db");
  const auto other = ask({.chore = Chore::kExport});
  EXPECT_EQ(docket.stored(*other).operation->entity, "docket-20240115T100000.000000Z.jsonl");
}

TEST_F(HousekeeperTest, OnlySoManyWait) {
  ASSERT_TRUE(ask({.chore = Chore::kVerify}));
  for (std::size_t i = 0; i < Housekeeper::kWaitingMax; ++i) {
    ASSERT_TRUE(ask({.chore = Chore::kVerify}));
  }
  EXPECT_EQ(ask({.chore = Chore::kVerify}).error().kind, ErrorKind::kExhausted);
}

// ---- ends

TEST_F(HousekeeperTest, AServerThatStopsFailsWhatGoesOnAndWhatWaits) {
  const auto first = ask({.chore = Chore::kVerify});
  const auto second = ask({.chore = Chore::kVerify});
  care.result = engine::cancelled();
  care.during = [&](engine::CareWatch& watch) {
    keeper.stop();
    EXPECT_FALSE(watch.go_on(1, 2));
  };
  work();
  for (const auto& task : {first, second}) {
    EXPECT_EQ(state(*task), model::State::kFailed);
    EXPECT_EQ(docket.stored(*task).message, "The server was stopped before this had ended");
  }
  EXPECT_EQ(ask({.chore = Chore::kVerify}).error().kind, ErrorKind::kUnavailable);
}

TEST_F(HousekeeperTest, ACrashFailsThem) {
  const auto first = ask({.chore = Chore::kVerify});
  const auto second = ask({.chore = Chore::kVerify});
  docket.restart();
  for (const auto& task : {first, second}) {
    EXPECT_EQ(state(*task), model::State::kFailed);
    EXPECT_EQ(docket.stored(*task).message, "The server ended before this did");
  }
}

TEST_F(HousekeeperTest, HalfMadeFilesGoAndOthersStay) {
  fs::create_directories(directory + "/dir.partial");
  for (const char* name : {"a.db", "b.db.partial", "partial"})
    std::ofstream(directory + "/" + name);
  remove_partial_files(directory);
  EXPECT_TRUE(fs::exists(directory + "/a.db"));
  EXPECT_TRUE(fs::exists(directory + "/partial"));
  EXPECT_TRUE(fs::exists(directory + "/dir.partial"));
  EXPECT_FALSE(fs::exists(directory + "/b.db.partial"));
  remove_partial_files(directory + "/not-there");
}

// ---- retention

TEST_F(HousekeeperTest, RetentionGoesOnUntilNothingIsLeft) {
  care.trees = {5000, 3000, 1000, 0};
  const Time now = docket.clock.now();
  const auto task = ask({.chore = Chore::kRetention});
  for (const double swept : {0, 2000, 4000}) {
    EXPECT_EQ(state(*task), model::State::kRunning);
    work();
    docket.advance(100ms);
    EXPECT_EQ(docket.stored(*task).tally.completed, swept);
  }
  work();
  EXPECT_EQ(care.asked_before, now - docket.engine().settings().retention);
  EXPECT_EQ(state(*task), model::State::kDone);
  EXPECT_EQ(docket.stored(*task).tally.completed, 5000);
  EXPECT_EQ(docket.stored(*task).tally.total, 5000);
}

TEST_F(HousekeeperTest, RetentionDoesNotTryForEver) {
  care.trees = {10, 4, 4};  // four have something below them that goes on
  const auto task = ask({.chore = Chore::kRetention});
  for (int look = 0; look < 22; ++look) {
    EXPECT_EQ(state(*task), model::State::kRunning) << "a large tree goes in slices";
    work();
  }
  EXPECT_EQ(state(*task), model::State::kDone);
  EXPECT_EQ(docket.stored(*task).tally.completed, 6);
}

TEST_F(HousekeeperTest, RetentionCanBeAborted) {
  care.trees = {10, 8, 6, 4};
  const auto task = ask({.chore = Chore::kRetention});
  work();
  abort(*task);
  work();
  EXPECT_EQ(state(*task), model::State::kAborted);
}

}  // namespace
}  // namespace docket::app
