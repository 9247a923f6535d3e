#include "http/sse.h"

#include <gtest/gtest.h>

#include <thread>

namespace docket::http {
namespace {

// What a connection would have received, and whether the stream has ended.
struct Client {
  std::string received;
  bool ended = false;
  int answers = 0;

  void pull(EventChannel& channel) {
    channel.next([this](std::optional<std::string> chunk) {
      ++answers;
      received += chunk.value_or("");
      ended = !chunk;
    });
  }
};

TEST(FormatEvent, FollowsTheWireFormat) {
  EXPECT_EQ(format_event("update", "7", "{}"), "event: update\nid: 7\ndata: {}\n\n");
  EXPECT_EQ(format_event("", "", "a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(format_event("", "", ""), "data: \n\n");
  EXPECT_EQ(format_event("x\nid: 9", "1\r2", "d"), "event: x\nid: 1\ndata: d\n\n");
}

TEST(EventChannel, HandsOverWhatQueuedUpAtOnce) {
  EventChannel channel({});
  Client client;
  EXPECT_TRUE(channel.push("a", "1", "x"));
  EXPECT_TRUE(channel.push("b", "2", "y"));
  client.pull(channel);
  EXPECT_EQ(client.answers, 1);
  EXPECT_EQ(client.received, format_event("a", "1", "x") + format_event("b", "2", "y"));
}

TEST(EventChannel, WakesAWaitingClient) {
  EventChannel channel({});
  Client client;
  client.pull(channel);
  EXPECT_EQ(client.answers, 0);
  EXPECT_TRUE(channel.push("a", "1", "x"));
  EXPECT_EQ(client.answers, 1);
  EXPECT_EQ(client.received, format_event("a", "1", "x"));
}

TEST(EventChannel, DisconnectsAClientThatFallsBehind) {
  EventChannel channel({.events = 3, .bytes = 1000});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(channel.push("e", "", "x"));
  EXPECT_FALSE(channel.push("e", "", "x"));
  EXPECT_FALSE(channel.push("e", "", "x"));
  Client client;
  client.pull(channel);
  EXPECT_EQ(client.received, ": disconnected after falling 3 events behind\n\n");
  EXPECT_FALSE(client.ended);
  client.pull(channel);
  EXPECT_TRUE(client.ended);
}

TEST(EventChannel, LimitsBytesToo) {
  EventChannel channel({.events = 1000, .bytes = 100});
  EXPECT_TRUE(channel.push("", "", std::string(80, 'x')));
  EXPECT_FALSE(channel.push("", "", std::string(80, 'x')));
}

TEST(EventChannel, CloseEndsAfterWhatIsQueued) {
  EventChannel channel({});
  channel.push("", "", "x");
  channel.close();
  EXPECT_FALSE(channel.push("", "", "y"));
  Client client;
  client.pull(channel);
  EXPECT_EQ(client.received, "data: x\n\n");
  client.pull(channel);
  EXPECT_TRUE(client.ended);
  EventChannel waiting({});
  Client waiter;
  waiter.pull(waiting);
  waiting.close();
  EXPECT_TRUE(waiter.ended);
}

TEST(EventChannel, TakesEventsFromAnyThread) {
  EventChannel channel({.events = 100000, .bytes = 1 << 24});
  const auto source = [&channel] {
    for (int i = 0; i < 1000; ++i) channel.push("", "", "x");
  };
  std::thread first(source);
  std::thread second(source);
  first.join();
  second.join();
  Client client;
  client.pull(channel);
  EXPECT_EQ(client.received.size(), 2000 * format_event("", "", "x").size());
}

TEST(EventStream, IsAnUncachedEventStream) {
  const auto channel = std::make_shared<EventChannel>(EventChannel::Limits{});
  const auto response = event_stream(channel);
  EXPECT_EQ(response.content_type, "text/event-stream");
  EXPECT_EQ(response.stream, channel);
  EXPECT_EQ(response.headers.front(),
            (std::pair<std::string, std::string>{"Cache-Control", "no-store"}));
}

}  // namespace
}  // namespace docket::http
