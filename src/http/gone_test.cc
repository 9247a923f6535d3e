// Clients that leave before their answer, and the hook that reports it.

#include <gtest/gtest.h>

#include <atomic>

#include "http/server.h"
#include "support/server_fixture.h"

namespace docket::http {
namespace {

class GoneTest : public ServerTest {
 protected:
  // /poll holds its reply with a hook, /hold without one; both count each request for the test.
  GoneTest() {
    route("GET", "/poll", [this](const Request&, const Reply& reply) {
      held_.push_back(reply);
      reply.on_gone([this] { change(gone_); });
      change(asked_);
    });
    route("GET", "/hold", [this](const Request&, const Reply& reply) {
      held_.push_back(reply);
      change(asked_);
    });
    route("GET", "/ok", answer_ok);
  }

  static void change(std::atomic<int>& number) {
    ++number;
    number.notify_all();
  }
  // ctest's timeout is the deadline.
  static void reach(const std::atomic<int>& number, int goal) {
    for (int seen = number; seen < goal; seen = number) number.wait(seen);
  }
  void answer_all() {
    on_io([this] {
      for (const Reply& reply : std::exchange(held_, {})) reply({.body = "late"});
    });
  }

  static constexpr const char* kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  std::vector<Reply> held_;  // io thread
  std::atomic<int> asked_ = 0;
  std::atomic<int> gone_ = 0;
};

TEST_F(GoneTest, AClientThatClosesOrResetsIsNoticed) {
  const auto port = serve();
  Client closes(port);
  Client resets(port);
  closes.send("GET /poll HTTP/1.1\r\nHost: localhost\r\n\r\n");
  resets.send("GET /poll HTTP/1.1\r\nHost: localhost\r\n\r\n");
  reach(asked_, 2);
  closes.close();
  reach(gone_, 1);
  resets.reset();
  reach(gone_, 2);
  answer_all();  // nobody reads these
  EXPECT_EQ(Client(port).get("/ok").body, "ok");
  EXPECT_EQ(gone_, 2);
}

TEST_F(GoneTest, AClientThatLeavesAfterAnAnsweredRequestIsNoticedToo) {
  const auto port = serve();
  Client client(port);
  client.send(
      "GET /ok HTTP/1.1\r\nHost: localhost\r\n\r\nGET /poll HTTP/1.1\r\nHost: localhost\r\n\r\nGET "
      "/ok HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.close();
  reach(gone_, 1);
  EXPECT_EQ(asked_, 1);
}

TEST_F(GoneTest, AHalfClosedClientThatListensGetsItsAnswer) {
  Client client(serve());
  client.send(
      "GET /poll HTTP/1.1\r\nHost: localhost\r\n\r\nGET /poll HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.half_close();
  for (int i = 1; i <= 2; ++i) {
    reach(asked_, i);
    EXPECT_EQ(client.read_until("\r\n\r\n"), kContinue);
    answer_all();
    EXPECT_EQ(client.read_answer().body, "late");
  }
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(gone_, 0);
}

TEST_F(GoneTest, AHalfClosedClientThatThenLeavesIsNoticed) {
  Client client(serve());
  client.send("GET /poll HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.half_close();
  EXPECT_EQ(client.read_until("\r\n\r\n"), kContinue);
  client.reset();
  reach(gone_, 1);
}

TEST_F(GoneTest, TheEndOfInputMeansAnHttp10ClientIsGone) {
  Client client(serve());
  client.send("GET /poll HTTP/1.0\r\n\r\n");
  client.half_close();
  reach(gone_, 1);
  EXPECT_TRUE(client.ended());
}

TEST_F(GoneTest, WithoutTheHookAHalfClosedClientGetsOnlyItsAnswer) {
  const auto port = serve();
  for (const char* version : {"1.0", "1.1"}) {
    Client client(port);
    client.send("GET /hold HTTP/" + std::string(version) + "\r\nHost: localhost\r\n\r\n");
    client.half_close();
    reach(asked_, version[2] == '0' ? 1 : 2);
    answer_all();
    EXPECT_EQ(client.read_answer().body, "late");
    EXPECT_TRUE(client.ended());
  }
}

TEST_F(GoneTest, AnAnswerDiscardsTheHook) {
  const auto port = serve();
  auto kept = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = kept;
  Client client(port);
  client.send("GET /poll HTTP/1.1\r\nHost: localhost\r\n\r\n");
  reach(asked_, 1);
  on_io([&] { held_[0].on_gone([this, kept = std::move(kept)] { change(gone_); }); });
  answer_all();
  EXPECT_EQ(client.read_answer().body, "late");
  EXPECT_TRUE(watched.expired());
  client.close();
  EXPECT_EQ(Client(port).get("/ok").body, "ok");
  EXPECT_EQ(gone_, 0);
}

TEST_F(GoneTest, AHookSetLateIsCalledAtOnceOrNever) {
  const auto port = serve();
  Client leaver(port);
  leaver.send("GET /poll HTTP/1.1\r\nHost: localhost\r\n\r\n");
  reach(asked_, 1);
  leaver.close();
  reach(gone_, 1);
  int called = 0;
  on_io([&] { held_[0].on_gone([&] { ++called; }); });
  EXPECT_EQ(called, 1);
  on_io([&] {
    held_[0]({});
    held_[0].on_gone([&] { ++called; });
  });
  EXPECT_EQ(called, 1);
}

TEST_F(GoneTest, AClientThatLeftBeforeTheHookIsNoticedWhenItIsSet) {
  const auto port = serve();
  Client leaver(port);
  leaver.send("GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n");
  leaver.close();
  reach(asked_, 1);
  Client other(port);
  other.get("/ok");  // by now the first client's end of input has been seen, or will be
  on_io([&] { held_[0].on_gone([this] { change(gone_); }); });
  reach(gone_, 1);
}

TEST_F(GoneTest, AServerThatStopsCallsTheHookToo) {
  Client client(serve());
  client.send("GET /poll HTTP/1.1\r\nHost: localhost\r\n\r\n");
  reach(asked_, 1);
  on_io([&] { server_->stop(std::chrono::milliseconds(0), {}); });
  reach(gone_, 1);
}

TEST_F(GoneTest, TenThousandThatComeAndGoLeaveNothingBehind) {
  const auto port = serve();
  int left = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 100; ++i) {
      clients.push_back(std::make_unique<Client>(port));
      clients.back()->send("GET /poll HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    left += 100;
    reach(asked_, left);
    for (const auto& client : clients) round % 2 ? client->close() : client->reset();
    reach(gone_, left);
    on_io([this] { held_.clear(); });
  }
  EXPECT_EQ(gone_, 10000);
  EXPECT_EQ(Client(port).get("/ok").body, "ok");
}

}  // namespace
}  // namespace docket::http
