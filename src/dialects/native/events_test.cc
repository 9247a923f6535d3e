#include "support/native_fixture.h"

namespace docket::native {
namespace {

// Reads a stream by hand, as a connection would: one call of next() at a time.
class Client {
 public:
  explicit Client(Answer answer) : stream_(std::move(answer.response.stream)) {}

  // Everything that arrives without further input; ends in "<end>" when the stream does.
  std::string take() {
    while (stream_ && !waiting_) {
      waiting_ = true;
      stream_->next([this](std::optional<std::string> chunk) {
        waiting_ = false;
        text_ += chunk.value_or("<end>");
        if (!chunk) stream_.reset();
      });
    }
    return std::exchange(text_, {});
  }
  // The ids of the events received.
  std::string ids() { return every("id: ", "\n"); }
  // A text member of the events received.
  std::string each(const std::string& member) { return every('"' + member + "\":\"", "\""); }
  void leave() { stream_.reset(); }

 private:
  // All text found between the two, separated by blanks.
  std::string every(const std::string& before, const std::string& behind) {
    std::string out;
    const std::string text = take();
    for (auto at = text.find(before); at != std::string::npos; at = text.find(before, at + 1)) {
      const auto from = at + before.size();
      out += (out.empty() ? "" : " ") + text.substr(from, text.find(behind, from) - from);
    }
    return out;
  }

  std::shared_ptr<http::BodyStream> stream_;
  bool waiting_ = false;
  std::string text_;
};

class NativeEvents : public NativeTest {
 protected:
  NativeEvents() { docket.add_job("a"); }  // event 1
  std::string name_of(const std::string& run) { return get("/runs/" + run).at("/name"); }
  Client follow(const std::string& query = "", http::Fields headers = {}) {
    headers.emplace_back("accept", "text/event-stream");
    return Client(ask("GET", "/events" + query, "", std::move(headers)));
  }
};

TEST_F(NativeEvents, PageIsOldestFirst) {
  docket.start("a");
  const auto page = get("/events");
  EXPECT_EQ(page.each("type"), "job_created run_created run_changed");
  EXPECT_EQ(page.each("seq"), "1 2 3");
  EXPECT_EQ(to_json(page.body.at("items").at(2)),
            R"({"seq":"3","at":"2024-01-15T10:00:00.000000Z","type":"run_changed","job":"a",)"
            R"("jobUid":"1","task":"1","root":"1","runName":")" +
                name_of("1") + R"(","before":"queued","after":"running","message":null})");
  EXPECT_EQ(page.at("/items/0/before"), "null");
}

TEST_F(NativeEvents, PagesAndOrder) {
  docket.start("a");
  docket.start("a");
  EXPECT_EQ(get("/events?limit=2").each("seq"), "1 2");
  EXPECT_EQ(get("/events?limit=2").at("/next"), "2");
  EXPECT_EQ(get("/events?limit=3&after=2").each("seq"), "3 4 5");
  EXPECT_EQ(get("/events?limit=3&after=2").at("/next"), "null");
  const auto newest = get("/events?limit=2&order=newest");
  EXPECT_EQ(newest.each("seq"), "5 4");
  EXPECT_EQ(newest.at("/next"), "4");
  EXPECT_EQ(get("/events?order=newest&after=4").each("seq"), "3 2 1");
  EXPECT_EQ(get("/events?order=newest&after=4").at("/next"), "null");
}

TEST_F(NativeEvents, Filters) {
  docket.add_job("b");                 // 2
  const auto run = docket.start("a");  // 3 4
  docket.start("b");                   // 5 6
  docket.run_attempt(run);             // 7
  EXPECT_EQ(get("/events?job=a").each("seq"), "1 3 4 7");
  EXPECT_EQ(get("/events?job=b&order=newest").each("seq"), "6 5 2");
  EXPECT_EQ(get("/events?jobUid=2").each("seq"), "2 5 6");
  EXPECT_EQ(get("/events?root=1").each("seq"), "3 4 7");
  EXPECT_EQ(get("/events?task=1").each("seq"), "3 4");
  EXPECT_EQ(get("/events?job=nobody").size(), 0);
  EXPECT_EQ(get("/events?job=a&limit=2").at("/next"), "3");
}

TEST_F(NativeEvents, EventsOfRunsAndTheirAttemptsNameTheRun) {
  auto live = follow();
  EXPECT_EQ(live.take(), "");
  const auto one = docket.start("a");
  const auto two = docket.start("a");
  docket.run_attempt(one);
  const std::string first = name_of(std::to_string(one.value));
  const std::string second = name_of(std::to_string(two.value));
  EXPECT_NE(first, second);
  const std::string names = first + " " + first + " " + second + " " + second + " " + first;
  EXPECT_EQ(get("/events").each("runName"), "null " + names);
  EXPECT_EQ(follow("?after=1").each("runName"), names);
  EXPECT_EQ(live.each("runName"), names);
}

