#include "support/native_fixture.h"

namespace docket::native {
namespace {

class NativeRuns : public NativeTest {
 protected:
  NativeRuns() { docket.add_job("a"); }
};

TEST_F(NativeRuns, StartShowsTheRunAndItsLocation) {
  const auto made = post("/jobs/a/runs");
  EXPECT_EQ(made.status(), 201);
  EXPECT_EQ(made.header("Location"), "/docket/v1/runs/1");
  EXPECT_EQ(made.at("/id"), "1");
  EXPECT_EQ(made.at("/state"), "queued");
  EXPECT_EQ(made.at("/trigger"), "manual");
  EXPECT_THAT(made.at("/name"), ::testing::StartsWith("20240115100000"));
  EXPECT_EQ(made.size("/attempts"), 0);
  const auto shown = get("/runs/1");
  EXPECT_EQ(shown.at("/state"), "running");
  EXPECT_EQ(shown.at("/attempts/0/kind"), "attempt");
  EXPECT_EQ(shown.at("/attempts/0/parent"), "1");
  EXPECT_EQ(get("/runs/" + shown.at("/uuid")).response.body, shown.response.body);
}

TEST_F(NativeRuns, ParametersReachTheRun) {
  const auto made = post("/jobs/a/runs", R"({"env":{"DAY":"monday"},"description":"again"})");
  EXPECT_EQ(made.at("/env/DAY"), "monday");
  EXPECT_EQ(made.at("/description"), "again");
  EXPECT_THAT(docket.executor.attempts.begin()->second.spec.env,
              ::testing::Contains(::testing::Pair("DAY", "monday")));
}

TEST_F(NativeRuns, BodyOfStartMayBeAbsentBlankOrEmpty) {
  EXPECT_EQ(ask("POST", "/jobs/a/runs", "", {}).status(), 201);
  EXPECT_EQ(post("/jobs/a/runs", " \n").status(), 201);
  EXPECT_EQ(post("/jobs/a/runs", "{}").status(), 201);
}

TEST_F(NativeRuns, BadStartsChangeNothing) {
  const auto before = everything();
  EXPECT_EQ(post("/jobs/b/runs").status(), 404);
  // Content types that any web page may send without a preflight are not JSON.
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                           "application/json-patch", ""}) {
    const http::Fields headers{{"content-type", type}};
    EXPECT_EQ(ask("POST", "/jobs/a/runs", R"({"env":{"DAY":"monday"}})", headers).status(), 415);
  }
  EXPECT_EQ(ask("POST", "/jobs/a/runs", "{}", {}).status(), 415);
  EXPECT_EQ(post("/jobs/a/runs", "{").status(), 400);
  EXPECT_EQ(post("/jobs/a/runs", "[]").status(), 422);
  EXPECT_EQ(post("/jobs/a/runs", R"({"env":{"DAY":1}})").errors(), "/env/DAY: must be a string");
  EXPECT_EQ(post("/jobs/a/runs", R"({"env":{"":"x","A":"\u0000","B=":"x"}})").errors(),
            "/env/: must have a name; /env/A: must not contain NUL characters; "
            "/env/B=: must not have '=' in its name");
  EXPECT_EQ(post("/jobs/a/runs", R"({"environment":{}})").errors(),
            "/environment: is not a known member");
  EXPECT_EQ(everything(), before);
}

TEST_F(NativeRuns, FinishedRunsStayVisible) {
  const TaskId run = docket.start("a");
  docket.run_attempt(run);
  docket.advance(seconds{5});
  docket.finish_attempt(run, 3);
  const auto shown = get("/runs/1");
  EXPECT_EQ(shown.at("/state"), "failed");
  EXPECT_EQ(shown.at("/startedAt"), "2024-01-15T10:00:00.000000Z");
  EXPECT_EQ(shown.at("/finishedAt"), "2024-01-15T10:00:05.000000Z");
  EXPECT_EQ(shown.at("/attempts/0/exitCode"), "3");
  EXPECT_EQ(shown.at("/attempts/0/signal"), "null");
  EXPECT_EQ(shown.at("/exitCode"), "null");
}

TEST_F(NativeRuns, TheListHasOnlyRuns) {
  docket.start("a");
  ASSERT_EQ(post("/tasks", R"({"module":"backups"})").status(), 201);
  EXPECT_EQ(get("/runs").each("job"), "a");
}

