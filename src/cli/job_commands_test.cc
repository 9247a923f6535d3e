// `docket job ...` against answers in the shapes of metronome.md; expected output from its section
// 11 and seed 004.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/fake_server.h"

namespace docket::cli {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr const char* kJobs = "/service/metronome/v1/jobs";
const std::string kList =
    "GET /service/metronome/v1/jobs?embed=activeRuns&embed=schedules&embed=historySummary";
constexpr const char* kUnknownJob = R"({"id":"ghost","message":"Job not found"})";

class JobCommands : public testing::Test {
 protected:
  Outcome docket(std::vector<std::string> words, std::string input = {}) {
    return run(server_, {.words = std::move(words), .input = std::move(input)});
  }
  // Canned answer to METHOD /service/metronome/v1/jobs + path.
  void answer(const std::string& method, const std::string& path, int status,
              const std::string& body) {
    server_.answer(method + " " + kJobs + path, status, body);
  }

  FakeServer server_;
};

std::string request(const std::string& method, const std::string& path) {
  return method + " " + kJobs + path;
}

// ---- add

TEST_F(JobCommands, AddPostsTheJobThenItsFirstSchedule) {
  answer("POST", "", 201, "{}");
  answer("POST", "/myjob/schedules", 201, "{}");
  const Outcome done =
      docket({"job", "add"}, R"({"id":"myjob","run":{"cmd":"sleep 20000","cpus":0.01},
      "schedules":[{"id":"sleep-schedule","cron":"20 0 * * *"}]})");
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.out, "");
  EXPECT_EQ(done.err, "");
  EXPECT_THAT(server_.requests,
              ElementsAre(request("POST", ""), request("POST", "/myjob/schedules")));
  EXPECT_THAT(server_.bodies,
              ElementsAre(R"({"id":"myjob","run":{"cmd":"sleep 20000","cpus":0.01}})",
                          R"({"id":"sleep-schedule","cron":"20 0 * * *"})"));
  EXPECT_EQ(server_.last.content_type, "application/json");
}

TEST_F(JobCommands, AddReadsAFile) {
  const std::string file = testing::TempDir() + "/docket_cli_job.json";
  std::ofstream(file) << R"({"id":"myjob"})";
  answer("POST", "", 201, "{}");
  EXPECT_EQ(docket({"job", "add", file}).code, 0);
  EXPECT_THAT(server_.bodies, ElementsAre(R"({"id":"myjob"})"));
  std::filesystem::remove(file);
}

TEST_F(JobCommands, AddWarnsAboutASecondSchedule) {
  answer("POST", "", 201, "{}");
  answer("POST", "/a/schedules", 201, "{}");
  const Outcome done =
      docket({"job", "add", "-"}, R"({"id":"a","schedules":[{"id":"one"},{"id":"two"}]})");
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.err, "warning: only the first of 2 schedules is used: a job has at most one\n");
  EXPECT_EQ(server_.bodies.back(), R"({"id":"one"})");
}

TEST_F(JobCommands, ABadTimeIsReportedBeforeAnyRequest) {
  for (const char* word : {"add", "update"}) {
    const Outcome done = docket(
        {"job", word},
        R"({"id":"a","schedules":[{"id":"one","cron":"61 * * * *","timezone":"Mars/Base"}]})");
    EXPECT_EQ(done.code, 1);
    EXPECT_THAT(done.err, StartsWith("/schedules/0/cron: minute: \"61\" is none of "));
    EXPECT_THAT(done.err, HasSubstr("\n/schedules/0/timezone: "));
    EXPECT_THAT(done.err, EndsWith("Error: the schedule is not valid; nothing was changed\n"));
    EXPECT_TRUE(server_.requests.empty());
  }
}

