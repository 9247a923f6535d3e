// Commands over the native API: task log, explain, status, ledger, events, secret.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cli/event_stream.h"
#include "cli/fake_server.h"

namespace docket::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kRun =
    R"({"items":[{"id":"7","name":"20190307204634kC8Rs","job":"a","state":"running"}],"next":null})";
constexpr const char* kNone = R"({"items":[],"next":null})";
constexpr const char* kNotFound =
    R"({"type":"urn:docket:problem:not-found","title":"Not Found","status":404,"detail":"job 'x' does not exist"})";
constexpr const char* kActive = "&state=created,queued,running,paused";

class NativeCommands : public testing::Test {
 protected:
  Outcome docket(std::vector<std::string> words, std::string input = {}) {
    return run(server_, {.words = std::move(words), .input = std::move(input)});
  }
  void answer(const std::string& request, int status, const std::string& body) {
    const std::size_t blank = request.find(' ');
    server_.answer(request.substr(0, blank + 1) + "/docket/v1" + request.substr(blank + 1), status,
                   body);
  }
  FakeServer server_;
};

TEST_F(NativeCommands, TaskLogPrintsTheLastTenLinesOfTheNewestActiveRun) {
  answer("GET /runs?limit=1&job=a" + std::string(kActive), 200, kRun);
  answer("GET /tasks/7/logs/stdout?tail=10&limit=16777216", 200, "one\ntwo\n");
  const Outcome done = docket({"task", "log", "a"});
  EXPECT_EQ(done.out, "one\ntwo\n");
  EXPECT_EQ(done.err, "");
}

TEST_F(NativeCommands, TaskLogOfAFinishedRunWithCompleted) {
  answer("GET /runs?limit=1&job=a", 200, kRun);
  answer("GET /tasks/7/logs/stderr?tail=3&limit=16777216&follow=true", 200, "x");
  EXPECT_EQ(docket({"task", "log", "--completed", "--follow", "--lines", "3", "a", "stderr"}).out,
            "x");
}

TEST_F(NativeCommands, TaskLogOfARunByItsName) {
  answer("GET /runs?limit=1&name=20190307204634kC8Rs", 200, kRun);
  answer("GET /tasks/7/logs/stdout?tail=10&limit=16777216", 200, "x");
  EXPECT_EQ(docket({"task", "log", "20190307204634kC8Rs"}).out, "x");
}

TEST_F(NativeCommands, TaskLogSaysWhyThereIsNone) {
  answer("GET /runs?limit=1&job=a" + std::string(kActive), 200, kNone);
  answer("GET /runs?limit=1&job=a", 200, kNone);
  answer("GET /jobs/a", 200, "{}");
  EXPECT_EQ(docket({"task", "log", "a"}).err,
            "Error: job \"a\" has no active run; --completed prints finished ones\n");
  EXPECT_EQ(docket({"task", "log", "a", "--completed"}).err, "Error: job \"a\" has never run\n");
  answer("GET /runs?limit=1&job=x" + std::string(kActive), 200, kNone);
  answer("GET /jobs/x", 404, kNotFound);
  EXPECT_EQ(docket({"task", "log", "x"}).err, "Error: no job or run is called \"x\"\n");
}

TEST_F(NativeCommands, TaskLogOfARunThatWaits) {
  answer("GET /runs?limit=1&job=a" + std::string(kActive), 200,
         R"({"items":[{"id":"7","name":"20190307204634kC8Rs","job":"a","state":"queued"}]})");
  EXPECT_EQ(
      docket({"task", "log", "a"}).err,
      "Error: run \"20190307204634kC8Rs\" has not started; `docket explain 20190307204634kC8Rs` "
      "says why\n");
}

TEST_F(NativeCommands, TaskLogKnowsTwoStreams) {
  EXPECT_EQ(docket({"task", "log", "a", "stdin"}).code, 2);
  EXPECT_THAT(server_.requests, IsEmpty());
}

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
            "  earliest: 2026-01-01T00:00:00.000000Z\n");
}

TEST_F(NativeCommands, ExplainTakesAJobToo) {
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
      "GET /jobs/a/schedules/nightly/ledger?limit=500&from=2026-03-28T00%3A00%3A00Z";
  answer(
      path, 200,
      R"({"items":[{"firstDue":"d1","lastDue":"d1","count":1,"localTime":"l1","fold":null,"outcome":"ran","run":"7"}],"next":"d1"})");
  answer(
      path + "&after=d1", 200,
      R"({"items":[{"firstDue":"d2","lastDue":"d9","count":8,"localTime":"l2","fold":"first","outcome":"missed_down","run":null}],"next":null})");
  EXPECT_EQ(docket({"ledger", "a", "nightly", "--from", "2026-03-28T00:00:00Z"}).out,
            "  DUE     LOCAL TIME  TIMES    OUTCOME    RUN  \n"
            "d1        l1          1      ran          7    \n"
            "d2 .. d9  l2 (first)  8      missed_down       \n");
}

TEST_F(NativeCommands, LedgerOfNothing) {
  answer("GET /jobs/a/schedules/x/ledger?limit=500", 404, kNotFound);
  EXPECT_EQ(docket({"ledger", "a", "x"}).err,
            "Error: job \"a\" or schedule \"x\" does not exist\n");
}

constexpr const char* kEvent =
    R"({"seq":"5","at":"t","type":"run_changed","job":"a","task":"7","before":"queued","after":"running","message":null})";

TEST_F(NativeCommands, EventsOnePage) {
  answer(
      "GET /events?limit=2&job=a", 200,
      std::string(R"({"items":[)") + kEvent +
          R"(,{"seq":"6","at":"t","type":"job_updated","job":"a","task":null,"before":null,"after":null,"message":"m"}],"next":"6"})");
  const Outcome done = docket({"events", "--limit", "2", "--job", "a"});
  EXPECT_EQ(done.out,
            "5  t  run_changed  a  7  queued -> running\n"
            "6  t  job_updated  a  m\n");
  EXPECT_EQ(done.err, "there are more: --after 6\n");
}

TEST_F(NativeCommands, EventsFollowed) {
  answer("GET /events?follow=true&after=4", 200,
         std::string(":\n\nid: 5\nevent: run_changed\ndata: ") + kEvent + "\n\n");
  EXPECT_EQ(docket({"events", "--follow", "--after", "4"}).out,
            "5  t  run_changed  a  7  queued -> running\n");
  EXPECT_EQ(docket({"events", "-f", "--after=4", "--json"}).out, std::string(kEvent) + "\n");
}

TEST(EventStream, PiecesMayBeCutAnywhere) {
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
      "GET /events?limit=100", 400,
      R"({"type":"urn:docket:problem:bad-request","title":"Bad Request","status":400,"detail":"The query is not valid",
             "errors":[{"path":"?after","message":"must be a whole number"}]})");
  EXPECT_EQ(docket({"events"}).err,
            "?after: must be a whole number\nError: 400 - The query is not valid\n");
}

}  // namespace
}  // namespace docket::cli