TEST_F(NativeRuns, ASignalIsNotAnExitCode) {
  const TaskId run = docket.start("a");
  docket.run_attempt(run);
  docket.executor.exit(docket.newest_attempt(run), 0, docket.clock.now(), 9);
  docket.settle();
  const auto shown = get("/runs/1");
  EXPECT_EQ(shown.at("/attempts/0/exitCode"), "null");
  EXPECT_EQ(shown.at("/attempts/0/signal"), "9");
}

TEST_F(NativeRuns, StopEndsTheRunAtOnce) {
  const TaskId run = docket.start("a");
  docket.run_attempt(run);
  const auto stopped = post("/runs/1/stop");
  EXPECT_EQ(stopped.status(), 200);
  EXPECT_EQ(stopped.at("/state"), "aborted");
  EXPECT_EQ(stopped.at("/attempts/0/state"), "running");
  EXPECT_EQ(get("/runs/1").at("/attempts/0/stopping"), "true");
  EXPECT_EQ(docket.executor.stopped.size(), 1U);
  const auto again = post("/runs/1/stop");
  EXPECT_EQ(again.status(), 409);
  EXPECT_EQ(again.at("/detail"), "run '1' has ended: it is aborted");
}

TEST_F(NativeRuns, UnknownRuns) {
  docket.start("a");
  for (const char* id : {"99", "0", "x", "1x", "-1", "99999999999999999999", "2"}) {
    EXPECT_EQ(get(std::string("/runs/") + id).status(), 404) << id;
    EXPECT_EQ(post(std::string("/runs/") + id + "/stop").status(), 404) << id;
  }
}

TEST_F(NativeRuns, ListCoversLiveAndFinishedNewestFirst) {
  const TaskId first = docket.start("a");
  docket.run_attempt(first);
  docket.finish_attempt(first, 0);
  docket.advance(minutes{1});
  docket.add_job("b");
  docket.start("b");
  docket.advance(minutes{1});
  docket.start("a");
  const auto all = get("/runs");
  EXPECT_EQ(all.each("job"), "a b a");
  EXPECT_EQ(all.each("state"), "running running done");
  EXPECT_EQ(get("/runs?order=oldest").each("job"), "a b a");
  EXPECT_EQ(get("/runs?order=oldest").at("/items/0/id"), "1");
  EXPECT_EQ(get("/runs?job=a").each("state"), "running done");
  EXPECT_EQ(get("/jobs/a/runs").each("state"), "running done");
  EXPECT_EQ(get("/runs?state=done,failed").each("job"), "a");
  EXPECT_EQ(get("/runs?state=done&state=running&job=b").each("job"), "b");
  EXPECT_EQ(
      get("/runs?createdFrom=2024-01-15T10:01:00Z&createdUntil=2024-01-15T10:02:00Z").each("job"),
      "b");
  EXPECT_EQ(get("/runs?name=" + all.at("/items/1/name")).each("job"), "b");
  EXPECT_EQ(get("/runs?job=nobody").size(), 0);
  EXPECT_EQ(get("/jobs/nobody/runs").status(), 404);
}

TEST_F(NativeRuns, ListOfAGroupAndOfLabels) {
  docket.add_job("prod");
  auto labelled = docket.job("prod.b");
  labelled.labels = {{"team", "data"}};
  docket.add_job(labelled);
  docket.add_job("production");
  for (const char* id : {"a", "prod", "prod.b", "production"}) docket.start(id);
  EXPECT_EQ(get("/runs?group=prod").each("job"), "prod.b prod");
  EXPECT_EQ(get("/runs?label=team=data").each("job"), "prod.b");
  EXPECT_EQ(get("/runs?label=team&group=prod").each("job"), "prod.b");
  EXPECT_EQ(get("/runs?label=team=other").each("job"), "");
  EXPECT_EQ(get("/runs?label=team&label=none").size(), 0);
}

TEST_F(NativeRuns, ADependentSaysWhichRunStartedIt) {
  auto next = docket.job("next");
  next.dependencies = {"a"};
  docket.add_job(next);
  const auto first = post("/jobs/a/runs", R"({"env":{"DAY":"monday"},"description":"again"})");
  EXPECT_EQ(first.at("/startedBy"), "null");
  docket.finish_attempt(TaskId{1}, 0);
  const auto second = get("/runs?job=next");
  EXPECT_EQ(second.at("/items/0/startedBy/run"), "1");
  EXPECT_EQ(second.at("/items/0/startedBy/name"), first.at("/name"));
  EXPECT_EQ(second.at("/items/0/startedBy/job"), "a");
  EXPECT_EQ(second.at("/items/0/env/DAY"), "monday");
  EXPECT_EQ(second.at("/items/0/trigger"), "dependency");
}

