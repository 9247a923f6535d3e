#include "support/native_fixture.h"

namespace docket::native {
namespace {

using engine::LogStream;

class NativeLogs : public NativeTest {
 protected:
  NativeLogs() {
    docket.add_job("a");
    run = docket.start("a");
    docket.run_attempt(run);
    attempt = docket.newest_attempt(run);
  }
  void write(const std::string& text, LogStream stream = LogStream::kStdout) {
    docket.logs.text[{attempt, stream}] += text;
  }
  Answer log(const std::string& query = "", const std::string& stream = "stdout") {
    return get("/tasks/" + std::to_string(attempt.value) + "/logs/" + stream + query);
  }

  TaskId run;
  TaskId attempt;
};

TEST_F(NativeLogs, WholeAndInParts) {
  write("hello\nworld\n");
  const auto whole = log();
  EXPECT_EQ(whole.response.body, "hello\nworld\n");
  EXPECT_EQ(whole.response.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(whole.header("Docket-Log-Offset"), "0");
  EXPECT_EQ(whole.header("Docket-Log-Size"), "12");
  EXPECT_EQ(whole.header("Docket-Attempt"), "2");
  const auto part = log("?offset=3&limit=4");
  EXPECT_EQ(part.response.body, "lo\nw");
  EXPECT_EQ(part.header("Docket-Log-Offset"), "3");
  EXPECT_EQ(log("?offset=12").response.body, "");
  EXPECT_EQ(log("?offset=99").response.body, "");
}

TEST_F(NativeLogs, StreamsAreSeparate) {
  write("out");
  write("err", LogStream::kStderr);
  EXPECT_EQ(log().response.body, "out");
  EXPECT_EQ(log("", "stderr").response.body, "err");
  EXPECT_EQ(log("", "stdlog").status(), 404);
}

TEST_F(NativeLogs, TheLogOfARunIsThatOfItsNewestAttempt) {
  write("out");
  EXPECT_EQ(get("/tasks/1/logs/stdout").response.body, "out");
  EXPECT_EQ(get("/tasks/1/logs/stdout").header("Docket-Attempt"), "2");
}

TEST_F(NativeLogs, TailCountsLines) {
  write("one\ntwo\nthree\n");
  EXPECT_EQ(log("?tail=1").response.body, "three\n");
  EXPECT_EQ(log("?tail=2").response.body, "two\nthree\n");
  EXPECT_EQ(log("?tail=2").header("Docket-Log-Offset"), "4");
  EXPECT_EQ(log("?tail=3").response.body, "one\ntwo\nthree\n");
  EXPECT_EQ(log("?tail=99").response.body, "one\ntwo\nthree\n");
  EXPECT_EQ(log("?tail=0").response.body, "");
  write("no end");
  EXPECT_EQ(log("?tail=1").response.body, "no end");
  EXPECT_EQ(log("?tail=2").response.body, "three\nno end");
  EXPECT_EQ(log("?tail=99&limit=8").response.body, "e\nno end");
}

TEST_F(NativeLogs, UnknownTasksAndRunsWithoutAttemptsAre404) {
  EXPECT_EQ(log().status(), 404);
  EXPECT_EQ(get("/tasks/99/logs/stdout").status(), 404);
  auto big = docket.job("big");
  kinds::change_process(big.spec).cpus = 1000;
  docket.add_job(big);
  const auto waiting = docket.start("big");
  const auto answer = get("/tasks/" + std::to_string(waiting.value) + "/logs/stdout");
  EXPECT_EQ(answer.status(), 404);
  EXPECT_EQ(answer.at("/detail"), "run '" + std::to_string(waiting.value) + "' has no attempt yet");
}

TEST_F(NativeLogs, ARunThatNeverStartedSaysWhyInOneLine) {
  auto job = docket.job("contained");
  kinds::change_process(job.spec).docker = kinds::Docker{.image = "alpine"};
  docket.add_job(job);
  const std::string path = "/tasks/" + std::to_string(docket.start("contained").value) + "/logs/";
  EXPECT_EQ(get(path + "stdout").response.body, "");
  const std::string line =
      "docket: failed: Docker containers are not supported by this server yet\n";
  EXPECT_EQ(get(path + "stderr").response.body, line);
  EXPECT_EQ(get(path + "stderr?follow=true").response.body, line);
  EXPECT_EQ(get(path + "stderr?tail=1").response.body, line);
}

TEST_F(NativeLogs, BadQueries) {
  EXPECT_EQ(log("?offset=-1&limit=9999999999999&tail=x&follow=2").errors(),
            "?offset: must be a whole number up to 9223372036854775807; "
            "?limit: must be a whole number up to 1099511627776; "
            "?tail: must be a whole number up to 1000000; ?follow: must be true or false");
  EXPECT_EQ(log("?offset=1&tail=1").errors(), "?tail: cannot be combined with offset");
}

// A connection that reads only when told to.
class Follower {
 public:
  explicit Follower(const Answer& answer) : stream_(answer.response.stream) {}
  std::string take() {
    while (stream_ && !waiting_) pull();
    return std::exchange(text_, {});
  }
  bool ended() const { return !stream_; }

 private:
  void pull() {
    waiting_ = true;
    stream_->next([this](std::optional<std::string> chunk) {
      waiting_ = false;
      text_ += chunk.value_or("");
      if (!chunk) stream_.reset();
    });
  }
  std::shared_ptr<http::BodyStream> stream_;
  bool waiting_ = false;
  std::string text_;
};

TEST_F(NativeLogs, ALongPartIsStreamedUpToWhereItEnded) {
  const std::string text = std::string(300'000, 'x') + "\n";
  write(text);
  const auto part = log("?offset=10");
  EXPECT_EQ(part.header("Docket-Log-Offset"), "10");
  EXPECT_EQ(part.header("Docket-Log-Size"), "300001");
  EXPECT_TRUE(part.response.body.empty());
  write("later");
  Follower follower(part);
  EXPECT_EQ(follower.take(), text.substr(10));
  EXPECT_TRUE(follower.ended());
  EXPECT_EQ(Follower(log("?limit=100000")).take(), text.substr(0, 100'000));
}

TEST_F(NativeLogs, APartEndsWhereTheRestWasDropped) {
  write(std::string(300'000, 'x'));
  const auto part = log();
  docket.logs.text.clear();
  Follower follower(part);
  EXPECT_LT(follower.take().size(), 300'000);
  EXPECT_TRUE(follower.ended());
}

TEST_F(NativeLogs, TheTailMaySpanSeveralReads) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "line " + std::to_string(i) + "\n";
  write(text);
  for (const std::size_t lines : {5U, 20'000U, 49'999U, 50'000U, 60'000U}) {
    std::size_t from = text.size() - 1;
    for (std::size_t left = lines; left > 0 && from != std::string::npos; --left) {
      from = from == 0 ? std::string::npos : text.rfind('\n', from - 1);
    }
    const auto tail = log("?tail=" + std::to_string(lines));
    const std::string wanted = text.substr(from == std::string::npos ? 0 : from + 1);
    EXPECT_EQ(tail.response.body + Follower(tail).take(), wanted) << lines;
    EXPECT_EQ(tail.header("Docket-Log-Offset"), std::to_string(text.size() - wanted.size()));
  }
  const auto cut = log("?tail=50000&limit=100000");
  EXPECT_EQ(Follower(cut).take(), text.substr(text.size() - 100'000));
}

TEST_F(NativeLogs, FollowSendsNewOutputAndEndsWithTheAttempt) {
  write("one\n");
  Follower follower(log("?follow=true"));
  EXPECT_EQ(follower.take(), "one\n");
  docket.logs.wake();  // nothing new: it keeps waiting
  EXPECT_EQ(follower.take(), "");
  write("two\n");
  docket.logs.wake();
  EXPECT_EQ(follower.take(), "two\n");
  write("three\n");
  docket.finish_attempt(run, 0);
  docket.logs.wake();
  EXPECT_EQ(follower.take(), "three\n");
  EXPECT_TRUE(follower.ended());
}

TEST_F(NativeLogs, FollowOfAnEndedAttemptSendsAllAndEnds) {
  write(std::string(200'000, 'x'));
  docket.finish_attempt(run, 0);
  Follower follower(log("?follow"));
  EXPECT_EQ(follower.take().size(), 200'000U);
  EXPECT_TRUE(follower.ended());
}

TEST_F(NativeLogs, FollowWaitsForTheFirstByte) {
  Follower follower(log("?follow&tail=10"));
  EXPECT_EQ(follower.take(), "");
  write("late\n");
  docket.logs.wake();
  EXPECT_EQ(follower.take(), "late\n");
  EXPECT_FALSE(follower.ended());
}

TEST_F(NativeLogs, FollowFromTheTail) {
  write("one\ntwo\nthree\n");
  Follower follower(log("?follow&tail=1"));
  EXPECT_EQ(follower.take(), "three\n");
}

TEST_F(NativeLogs, FollowOfALogThatWasNeverWrittenEndsWithTheAttempt) {
  docket.finish_attempt(run, 0);
  Follower follower(log("?follow"));
  EXPECT_EQ(follower.take(), "");
  EXPECT_TRUE(follower.ended());
}

}  // namespace
}  // namespace docket::native
