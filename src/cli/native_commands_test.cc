// Commands over the native API: explain, status, ledger, events, secret.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cli/event_stream.h"
#include "support/fake_native.h"

namespace docket::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(NativeCommands, ExplainListsReasonsAndHolders) {
  answer("GET /runs?limit=1&name=20190307204634kC8Rs", 200, kRun);
  answer("GET /runs/7/explain", 200,
         R"({"waiting":true,"earliest":"2026-01-01T00:00:00.000000Z","reasons":[
             {"kind":"capacity","message":"needs 4 cpus, 1 is free","holders":[
               {"run":"3","name":"r3","job":"big","amount":3,"since":null}]}]})");
  EXPECT_EQ(docket({"explain", "20190307204634kC8Rs"}).out,
            "20190307204634kC8Rs of a waits\n"
            "  capacity: needs 4 cpus, 1 is free\n"
            "    held by r3 of big: 3\n"
            "  earliest: 2026-01-01 01:00:00\n");
}

TEST_F(NativeCommands, ExplainReplacesNumbersByNames) {
  answer("GET /runs?limit=1&name=20190307204634kC8Rs", 200, kRun);
  answer("GET /runs/7/explain", 200,
         R"({"waiting":true,"earliest":null,"reasons":[
             {"kind":"lock","message":"lock 'run 3' is held by run 3","holders":[
               {"run":"3","name":"r3","job":"big","amount":null,"since":null}]},
             {"kind":"turn","message":"run 31 goes first","holders":[
               {"run":"3","name":"r3","job":"big","amount":null,"since":null}]}]})");
  EXPECT_EQ(docket({"explain", "20190307204634kC8Rs"}).out,
            "20190307204634kC8Rs of a waits\n"
            "  lock: lock 'run 3' is held by run r3\n"
            "    held by r3 of big\n"
            "  turn: run 31 goes first\n"
            "    held by r3 of big\n");
}

TEST_F(NativeCommands, ExplainAcceptsTheNumbersOfRunsAndAttempts) {
  answer("GET /tasks/8", 200, R"({"id":"8","kind":"attempt","root":"7","name":null})");
  answer("GET /tasks/7", 200, R"({"id":"7","kind":"run","root":"7","name":"r7","job":"a"})");
  answer("GET /jobs/8", 404, kNotFound);
  answer("GET /jobs/7", 200, "{}");
  answer("GET /runs/7/explain", 200, R"({"waiting":false,"reasons":[]})");
  answer("GET /jobs/7/explain", 200, R"({"waiting":true,"reasons":[]})");
  EXPECT_EQ(docket({"explain", "8"}).out, "r7 of a does not wait\n");
  EXPECT_EQ(docket({"explain", "7"}).out, "job 7 waits\n") << "a job of that id comes first";
}

TEST_F(NativeCommands, OtherCommandsAcceptTheNumbersOfRunsToo) {
  answer("GET /tasks/7", 200, R"({"id":"7","root":"7","name":"20190307204634kC8Rs"})");
  const std::string runs = "/service/metronome/v1/jobs/a/runs/";
  server_.answer("POST " + runs + "20190307204634kC8Rs/actions/stop", 200, "{}");
  server_.answer("GET " + runs + "20190307204634kC8Rs", 200, R"({"id":"20190307204634kC8Rs"})");
  EXPECT_EQ(docket({"job", "kill", "a", "7"}).err, "");
  EXPECT_EQ(docket({"job", "show", "runs", "a", "--run-id", "7", "-q"}).out,
            "20190307204634kC8Rs\n");
  server_.answer("POST " + runs + "9/actions/stop", 404, "{}");
  EXPECT_EQ(docket({"job", "kill", "a", "9"}).err, "Error: job \"a\" or run \"9\" does not exist\n")
      << "a server that has no native API";
}

TEST_F(NativeCommands, ExplainAcceptsAJobToo) {
  answer(
      "GET /jobs/a/explain", 200,
      R"({"waiting":false,"earliest":null,"reasons":[{"kind":"manual","message":"only a person starts it","holders":[]}]})");
  EXPECT_EQ(docket({"explain", "a"}).out,
            "job a does not wait\n  manual: only a person starts it\n");
  answer("GET /jobs/x/explain", 404, kNotFound);
  EXPECT_EQ(docket({"explain", "x"}).err, "Error: no job or run is called \"x\"\n");
}

TEST_F(NativeCommands, StatusShowsTheServerAndWhatIsFree) {
  answer("GET /status", 200,
         R"({"version":"0.1.0","startedAt":"t0","jobs":3,"runs":{"queued":1,"running":2},
             "store":{"full":false,"failed":false}})");
  answer("GET /targets", 200,
         R"({"items":[{"id":"here","capacity":{"cpus":2,"mem":1024.5,"disk":10,"gpus":0},
                       "free":{"cpus":1.5,"mem":512.75,"disk":10,"gpus":0}}],"next":null})");
  EXPECT_EQ(docket({"status"}).out,
            " WHAT           STATE          \n"
            "server   http://test           \n"
            "version  0.1.0                 \n"
            "started  t0                    \n"
            "store    ok                    \n"
            "jobs     3                     \n"
            "runs     2 running, 1 queued   \n"
            "cpus     1.5 of 2 free         \n"
            "gpus     0 of 0 free           \n"
            "mem      512 of 1024 MiB free  \n"
            "disk     10 of 10 MiB free     \n");
}

