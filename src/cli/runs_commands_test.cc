// docket runs, docket run show, docket job run with parameters.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_native.h"

namespace docket::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kFailed =
    R"({"id":"7","name":"20190307204634kC8Rs","job":"prod.a","jobVersion":2,"state":"failed",
        "trigger":"manual","root":"7","scheduleUid":"3","dueAt":"2026-03-07T20:46:00.000000Z",
        "createdAt":"2026-03-07T20:46:34.000000Z","startedAt":"2026-03-07T20:46:35.000000Z",
        "finishedAt":"2026-03-07T20:48:38.000000Z","message":"exit code 3")";

class RunsCommands : public NativeCommands {
 protected:
  // Prepares the run, with more members.
  void found(const std::string& more) {
    answer("GET /runs?limit=1&name=20190307204634kC8Rs", 200,
           R"({"items":[{"id":"7","root":"7"}],"next":null})");
    answer("GET /runs/7", 200, kFailed + more + "}");
  }
};

TEST_F(RunsCommands, ListRunsOfAllJobsWithTheirReasons) {
  answer("GET /runs?limit=20", 200, R"({"items":[)" + std::string(kFailed) + R"(}],"next":null})");
  EXPECT_EQ(docket({"runs"}).out,
            "        RUN           JOB    STATE         CREATED        TOOK     REASON     \n"
            "20190307204634kC8Rs  prod.a  failed  2026-03-07 21:46:34  2m 3s  exit code 3  \n");
  EXPECT_EQ(docket({"runs", "-q"}).out, "20190307204634kC8Rs\n");
  EXPECT_THAT(docket({"runs", "--json"}).out, HasSubstr("\"message\": \"exit code 3\""));
  EXPECT_THAT(docket({"--utc", "runs"}).out, HasSubstr("2026-03-07 20:46:34Z"));
}

TEST_F(RunsCommands, ListAsksForWhatTheFlagsSay) {
  answer(
      "GET /runs?limit=5&createdFrom=2026-03-06T23%3A00%3A00.000000Z&job=a&group=prod&"
      "schedule=nightly&label=team%3Ddata&label=x&state=failed",
      200, kNone);
  const Outcome done =
      docket({"runs", "--failed", "--since", "2026-03-07", "--job", "a", "--schedule", "nightly",
              "--group", "prod", "--label", "team=data", "--label", "x", "-n", "5"});
  EXPECT_EQ(done.err, "");
  answer("GET /runs?limit=20&state=created,queued,running,paused", 200, kNone);
  EXPECT_EQ(docket({"runs", "--active"}).code, 0);
  EXPECT_THAT(docket({"runs", "--since", "yesterday"}).err, HasSubstr("is not a time"));
  EXPECT_THAT(docket({"runs", "--schedule", "nightly"}).err, HasSubstr("--job"));
}

TEST_F(RunsCommands, ListContinuesAfterAShortFilteredPage) {
  answer("GET /runs?limit=2&group=prod", 200, R"({"items":[{"name":"r9"}],"next":"8"})");
  answer("GET /runs?limit=1&group=prod&after=8", 200, R"({"items":[{"name":"r1"}],"next":"1"})");
  EXPECT_EQ(docket({"runs", "-q", "-n", "2", "--group", "prod"}).out, "r9\nr1\n");
}

TEST_F(RunsCommands, ShowSaysWhatWhenAndWhy) {
  found(R"(,"description":"again, please","env":{"DAY":"monday"},"attempts":[
          {"id":"8","state":"failed","startedAt":"2026-03-07T20:46:35.000000Z",
           "finishedAt":"2026-03-07T20:48:38.000000Z","exitCode":3,"signal":null,
           "message":"exit code 3"}])");
  EXPECT_EQ(docket({"run", "show", "20190307204634kC8Rs"}).out,
            "run         20190307204634kC8Rs\n"
            "job         prod.a, version 2\n"
            "state       failed: exit code 3\n"
            "started by  a request\n"
            "description again, please\n"
            "created     2026-03-07 21:46:34\n"
            "started     2026-03-07 21:46:35\n"
            "finished    2026-03-07 21:48:38\n"
            "took        2m 3s\n"
            "env         DAY=monday\n"
            "\n"
            "ATTEMPT  STATE         STARTED        TOOK   EXIT CODE  SIGNAL    REASON     \n"
            "8        failed  2026-03-07 21:46:35  2m 3s  3                  exit code 3  \n");
}