TEST_F(JobCommands, AddWithABadScheduleAddsNothing) {
  answer("POST", "", 201, "{}");
  answer("DELETE", "/a", 200, "{}");
  answer(
      "POST", "/a/schedules", 422,
      R"({"message":"Object is not valid","details":[{"path":"/cron","errors":["Can not read"]}]})");
  const Outcome done = docket({"job", "add"}, R"({"id":"a","schedules":[{"id":"one"}]})");
  EXPECT_EQ(done.code, 1);
  EXPECT_EQ(done.err, "/cron: Can not read\nError: 422 - Object is not valid; nothing was added\n");
  EXPECT_EQ(server_.requests.back(), request("DELETE", "/a"));
}

TEST_F(JobCommands, AddSaysWhatRemainsIfItCannotBeUndone) {
  answer("POST", "", 201, "{}");
  answer("POST", "/a/schedules", 422, R"({"message":"Object is not valid","details":[]})");
  answer("DELETE", "/a", 503, R"({"message":"full"})");
  EXPECT_EQ(docket({"job", "add"}, R"({"id":"a","schedules":[{"id":"one"}]})").err,
            "Error: 422 - Object is not valid; job \"a\" was added without it\n");
}

TEST_F(JobCommands, AddOfFlags) {
  server_.answer("POST /docket/v1/jobs", 201, "{}");
  const Outcome done = docket({"job", "add", "prod.report", "--cmd", "make report", "--cron",
                               "30 2 * * *", "--missed", "last", "--mem", "512", "--env", "A=1",
                               "--env", "B=x=y", "--label", "team=data"});
  EXPECT_EQ(done.out + done.err, "");
  EXPECT_EQ(server_.bodies.back(),
            R"({"id":"prod.report","labels":{"team":"data"},)"
            R"("run":{"cmd":"make report","mem":512,"env":{"A":"1","B":"x=y"}},)"
            R"("schedules":[{"id":"cron","cron":"30 2 * * *","timezone":"Europe/Rome",)"
            R"("missed":"last"}]})")
      << "one call, so all or nothing";
  EXPECT_EQ(docket({"job", "add", "a", "--cmd", "true", "--after", "b", "--after", "c"}).code, 0);
  EXPECT_EQ(server_.bodies.back(), R"({"id":"a","run":{"cmd":"true"},"dependencies":["b","c"]})");
}

TEST_F(JobCommands, AddWithInvalidFlags) {
  EXPECT_EQ(docket({"job", "add", "--cmd", "true"}).err,
            "Error: --cmd needs an id: docket job add ID --cmd ...\n");
  EXPECT_THAT(docket({"job", "add", "a", "--cron", "* * * * *"}).err, HasSubstr("--cmd"));
  EXPECT_THAT(docket({"job", "add", "a", "--cmd", "x", "--missed", "all"}).err,
              HasSubstr("--cron"));
  EXPECT_EQ(docket({"job", "add", "a", "--cmd", "x", "--env", "A"}).err,
            "Error: --env: \"A\" is not NAME=VALUE\n");
  EXPECT_THAT(server_.requests, IsEmpty());
}

TEST_F(JobCommands, AddNeedsAnId) {
  for (const char* text : {"{}", "[]", "1", R"({"id":""})"}) {
    const Outcome done = docket({"job", "add"}, text);
    EXPECT_EQ(done.code, 1) << text;
    EXPECT_EQ(done.err, "Error: jobs JSON requires an ID\n") << text;
  }
  EXPECT_THAT(server_.requests, IsEmpty());
}

TEST_F(JobCommands, AddNamesTheInputThatIsNotJson) {
  EXPECT_THAT(docket({"job", "add"}, "{").err,
              HasSubstr("Error: standard input: not JSON at byte 1"));
  EXPECT_EQ(docket({"job", "add", "/nonexistent/x.json"}).err,
            "Error: cannot read /nonexistent/x.json: No such file or directory\n");
  EXPECT_EQ(docket({"job", "add", testing::TempDir()}).code, 1) << "a directory";
  EXPECT_THAT(server_.requests, IsEmpty());
}

