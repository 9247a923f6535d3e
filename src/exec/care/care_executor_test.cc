// The whole server with fakes at its other ports; the work is done when the test says so.

#include "exec/care/care_executor.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>
#include <filesystem>
#include <fstream>

#include "kinds/maintenance/orders.h"
#include "support/harness.h"

namespace docket::care {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using kinds::Order;

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

class CareExecutorTest : public ::testing::Test, public Retention {
 protected:
  CareExecutorTest() { attach(); }
  void TearDown() override { fs::remove_all(directory); }

  void attach() {
    executor = std::make_unique<CareExecutor>(
        CareExecutor::Ports{
            .care = care,
            .retention = *this,
            .clock = docket.clock,
            .background = [this](CareExecutor::Piece piece) { pieces.push_back(std::move(piece)); },
            .post =
                [this](CareExecutor::Piece work) {
                  docket.reactor.post([work = std::move(work)] { work(); });
                }},
        directory);
    docket.care_executor = executor.get();
    docket.restart();
  }
  // The server dies with what is under way; the next one begins with an executor of its own.
  void restart() {
    const auto dead = std::move(executor);  // still there when its loop goes
    pieces.clear();
    attach();
  }

  Time kept_since() override { return docket.engine().kept_since(docket.clock.now()); }
  void sweep(std::function<void(Result<>)> done) override {
    docket.reactor.post([done = std::move(done)] { done({}); });
  }