TEST_F(NativeCommands, LedgerReadsAllPages) {
  const std::string path =
      "GET "
      "/jobs/a/schedules/nightly/"
      "ledger?order=oldest&limit=500&from=2026-03-28T00%3A00%3A00.000000Z";
  answer(
      path, 200,
      R"({"items":[{"firstDue":"d1","lastDue":"d1","count":1,"localTime":"l1","fold":null,"outcome":"ran","run":"7","runName":"20190307204634kC8Rs"},{"firstDue":"d1b","lastDue":"d1b","count":1,"localTime":"l1","fold":null,"outcome":"ran","run":"6","runName":null}],"next":"d1"})");
  answer(
      path + "&after=d1", 200,
      R"({"items":[{"firstDue":"d2","lastDue":"d9","count":8,"localTime":"l2","fold":"first","outcome":"missed_down","run":null}],"next":null})");
  EXPECT_EQ(docket({"ledger", "a", "nightly", "--from", "2026-03-28T00:00:00Z"}).out,
            "  DUE     LOCAL TIME  TIMES    OUTCOME            RUN          \n"
            "d1        l1          1      ran          20190307204634kC8Rs  \n"
            "d1b       l1          1      ran          6                    \n"
            "d2 .. d9  l2 (first)  8      missed_down                       \n");
}

TEST_F(NativeCommands, EventsNameTheTasksOfOtherPrograms) {
  answer("GET /events?order=newest&limit=20", 200,
         R"({"items":[{"seq":"2","at":"t2","type":"operation_changed","job":null,"task":"9",
                       "before":"running","after":"failed","message":"disk full"},
                      {"seq":"1","at":"t1","type":"operation_created","job":null,"task":"9"}],
             "next":null})");
  answer("GET /tasks/9", 200,
         R"({"id":"9","operation":{"module":"backups","type":"dump","entity":"db1"}})");
  EXPECT_EQ(docket({"events"}).out,
            "1  t1  operation_created  task 9 backups dump db1\n"
            "2  t2  operation_changed  task 9 backups dump db1  running -> failed  disk full\n");
  EXPECT_THAT(server_.requests, testing::SizeIs(2)) << "asked once";
}

TEST_F(NativeCommands, LedgerOfNothing) {
  answer("GET /jobs/a/schedules/x/ledger?order=oldest&limit=500", 404, kNotFound);
  EXPECT_EQ(docket({"ledger", "a", "x"}).err,
            "Error: job \"a\" or schedule \"x\" does not exist\n");
}

std::string event(int seq) {
  return R"({"seq":")" + std::to_string(seq) +
         R"(","at":"t","type":"run_changed","job":"a","task":"7","runName":"r7","before":"queued","after":"running","message":null})";
}

std::string line(int seq) {
  return std::to_string(seq) + "  t  run_changed  a  r7  queued -> running\n";
}

std::string page(const std::vector<int>& events, const std::string& next) {
  std::string items;
  for (const int seq : events) items += (items.empty() ? "" : ",") + event(seq);
  return R"({"items":[)" + items + R"(],"next":)" + next + "}";
}

TEST_F(NativeCommands, EventsAreTheNewestOldestFirst) {
  answer("GET /events?order=newest&limit=20", 200, page({9, 8, 7}, "null"));
  const Outcome done = docket({"events"});
  EXPECT_EQ(done.out, line(7) + line(8) + line(9));
  EXPECT_EQ(done.err, "");
}

// Pages of one job are short if the log holds many other events.
TEST_F(NativeCommands, EventsAreReadUntilThereAreEnough) {
  answer("GET /events?order=newest&limit=3&job=a", 200, page({90}, "\"80\""));
  answer("GET /events?order=newest&limit=2&job=a&after=80", 200, page({}, "\"60\""));
  answer("GET /events?order=newest&limit=2&job=a&after=60", 200, page({50, 40}, "\"40\""));
  EXPECT_EQ(docket({"events", "-n", "3", "--job", "a"}).out, line(40) + line(50) + line(90));
  answer("GET /events?order=newest&limit=500", 200, page({2}, "\"2\""));
  answer("GET /events?order=newest&limit=500&after=2", 200, page({1}, "null"));
  EXPECT_EQ(docket({"events", "--lines", "700"}).out, line(1) + line(2));
}

TEST_F(NativeCommands, EventsOfJobsAndTheirMessages) {
  answer(
      "GET /events?order=newest&limit=20", 200,
      R"({"items":[{"seq":"6","at":"t","type":"job_updated","job":"a","task":null,"runName":null,"before":null,"after":null,"message":"m"}],"next":null})");
  EXPECT_EQ(docket({"events"}).out, "6  t  job_updated  a  m\n");
}