TEST_F(JobCommands, ErrorsOfTheServerArePrintedWithTheirDetails) {
  answer("POST", "", 422,
         R"({"message":"Object is not valid","details":[{"path":"/run/cpus","errors":["e1","e2"]},
             {"path":"/id","errors":["e3"]}]})");
  const Outcome invalid = docket({"job", "add"}, R"({"id":"a"})");
  EXPECT_EQ(invalid.code, 1);
  EXPECT_EQ(invalid.err, "/run/cpus: e1,e2\n/id: e3\nError: 422 - Object is not valid\n");
  EXPECT_EQ(invalid.out, "");
}

TEST_F(JobCommands, AddOfAKnownJobIsRefusedByTheServer) {
  answer("POST", "", 409, R"({"message":"Job with this id already exists"})");
  EXPECT_EQ(docket({"job", "add"}, R"({"id":"a"})").err,
            "Error: 409 - Job with this id already exists\n");
}

// ---- update

TEST_F(JobCommands, UpdatePutsTheJobAndItsSchedule) {
  answer("GET", "/a", 200, R"({"id":"a"})");
  answer("PUT", "/a", 200, "{}");
  answer("GET", "/a/schedules", 200, R"([{"id":"nightly","cron":"0 1 * * *"}])");
  answer("PUT", "/a/schedules/nightly", 200, "{}");
  const Outcome done =
      docket({"job", "update"}, R"({"id":"a","schedules":[{"id":"nightly","cron":"0 2 * * *"}]})");
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.out + done.err, "");
  EXPECT_THAT(server_.requests,
              ElementsAre(request("GET", "/a"), request("PUT", "/a"),
                          request("GET", "/a/schedules"), request("PUT", "/a/schedules/nightly")));
  EXPECT_EQ(server_.bodies[1], R"({"id":"a"})");
  EXPECT_EQ(server_.bodies.back(), R"({"id":"nightly","cron":"0 2 * * *"})");
}

TEST_F(JobCommands, UpdateAddsTheScheduleThatTheJobLacks) {
  answer("GET", "/a", 200, R"({"id":"a"})");
  answer("PUT", "/a", 200, "{}");
  answer("GET", "/a/schedules", 200, "[]");
  answer("POST", "/a/schedules", 201, "{}");
  EXPECT_EQ(docket({"job", "update"}, R"({"id":"a","schedules":[{"id":"nightly"}]})").code, 0);
}

TEST_F(JobCommands, UpdateReplacesAScheduleWithAnotherId) {
  answer("GET", "/a", 200, R"({"id":"a"})");
  answer("PUT", "/a", 200, "{}");
  answer("GET", "/a/schedules", 200, R"([{"id":"old"}])");
  answer("DELETE", "/a/schedules/old", 200, "");
  answer("POST", "/a/schedules", 201, "{}");
  EXPECT_EQ(docket({"job", "update"}, R"({"id":"a","schedules":[{"id":"new"}]})").code, 0);
  EXPECT_EQ(server_.bodies.back(), R"({"id":"new"})");
}

TEST_F(JobCommands, UpdateWithABadScheduleChangesNothing) {
  answer("GET", "/a", 200, R"({"id":"a","description":"before"})");
  answer("PUT", "/a", 200, "{}");
  answer("GET", "/a/schedules", 200, R"([{"id":"old","cron":"0 1 * * *"}])");
  answer("DELETE", "/a/schedules/old", 200, "");
  answer("POST", "/a/schedules", 422, R"({"message":"Object is not valid","details":[]})");
  answer("POST", "/a/schedules", 201, "{}");
  const Outcome done = docket({"job", "update"}, R"({"id":"a","schedules":[{"id":"new"}]})");
  EXPECT_EQ(done.err, "Error: 422 - Object is not valid; nothing was changed\n");
  EXPECT_EQ(server_.bodies[server_.bodies.size() - 2], R"({"id":"old","cron":"0 1 * * *"})");
  EXPECT_EQ(server_.requests.back(), request("PUT", "/a"));
  EXPECT_EQ(server_.bodies.back(), R"({"id":"a","description":"before"})");
}

