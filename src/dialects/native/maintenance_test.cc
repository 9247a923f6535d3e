#include "support/native_fixture.h"
#include "support/ordered_care.h"

namespace docket::native {
namespace {

class NativeMaintenance : public NativeTest {
 protected:
  NativeMaintenance() {
    door = make_native_door(
        docket.loop(), *docket.archive,
        {.version = "1.2.3", .started_at = docket.clock.now(), .maintenance = &care.orders()});
  }
  care::CareWork last() { return care.work_of(care.fresh().back()); }

  testing::OrderedCare care{docket};
};

TEST_F(NativeMaintenance, AnOrderAnswersWithItsTask) {
  const auto made = post("/maintenance/backup", R"({"file":"a.db"})");
  EXPECT_EQ(made.status(), 201);
  EXPECT_EQ(made.header("Location"), "/docket/v1/tasks/" + made.at("/id"));
  EXPECT_EQ(made.at("/kind"), "operation");
  EXPECT_EQ(last(), (care::CareWork{.chore = care::Chore::kBackup, .file = "a.db"}));
  EXPECT_EQ(get("/tasks/" + made.at("/id")).status(), 200);
  EXPECT_EQ(post("/maintenance/verify", R"({"families":["task"]})").status(), 201);
  EXPECT_EQ(last().families, std::vector<std::string>{"task"});
  EXPECT_EQ(post("/maintenance/vacuum").status(), 201) << "a body is not needed";
}

TEST_F(NativeMaintenance, BadOrdersCreateNoTask) {
  EXPECT_EQ(post("/maintenance/reboot").status(), 404);
  EXPECT_EQ(post("/maintenance/backup", "{").status(), 400);
  EXPECT_EQ(post("/maintenance/backup?wait=perhaps").status(), 400);
  EXPECT_EQ(post("/maintenance/backup", R"({"file":"there"})").status(), 409);
  EXPECT_EQ(post("/maintenance/backup", R"({"dir":"/tmp"})").errors(),
            "/dir: is not a known member");
  const auto elsewhere = post("/maintenance/backup", R"({"file":"../x"})");
  EXPECT_EQ(elsewhere.status(), 422);
  EXPECT_TRUE(elsewhere.errors().starts_with("/file: must be a name"));
  EXPECT_EQ(post("/maintenance/verify", R"({"families":["x"]})").errors(), "/families: has no 'x'");
  EXPECT_TRUE(care.fresh().empty());
}

// ---- waiting: the request is answered when the task has ended

class NativeMaintenanceWaits : public NativeMaintenance {
 protected:
  std::shared_ptr<std::optional<http::Response>> begin(const std::string& target) {
    return docket.send({{"", door}}, "POST", target, "", {{"content-type", "application/json"}});
  }
};

TEST_F(NativeMaintenanceWaits, ForTheEnd) {
  const auto answer = begin("/maintenance/verify?wait=true");
  EXPECT_FALSE(*answer);
  care.finish(care.fresh().back());
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->status, 200);
  EXPECT_EQ(text(parse_json((*answer)->body)->as_object().at("state")), "done");
}

TEST_F(NativeMaintenanceWaits, ForAFailure) {
  const auto answer = begin("/maintenance/verify?wait=true");
  const TaskId task = care.fresh().back();
  care.finish(task, "The store is damaged");
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->status, 500);
  EXPECT_EQ(text(parse_json((*answer)->body)->as_object().at("detail")),
            "task " + std::to_string(task.value) + " failed: The store is damaged");
}

TEST_F(NativeMaintenanceWaits, ForAnAbort) {
  const auto answer = begin("/maintenance/verify?wait=true");
  const TaskId task = care.fresh().back();
  docket.loop().call<bool>(
      [task](engine::Engine& engine, Time now) -> Result<bool> {
        EXPECT_TRUE(engine.abort_task(task, now));
        return true;
      },
      [](const Result<bool>&) {});
  docket.settle();
  care.finish(task);
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->status, 409);
}

}  // namespace
}  // namespace docket::native
