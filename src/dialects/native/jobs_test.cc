#include "support/native_fixture.h"

namespace docket::native {
namespace {

class NativeJobs : public NativeTest {
 protected:
  void add(const std::string& id, const std::string& more = "") {
    const auto made = post("/jobs", R"({"id":")" + id + R"(","run":{"cmd":"true"})" + more + "}");
    ASSERT_EQ(made.status(), 201) << made.response.body;
  }
};

TEST_F(NativeJobs, CreateShowsEveryDefault) {
  const auto made = post("/jobs", R"({"id":"prod.email","run":{"cmd":"true"}})");
  EXPECT_EQ(made.status(), 201);
  EXPECT_EQ(made.header("Location"), "/docket/v1/jobs/prod.email");
  EXPECT_EQ(
      made.response.body,
      R"({"id":"prod.email","uid":"1","version":1,"description":null,"labels":{},)"
      R"("dependencies":[],"kind":"process","run":{"cpus":1,"mem":128,"disk":0,"gpus":0,"cmd":"true",)"
      R"("env":{},"placement":{"constraints":[]},"artifacts":[],"maxLaunchDelay":3600,)"
      R"("volumes":[],"restart":{"policy":"NEVER"},"secrets":{},"networks":[],)"
      R"("limits":"none"},)"
      R"("schedules":[],"createdAt":"2024-01-15T10:00:00.000000Z",)"
      R"("updatedAt":"2024-01-15T10:00:00.000000Z","activeRuns":0,"lastRunState":null,)"
      R"("totals":{"succeeded":0,"failed":0,"lastSuccessAt":null,"lastFailureAt":null}})");
  EXPECT_EQ(get("/jobs/prod.email").response.body, made.response.body);
}

TEST_F(NativeJobs, SeveralSchedulesInOneJob) {
  add("a", R"(,"schedules":[{"id":"night","cron":"0 2 * * *","timezone":"Europe/Rome"},)"
           R"({"id":"noon","cron":"0 12 * * *","concurrencyPolicy":"REPLACE","missed":"all"}])");
  const auto job = get("/jobs/a");
  EXPECT_EQ(job.size("/schedules"), 2);
  EXPECT_EQ(job.at("/schedules/0/nextRunAt"), "2024-01-16T01:00:00.000000Z");
  EXPECT_EQ(job.at("/schedules/1/concurrencyPolicy"), "REPLACE");
  EXPECT_EQ(job.at("/schedules/1/missed"), "all");
}

TEST_F(NativeJobs, ABodyFromGetCanBePutBack) {
  add("a", R"(,"labels":{"team":"x"},"schedules":[{"id":"night","cron":"0 2 * * *"}])");
  const auto before = get("/jobs/a");
  const auto after = put("/jobs/a", before.response.body);
  EXPECT_EQ(after.status(), 200) << after.response.body;
  EXPECT_EQ(after.at("/version"), "2");
  EXPECT_EQ(after.at("/schedules"), before.at("/schedules"));
  EXPECT_EQ(after.at("/run"), before.at("/run"));
}

TEST_F(NativeJobs, OnLostIsShownAndPutBackUnlessItIsTheDefault) {
  post("/jobs", R"({"id":"a","run":{"cmd":"true","onLost":"restart"}})");
  const auto before = get("/jobs/a");
  EXPECT_EQ(before.at("/run/onLost"), "restart");
  EXPECT_EQ(put("/jobs/a", before.response.body).at("/run/onLost"), "restart");
  EXPECT_EQ(put("/jobs/a", R"({"run":{"cmd":"true","onLost":"fail"}})").status(), 200);
  EXPECT_EQ(get("/jobs/a").response.body.find("onLost"), std::string::npos);
}

TEST_F(NativeJobs, LimitsOnAttemptsAreShownAndPutBack) {
  post("/jobs", R"({"id":"a","run":{"cmd":"true","timeoutSeconds":60,"restart":{)"
                R"("policy":"ON_FAILURE","maxAttempts":5,"backoff":{"firstSeconds":0.5}}}})");
  const auto made = get("/jobs/a");
  EXPECT_EQ(made.at("/run/timeoutSeconds"), "60");
  EXPECT_EQ(made.at("/run/restart"), R"({"policy":"ON_FAILURE","maxAttempts":5,)"
                                     R"("backoff":{"firstSeconds":0.5,"maxSeconds":5}})");
  EXPECT_EQ(put("/jobs/a", made.response.body).at("/run"), made.at("/run"));
}

TEST_F(NativeJobs, PutReplacesTheDefinitionAndKeepsUnnamedSchedules) {
  add("a", R"(,"description":"old","schedules":[{"id":"night","cron":"0 2 * * *"}])");
  docket.advance(hours{1});
  const auto changed = put("/jobs/a", R"({"run":{"cmd":"false"}})");
  EXPECT_EQ(changed.status(), 200);
  EXPECT_EQ(changed.at("/description"), "null");
  EXPECT_EQ(changed.at("/run/cmd"), "false");
  EXPECT_EQ(changed.at("/schedules/0/id"), "night");
  EXPECT_EQ(changed.at("/createdAt"), "2024-01-15T10:00:00.000000Z");
  EXPECT_EQ(changed.at("/updatedAt"), "2024-01-15T11:00:00.000000Z");
  EXPECT_EQ(put("/jobs/a", R"({"run":{"cmd":"true"},"schedules":[]})").size("/schedules"), 0);
}

TEST_F(NativeJobs, PutNeverCreates) {
  EXPECT_EQ(put("/jobs/a", R"({"run":{"cmd":"true"}})").status(), 404);
  EXPECT_EQ(get("/jobs").size(), 0);
}

TEST_F(NativeJobs, TotalsAndActiveRuns) {
  add("a");
  const TaskId first = docket.start("a");
  EXPECT_EQ(get("/jobs/a").at("/activeRuns"), "1");
  docket.run_attempt(first);
  docket.finish_attempt(first, 0);
  docket.advance(minutes{1});
  const TaskId second = docket.start("a");
  docket.run_attempt(second);
  docket.finish_attempt(second, 3);
  const auto job = get("/jobs/a");
  EXPECT_EQ(job.at("/activeRuns"), "0");
  EXPECT_EQ(job.at("/lastRunState"), "failed");
  EXPECT_EQ(job.at("/totals"), R"({"succeeded":1,"failed":1,)"
                               R"("lastSuccessAt":"2024-01-15T10:00:00.000000Z",)"
                               R"("lastFailureAt":"2024-01-15T10:01:00.000000Z"})");
}

TEST_F(NativeJobs, DeleteRefusesActiveRunsWithoutStopRuns) {
  add("a");
  docket.start("a");
  const auto refused = del("/jobs/a");
  EXPECT_EQ(refused.status(), 409);
  EXPECT_EQ(refused.at("/detail"), "job 'a' has 1 active runs; stopRuns=true stops them");
  EXPECT_EQ(get("/jobs/a").at("/activeRuns"), "1");
  EXPECT_EQ(del("/jobs/a?stopRuns=perhaps").status(), 400);
  EXPECT_EQ(del("/jobs/a?stopRuns=true").status(), 204);
  EXPECT_EQ(get("/jobs/a").status(), 404);
  EXPECT_EQ(get("/runs?job=a").at("/items/0/state"), "aborted");
  EXPECT_EQ(del("/jobs/a").status(), 404);
}

TEST_F(NativeJobs, DeleteRefusesAParent) {
  add("a");
  add("b", R"(,"dependencies":["a"])");
  docket.start("a");
  EXPECT_EQ(del("/jobs/a?stopRuns=true").status(), 409);
  EXPECT_EQ(get("/jobs/a").at("/activeRuns"), "1");
}

TEST_F(NativeJobs, ListPagesById) {
  for (const char* id : {"c", "a", "b", "d", "e"}) add(id);
  const auto first = get("/jobs?limit=2");
  EXPECT_EQ(first.each("id"), "a b");
  EXPECT_EQ(first.at("/next"), "b");
  const auto second = get("/jobs?limit=2&after=b");
  EXPECT_EQ(second.each("id"), "c d");
  const auto last = get("/jobs?limit=2&after=" + second.at("/next"));
  EXPECT_EQ(last.each("id"), "e");
  EXPECT_EQ(last.at("/next"), "null");
}

TEST_F(NativeJobs, APageOfLargeJobsEndsEarly) {
  for (const char* id : {"a", "b", "c", "d", "e"}) {
    auto job = docket.job(id);
    job.description = std::string(600'000, 'x');
    docket.add_job(std::move(job));
  }
  const auto page = get("/jobs");
  EXPECT_EQ(page.each("id"), "a b");
  const auto next = get("/jobs?after=" + page.at("/next"));
  EXPECT_EQ(next.each("id"), "c d");
  const auto last = get("/jobs?after=" + next.at("/next"));
  EXPECT_EQ(last.each("id"), "e");
  EXPECT_EQ(last.at("/next"), "null");
}

TEST_F(NativeJobs, ListFilters) {
  add("prod", R"(,"labels":{"team":"mail"})");
  add("prod-2.email", R"(,"description":"Sends MAIL")");
  add("prod.email", R"(,"labels":{"team":"mail","tier":"1"})");
  add("prod.web", R"(,"labels":{"team":"web"})");
  EXPECT_EQ(get("/jobs?group=prod").each("id"), "prod prod.email prod.web");
  EXPECT_EQ(get("/jobs?group=prod&limit=1&after=prod").each("id"), "prod.email");
  EXPECT_EQ(get("/jobs?label=team").each("id"), "prod prod.email prod.web");
  EXPECT_EQ(get("/jobs?label=team=mail").each("id"), "prod prod.email");
  EXPECT_EQ(get("/jobs?label=team=mail&label=tier=1").each("id"), "prod.email");
  EXPECT_EQ(get("/jobs?text=mail").each("id"), "prod-2.email prod.email");
  EXPECT_EQ(get("/jobs?text=mail&group=prod").each("id"), "prod.email");
  EXPECT_EQ(get("/jobs?group=nope").each("id"), "");
}

TEST_F(NativeJobs, BadQueriesAre400WithTheirNames) {
  for (const char* query : {"limit=0", "limit=501", "limit=-1", "limit=x", "limit=", "limit=1.5"}) {
    const auto answer = get(std::string("/jobs?") + query);
    EXPECT_EQ(answer.status(), 400) << query;
    EXPECT_EQ(answer.at("/errors/0/path"), "?limit") << query;
  }
  EXPECT_EQ(get("/jobs?unknown=1&limit=1").status(), 200);
}

TEST_F(NativeJobs, DuplicateIsAConflict) {
  add("a");
  const auto before = everything();
  const auto again = post("/jobs", R"({"id":"a","run":{"cmd":"false"}})");
  EXPECT_EQ(again.status(), 409);
  EXPECT_EQ(again.response.content_type, "application/problem+json");
  EXPECT_EQ(again.at("/type"), "urn:docket:problem:conflict");
  EXPECT_EQ(everything(), before);
}

TEST_F(NativeJobs, DependenciesMustExistAndNotFormACycle) {
  add("a");
  add("b", R"(,"dependencies":["a"])");
  const auto before = everything();
  EXPECT_EQ(post("/jobs", R"({"id":"c","run":{"cmd":"true"},"dependencies":["x"]})").status(), 422);
  EXPECT_EQ(put("/jobs/a", R"({"run":{"cmd":"true"},"dependencies":["b"]})").status(), 422);
  EXPECT_EQ(everything(), before);
}

struct BadBody {
  const char* body;
  const char* errors;
  friend void PrintTo(const BadBody& bad, std::ostream* out) { *out << bad.body; }
};

class NativeBadJobs : public NativeJobs, public ::testing::WithParamInterface<BadBody> {};

TEST_P(NativeBadJobs, AreRefusedWithTheirLocationAndChangeNothing) {
  add("there");
  const auto before = everything();
  const auto answer = post("/jobs", GetParam().body);
  EXPECT_EQ(answer.status(), 422);
  EXPECT_EQ(answer.errors(), GetParam().errors);
  EXPECT_EQ(everything(), before);
}

INSTANTIATE_TEST_SUITE_P(
    All, NativeBadJobs,
    ::testing::Values(
        BadBody{"[]", ": must be an object"}, BadBody{"{}", "/id: is required; /run: is required"},
        BadBody{R"({"id":"a","run":7})", "/run: must be an object"},
        BadBody{R"({"id":"","run":{"cmd":"x"}})",
                "/id: must be words of a-z, 0-9 and inner hyphens, joined by dots"},
        BadBody{R"({"id":"A","run":{"cmd":"x"}})",
                "/id: must be words of a-z, 0-9 and inner hyphens, joined by dots"},
        BadBody{R"({"id":"a..b","run":{"cmd":"x"}})",
                "/id: must be words of a-z, 0-9 and inner hyphens, joined by dots"},
        BadBody{R"({"id":"a-","run":{"cmd":"x"}})",
                "/id: must be words of a-z, 0-9 and inner hyphens, joined by dots"},
        BadBody{R"({"id":1,"run":{"cmd":"x"}})", "/id: must be a string"},
        BadBody{R"({"id":"a","run":{"cmd":"x"},"colour":"red"})", "/colour: is not a known member"},
        BadBody{R"({"id":"a","run":{"cmd":"x","colour":"red"}})",
                "/run/colour: is not a known member"},
        BadBody{R"({"id":"a","run":{"cmd":"x","artifacts":[{"uri":"u"},{"url":"v"}]}})",
                "/run/artifacts/1/uri: is required; /run/artifacts/1/url: is not a known member"},
        BadBody{R"({"id":"a","run":{"cmd":"x","placement":{"constraints":[{"attribut":1}]}}})",
                "/run/placement/constraints/0/attribute: is required; "
                "/run/placement/constraints/0/attribut: is not a known member"},
        BadBody{R"({"id":"a","run":{"cmd":"x","volumes":[{"hostPath":"/h"},{"colour":1}]}})",
                "/run/volumes/0: must have containerPath with hostPath and mode, or containerPath "
                "with secret; /run/volumes/1: must have containerPath with hostPath and mode, or "
                "containerPath with secret; /run/volumes/1/colour: is not a known member"},
        BadBody{R"({"id":"a","run":{"cmd":7}})", "/run/cmd: must be a string"},
        BadBody{R"({"id":"a","run":{"cmd":""}})", "/run/cmd: must not be empty"},
        BadBody{R"({"id":"a","run":{}})", "/run: must have cmd, args, docker or ucr"},
        BadBody{R"({"id":"a","run":{"cmd":"x","cpus":0,"mem":1,"disk":-1,"gpus":-1}})",
                "/run/cpus: must be at least 0.01; /run/mem: must be at least 32; "
                "/run/disk: must not be negative; /run/gpus: must not be negative"},
        BadBody{R"({"id":"a","run":{"docker":{"image":"i"},"ucr":{"image":{"id":"i"}}}})",
                "/run: must not have both docker and ucr"},
        BadBody{R"({"id":"a","run":{"cmd":"x","env":{"P":{"secret":"s"}}}})",
                "/run/secrets: has no 's', which is used"},
        BadBody{R"({"id":"a","run":{"cmd":"x","secrets":{"s":{"source":"p"}}}})",
                "/run/secrets/s: is not used"},
        BadBody{R"({"id":"a","run":{"cmd":"x","timeoutSeconds":0,"restart":{"policy":"NEVER",)"
                R"("maxAttempts":0,"backoff":{"first":1}}}})",
                "/run/restart/backoff/first: is not a known member"},
        BadBody{R"({"id":"a","run":{"cmd":"x","timeoutSeconds":0,"restart":{"policy":"NEVER",)"
                R"("maxAttempts":0,"backoff":{"firstSeconds":-1}}}})",
                "/run/timeoutSeconds: must be from 1 to 9223372036; "
                "/run/restart/maxAttempts: must be from 1 to 100; "
                "/run/restart/backoff/firstSeconds: must be from 0 to 604800"},
        BadBody{R"({"id":"a","run":{"cmd":"echo x > f\u0000; exit 3"}})",
                "/run/cmd: must not contain NUL characters"},
        BadBody{R"({"id":"a","description":"\u009b","run":{"cmd":"x","user":"a\nb",)"
                R"("env":{"A=":"","B":"\u0000"},"artifacts":[{"uri":"/a\tb"}],)"
                R"("locks":[{"name":"l\u0001"}]}})",
                "/description: must not contain control characters; "
                "/run/user: must not contain control characters; "
                "/run/env/A=: must not have '=' in its name; "
                "/run/env/B: must not contain NUL characters; "
                "/run/artifacts/0/uri: must not contain control characters; "
                "/run/locks/0/name: must not contain control characters"},
        BadBody{R"({"id":"a","run":{"cmd":"x","placement":{"constraints":[)"
                R"({"attribute":"hostname","operator":"LIKE","value":"("}]}}})",
                "/run/placement/constraints/0/value: is not an RE2 regular expression: "
                "missing ): ("},
        BadBody{R"({"id":"a","run":{"cmd":"x","locks":[{"name":"l"},{"name":"l"}]}})",
                "/run/locks/1/name: is named twice"},
        BadBody{R"({"id":"a","run":{"cmd":"x","locks":[{"name":"l","wait":"maybe"}]}})",
                "/run/locks/0/wait: must be one of queue, fail"},
        BadBody{R"({"id":"a","kind":"dance","spec":{}})", "/kind: must be one of process, test"},
        BadBody{R"({"id":"a","kind":"maintenance","spec":{"chore":"vacuum"}})",
                "/kind: must be one of process, test"},
        BadBody{R"({"id":"a","kind":"process","spec":{"cmd":"x"}})",
                "/run: is required; /spec: is not a known member"},
        BadBody{R"({"id":"a","run":{"cmd":"x","onLost":"shrug"}})",
                "/run/onLost: must be one of fail, restart"},
        BadBody{R"({"id":"a","run":{"cmd":"x"},"labels":{"n":1}})", "/labels/n: must be a string"},
        BadBody{R"({"id":"a","run":{"cmd":"x"},"labels":[]})",
                "/labels: must be an object of strings"},
        BadBody{R"({"id":"a","run":{"cmd":"x"},"dependencies":["there","there"]})",
                "/dependencies: names 'there' twice"},
        BadBody{R"({"id":"a","run":{"cmd":"x"},"dependencies":["there"],)"
                R"("schedules":[{"id":"s","cron":"* * * * *"}]})",
                "/dependencies: must be empty for a job with schedules"},
        BadBody{R"({"id":"a","run":{"cmd":"x"},"schedules":[{"id":"s","cron":"* * * * *"},)"
                R"({"id":"s","cron":"* * * * *"}]})",
                "/schedules/1/id: is taken by another schedule"},
        BadBody{R"({"id":"a","run":{"cmd":"x"},"schedules":[{"id":"s"}]})",
                "/schedules/0/cron: is required"}));

// A job may use secrets at its own path and at those above it.
TEST_F(NativeJobs, SecretsOfOtherGroupsAreRefused) {
  const auto body = [](const std::string& id, const std::string& source) {
    return R"({"id":")" + id + R"(","run":{"cmd":"x","env":{"P":{"secret":"s"}},)" +
           R"("secrets":{"s":{"source":")" + source + R"("}}}})";
  };
  const std::string refused =
      "/run/secrets/s/source: belongs to group finance; a job may use secrets of its own path and "
      "above it";
  EXPECT_EQ(post("/jobs", body("marketing.mailer", "finance/db")).errors(), refused);
  EXPECT_EQ(post("/jobs", body("marketing.mailer", "/marketing/db")).status(), 201);
  EXPECT_EQ(put("/jobs/marketing.mailer", body("marketing.mailer", "/finance/db")).errors(),
            refused);
  EXPECT_EQ(put("/jobs/marketing.mailer", body("marketing.mailer", "db")).status(), 200);
}

TEST_F(NativeJobs, ABodyThatIsNotJsonIs400) {
  const auto answer = post("/jobs", R"({"id":)");
  EXPECT_EQ(answer.status(), 400);
  EXPECT_THAT(answer.at("/detail"), ::testing::StartsWith("The body is not JSON at byte"));
  EXPECT_EQ(post("/jobs", "").status(), 400);
}

TEST_F(NativeJobs, BodiesMustBeDeclaredAndSmall) {
  EXPECT_EQ(ask("POST", "/jobs", "{}", {{"content-type", "text/plain"}}).status(), 415);
  EXPECT_EQ(post("/jobs", std::string((1U << 20) + 1, ' ')).status(), 413);
}

// A default is not a limit: a job that used 400 MiB was killed at the default of 128.
TEST_F(NativeJobs, OnlyWhatABodyNamesIsALimit) {
  const auto limits = [&](const std::string& run) {
    const auto made = put("/jobs/a", R"({"run":{"cmd":"true")" + run + "}}");
    const TaskId id = docket.start("a");
    const auto spec = docket.executor.attempts.at(docket.newest_attempt(id)).spec;
    docket.finish_attempt(id, 0);
    EXPECT_EQ(made.status(), 200);
    return std::to_string(spec.cpus) + " " + std::to_string(spec.mem_mib);
  };
  docket.add_job("a");
  EXPECT_EQ(limits(""), "0.000000 0.000000");
  EXPECT_EQ(get("/jobs/a").at("/run/limits"), "none");
  EXPECT_EQ(limits(R"(,"cpus":0.5)"), "0.500000 0.000000");
  EXPECT_EQ(limits(R"(,"mem":64)"), "0.000000 64.000000");
  EXPECT_EQ(limits(R"(,"cpus":0.5,"mem":64,"limits":"none")"), "0.000000 0.000000");
  EXPECT_EQ(limits(R"(,"cpus":0.5,"mem":64)"), "0.500000 64.000000");
}

}  // namespace
}  // namespace docket::native