TEST_F(JobCommands, UpdateWithoutSchedulesLeavesThemAlone) {
  answer("PUT", "/a", 200, "{}");
  EXPECT_EQ(docket({"job", "update"}, R"({"id":"a"})").code, 0);
  EXPECT_THAT(server_.requests, ElementsAre(request("PUT", "/a")));
}

TEST_F(JobCommands, UpdateWithAnEmptyListRemovesTheSchedule) {
  answer("PUT", "/a", 200, "{}");
  answer("GET", "/a/schedules", 200, R"([{"id":"old"}])");
  answer("DELETE", "/a/schedules/old", 200, "");
  EXPECT_EQ(docket({"job", "update"}, R"({"id":"a","schedules":[]})").code, 0);
  EXPECT_EQ(server_.requests.back(), request("DELETE", "/a/schedules/old"));
}

TEST_F(JobCommands, UpdateOfAnUnknownJob) {
  answer("GET", "/ghost", 404, kUnknownJob);
  const Outcome done = docket({"job", "update"}, R"({"id":"ghost","schedules":[{"id":"s"}]})");
  EXPECT_EQ(done.code, 1);
  EXPECT_EQ(done.err, "Error: job \"ghost\" does not exist\n");
}

// ---- remove

TEST_F(JobCommands, RemoveAddsTheQueryOnlyWithTheFlag) {
  answer("DELETE", "/a", 200, "{}");
  answer("DELETE", "/a?stopCurrentJobRuns=true", 200, "{}");
  EXPECT_EQ(docket({"job", "remove", "a"}).out, "");
  EXPECT_EQ(docket({"job", "remove", "a", "--stop-current-job-runs"}).code, 0);
  EXPECT_THAT(server_.requests, ElementsAre(request("DELETE", "/a"),
                                            request("DELETE", "/a?stopCurrentJobRuns=true")));
}

TEST_F(JobCommands, RemoveExplainsItsConflicts) {
  answer("DELETE", "/ghost", 404, kUnknownJob);
  answer("DELETE", "/busy", 409,
         R"({"message":"There are active job runs. Override with stopCurrentJobRuns=true"})");
  answer("DELETE", "/parent", 409,
         R"({"message":"There are jobs with a dependency on parent. children=[b, c]"})");
  EXPECT_EQ(docket({"job", "remove", "ghost"}).err, "Error: job \"ghost\" does not exist\n");
  EXPECT_EQ(docket({"job", "remove", "busy"}).err, "Error: job \"busy\" is running\n");
  EXPECT_EQ(docket({"job", "remove", "parent"}).err,
            "Error: 409 - There are jobs with a dependency on parent. children=[b, c]\n");
}

// ---- list

constexpr const char* kJobList = R"([
  {"id":"mysleepjob","schedules":[{"id":"s"}],
   "historySummary":{"successCount":0,"failureCount":0,"lastSuccessAt":null,"lastFailureAt":null}},
  {"id":"mypingjob","schedules":[],"activeRuns":[{"id":"r"}],
   "historySummary":{"successCount":1,"failureCount":1,"lastSuccessAt":"2019-04-11T00:20:00.000+0000",
                     "lastFailureAt":"2019-04-10T00:20:00.000+0000"}},
  {"id":"third","schedules":[],
   "historySummary":{"successCount":1,"failureCount":1,"lastSuccessAt":"2019-04-11T00:20:00.000+0000",
                     "lastFailureAt":"2019-04-11T00:20:00.001+0000"}}])";

TEST_F(JobCommands, ListIsTheTableOfTheGuide) {
  server_.answer(kList, 200, kJobList);
  EXPECT_EQ(docket({"job", "list"}).out,
            "    ID        STATUS     LAST RUN  \n"
            "mysleepjob  Scheduled    N/A       \n"
            "mypingjob   Running      Success   \n"
            "third       Unscheduled  Failure   \n");
}