TEST_F(RunsCommands, ShowNamesTheScheduleOrTheRunThatStartedIt) {
  const auto started_by = [&] {
    const std::string out = docket({"run", "show", "20190307204634kC8Rs"}).out;
    const std::size_t at = out.find("started by");
    return out.substr(at + 12, out.find('\n', at) - at - 12);
  };
  found(R"(,"trigger":"schedule")");
  EXPECT_EQ(started_by(), "a deleted schedule, due 2026-03-07 21:46:00");
  answer("GET /jobs/prod.a/schedules", 200, R"({"items":[{"id":"nightly","uid":"3"}]})");
  EXPECT_EQ(started_by(), "schedule nightly, due 2026-03-07 21:46:00");
}

TEST_F(RunsCommands, ShowNamesTheRunWhoseEndStartedIt) {
  found(R"(,"trigger":"dependency","startedBy":{"run":"5","name":"r5","job":"first"})");
  EXPECT_THAT(docket({"run", "show", "20190307204634kC8Rs"}).out,
              HasSubstr("started by  the end of r5 of first, which it depends on\n"));
}

TEST_F(RunsCommands, ShowOfNoRun) {
  answer("GET /tasks/99", 404, kNotFound);
  EXPECT_EQ(docket({"run", "show", "99"}).err, "Error: run \"99\" does not exist\n");
  EXPECT_EQ(docket({"run", "show", "nonsense"}).err, "Error: run \"nonsense\" does not exist\n");
}

TEST_F(RunsCommands, ARunIsStartedWithParameters) {
  const std::string path = "POST /service/metronome/v1/jobs/a/runs";
  server_.answer(path, 201, R"({"id":"r1"})");
  EXPECT_EQ(
      docket({"job", "run", "a", "--env", "DAY=monday", "--env", "Q=a=b", "--description", "again"})
          .out,
      "r1\n");
  EXPECT_EQ(server_.bodies.back(), R"({"env":{"DAY":"monday","Q":"a=b"},"description":"again"})");
  docket({"job", "run", "a"});
  EXPECT_EQ(server_.bodies.back(), "{}") << "as the original";
  server_.requests.clear();
  EXPECT_EQ(docket({"job", "run", "a", "--env", "=x"}).err,
            "Error: --env: \"=x\" is not NAME=VALUE\n");
  EXPECT_THAT(server_.requests, IsEmpty());
}

// ---- docket schedule, docket job enable|disable

TEST_F(RunsCommands, PauseChangesNothingElseOfASchedule) {
  answer("GET /jobs/a/schedules?limit=500", 200,
         R"({"items":[{"id":"one","missed":"last","enabled":true},
                      {"id":"two","missed":"all","enabled":true}],"next":null})");
  answer("PUT /jobs/a/schedules/two", 200, R"({"id":"two","enabled":false,"nextRunAt":null})");
  EXPECT_EQ(docket({"schedule", "pause", "a", "two"}).out, "a  two  paused\n");
  EXPECT_THAT(
      docket({"schedule", "pause", "a", "two", "--json"}).out,
      testing::StartsWith("[\n    {\n        \"id\": \"two\",\n        \"enabled\": false"));
  EXPECT_EQ(server_.bodies.back(), R"({"id":"two","missed":"all","enabled":false})");
  EXPECT_EQ(docket({"schedule", "pause", "a", "three"}).err,
            "Error: job \"a\" or schedule \"three\" does not exist\n");
}

TEST_F(RunsCommands, EnableAndDisableAreForAllSchedulesOfAJob) {
  answer("GET /jobs/a/schedules?limit=500", 200,
         R"({"items":[{"id":"one"},{"id":"two"}],"next":null})");
  for (const char* id : {"one", "two"}) {
    answer(std::string("PUT /jobs/a/schedules/") + id, 200,
           R"({"enabled":true,"nextRunAt":"2026-03-07T20:46:00.000000Z"})");
  }
  EXPECT_EQ(docket({"job", "enable", "a"}).out,
            "a  one  next run: 2026-03-07 21:46:00\na  two  next run: 2026-03-07 21:46:00\n");
  EXPECT_EQ(docket({"job", "disable", "a"}).code, 0);
  EXPECT_EQ(server_.bodies.back(), R"({"id":"two","enabled":false})");
  answer("GET /jobs/b/schedules?limit=500", 200, kNone);
  EXPECT_EQ(docket({"job", "enable", "b"}).err, "Error: job \"b\" has no schedule\n");
}

TEST_F(RunsCommands, SchedulesOfAllJobs) {
  answer("GET /schedules?limit=500", 200,
         R"({"items":[{"job":"a","id":"one","cron":"0 2 * * *","timezone":"UTC","enabled":false,
                       "nextRunAt":"2026-03-07T20:46:00.000000Z"}],"next":null})");
  EXPECT_EQ(docket({"schedule", "ls"}).out,
            "JOB  SCHEDULE    CRON     TIME ZONE  NEXT RUN  \n"
            "a    one       0 2 * * *  UTC        paused    \n");
}

}  // namespace
}  // namespace docket::cli
