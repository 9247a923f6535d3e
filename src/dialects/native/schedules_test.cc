#include "support/native_fixture.h"

namespace docket::native {
namespace {

class NativeSchedules : public NativeTest {
 protected:
  NativeSchedules() { docket.add_job("a"); }

  Answer add(const std::string& id, const std::string& cron, const std::string& more = "") {
    return post("/jobs/a/schedules", R"({"id":")" + id + R"(","cron":")" + cron + '"' + more + "}");
  }
};

TEST_F(NativeSchedules, CreateShowsEveryDefault) {
  const auto made = add("night", "30 02 * * MON-FRI");
  EXPECT_EQ(made.status(), 201);
  EXPECT_EQ(made.header("Location"), "/docket/v1/jobs/a/schedules/night");
  EXPECT_EQ(made.response.body,
            R"({"id":"night","uid":"1","job":"a","cron":"30 2 * * 1-5","timezone":"UTC",)"
            R"("startingDeadlineSeconds":900,"concurrencyPolicy":"ALLOW","enabled":true,)"
            R"("missed":"none","missedLimit":10,"createdAt":"2024-01-15T10:00:00.000000Z",)"
            R"("nextRunAt":"2024-01-16T02:30:00.000000Z"})");
  EXPECT_EQ(get("/jobs/a/schedules/night").response.body, made.response.body);
}

TEST_F(NativeSchedules, SeveralForOneJob) {
  add("one", "0 1 * * *");
  add("two", "0 2 * * *");
  add("three", "0 3 * * *");
  EXPECT_EQ(get("/jobs/a/schedules").each("id"), "one three two");
}

TEST_F(NativeSchedules, PutReplacesAndGivesBackDefaults) {
  add("s", "0 1 * * *", R"(,"concurrencyPolicy":"REPLACE","missed":"last","enabled":false)");
  const auto shown = get("/jobs/a/schedules/s");
  EXPECT_EQ(put("/jobs/a/schedules/s", shown.response.body).response.body, shown.response.body);
  const auto changed =
      put("/jobs/a/schedules/s", R"({"cron":"0 4 * * *","timezone":"Asia/Tokyo"})");
  EXPECT_EQ(changed.status(), 200);
  EXPECT_EQ(changed.at("/concurrencyPolicy"), "ALLOW");
  EXPECT_EQ(changed.at("/enabled"), "true");
  EXPECT_EQ(changed.at("/nextRunAt"), "2024-01-15T19:00:00.000000Z");
  EXPECT_EQ(changed.at("/uid"), shown.at("/uid"));
}

TEST_F(NativeSchedules, DeleteAndUnknown) {
  add("s", "0 1 * * *");
  EXPECT_EQ(del("/jobs/a/schedules/s").status(), 204);
  EXPECT_EQ(del("/jobs/a/schedules/s").status(), 404);
  EXPECT_EQ(get("/jobs/a/schedules/s").at("/detail"), "schedule 's' does not exist");
  EXPECT_EQ(get("/jobs/b/schedules/s").at("/detail"), "job 'b' does not exist");
  EXPECT_EQ(put("/jobs/a/schedules/s", R"({"cron":"0 1 * * *"})").status(), 404);
  EXPECT_EQ(get("/jobs/b/schedules").status(), 404);
  EXPECT_EQ(post("/jobs/b/schedules", R"({"id":"s","cron":"0 1 * * *"})").status(), 404);
}

TEST_F(NativeSchedules, DuplicateIsAConflict) {
  add("s", "0 1 * * *");
  const auto again = add("s", "0 2 * * *");
  EXPECT_EQ(again.status(), 409);
  EXPECT_EQ(again.at("/detail"), "schedule 's' exists already");
  EXPECT_EQ(get("/jobs/a/schedules/s").at("/cron"), "0 1 * * *");
}

TEST_F(NativeSchedules, BadBodiesChangeNothing) {
  const auto before = everything();
  const auto errors = [&](const std::string& body) {
    const auto answer = post("/jobs/a/schedules", body);
    EXPECT_EQ(answer.status(), 422) << body;
    return answer.errors();
  };
  EXPECT_EQ(errors(R"({"cron":"0 1 * * *"})"), "/id: is required");
  EXPECT_EQ(errors(R"({"id":"s"})"), "/cron: is required");
  EXPECT_THAT(errors(R"({"id":"s","cron":"0 1 * *"})"), ::testing::StartsWith("/cron: "));
  EXPECT_THAT(errors(R"({"id":"s","cron":"0 0 31 2 *"})"), ::testing::StartsWith("/cron: "));
  EXPECT_THAT(errors(R"({"id":"s","cron":"0 1 * * *","timezone":"Mars/X"})"),
              ::testing::StartsWith("/timezone: "));
  EXPECT_EQ(errors(R"({"id":"s","cron":"0 1 * * *","concurrencyPolicy":"allow"})"),
            "/concurrencyPolicy: must be one of ALLOW, FORBID, REPLACE");
  EXPECT_EQ(errors(R"({"id":"s","cron":"0 1 * * *","missed":"some"})"),
            "/missed: must be one of none, last, all");
  EXPECT_EQ(errors(R"({"id":"s","cron":"0 1 * * *","missedLimit":0})"),
            "/missedLimit: must be a whole number from 1 to 1000");
  EXPECT_EQ(errors(R"({"id":"s","cron":"0 1 * * *","startingDeadlineSeconds":1.5})"),
            "/startingDeadlineSeconds: must be a whole number from 1 to 31622400");
  EXPECT_EQ(errors(R"({"id":"s","cron":"0 1 * * *","enabled":"yes"})"),
            "/enabled: must be true or false");
  EXPECT_EQ(errors(R"({"id":"s","cron":"0 1 * * *","timeZone":"UTC"})"),
            "/timeZone: is not a known member");
  EXPECT_EQ(everything(), before);
}

TEST_F(NativeSchedules, AJobWithParentsMayNotHaveOne) {
  auto child = docket.job("child");
  child.dependencies = {"a"};
  docket.add_job(child);
  EXPECT_EQ(post("/jobs/child/schedules", R"({"id":"s","cron":"0 1 * * *"})").status(), 422);
  EXPECT_EQ(get("/jobs/child/schedules").size(), 0);
}

TEST_F(NativeSchedules, ListOverAllJobsPages) {
  docket.add_job("b");
  add("x", "0 1 * * *");
  add("y", "0 2 * * *", R"(,"enabled":false)");
  post("/jobs/b/schedules", R"({"id":"w","cron":"0 3 * * *"})");
  const auto first = get("/schedules?limit=1");
  EXPECT_EQ(first.each("id"), "x");
  EXPECT_EQ(first.at("/next"), "a/x");
  const auto second = get("/schedules?limit=2&after=a/x");
  EXPECT_EQ(second.each("id"), "y w");
  EXPECT_EQ(second.each("job"), "a b");
  EXPECT_EQ(second.at("/next"), "null");
  EXPECT_EQ(get("/schedules?enabled=false").each("id"), "y");
  EXPECT_EQ(get("/schedules?enabled=true").each("id"), "x w");
  EXPECT_EQ(get("/schedules?enabled=maybe").status(), 400);
}

}  // namespace
}  // namespace docket::native