TEST_F(NativeCommands, EventsAfterOne) {
  answer("GET /events?order=oldest&limit=3&job=a&after=4", 200, page({5, 6}, "\"60\""));
  answer("GET /events?order=oldest&limit=1&job=a&after=60", 200, page({61}, "\"61\""));
  const Outcome done = docket({"events", "--after", "4", "--lines", "3", "--job", "a"});
  EXPECT_EQ(done.out, line(5) + line(6) + line(61));
  EXPECT_EQ(done.err, "there are more: --after 61\n");
}

TEST_F(NativeCommands, FollowedEventsBeginWithTheNewest) {
  answer("GET /events?order=newest&limit=1", 200, page({8}, "\"8\""));
  answer("GET /events?order=newest&limit=2&job=a&after=9", 200, page({7, 5}, "\"5\""));
  answer("GET /events?follow=true&job=a&after=8", 200,
         ":\n\nid: 9\nevent: run_changed\ndata: " + event(9) + "\n\n");
  EXPECT_EQ(docket({"events", "--follow", "-n", "2", "--job", "a"}).out,
            line(5) + line(7) + line(9));
}

TEST_F(NativeCommands, FollowedEventsOfAnEmptyLog) {
  answer("GET /events?order=newest&limit=1", 200, page({}, "null"));
  answer("GET /events?order=newest&limit=20&after=1", 200, page({}, "null"));
  answer("GET /events?follow=true&after=0", 200, "data: " + event(1) + "\n\n");
  EXPECT_EQ(docket({"events", "-f"}).out, line(1));
}

TEST_F(NativeCommands, FollowedEventsFromNowOrFromOne) {
  const std::string data = "data: " + event(5) + "\n\n";
  answer("GET /events?follow=true", 200, data);
  EXPECT_EQ(docket({"events", "-f", "-n", "0"}).out, line(5));
  answer("GET /events?follow=true&after=4", 200, data);
  EXPECT_EQ(docket({"events", "--follow", "--after", "4"}).out, line(5));
  answer("GET /events?follow=true&after=3", 200, data);
  EXPECT_EQ(docket({"events", "-f", "--after=3", "--json"}).out, event(5) + "\n");
  EXPECT_EQ(docket({"events", "-f", "--after=3", "-n", "1"}).code, 1) << "which should it be?";
}

TEST(EventStream, InputMayBeSplitAnywhere) {
  const std::string stream =
      "data: a\r\ndata:b\n\n: heart\n\nevent: x\n\ndata: c\n\ndata: never ended\n";
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    std::vector<std::string> seen;
    EventStream events([&](const std::string& data) { seen.push_back(data); });
    events.take(stream.substr(0, cut));
    events.take(stream.substr(cut));
    EXPECT_THAT(seen, ElementsAre("a\nb", "c")) << cut;
  }
}

TEST_F(NativeCommands, SecretsComeFromStandardInputWithoutTheLastNewline) {
  answer("PUT /secrets/db/pass%20word", 204, "");
  const Outcome done = docket({"secret", "put", "/db/pass word"}, "s3cret\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out + done.err, "");
  EXPECT_EQ(server_.bodies.back(), R"({"value":"s3cret"})");
}

TEST_F(NativeCommands, SecretsComeFromAFileAsTheyAre) {
  const std::string file = testing::TempDir() + "/docket_cli_secret";
  std::ofstream(file) << "key\n";
  answer("PUT /secrets/key", 204, "");
  EXPECT_EQ(docket({"secret", "put", "key", "--file", file}).code, 0);
  EXPECT_EQ(server_.bodies.back(), R"({"value":"key\n"})");
  std::filesystem::remove(file);
}

TEST_F(NativeCommands, SecretsNeverComeFromTheCommandLine) {
  EXPECT_EQ(docket({"secret", "put", "key", "value"}).code, 2);
  EXPECT_EQ(docket({"secret", "put", "key"}, "\xFF").err, "Error: the value is not UTF-8 text\n");
  EXPECT_THAT(server_.requests, IsEmpty());
}

TEST_F(NativeCommands, SecretsAreListedAndRemoved) {
  answer("GET /secrets?limit=500", 200,
         R"({"items":[{"path":"db/password","updatedAt":"t"}],"next":null})");
  answer("DELETE /secrets/db/password", 204, "");
  answer("DELETE /secrets/x", 404, kNotFound);
  EXPECT_EQ(docket({"secret", "list"}).out, "   PATH      UPDATED  \ndb/password  t        \n");
  EXPECT_EQ(docket({"secret", "list", "-q"}).out, "db/password\n");
  EXPECT_EQ(docket({"secret", "remove", "db/password"}).code, 0);
  EXPECT_EQ(docket({"secret", "remove", "x"}).err, "Error: secret \"x\" does not exist\n");
}

TEST_F(NativeCommands, ProblemsOfTheNativeApi) {
  answer(
      "GET /events?order=newest&limit=20", 400,
      R"({"type":"urn:docket:problem:bad-request","title":"Bad Request","status":400,"detail":"The query is not valid",
             "errors":[{"path":"?after","message":"must be a whole number"}]})");
  EXPECT_EQ(docket({"events"}).err,
            "?after: must be a whole number\nError: 400 - The query is not valid\n");
}

}  // namespace
}  // namespace docket::cli
