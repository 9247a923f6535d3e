// The twin: scylla-tasks.md section 6, row by row.

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "dialects/scylla/scylla.h"
#include "support/harness.h"

namespace docket::scylla {
namespace {

// Makes a task of every order; the test ends it.
class FakeMaintenance : public engine::Maintenance {
 public:
  Result<TaskId> ask(engine::Engine& engine, engine::ChoreOrder order, Time now) override {
    if (auto sound = check(order); !sound) return fail(sound.error());
    const auto node = engine.operations().create(
        {.module = "maintenance", .type = "x", .abortable = true, .user = true}, {}, true, now);
    if (!node) return fail(node.error());
    orders.push_back(std::move(order));
    return task = (*node)->task.id;
  }
  std::vector<engine::ChoreOrder> orders;
  TaskId task;
};

class ScyllaMaintenance : public ::testing::Test {
 protected:
  explicit ScyllaMaintenance(engine::Settings settings = testing::Harness::roomy())
      : docket(std::move(settings)) {}

  http::Site site() { return {{"", door, gate()}}; }
  http::Response ask(const std::string& method, const std::string& target) {
    return docket.ask(site(), method, target, "", {});
  }
  std::shared_ptr<std::optional<http::Response>> begin(const std::string& method,
                                                       const std::string& target) {
    return docket.send(site(), method, target, "", {});
  }
  void finish(const std::string& error = {}, bool abort = false) {
    docket.loop().call<bool>(
        [&](engine::Engine& engine, Time now) -> Result<bool> {
          if (abort) EXPECT_TRUE(engine.abort_task(maintenance.task, now));
          EXPECT_TRUE(engine.operations().finish(maintenance.task, error, now));
          return true;
        },
        [](const Result<bool>&) {});
    docket.settle();
  }
  // What a synchronous call says when its task has ended so.
  std::string sync(const std::string& method, const std::string& target,
                   const std::string& error = {}, bool abort = false) {
    const auto answer = begin(method, target);
    EXPECT_FALSE(*answer) << "it waits";
    finish(error, abort);
    EXPECT_TRUE(*answer);
    return *answer ? std::to_string((*answer)->status) + " " + (*answer)->body : "";
  }
  void expect_error(const std::string& method, const std::string& target, int status,
                    const std::string& message) {
    const std::size_t before = maintenance.orders.size();
    const auto answer = ask(method, target);
    EXPECT_EQ(answer.status, status) << target;
    EXPECT_EQ(answer.body,
              "{\"message\":\"" + message + "\",\"code\":" + std::to_string(status) + "}")
        << target;
    EXPECT_EQ(maintenance.orders.size(), before) << "validation is before the task";
  }
  const engine::ChoreOrder& last() const { return maintenance.orders.back(); }

