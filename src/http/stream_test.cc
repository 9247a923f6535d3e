// Streamed bodies over a real socket: framing, backpressure, and which side ends them when.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <stdexcept>

#include "http/server.h"
#include "http/sse.h"
#include "support/server_fixture.h"

namespace docket::http {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

// Gives its chunks at once, and reports its destruction.
class ListStream : public BodyStream {
 public:
  explicit ListStream(std::deque<std::string> chunks) : chunks_(std::move(chunks)) {}
  void next(Next done) override {
    if (chunks_.empty()) return done(std::nullopt);
    auto chunk = std::move(chunks_.front());
    chunks_.pop_front();
    done(std::move(chunk));
  }

 private:
  std::deque<std::string> chunks_;
};

// Never ends by itself; gives what the test decides, and reports its destruction.
class ProbeStream : public BodyStream {
 public:
  using Source = std::function<void(Next)>;
  ProbeStream(Source source, std::shared_ptr<Slot<bool>> died)
      : source_(std::move(source)), died_(std::move(died)) {}
  ~ProbeStream() override { died_->put(true); }
  void next(Next done) override { source_(std::move(done)); }

 private:
  Source source_;
  std::shared_ptr<Slot<bool>> died_;
};

class StreamTest : public ServerTest {
 protected:
  void stream(const std::string& path, ProbeStream::Source source) {
    route("GET", path, [this, source](const Request&, const Reply& reply) {
      reply({.stream = std::make_shared<ProbeStream>(source, died_)});
    });
  }

  std::shared_ptr<Slot<bool>> died_ = std::make_shared<Slot<bool>>();
};

TEST_F(StreamTest, IsSentChunkedAndKeepsTheConnection) {
  route("GET", "/", [](const Request&, const Reply& reply) {
    reply({.content_type = "text/plain",
           .stream = std::make_shared<ListStream>(
               std::deque<std::string>{"a", "", "bc", std::string(200000, 'x')})});
  });
  Client client(serve());
  client.send(
      "GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /none "
      "HTTP/1.1\r\nHost: localhost\r\n\r\n");
  for (int i = 0; i < 2; ++i) {
    const auto answer = client.read_answer();
    EXPECT_TRUE(answer.has("\r\nTransfer-Encoding: chunked\r\n"));
    EXPECT_EQ(answer.body, "abc" + std::string(200000, 'x'));
  }
  EXPECT_EQ(client.read_answer().status, 404);
}

TEST_F(StreamTest, IsSentRawToHttp10) {
  route("GET", "/", [](const Request&, const Reply& reply) {
    reply({.stream = std::make_shared<ListStream>(std::deque<std::string>{"a", "b"})});
  });
  Client client(serve());
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const auto answer = client.read_answer();
  EXPECT_FALSE(answer.has("Transfer-Encoding"));
  EXPECT_TRUE(answer.has("\r\nConnection: close\r\n"));
  EXPECT_EQ(answer.body + client.read_to_end(), "ab");
}

TEST_F(StreamTest, HeadDropsTheStream) {
  stream("/", [](const BodyStream::Next&) { FAIL() << "nobody wants a chunk"; });
  Client client(serve());
  client.send("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.read_answer(Client::Body::kNone).status, 200);
  EXPECT_TRUE(died_->take());
  EXPECT_EQ(client.get("/none").status, 404);
}

TEST_F(StreamTest, ChunksMayComeFromAnyThread) {
  std::vector<std::thread> threads;
  std::atomic<int> given = 0;
  stream("/", [&](BodyStream::Next done) {
    threads.emplace_back([&given, done = std::move(done)] {
      const int number = given++;
      if (number < 20) return done(std::to_string(number) + ",");
      done(std::nullopt);
    });
  });
  Client client(serve());
  EXPECT_EQ(client.get("/").body, "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,");
  EXPECT_TRUE(died_->take());
  for (auto& thread : threads) thread.join();
}

TEST_F(StreamTest, DiesWithItsClient) {
  Slot<BodyStream::Next> asked;
  stream("/", [&](BodyStream::Next done) { asked.put(std::move(done)); });
  Client client(serve());
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto done = asked.take();
  client.close();
  EXPECT_TRUE(died_->take());
  done("nobody");
}

TEST_F(StreamTest, ASlowClientSlowsTheSource) {
  limits_.write_timeout = milliseconds(100);
  std::atomic<std::size_t> given = 0;
  stream("/", [&](const BodyStream::Next& done) {
    given += 1 << 16U;
    done(std::string(1 << 16U, 'x'));
  });
  route("GET", "/other", answer_ok);
  const auto port = serve();
  Client slow(port, 4096);
  slow.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(Client(port).get("/other").body, "ok");
  EXPECT_TRUE(
      died_->take());  // by the write timeout, since an endless source filled what the kernel holds
  EXPECT_LT(given, std::size_t{64} << 20U);
}

TEST_F(StreamTest, AnEndlessSourceDoesNotStarveOthers) {
  stream("/", [](const BodyStream::Next& done) { done(std::string(100, 'x')); });
  route("GET", "/other", answer_ok);
  const auto port = serve();
  Client greedy(port);
  greedy.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::thread reader([&] { greedy.read_to_end(); });
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Client(port).get("/other").body, "ok");
  halt();
  reader.join();
}

TEST_F(StreamTest, AnExceptionCutsTheBodyVisibly) {
  std::atomic<int> calls = 0;
  stream("/", [&](const BodyStream::Next& done) {
    if (++calls > 1) throw std::runtime_error("bug");
    done("some");
  });
  Client client(serve());
  EXPECT_THAT(client.get("/").body, ::testing::Not(::testing::StrEq("some")));
  EXPECT_TRUE(died_->take());
}

TEST_F(StreamTest, LiveEventsArriveWithHeartbeatsBetween) {
  limits_.heartbeat = milliseconds(20);
  Slot<std::weak_ptr<EventChannel>> opened;
  route("GET", "/events", [&](const Request&, const Reply& reply) {
    const auto channel = std::make_shared<EventChannel>(EventChannel::Limits{});
    opened.put(channel);
    reply(event_stream(channel));
  });
  Client client(serve());
  client.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("Content-Type: text/event-stream\r\n"));
  const auto subscriber = opened.take();
  EXPECT_TRUE(subscriber.lock()->push("tick", "1", "a"));
  EXPECT_EQ(client.read_until("\n\n\r\n"), "1b\r\nevent: tick\nid: 1\ndata: a\n\n\r\n");
  EXPECT_EQ(client.read_until("\n\n\r\n"), "3\r\n:\n\n\r\n");
  EXPECT_EQ(client.read_until("\n\n\r\n"), "3\r\n:\n\n\r\n");
  EXPECT_TRUE(subscriber.lock()->push("tick", "2", "b"));
  EXPECT_THAT(client.read_until("data: b\n\n\r\n"), HasSubstr("event: tick\nid: 2\n"));
  subscriber.lock()->close();
  EXPECT_THAT(client.read_until("0\r\n\r\n"), HasSubstr("0\r\n\r\n"));
  EXPECT_EQ(client.get("/none").status, 404);
}