TEST_F(NativeEvents, BadQueries) {
  EXPECT_EQ(get("/events?root=x&after=-1&follow=perhaps").errors(),
            "?root: must be a whole number up to 9223372036854775807; "
            "?after: must be a whole number up to 9223372036854775807; "
            "?follow: must be true or false");
  EXPECT_EQ(ask("GET", "/events", "", {{"last-event-id", "x"}}).status(), 400);
}

TEST_F(NativeEvents, AStreamStartsNowAndShowsWhatHappens) {
  const auto answer = ask("GET", "/events?follow", "", {});
  EXPECT_EQ(answer.response.content_type, "text/event-stream");
  EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  Client client(answer);
  EXPECT_EQ(client.take(), "");
  docket.add_job("b");
  EXPECT_EQ(client.take(),
            "event: job_created\nid: 2\n"
            R"(data: {"seq":"2","at":"2024-01-15T10:00:00.000000Z","type":"job_created",)"
            R"("job":"b","jobUid":"2","task":null,"root":null,"runName":null,)"
            "\"before\":null,\"after\":null,\"message\":null}\n\n");
}

TEST_F(NativeEvents, AStreamResumesAfterTheLastEventSeen) {
  docket.start("a");
  auto client = follow("?after=0", {{"last-event-id", "1"}});
  EXPECT_EQ(client.ids(), "2 3");
  docket.start("a");
  EXPECT_EQ(client.ids(), "4 5");
}

TEST_F(NativeEvents, AStreamFromTheStartHasEverything) {
  docket.start("a");
  EXPECT_EQ(follow("?after=0").ids(), "1 2 3");
}

TEST_F(NativeEvents, AStreamFilters) {
  auto client = follow("?job=b&after=0");
  docket.start("a");
  docket.add_job("b");
  docket.start("b");
  EXPECT_EQ(client.ids(), "4 5 6");
}

TEST_F(NativeEvents, ASlowClientMissesNothingAndKeepsNothingInMemory) {
  auto client = follow("?after=1");
  for (int i = 0; i < 1000; ++i) docket.add_job("j" + std::to_string(i));
  std::string expected;
  for (int i = 2; i <= 1001; ++i) expected += (i > 2 ? " " : "") + std::to_string(i);
  EXPECT_EQ(client.ids(), expected);
  docket.add_job("more");
  EXPECT_EQ(client.ids(), "1002");
}

TEST_F(NativeEvents, ALiveClientThatFallsBehindIsCaughtUpFromTheStore) {
  auto client = follow();
  EXPECT_EQ(client.take(), "");
  // The first event answers the waiting call; the rest pile up beyond what is kept for followers.
  for (int i = 0; i < 2000; ++i) docket.add_job("j" + std::to_string(i));
  std::string expected;
  for (int i = 2; i <= 2001; ++i) expected += (i > 2 ? " " : "") + std::to_string(i);
  EXPECT_EQ(client.ids(), expected);
  docket.add_job("more");
  EXPECT_EQ(client.ids(), "2002");
}

TEST_F(NativeEvents, AClientThatWaitsForRareEventsIsNotBehind) {
  auto all = follow();
  auto rare = follow("?job=rare");
  EXPECT_EQ(rare.take(), "");
  for (int i = 0; i < 2000; ++i) docket.add_job("j" + std::to_string(i));
  docket.add_job("rare");
  EXPECT_EQ(rare.ids(), "2002");
  EXPECT_EQ(rare.take(), "");
  for (int i = 0; i < 2000; ++i) docket.add_job("k" + std::to_string(i));
  docket.start("rare");
  EXPECT_EQ(rare.ids(), follow("?job=rare&after=2002").ids());
  EXPECT_EQ(rare.take(), "");
}

// The loop makes notices only while somebody listens: what was decided earlier, but is not yet
// durable, must come from the store.
TEST_F(NativeEvents, NothingIsLostBetweenTheStoreAndTheSubscription) {
  docket.loop().call<bool>(
      [&](engine::Engine& engine, Time now) -> Result<bool> {
        return engine.create_job(docket.job("late"), {}, now).has_value();
      },
      [](const Result<bool>&) {});
  EXPECT_EQ(follow("?after=0").ids(), "1 2");
}

TEST_F(NativeEvents, AClientThatLeavesIsForgotten) {
  auto client = follow();
  client.take();
  client.leave();
  docket.add_job("b");
  EXPECT_EQ(client.take(), "");
}

}  // namespace
}  // namespace docket::native