  testing::Harness docket;
  FakeMaintenance maintenance;
  std::shared_ptr<const http::Door> door =
      make_scylla_door(docket.loop(), *docket.archive, {.maintenance = &maintenance});
};

struct Row {
  const char* method;
  const char* name;
  engine::Chore chore;
  const char* type;
  const char* result;
};
constexpr Row kRows[] = {
    {"POST", "keyspace_compaction", engine::Chore::kVacuum, "major compaction", "200 "},
    {"POST", "keyspace_cleanup", engine::Chore::kRetention, "cleanup compaction", "200 0"},
    {"POST", "keyspace_offstrategy_compaction", engine::Chore::kCheckpoint,
     "offstrategy compaction", "200 true"},
    {"GET", "keyspace_scrub", engine::Chore::kVerify, "scrub sstables compaction", "200 0"},
    {"GET", "keyspace_upgrade_sstables", engine::Chore::kUpgrade, "upgrade sstables compaction",
     "200 0"},
};

TEST_F(ScyllaMaintenance, EveryRowAnswersItsTaskAtOnce) {
  for (const Row& row : kRows) {
    const auto answer =
        ask(row.method, std::string("/tasks/compaction/") + row.name + "/process?cf=task");
    EXPECT_EQ(answer.status, 200) << row.name;
    EXPECT_EQ(answer.body, "\"" + model::uuid_of(maintenance.task) + "\"");
    EXPECT_EQ(last().chore, row.chore);
    EXPECT_EQ(last().type, row.type);
    EXPECT_EQ(last().keyspace, "process");
    EXPECT_EQ(last().table, "task");
    EXPECT_EQ(ask("GET", "/task_manager/task_status/" + model::uuid_of(maintenance.task)).status,
              200)
        << "the id is valid as soon as it is there";
  }
}

TEST_F(ScyllaMaintenance, EveryRowHasATwinThatWaits) {
  for (const Row& row : kRows) {
    const std::string path = std::string("/storage_service/") + row.name + "/docket";
    EXPECT_EQ(sync(row.method, path), row.result) << row.name;
    EXPECT_TRUE(last().families.empty()) << "the whole store";
    if (row.chore == engine::Chore::kVerify) continue;
    EXPECT_EQ(sync(row.method, path, "no luck"),
              "500 {\"message\":\"std::runtime_error (no luck)\",\"code\":500}");
    EXPECT_EQ(sync(row.method, path, "", true),
              "500 {\"message\":\"seastar::abort_requested_exception (abort requested)\","
              "\"code\":500}");
  }
}

TEST_F(ScyllaMaintenance, AScrubSaysHowItEndedByANumber) {
  EXPECT_EQ(sync("GET", "/storage_service/keyspace_scrub/process", "The store is damaged"),
            "200 3");
  EXPECT_EQ(sync("GET", "/storage_service/keyspace_scrub/process", "", true), "200 1");
}

TEST_F(ScyllaMaintenance, TheMethodsAreThoseOfTheOriginal) {
  for (const Row& row : kRows) {
    const char* other = std::string(row.method) == "GET" ? "POST" : "GET";
    for (const char* prefix : {"/tasks/compaction/", "/storage_service/"}) {
      expect_error(other, std::string(prefix) + row.name + "/process", 404, "Not found");
    }
  }
}

TEST_F(ScyllaMaintenance, KeyspacesAndTablesAreKnown) {
  for (const Row& row : kRows) {
    for (const char* prefix : {"/tasks/compaction/", "/storage_service/"}) {
      const std::string path = std::string(prefix) + row.name + "/";
      expect_error(row.method, path + "ks", 400, "Can't find a keyspace ks");
      expect_error(row.method, path + "process?cf=task,cf1", 400,
                   "Can't find a column family cf1 in keyspace process");
    }
  }
  expect_error("POST", "/tasks/compaction/keyspace_cleanup/maintenance?cf=task", 400,
               "Can't find a column family task in keyspace maintenance");
}

TEST_F(ScyllaMaintenance, TablesOfAScrub) {
  ask("GET", "/tasks/compaction/keyspace_scrub/process?cf=task,event");
  EXPECT_EQ(last().families, (std::vector<std::string>{"task", "event"}));
  EXPECT_EQ(last().table, "") << "not one of them";
  ask("GET", "/tasks/compaction/keyspace_scrub/maintenance");
  EXPECT_EQ(last().families, (std::vector<std::string>{"operation", "listing"}));
}

TEST_F(ScyllaMaintenance, ParametersThatAreWrong) {
  const std::string compaction = "/tasks/compaction/keyspace_compaction/process";
  for (const char* flag : {"flush_memtables", "consider_only_existing_data"}) {
    expect_error("POST", compaction + "?" + flag + "=maybe", 500,
                 "std::runtime_error (Invalid boolean parameter value)");
    for (const char* good : {"true", "YES", "1", "False", "no", "0"}) {
      EXPECT_EQ(ask("POST", compaction + "?" + flag + "=" + good).status, 200) << good;
    }
  }
  const std::string scrub = "/storage_service/keyspace_scrub/process";
  expect_error("GET", scrub + "?scrub_mode=x", 400,
               "Unknown argument for 'scrub_mode' parameter: x");
  expect_error("GET", scrub + "?quarantine_mode=x", 400,
               "Unknown argument for 'quarantine_mode' parameter: x");
  expect_error("GET", scrub + "?skip_corrupted=x", 400,
               "skip_corrupted (x): type error - should be bool");
  expect_error("GET",
               "/storage_service/keyspace_upgrade_sstables/process?exclude_current_version=x", 400,
               "exclude_current_version (x): type error - should be bool");
  for (const char* mode : {"ABORT", "SKIP", "SEGREGATE", "VALIDATE"}) {
    EXPECT_EQ(ask("GET", std::string("/tasks/compaction/keyspace_scrub/process?scrub_mode=") + mode)
                  .status,
              200);
  }
}

TEST_F(ScyllaMaintenance, ABackupAnswersItsTask) {
  const auto answer = ask("POST", "/storage_service/backup?keyspace=process&snapshot=nightly");
  EXPECT_EQ(answer.body, "\"" + model::uuid_of(maintenance.task) + "\"");
  EXPECT_EQ(last().chore, engine::Chore::kBackup);
  EXPECT_EQ(last().file, "nightly");
  EXPECT_EQ(last().keyspace, "process");
  expect_error("POST", "/storage_service/backup?keyspace=ks", 400, "Can't find a keyspace ks");
  expect_error("POST", "/storage_service/backup?endpoint=s3.example.org", 400,
               "option endpoint is not supported");
}

TEST_F(ScyllaMaintenance, DocketsOwnNames) {
  for (int at = 0; at < engine::kChoreCount; ++at) {
    const std::string name = engine::name_of(static_cast<engine::Chore>(at));
    EXPECT_EQ(ask("POST", "/tasks/maintenance/" + name).body,
              "\"" + model::uuid_of(maintenance.task) + "\"");
    EXPECT_EQ(last().chore, static_cast<engine::Chore>(at));
    EXPECT_EQ(sync("POST", "/maintenance/" + name), "200 ");
  }
  ask("POST", "/tasks/maintenance/export?file=a.jsonl");
  EXPECT_EQ(last().file, "a.jsonl");
  ask("POST", "/tasks/maintenance/verify?cf=task");
  EXPECT_EQ(last().families, std::vector<std::string>{"task"});
  expect_error("POST", "/tasks/maintenance/reboot", 404, "Not found");
  expect_error("POST", "/maintenance/backup?file=..%2Fdocket.db", 400,
               "file must be a name of 1 to 128 of A-Z a-z 0-9 _ - . which does not begin with a "
               "dot or end in .partial");
}

TEST_F(ScyllaMaintenance, WhatIsWorkIsNotForReaders) {
  docket.access.emplace();
  const auto add = [&](const char* name, const char* permission) {
    auto identity = std::make_shared<http::Identity>(name);
    ASSERT_TRUE(identity->grant(permission));
    ASSERT_TRUE(docket.access->add(http::token_digest(name), identity));
  };
  add("reader", "docket:tasks read");
  add("writer", "docket:tasks full");
  const std::string scrub = "/tasks/compaction/keyspace_scrub/process";
  const auto as = [&](const char* token) {
    return docket.ask(site(), "GET", scrub, "", {{"authorization", std::string("token=") + token}})
        .status;
  };
  EXPECT_EQ(as("reader"), 403);
  EXPECT_TRUE(maintenance.orders.empty());
  EXPECT_EQ(as("writer"), 200);
}

// ---- a store that keeps all

class ScyllaKeepsAll : public ScyllaMaintenance {
 protected:
  ScyllaKeepsAll()
      : ScyllaMaintenance([] {
          auto settings = testing::Harness::roomy();
          settings.retention = Duration::zero();
          return settings;
        }()) {}
};

TEST_F(ScyllaKeepsAll, NeedsNoCleanup) {
  EXPECT_EQ(ask("POST", "/tasks/compaction/keyspace_cleanup/process").body,
            "\"00000000-0000-0000-0000-000000000000\"");
  EXPECT_EQ(ask("POST", "/storage_service/keyspace_cleanup/process").body, "0");
  EXPECT_TRUE(maintenance.orders.empty());
}

}  // namespace
}  // namespace docket::scylla
