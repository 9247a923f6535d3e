// The rules are tested beside the engine (engine/explain_test.cc); this tests what clients see.

#include "support/native_fixture.h"

namespace docket::native {
namespace {

engine::Settings small_node() {
  engine::Settings settings = testing::Harness::roomy();
  settings.node.cpus = 4;
  return settings;
}

class NativeExplain : public NativeTest {
 protected:
  NativeExplain() : NativeTest(small_node()) {}
  TaskId start(const std::string& id, double cpus) {
    auto job = docket.job(id);
    kinds::change_process(job.spec).cpus = cpus;
    docket.add_job(job);
    return docket.start(id);
  }
};

TEST_F(NativeExplain, ARunThatWaitsForCapacity) {
  start("big", 3);
  const auto waiter = start("more", 2);
  const auto why = get("/runs/" + std::to_string(waiter.value) + "/explain");
  EXPECT_EQ(why.at("/waiting"), "true");
  EXPECT_EQ(why.at("/earliest"), "null");
  EXPECT_EQ(to_json(why.body.at("reasons").at(0)),
            R"({"kind":"capacity","message":"needs 2 cpus, 1 of 4 free","subject":"cpus",)"
            R"("needed":2,"free":1,"missing":1,"total":4,"at":null,"holders":[{"run":"1",)"
            R"("name":")" +
                get("/runs/1").at("/name") +
                R"(","job":"big","amount":3,"since":"2024-01-15T10:00:00.000000Z"}]})");
}

TEST_F(NativeExplain, ARunThatRunsOrHasEnded) {
  const auto run = start("a", 1);
  EXPECT_EQ(get("/runs/1/explain").at("/reasons/0/kind"), "running");
  docket.run_attempt(run);
  docket.finish_attempt(run, 0);
  const auto ended = get("/runs/1/explain");
  EXPECT_EQ(ended.at("/waiting"), "false");
  EXPECT_EQ(ended.at("/reasons/0/kind"), "finished");
  EXPECT_EQ(ended.at("/reasons/0/message"), "it has ended: done");
  EXPECT_EQ(get("/runs/99/explain").status(), 404);
  EXPECT_EQ(get("/runs/x/explain").status(), 404);
}

TEST_F(NativeExplain, JobsSchedulesAndLocks) {
  start("a", 1);
  EXPECT_EQ(get("/jobs/a/explain").at("/reasons/0/kind"), "manual");
  post("/jobs/a/schedules", R"({"id":"s","cron":"0 12 * * *"})");
  EXPECT_EQ(get("/jobs/a/schedules/s/explain").at("/earliest"), "2024-01-15T12:00:00.000000Z");
  EXPECT_EQ(get("/jobs/a/explain").at("/earliest"), "2024-01-15T12:00:00.000000Z");
  EXPECT_EQ(get("/locks/db/explain").at("/reasons/0/kind"), "free");
  EXPECT_EQ(get("/jobs/x/explain").status(), 404);
  EXPECT_EQ(get("/jobs/a/schedules/x/explain").status(), 404);
  EXPECT_EQ(get("/jobs/x/schedules/s/explain").status(), 404);
}

}  // namespace
}  // namespace docket::native