TEST_F(StreamTest, AnEventClientThatFallsBehindIsNotifiedAndDisconnected) {
  Slot<std::weak_ptr<EventChannel>> opened;
  route("GET", "/events", [&](const Request&, const Reply& reply) {
    const auto channel = std::make_shared<EventChannel>(EventChannel::Limits{.events = 100});
    opened.put(channel);
    reply(event_stream(channel));
  });
  Client client(serve(), 4096);
  client.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto subscriber = opened.take();
  const std::string data(10000, 'x');
  for (;;) {
    const auto channel = subscriber.lock();
    if (!channel || !channel->push("", "", data)) break;
  }
  EXPECT_THAT(client.read_until("0\r\n\r\n"), HasSubstr(": disconnected after falling"));
}

TEST_F(StreamTest, StopEndsLiveStreamsProperly) {
  Slot<bool> opened;
  route("GET", "/events", [&](const Request&, const Reply& reply) {
    reply(event_stream(std::make_shared<EventChannel>(EventChannel::Limits{})));
    opened.put(true);
  });
  Client client(serve());
  client.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  opened.take();
  Slot<bool> done;
  on_io([&] { server_->stop(std::chrono::hours(1), [&] { done.put(true); }); });
  EXPECT_TRUE(done.take());
  EXPECT_EQ(client.read_answer().body, "");
  EXPECT_TRUE(client.ended());
}

TEST_F(StreamTest, StopLetsOtherStreamsFinish) {
  Slot<BodyStream::Next> first;
  Slot<BodyStream::Next> second;
  int calls = 0;
  stream("/", [&](BodyStream::Next done) { (++calls == 1 ? first : second).put(std::move(done)); });
  Client client(serve());
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto give = first.take();
  Slot<bool> done;
  on_io([&] { server_->stop(std::chrono::hours(1), [&] { done.put(true); }); });
  give("whole");
  second.take()(std::nullopt);
  EXPECT_EQ(client.read_answer().body, "whole");
  EXPECT_TRUE(done.take());
}

}  // namespace
}  // namespace docket::http
