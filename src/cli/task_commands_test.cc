// docket task log: of runs by job, name and number; waiting for the start, and over attempts.

#include "support/fake_native.h"

namespace docket::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(NativeCommands, TaskLogPrintsTheLastTenLinesOfTheNewestActiveRun) {
  answer("GET /runs?limit=1&job=a" + std::string(kActive), 200, kRun);
  answer("GET /tasks/7/logs/stdout?tail=11&limit=16777216", 200, "one\ntwo\n");
  answer("GET /tasks/7/logs/stderr?tail=11&limit=16777216", 200, "");
  const Outcome done = docket({"task", "log", "a"});
  EXPECT_EQ(done.out, "one\ntwo\n");
  EXPECT_EQ(done.err, "");
}

TEST_F(NativeCommands, TaskLogOfARunByItsName) {
  answer("GET /runs?limit=1&name=20190307204634kC8Rs", 200, kRun);
  answer("GET /tasks/7/logs/stdout?tail=11&limit=16777216", 200, "x");
  answer("GET /tasks/7/logs/stderr?tail=11&limit=16777216", 200, "");
  EXPECT_EQ(docket({"task", "log", "20190307204634kC8Rs"}).out, "x");
}

constexpr const char* kFailedRun =
    R"({"items":[{"id":"7","name":"20190307204634kC8Rs","state":"failed","message":"exit code 3"}]})";

TEST_F(NativeCommands, TaskLogShowsBothStreamsAndHowTheRunEnded) {
  answer("GET /runs?limit=1&job=a", 200, kFailedRun);
  answer("GET /tasks/7/logs/stdout?tail=3&limit=16777216", 200, "1\n2\n3\n");
  answer("GET /tasks/7/logs/stderr?tail=3&limit=16777216", 200, "oh\n");
  const Outcome done = docket({"task", "log", "a", "--completed", "-n", "2"});
  EXPECT_EQ(done.out, "2\n3\n");
  EXPECT_EQ(done.err,
            "docket: the last 2 lines of stdout; --all prints everything\n"
            "oh\n"
            "docket: failed: exit code 3\n");
  EXPECT_EQ(done.code, 0);
  answer("GET /tasks/7/logs/stdout?limit=1099511627776", 200, "0\n1\n2\n3\n");
  answer("GET /tasks/7/logs/stderr?limit=1099511627776", 200, "");
  const Outcome all = docket({"task", "log", "a", "--completed", "--all"});
  EXPECT_EQ(all.out, "0\n1\n2\n3\n");
  EXPECT_EQ(all.err, "docket: failed: exit code 3\n");
}

TEST_F(NativeCommands, TaskLogSaysOnceWhyARunNeverStarted) {
  answer("GET /runs?limit=1&job=a", 200, kFailedRun);
  answer("GET /tasks/7/logs/stdout?tail=11&limit=16777216", 200, "");
  answer("GET /tasks/7/logs/stderr?tail=11&limit=16777216", 200, "docket: failed: exit code 3\n");
  EXPECT_EQ(docket({"task", "log", "a", "--completed"}).err, "docket: failed: exit code 3\n");
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

TEST_F(NativeCommands, TaskLogOfAnAttemptByItsNumber) {
  answer("GET /runs?limit=1&job=8" + std::string(kActive), 200, kNone);
  answer("GET /tasks/8", 200, R"({"id":"8","kind":"attempt","root":"7","name":null})");
  answer("GET /tasks/8/logs/stderr?tail=4&limit=16777216", 200, "x");
  answer("GET /tasks/8/logs/stderr?tail=3&limit=16777216&follow=true", 200, "y");
  EXPECT_EQ(docket({"task", "log", "-n", "3", "8", "stderr"}).out, "x");
  EXPECT_EQ(docket({"task", "log", "-f", "-n", "3", "8", "stderr"}).out, "y");
}

constexpr const char* kNoAttempt =
    R"({"title":"Not Found","status":404,"detail":"run '7' has no attempt yet"})";
constexpr const char* kQueued =
    R"({"id":"7","name":"20190307204634kC8Rs","state":"queued","attempts":[]})";
constexpr const char* kStopped =
    R"({"id":"7","name":"20190307204634kC8Rs","state":"aborted","message":"Stopped","attempts":[]})";
constexpr const char* kNeverStarted =
    "Error: run \"20190307204634kC8Rs\" ended without starting: aborted (Stopped)\n";

TEST_F(NativeCommands, TaskLogOfARunThatHasNotStarted) {
  answer("GET /runs?limit=1&job=a" + std::string(kActive), 200, kRun);
  answer("GET /tasks/7/logs/stdout?tail=11&limit=16777216", 404, kNoAttempt);
  answer("GET /runs/7", 200, kQueued);
  answer("GET /runs/7", 200, kStopped);
  const Outcome done = docket({"task", "log", "a"});
  EXPECT_EQ(done.code, 1);
  EXPECT_EQ(
      done.err,
      "Error: run \"20190307204634kC8Rs\" has not started; `docket explain 20190307204634kC8Rs` "
      "says why, --follow waits\n");
  EXPECT_EQ(docket({"task", "log", "a"}).err, kNeverStarted);
}

// Runs of job `a`, number 7, followed. Their states come one after the other, each after an event.
class FollowedLog : public NativeCommands {
 protected:
  FollowedLog() {
    answer("GET /runs?limit=1&job=a", 200, kRun);
    answer("GET /events?order=newest&limit=1", 200, R"({"items":[{"seq":"4"}],"next":"4"})");
    answer("GET /tasks/7/logs/stderr?tail=11&limit=16777216", 200, "");
  }
  void state(const char* word, const std::string& attempts, const char* message = "null") {
    answer("GET /runs/7", 200,
           std::string(R"({"id":"7","name":"20190307204634kC8Rs","state":")") + word +
               R"(","attempts":[)" + attempts + R"(],"message":)" + message + "}");
  }
  void event(int after, int number) {
    answer("GET /events?follow=true&root=7&after=" + std::to_string(after), 200,
           ":\n\ndata: {\"seq\":\"" + std::to_string(number) + "\"}\n\n");
  }
  Outcome follow() { return docket({"task", "log", "--completed", "--follow", "a"}); }
};