// Seed 004, "Verify that you have added the new job", space for space.
TEST_F(JobCommands, ListMatchesTheSeedExactly) {
  server_.answer(kList, 200, R"([{"id":"mysleepjob","schedules":[{"id":"s"}]},
                                 {"id":"mypingjob","activeRuns":[{"id":"r"}]}])");
  EXPECT_EQ(docket({"job", "list"}).out,
            "    ID       STATUS    LAST RUN  \n"
            "mysleepjob  Scheduled  N/A       \n"
            "mypingjob   Running    N/A       \n");
}

TEST_F(JobCommands, ListOfNothingIsAHeader) {
  server_.answer(kList, 200, "[]");
  EXPECT_EQ(docket({"job", "list"}).out, "ID  STATUS  LAST RUN  \n");
  EXPECT_EQ(docket({"job", "list", "-q"}).out, "");
  EXPECT_EQ(docket({"job", "list", "--json"}).out, "[]\n");
}

TEST_F(JobCommands, ListAsIdsAndAsJson) {
  server_.answer(kList, 200, R"([{"id":"a","run":{"cpus":0.01,"mem":32}},{"id":"b"}])");
  EXPECT_EQ(docket({"job", "list", "--quiet"}).out, "a\nb\n");
  EXPECT_EQ(docket({"job", "list", "--json"}).out,
            "[\n    {\n        \"id\": \"a\",\n        \"run\": {\n            \"cpus\": 0.01,\n"
            "            \"mem\": 32\n        }\n    },\n    {\n        \"id\": \"b\"\n    }\n]\n");
}

// ---- show

TEST_F(JobCommands, ShowPrintsJsonIndentedByFourSpaces) {
  answer("GET", "/prod.email", 200, R"({"id":"prod.email","labels":{}})");
  EXPECT_EQ(docket({"job", "show", "prod.email"}).out,
            "{\n    \"id\": \"prod.email\",\n    \"labels\": {}\n}\n");
}

TEST_F(JobCommands, ShowOfAnUnknownJob) {
  answer("GET", "/ghost", 404, kUnknownJob);
  const Outcome done = docket({"job", "show", "ghost"});
  EXPECT_EQ(done.code, 1);
  EXPECT_EQ(done.err, "Error: job \"ghost\" does not exist\n");
}

TEST_F(JobCommands, ShowNeedsAJob) {
  EXPECT_EQ(docket({"job", "show"}).code, 1);
  EXPECT_EQ(docket({"job", "show", ""}).code, 1) << "an empty id would list all jobs";
  EXPECT_THAT(server_.requests, IsEmpty());
}

TEST_F(JobCommands, IdsAreEncoded) {
  answer("GET", "/a%2F..%2Fb%3Fx", 404, kUnknownJob);
  EXPECT_EQ(docket({"job", "show", "a/../b?x"}).err, "Error: job \"a/../b?x\" does not exist\n");
}

constexpr const char* kRuns = R"([{"id":"20190307204634kC8Rs","jobId":"a","status":"ACTIVE",
  "createdAt":"2019-03-07T20:46:34.512+0000","completedAt":null,"tasks":[]}])";

TEST_F(JobCommands, ShowRunsListsActiveRuns) {
  answer("GET", "/a/runs", 200, kRuns);
  EXPECT_EQ(docket({"job", "show", "runs", "a"}).out,
            "      TASK ID        JOB ID           STARTED AT           \n"
            "20190307204634kC8Rs  a       2019-03-07T20:46:34.512+0000  \n");
  EXPECT_EQ(docket({"job", "show", "runs", "a", "-q"}).out, "20190307204634kC8Rs\n");
}

TEST_F(JobCommands, ShowRunsOfOneRun) {
  answer("GET", "/a/runs/r1", 200, R"({"id":"r1","jobId":"a","createdAt":"t"})");
  answer("GET", "/a/runs/r2", 404, R"({"jobSpec":"a","id":"r2","message":"Job Run not found"})");
  EXPECT_EQ(docket({"job", "show", "runs", "a", "--run-id", "r1", "--json"}).out,
            "[\n    {\n        \"id\": \"r1\",\n        \"jobId\": \"a\",\n        \"createdAt\": "
            "\"t\"\n    }\n]\n");
  EXPECT_EQ(docket({"job", "show", "runs", "a", "--run-id=r2"}).err,
            "Error: job \"a\" or run \"r2\" does not exist\n");
}