TEST_F(NativeRuns, ListPages) {
  for (int i = 0; i < 5; ++i) docket.start("a");
  std::string seen;
  std::string after;
  for (int pages = 0; pages < 3; ++pages) {
    const auto page = get("/runs?limit=2" + after);
    seen += page.each("id") + "|";
    after = "&after=" + page.at("/next");
  }
  EXPECT_EQ(after, "&after=null");
  const auto all = get("/runs").each("id");
  EXPECT_EQ(std::count(seen.begin(), seen.end(), '|'), 3);
  for (char& c : seen) c = c == '|' ? ' ' : c;
  EXPECT_EQ(seen, all + " ");
}

TEST_F(NativeRuns, FiltersByScheduleAndTrigger) {
  post("/jobs/a/schedules", R"({"id":"hourly","cron":"0 * * * *"})");
  post("/jobs/a/schedules", R"({"id":"half","cron":"30 * * * *"})");
  docket.advance(hours{1});
  docket.start("a");
  EXPECT_EQ(get("/runs").size(), 3);
  EXPECT_EQ(get("/jobs/a/runs?schedule=half").each("dueAt"), "2024-01-15T10:30:00.000000Z");
  EXPECT_EQ(get("/runs?job=a&schedule=hourly").each("dueAt"), "2024-01-15T11:00:00.000000Z");
  const auto uid = get("/jobs/a/schedules/half").at("/uid");
  EXPECT_EQ(get("/runs?scheduleUid=" + uid).size(), 1);
  EXPECT_EQ(get("/runs?trigger=schedule").size(), 2);
  EXPECT_EQ(get("/runs?trigger=manual").size(), 1);
  EXPECT_EQ(get("/runs?trigger=schedule&limit=1").at("/next"),
            get("/runs?trigger=schedule").at("/items/0/id"));
  EXPECT_EQ(get("/runs?schedule=half").status(), 400);
  EXPECT_EQ(get("/runs?job=a&schedule=nope").status(), 404);
}

TEST_F(NativeRuns, BadFiltersAreNamedTogether) {
  EXPECT_EQ(get("/runs?state=sleeping&trigger=magic&createdFrom=now&after=x&order=up").errors(),
            "?state: 'sleeping' is not a state: created, queued, running, paused, done, failed, "
            "aborted; ?trigger: must be manual, schedule or dependency; ?createdFrom: must be an "
            "RFC 3339 timestamp such as 2026-03-29T02:30:00Z; ?order: must be newest or oldest; "
            "?after: must be a whole number up to 9223372036854775807");
}

// ---- tasks

TEST_F(NativeRuns, TasksAreRunsAndAttempts) {
  const TaskId run = docket.start("a");
  docket.run_attempt(run);
  EXPECT_EQ(get("/tasks").each("kind"), "attempt run");
  EXPECT_EQ(get("/tasks?kind=run").each("id"), "1");
  EXPECT_EQ(get("/tasks?kind=attempt").each("id"), "2");
  EXPECT_EQ(get("/tasks?parent=1").each("id"), "2");
  EXPECT_EQ(get("/tasks?kind=leaf").status(), 400);
  EXPECT_EQ(get("/tasks/2").at("/root"), "1");
  EXPECT_EQ(get("/tasks/2").at("/job"), "a");
  EXPECT_EQ(get("/tasks/1").at("/parent"), "null");
  EXPECT_EQ(get("/tasks/3").status(), 404);
  EXPECT_EQ(get("/tasks/x").at("/detail"), "task 'x' does not exist");
}

TEST_F(NativeRuns, TheTreeHoldsAllAttempts) {
  auto stubborn = docket.job("s");
  kinds::change_process(stubborn.spec).restart.policy = kinds::RestartPolicy::kOnFailure;
  docket.add_job(stubborn);
  const TaskId run = docket.start("s");
  docket.run_attempt(run);
  docket.finish_attempt(run, 1);
  docket.run_attempt(run);
  docket.finish_attempt(run, 0);
  const auto tree = get("/tasks/" + std::to_string(run.value) + "/tree");
  EXPECT_EQ(tree.at("/state"), "done");
  EXPECT_EQ(tree.size("/children"), 2);
  EXPECT_EQ(tree.at("/children/0/exitCode"), "1");
  EXPECT_EQ(tree.at("/children/1/exitCode"), "0");
  const auto leaf = get("/tasks/" + tree.at("/children/1/id") + "/tree");
  EXPECT_EQ(leaf.size("/children"), 0);
  EXPECT_EQ(get("/tasks/99/tree").status(), 404);
}

}  // namespace
}  // namespace docket::native