constexpr const char* kCapacity =
    R"({"waiting":true,"reasons":[{"kind":"capacity","message":"needs 4 cpus, 1 is free",
        "holders":[{"run":"3","name":"r3","job":"big","amount":3}]}]})";

TEST_F(FollowedLog, OfARunThatHasEnded) {
  state("done", R"({"id":"8"})");
  answer("GET /tasks/8/logs/stdout?tail=10&limit=16777216&follow=true", 200, "x");
  const Outcome done = follow();
  EXPECT_EQ(done.out, "x");
  EXPECT_EQ(done.err, "");
  EXPECT_EQ(done.code, 0);
}

TEST_F(FollowedLog, WaitsForTheStartAndSaysWhyOnce) {
  answer("GET /runs/7/explain", 200, kCapacity);
  state("queued", "");
  event(4, 6);
  state("queued", "");
  event(6, 9);
  state("running", R"({"id":"8"})");
  answer("GET /tasks/8/logs/stdout?tail=10&limit=16777216&follow=true", 200, "x");
  event(9, 10);
  state("done", R"({"id":"8"})");
  const Outcome done = follow();
  EXPECT_EQ(done.out, "x");
  EXPECT_EQ(done.err,
            "waiting for run \"20190307204634kC8Rs\" to start\n"
            "  capacity: needs 4 cpus, 1 is free\n"
            "    held by r3 of big: 3\n");
  EXPECT_EQ(done.code, 0);
}

TEST_F(FollowedLog, GoesOnWithTheAttemptsThatFollow) {
  answer("GET /runs/7/explain", 200, kCapacity);
  state("queued", R"({"id":"8"},{"id":"9"})");
  answer("GET /tasks/9/logs/stdout?tail=10&limit=16777216&follow=true", 200, "b");
  event(4, 5);
  state("done", R"({"id":"8"},{"id":"9"},{"id":"10"},{"id":"11"})");
  answer("GET /tasks/10/logs/stdout?follow=true", 200, "c");
  answer("GET /tasks/11/logs/stdout?follow=true", 200, "d");
  const Outcome done = follow();
  EXPECT_EQ(done.out, "bcd");
  EXPECT_THAT(done.err, HasSubstr("to start again\n"));
}

TEST_F(FollowedLog, OfARunThatEndsWithoutAnAttempt) {
  answer("GET /runs/7/explain", 200, kCapacity);
  state("queued", "");
  event(4, 5);
  state("aborted", "", "\"Stopped\"");
  const Outcome done = follow();
  EXPECT_EQ(done.code, 0);
  EXPECT_THAT(done.err, HasSubstr("docket: aborted: Stopped\n"));
}

TEST_F(FollowedLog, SaysThatTheServerWentAway) {
  answer("GET /runs/7/explain", 200, kCapacity);
  state("queued", "");
  answer("GET /events?follow=true&root=7&after=4", 200, ":\n\n");
  const Outcome done = follow();
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err, HasSubstr("Error: http://test has ended the connection\n"));
}

TEST_F(NativeCommands, TaskLogKnowsTwoStreams) {
  EXPECT_EQ(docket({"task", "log", "a", "stdin"}).code, 2);
  EXPECT_THAT(server_.requests, IsEmpty());
}

}  // namespace
}  // namespace docket::cli