// ---- run, kill

TEST_F(JobCommands, RunPrintsTheRunsId) {
  answer("POST", "/a/runs", 201, R"({"id":"20160715130259A34HX","jobId":"a"})");
  EXPECT_EQ(docket({"job", "run", "a"}).out, "20160715130259A34HX\n");
  EXPECT_EQ(docket({"job", "run", "a", "--json"}).out,
            "{\n    \"id\": \"20160715130259A34HX\",\n    \"jobId\": \"a\"\n}\n");
  EXPECT_EQ(server_.bodies.back(), "{}");
}

TEST_F(JobCommands, RunOfAnUnknownJob) {
  answer("POST", "/ghost/runs", 404, kUnknownJob);
  EXPECT_EQ(docket({"job", "run", "ghost"}).err, "Error: job \"ghost\" does not exist\n");
}

TEST_F(JobCommands, KillStopsOneRun) {
  answer("POST", "/a/runs/r1/actions/stop", 200, "{}");
  answer("POST", "/a/runs/r2/actions/stop", 404, R"({"message":"Job Run not found"})");
  EXPECT_EQ(docket({"job", "kill", "a", "r1"}).out, "");
  EXPECT_EQ(docket({"job", "kill", "a", "r2"}).err,
            "Error: job \"a\" or run \"r2\" does not exist\n");
}

TEST_F(JobCommands, KillAllStopsEachRunAndIgnoresThoseThatJustEnded) {
  answer("GET", "/a/runs", 200, R"([{"id":"r1"},{"id":"r2"},{"id":"r3"}])");
  answer("POST", "/a/runs/r1/actions/stop", 200, "{}");
  answer("POST", "/a/runs/r2/actions/stop", 404, R"({"message":"Job Run not found"})");
  answer("POST", "/a/runs/r3/actions/stop", 200, "{}");
  const Outcome done = docket({"job", "kill", "a", "--all"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(server_.requests.size(), 4U);
}

TEST_F(JobCommands, KillNeedsARunOrAll) {
  EXPECT_EQ(docket({"job", "kill", "a"}).err, "Error: name a run, or stop every run with --all\n");
  EXPECT_EQ(docket({"job", "kill", "a", "r", "--all"}).err,
            "Error: either a run or --all, not both\n");
  EXPECT_THAT(server_.requests, IsEmpty());
}

TEST_F(JobCommands, AJobWhoseSchedulesAreOffIsDisabled) {
  server_.answer(kList, 200,
                 R"([{"id":"a","schedules":[{"id":"s","enabled":false}]},
                     {"id":"b","schedules":[{"id":"s","enabled":true}]}])");
  EXPECT_THAT(docket({"job", "list"}).out,
              AllOf(HasSubstr("a   Disabled"), HasSubstr("b   Scheduled")));
}

// ---- history

constexpr const char* kHistory = R"({"id":"a","history":{"successCount":3,"failureCount":1,
  "lastSuccessAt":"2019-03-07T20:46:44.000+0000","lastFailureAt":null,
  "successfulFinishedRuns":[
    {"id":"20190307204634kC8Rs","createdAt":"2019-03-07T20:46:34.512+0000",
     "finishedAt":"2019-03-07T20:46:44.000+0000","tasks":["t"]},
    {"id":"20190306204634kC8Rs","createdAt":"2019-03-06T20:46:34.512+0000",
     "finishedAt":"2019-03-06T20:46:44.000+0000","tasks":["t"]}],
  "failedFinishedRuns":[
    {"id":"20190305204634kC8Rs","createdAt":"2019-03-05T20:46:34.512+0000",
     "finishedAt":"2019-03-05T20:46:44.000+0000","tasks":["t"]}]}})";