  Result<TaskId> ask(const Order& order) {
    Result<TaskId> answer = fail(ErrorKind::kInternal, "no answer");
    docket.loop().call<TaskId>(
        [&](engine::Engine& engine, Time now) { return orders.ask(engine, order, now); },
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
  // Of a live task: the store has it a second later at the most.
  double completed(TaskId task) { return docket.engine().find_task(task)->task.tally.completed; }

  FakeCare care;
  std::deque<CareExecutor::Piece> pieces;
  std::string directory =
      (fs::temp_directory_path() / ("docket-care-" + std::to_string(getpid()))).string();
  std::unique_ptr<CareExecutor> executor;
  testing::Harness docket;  // goes before the executor
  kinds::Orders orders{directory};
};

TEST_F(CareExecutorTest, AnOrderIsATaskFromTheStart) {
  const auto task = ask({.work = {.chore = Chore::kBackup, .file = "a.db"}});
  ASSERT_TRUE(task);
  const model::Task stored = docket.stored(*task);
  EXPECT_EQ(stored.state, model::State::kRunning);
  EXPECT_TRUE(model::is_action(stored));
  const model::Operation& what = *stored.operation;
  EXPECT_EQ(what.module, "maintenance");
  EXPECT_EQ(what.type, "backup");
  EXPECT_EQ(what.scope, "node");
  EXPECT_EQ(what.entity, "a.db");
  EXPECT_EQ(what.units, "bytes");
  EXPECT_TRUE(what.abortable && what.user && what.local && !what.internal);
  EXPECT_TRUE(care.done.empty()) << "done in the background";
  work();
  EXPECT_EQ(state(*task), model::State::kDone);
  EXPECT_EQ(care.done, std::vector<std::string>{"backup a.db"});
}

TEST_F(CareExecutorTest, WorksOneAfterTheOther) {
  const auto first = ask({.work = {.chore = Chore::kVerify, .families = {"task"}}});
  const auto second = ask({.work = {.chore = Chore::kVacuum},
                           .type = "major compaction",
                           .keyspace = "process",
                           .table = "task"});
  EXPECT_EQ(state(*first), model::State::kRunning);
  EXPECT_EQ(state(*second), model::State::kQueued);
  EXPECT_EQ(docket.stored(*second).operation->type, "major compaction");
  EXPECT_EQ(docket.stored(*second).operation->scope, "table");
  work();
  EXPECT_EQ(state(*first), model::State::kDone);
  EXPECT_EQ(state(*second), model::State::kRunning);
  work();
  EXPECT_EQ(state(*second), model::State::kDone);
  EXPECT_EQ(care.done, (std::vector<std::string>{"verify task", "vacuum"}));
}

TEST_F(CareExecutorTest, ProgressComesAtABoundedRateAndTheLastFigureAlways) {
  const auto task = ask({.work = {.chore = Chore::kExport}});
  care.during = [&](engine::CareWatch& watch) {
    EXPECT_TRUE(watch.go_on(1, 10));
    docket.settle();
    EXPECT_EQ(completed(*task), 1);
    for (int i = 2; i < 8; ++i) EXPECT_TRUE(watch.go_on(i, 10));
    docket.settle();
    EXPECT_EQ(completed(*task), 1) << "not yet";
    docket.advance(100ms);
    EXPECT_TRUE(watch.go_on(8, 10));
    docket.settle();
    EXPECT_EQ(completed(*task), 8);
    EXPECT_TRUE(watch.go_on(10, 10));
  };
  work();
  EXPECT_EQ(docket.stored(*task).tally.completed, 10);
  EXPECT_EQ(docket.stored(*task).tally.total, 10);
}

TEST_F(CareExecutorTest, AFailureIsTheTasksError) {
  care.result = fail(ErrorKind::kInternal, "The store is damaged");
  const auto task = ask({.work = {.chore = Chore::kVerify}});
  work();
  EXPECT_EQ(state(*task), model::State::kFailed);
  EXPECT_EQ(docket.stored(*task).message, "The store is damaged");
  care.result = {};
  EXPECT_TRUE(ask({.work = {.chore = Chore::kVerify}}));
  work();
}

TEST_F(CareExecutorTest, AnAbortStopsTheWork) {
  const auto task = ask({.work = {.chore = Chore::kVerify}});
  care.result = engine::cancelled();
  care.during = [&](engine::CareWatch& watch) {
    EXPECT_TRUE(watch.go_on(1, 10));
    abort(*task);
    EXPECT_EQ(state(*task), model::State::kRunning) << "it is tidied up first";
    EXPECT_TRUE(docket.stored(*task).stopping);
    EXPECT_FALSE(watch.go_on(2, 10));
  };
  work();
  EXPECT_EQ(state(*task), model::State::kAborted);
  EXPECT_EQ(docket.stored(*task).message, "");
  EXPECT_EQ(docket.stored(*task).tally.completed, 2);
}

TEST_F(CareExecutorTest, WorkThatEndsBeforeItSeesTheAbortIsDone) {
  const auto task = ask({.work = {.chore = Chore::kVerify}});
  care.during = [&](engine::CareWatch&) { abort(*task); };
  work();
  EXPECT_EQ(state(*task), model::State::kDone);
}

TEST_F(CareExecutorTest, AWaitingOrderIsAbortedAtOnce) {
  const auto first = ask({.work = {.chore = Chore::kVerify}});
  const auto second = ask({.work = {.chore = Chore::kVerify}});
  const auto third = ask({.work = {.chore = Chore::kVacuum}});
  abort(*second);
  EXPECT_EQ(state(*second), model::State::kAborted);
  work();
  EXPECT_EQ(state(*first), model::State::kDone);
  work();
  EXPECT_EQ(state(*third), model::State::kDone);
  EXPECT_EQ(care.done.size(), 2U);
}

TEST_F(CareExecutorTest, AnAbortBeforeTheWorkBegins) {
  const auto task = ask({.work = {.chore = Chore::kVerify}});
  abort(*task);
  work();
  EXPECT_EQ(state(*task), model::State::kAborted);
  EXPECT_TRUE(care.done.empty());
}

TEST_F(CareExecutorTest, AJobThatHoldsTheLockKeepsHousekeepingAway) {
  model::JobDefinition job = docket.job("a");
  kinds::change_process(job.spec).locks = {{.name = kinds::kMaintenanceLock}};
  docket.add_job(std::move(job));
  const TaskId run = docket.start("a");
  const auto task = ask({.work = {.chore = Chore::kBackup}});
  EXPECT_EQ(state(*task), model::State::kQueued);
  docket.finish_attempt(run, 0);
  work();
  EXPECT_EQ(state(*task), model::State::kDone);
}

// ---- orders that are refused

TEST_F(CareExecutorTest, FilesAreNeverReplaced) {
  fs::create_directories(directory);
  std::ofstream(directory + "/there") << "words";
  const auto there = ask({.work = {.chore = Chore::kBackup, .file = "there"}});
  ASSERT_FALSE(there);
  EXPECT_EQ(there.error().kind, ErrorKind::kConflict);
  ASSERT_TRUE(ask({.work = {.chore = Chore::kBackup}}));
  ASSERT_TRUE(ask({.work = {.chore = Chore::kBackup, .file = "x"}}));
  EXPECT_FALSE(ask({.work = {.chore = Chore::kExport, .file = "x"}})) << "it will be there";
  EXPECT_EQ(ask({.work = {.chore = Chore::kBackup, .file = "../x"}}).error().kind,
            ErrorKind::kInvalid);
}

TEST_F(CareExecutorTest, AFileWithoutANameIsNamedAfterTheInstant) {
  const auto task = ask({.work = {.chore = Chore::kBackup}});
  EXPECT_EQ(docket.stored(*task).operation->entity, "docket-20240115T100000.000000Z.db");
  const auto other = ask({.work = {.chore = Chore::kExport}});
  EXPECT_EQ(docket.stored(*other).operation->entity, "docket-20240115T100000.000000Z.jsonl");
}

TEST_F(CareExecutorTest, TheNumberOfWaitingOrdersIsLimited) {
  ASSERT_TRUE(ask({.work = {.chore = Chore::kVerify}}));
  for (std::size_t i = 0; i < kinds::Orders::kWaitingMax; ++i) {
    ASSERT_TRUE(ask({.work = {.chore = Chore::kVerify}}));
  }
  EXPECT_EQ(ask({.work = {.chore = Chore::kVerify}}).error().kind, ErrorKind::kExhausted);
}

// ---- ends

TEST_F(CareExecutorTest, AStoppingServerFailsItsWorkAndLeavesTheRestToTheNext) {
  const auto first = ask({.work = {.chore = Chore::kVerify}});
  const auto second = ask({.work = {.chore = Chore::kVacuum}});
  care.result = engine::cancelled();
  bool idle = false;
  care.during = [&](engine::CareWatch& watch) {
    executor->shut();
    EXPECT_FALSE(watch.go_on(1, 2));
    executor->on_idle([&] { idle = true; });
    docket.settle();
    EXPECT_FALSE(idle);
  };
  work();
  EXPECT_TRUE(idle);
  EXPECT_EQ(state(*first), model::State::kFailed);
  EXPECT_EQ(docket.stored(*first).message, "The server was stopped before this had ended");
  EXPECT_TRUE(pieces.empty()) << "nothing new is begun";
  care.result = {};
  care.during = [](engine::CareWatch&) {};
  restart();
  work();
  EXPECT_EQ(state(*second), model::State::kDone);
}

TEST_F(CareExecutorTest, ACrashFailsWorkThatHasBegun) {
  const auto first = ask({.work = {.chore = Chore::kVerify}});
  const auto second = ask({.work = {.chore = Chore::kVacuum}});
  care.during = [&](engine::CareWatch&) { docket.settle(); };
  pieces.front()();  // its end is never reported
  care.during = [](engine::CareWatch&) {};
  restart();
  EXPECT_EQ(state(*first), model::State::kFailed);
  EXPECT_EQ(docket.stored(*first).message, "The server ended before this did");
  work();
  EXPECT_EQ(state(*second), model::State::kDone);
}

TEST_F(CareExecutorTest, ACrashBeforeTheWorkBeginsCostsNothing) {
  const auto task = ask({.work = {.chore = Chore::kVerify}});
  restart();
  work();
  EXPECT_EQ(state(*task), model::State::kDone);
  EXPECT_EQ(care.done.size(), 1U);
}

TEST_F(CareExecutorTest, HalfMadeFilesGoAndOthersStay) {
  fs::create_directories(directory + "/dir.partial");
  for (const char* name : {"a.db", "b.db.partial", "partial"})
    std::ofstream(directory + "/" + name);
  restart();
  EXPECT_TRUE(fs::exists(directory + "/a.db"));
  EXPECT_TRUE(fs::exists(directory + "/partial"));
  EXPECT_TRUE(fs::exists(directory + "/dir.partial"));
  EXPECT_FALSE(fs::exists(directory + "/b.db.partial"));
}

TEST_F(CareExecutorTest, TheFactsNameTheFile) {
  const auto task = ask({.work = {.chore = Chore::kBackup, .file = "a.db"}});
  work();
  EXPECT_EQ(docket.stored(*task).planned->facts, R"({"file":"a.db"})");
  EXPECT_EQ(fs::status(directory).permissions(), fs::perms::owner_all);
}

// ---- retention

TEST_F(CareExecutorTest, RetentionGoesOnUntilNothingIsLeft) {
  care.trees = {5000, 3000, 1000, 0};
  const Time now = docket.clock.now();
  const auto task = ask({.work = {.chore = Chore::kRetention}});
  work();  // begins
  for (const double swept : {0, 2000, 4000}) {
    EXPECT_EQ(state(*task), model::State::kRunning);
    work();
    docket.advance(1s);
    EXPECT_EQ(docket.stored(*task).tally.completed, swept);
  }
  work();
  EXPECT_EQ(care.asked_before, now - docket.engine().settings().retention);
  EXPECT_EQ(state(*task), model::State::kDone);
  EXPECT_EQ(docket.stored(*task).tally.completed, 5000);
  EXPECT_EQ(docket.stored(*task).tally.total, 5000);
}

TEST_F(CareExecutorTest, RetentionDoesNotTryForEver) {
  care.trees = {10, 4, 4};  // four have something below them that goes on
  const auto task = ask({.work = {.chore = Chore::kRetention}});
  work();  // begins
  for (int look = 0; look < 22; ++look) {
    EXPECT_EQ(state(*task), model::State::kRunning) << "a large tree goes in slices";
    work();
  }
  EXPECT_EQ(state(*task), model::State::kDone);
  EXPECT_EQ(docket.stored(*task).tally.completed, 6);
}

TEST_F(CareExecutorTest, RetentionCanBeAborted) {
  care.trees = {10, 8, 6, 4};
  const auto task = ask({.work = {.chore = Chore::kRetention}});
  work();  // begins
  work();
  abort(*task);
  work();
  EXPECT_EQ(state(*task), model::State::kAborted);
}

}  // namespace
}  // namespace docket::care