constexpr const char* kFailures =
    "\"a\"  Failure runs: 1 Last Failure: N/A\n"
    "      RUN ID                   STARTED                       FINISHED              REASON     "
    "\n"
    "20190305204634kC8Rs  2019-03-05T20:46:34.512+0000  2019-03-05T20:46:44.000+0000  exit code 3  "
    "\n";

TEST_F(JobCommands, HistoryOfSuccessesThenFailures) {
  answer("GET", "/a?embed=activeRuns&embed=schedules&embed=history", 200, kHistory);
  answer("GET", "/a/runs?all=true&limit=1000", 200,
         R"([{"id":"20190305204634kC8Rs","message":"exit code 3"}])");
  EXPECT_EQ(docket({"job", "history", "a"}).out,
            "\"a\"  Successful runs: 3 Last Success: 2019-03-07T20:46:44.000+0000\n"
            "      RUN ID                   STARTED                       FINISHED            \n"
            "20190307204634kC8Rs  2019-03-07T20:46:34.512+0000  2019-03-07T20:46:44.000+0000  \n"
            "20190306204634kC8Rs  2019-03-06T20:46:34.512+0000  2019-03-06T20:46:44.000+0000  \n" +
                std::string(kFailures));
  EXPECT_EQ(docket({"job", "history", "a", "-q"}).out,
            "20190307204634kC8Rs\n20190306204634kC8Rs\n");
  EXPECT_EQ(docket({"job", "history", "a", "-q", "--last"}).out, "20190307204634kC8Rs\n");
}

TEST_F(JobCommands, HistoryOfFailuresSaysWhy) {
  answer("GET", "/a?embed=activeRuns&embed=schedules&embed=history", 200, kHistory);
  answer("GET", "/a/runs?all=true&limit=1000", 200,
         R"([{"id":"20190305204634kC8Rs","message":"exit code 3"}])");
  const std::string expected = kFailures;
  EXPECT_EQ(docket({"job", "history", "a", "--failures"}).out, expected);
  EXPECT_EQ(docket({"job", "history", "a", "--show-failures"}).out, expected);
}

// A Metronome has no list of finished runs.
TEST_F(JobCommands, HistoryWithoutReasons) {
  answer("GET", "/a?embed=activeRuns&embed=schedules&embed=history", 200, kHistory);
  answer("GET", "/a/runs?all=true&limit=1000", 200, "[]");
  EXPECT_THAT(docket({"job", "history", "a"}).out, HasSubstr("20190305204634kC8Rs"));
}

TEST_F(JobCommands, HistoryAsJsonIsTheHistoryAlone) {
  answer("GET", "/a?embed=activeRuns&embed=schedules&embed=history", 200,
         R"({"id":"a","history":{"successCount":0}})");
  EXPECT_EQ(docket({"job", "history", "a", "--json"}).out, "{\n    \"successCount\": 0\n}\n");
}

// ---- queue

TEST_F(JobCommands, QueueListsWaitingRuns) {
  server_.answer("GET /service/metronome/v1/queue", 200,
                 R"([{"jobId":"gyarados","runs":[{"runId":"20180103214004BPuOB"},{"runId":"r2"}]},
                     {"jobId":"b","runs":[{"runId":"r3"}]}])");
  EXPECT_EQ(docket({"job", "queue", "gyarados"}).out,
            " JOB ID         RUN ID         \n"
            "gyarados  20180103214004BPuOB  \n"
            "gyarados  r2                   \n");
  EXPECT_EQ(docket({"job", "queue", "-q"}).out, "20180103214004BPuOB\nr2\nr3\n");
  EXPECT_EQ(docket({"job", "queue", "ghost"}).err, "Error: job \"ghost\" does not exist\n");
  EXPECT_EQ(docket({"job", "queue", "b", "--json"}).out,
            "[\n    {\n        \"jobId\": \"b\",\n        \"runs\": [\n            {\n"
            "                \"runId\": \"r3\"\n            }\n        ]\n    }\n]\n");
}

// ---- schedules

TEST_F(JobCommands, ScheduleShowIsTheTableOfTheSeed) {
  answer("GET", "/mytestjob/schedules", 200,
         R"([{"id":"nightly","cron":"20 0 * * *","timezone":"UTC","startingDeadlineSeconds":900,
              "concurrencyPolicy":"ALLOW","enabled":true,"nextRunAt":"2019-04-11T00:20:00.000+0000"}])");
  EXPECT_EQ(docket({"job", "schedule", "show", "mytestjob"}).out,
            "  ID        CRON     ENABLED            NEXT RUN            CONCURRENCY POLICY  \n"
            "nightly  20 0 * * *  True     2019-04-11T00:20:00.000+0000  ALLOW               \n");
}

TEST_F(JobCommands, ADisabledScheduleWithoutNextRun) {
  answer("GET", "/a/schedules", 200,
         R"([{"id":"s1","cron":"0 0 1 1 * 2020","enabled":false,"concurrencyPolicy":"FORBID"}])");
  EXPECT_THAT(docket({"job", "schedule", "show", "a"}).out, HasSubstr("False    N/A"));
}

TEST_F(JobCommands, ASecondScheduleIsRefusedWithTheSeedsMessage) {
  answer("POST", "/a/schedules", 409,
         R"({"message":"requirement failed: A schedule with id nightly already exists"})");
  const Outcome done = docket({"job", "schedule", "add", "a"}, R"({"id":"nightly"})");
  EXPECT_EQ(done.code, 1);
  EXPECT_EQ(done.err,
            "Error: 409 - requirement failed: A schedule with id nightly already exists\n");
}

TEST_F(JobCommands, ScheduleAddTakesAListOfOneAsThePythonClientDid) {
  answer("POST", "/a/schedules", 201, "{}");
  EXPECT_EQ(docket({"job", "schedule", "add", "a"}, R"([{"id":"nightly"}])").code, 0);
  EXPECT_EQ(server_.bodies.back(), R"({"id":"nightly"})");
  EXPECT_EQ(docket({"job", "schedule", "add", "a"}, "[]").err,
            "Error: schedule JSON must be one object\n");
}

TEST_F(JobCommands, ScheduleUpdateGoesToTheIdInTheFile) {
  answer("PUT", "/a/schedules/nightly", 200, "{}");
  answer("PUT", "/a/schedules/ghost", 404, R"({"id":"ghost","message":"Schedule not found"})");
  EXPECT_EQ(docket({"job", "schedule", "update", "a"}, R"({"id":"nightly"})").out, "");
  EXPECT_EQ(docket({"job", "schedule", "update", "a"}, R"({"id":"ghost"})").err,
            "Error: job \"a\" or schedule \"ghost\" does not exist\n");
  EXPECT_EQ(docket({"job", "schedule", "update", "a"}, R"({"cron":"* * * * *"})").err,
            "Error: field \"id\" needs to be set in schedule JSON\n");
}

TEST_F(JobCommands, ScheduleRemoveAcceptsAnEmptyAnswer) {
  answer("DELETE", "/a/schedules/nightly", 200, "");
  answer("DELETE", "/a/schedules/ghost", 404, R"({"id":"ghost","message":"Schedule not found"})");
  EXPECT_EQ(docket({"job", "schedule", "remove", "a", "nightly"}).code, 0);
  EXPECT_EQ(docket({"job", "schedule", "remove", "a", "ghost"}).err,
            "Error: job \"a\" or schedule \"ghost\" does not exist\n");
}

// A job may have the name of a command.
TEST_F(JobCommands, JobsMayHaveTheNamesOfCommands) {
  answer("POST", "/list/runs", 201, R"({"id":"r"})");
  answer("POST", "/status/runs", 201, R"({"id":"r"})");
  EXPECT_EQ(docket({"job", "run", "list"}).out, "r\n");
  EXPECT_EQ(docket({"job", "run", "status"}).out, "r\n");
}

}  // namespace
}  // namespace docket::cli
