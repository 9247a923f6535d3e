#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <sstream>

#include "core/json.h"
#include "dialects/metronome/metronome.h"
#include "support/harness.h"

namespace docket::metronome {
namespace {

using ::testing::ElementsAre;

struct Sent {
  std::string name;
  std::string id;
  boost::json::value data;
};

// What a browser's EventSource would parse from the bytes.
std::vector<Sent> parse(const std::string& text) {
  std::vector<Sent> events;
  Sent event;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("event: ")) event.name = line.substr(7);
    if (line.starts_with("id: ")) event.id = line.substr(4);
    if (line.starts_with("data: ")) event.data = parse_json(line.substr(6)).value();
    if (line.empty() && !event.name.empty()) {
      events.push_back(std::exchange(event, {}));
    }
  }
  return events;
}

class Events : public ::testing::Test {
 protected:
  // A client that asks for the next chunk as soon as it has one.
  struct Client {
    std::shared_ptr<http::BodyStream> stream;
    std::string text;
    void pull() {
      stream->next([this](std::optional<std::string> chunk) {
        if (!chunk) return;
        text += *chunk;
        ready = true;
      });
    }
    void pump() {
      while (std::exchange(ready, false)) pull();
    }
    bool ready = true;
  };

  Client connect(http::Fields headers = {}) {
    http::Response response = docket.ask(*door, "GET", "/v1/events", {}, std::move(headers));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "text/event-stream");
    EXPECT_TRUE(response.stream);
    return {response.stream, {}, true};
  }
  static std::vector<std::string> names(const Client& client) {
    std::vector<std::string> names;
    for (const Sent& event : parse(client.text)) names.push_back(event.name);
    return names;
  }
  void request(const std::string& method, const std::string& target, const std::string& body = {}) {
    const http::Response response = docket.ask(*door, method, target, body);
    EXPECT_LT(response.status, 300) << response.body;
  }

  static constexpr const char* kJob =
      R"({"id":"a","run":{"cpus":0.1,"mem":32,"disk":0,"cmd":"true"}})";

  testing::Harness docket;
  std::shared_ptr<const http::Door> door =
      make_metronome_door(docket.loop(), *docket.archive, MetronomeSettings{});
};

TEST_F(Events, TheLifeOfAJobIsReported) {
  Client client = connect();
  client.pump();
  request("POST", "/v1/jobs", kJob);
  client.pump();
  request("PUT", "/v1/jobs/a", kJob);
  client.pump();
  docket.advance(std::chrono::seconds{1});
  const TaskId run = docket.start("a");
  client.pump();
  docket.advance(std::chrono::seconds{1});
  docket.run_attempt(run);
  client.pump();
  docket.finish_attempt(run, 0);
  client.pump();
  docket.finish_attempt(docket.start("a"), 1);
  client.pump();
  request("DELETE", "/v1/jobs/a");
  client.pump();
  EXPECT_THAT(names(client),
              ElementsAre("job_created", "job_updated", "job_run_started", "job_run_updated",
                          "job_run_updated", "job_run_updated", "job_run_finished",
                          "job_run_started", "job_run_updated", "job_run_updated",
                          "job_run_updated", "job_run_failed", "job_deleted"));
}

TEST_F(Events, DataIsTheJobOrTheRun) {
  Client client = connect();
  client.pump();
  request("POST", "/v1/jobs", kJob);
  const TaskId run = docket.start("a");
  docket.finish_attempt(run, 0);
  client.pump();
  const auto events = parse(client.text);
  ASSERT_GE(events.size(), 3U);
  EXPECT_EQ(events.front().data.at("id"), "a");
  EXPECT_EQ(events.front().data.at("run").at("cmd"), "true");
  EXPECT_EQ(events[1].data.at("status"), "INITIAL");
  EXPECT_EQ(events[1].data.at("jobId"), "a");
  EXPECT_EQ(events[1].data.at("tasks").as_array().size(), 0U);
  EXPECT_TRUE(events[1].data.at("completedAt").is_null());
  const auto& last = events.back();
  EXPECT_EQ(last.name, "job_run_finished");
  EXPECT_EQ(last.data.at("status"), "SUCCESS");
  EXPECT_TRUE(last.data.at("completedAt").is_string());
  EXPECT_EQ(last.data.at("tasks").at(0).at("status"), "TASK_FINISHED");
}

TEST_F(Events, UpdatesShowTheVersionInForceAtTheTime) {
  request("POST", "/v1/jobs", kJob);
  for (int i = 2; i <= 5; ++i) {
    docket.advance(std::chrono::seconds{1});
    request("PUT", "/v1/jobs/a",
            R"({"id":"a","description":")" + std::to_string(i) +
                R"(","run":{"cpus":0.1,"mem":32,"disk":0,"cmd":"true"}})");
  }
  Client client = connect({{"last-event-id", "0"}});
  client.pump();
  const auto events = parse(client.text);
  ASSERT_EQ(events.size(), 5U);
  EXPECT_FALSE(events[0].data.as_object().contains("description"));
  for (std::size_t i = 1; i < 5; ++i) {
    EXPECT_EQ(events[i].data.at("description"), boost::json::string(std::to_string(i + 1)));
  }
}

TEST_F(Events, ResumesAfterTheLastIdAndContinuesLive) {
  Client first = connect();
  first.pump();
  request("POST", "/v1/jobs", kJob);
  first.pump();
  const std::string last = parse(first.text).back().id;
  first.stream.reset();  // the client goes away
  docket.finish_attempt(docket.start("a"), 0);
  docket.restart();
  door = make_metronome_door(docket.loop(), *docket.archive, MetronomeSettings{});
  Client second = connect({{"last-event-id", last}});
  second.pump();
  const auto missed = names(second);
  ASSERT_FALSE(missed.empty());
  EXPECT_EQ(missed.front(), "job_run_started");
  EXPECT_EQ(missed.back(), "job_run_finished");
  request("DELETE", "/v1/jobs/a");
  second.pump();
  EXPECT_EQ(names(second).back(), "job_deleted");
  EXPECT_EQ(names(second).size(), missed.size() + 1);
}

TEST_F(Events, NothingIsLostOrRepeatedOverManyPages) {
  request("POST", "/v1/jobs", kJob);
  for (int i = 0; i < 200; ++i) docket.finish_attempt(docket.start("a"), 0);
  Client client = connect({{"last-event-id", "0"}});
  client.pump();
  const auto told = names(client);
  EXPECT_EQ(std::ranges::count(told, "job_run_started"), 200);
  EXPECT_EQ(std::ranges::count(told, "job_run_finished"), 200);
  std::uint64_t previous = 0;
  for (const Sent& event : parse(client.text)) {
    EXPECT_GT(std::stoull(event.id), previous);
    previous = std::stoull(event.id);
  }
}

TEST_F(Events, WithoutALastIdOnlyNewEventsAreSent) {
  request("POST", "/v1/jobs", kJob);
  for (const char* nonsense : {"", "x", "-1", "99999999999999999999999"}) {
    Client client = connect({{"last-event-id", nonsense}});
    client.pump();
    EXPECT_TRUE(parse(client.text).empty());
  }
  Client client = connect();
  client.pump();
  request("PUT", "/v1/jobs/a", kJob);
  client.pump();
  EXPECT_THAT(names(client), ElementsAre("job_updated"));
}

TEST_F(Events, TheEndOfAProcessThatOutlivedItsRunIsNotSent) {
  request("POST", "/v1/jobs", kJob);
  const TaskId run = docket.start("a");
  docket.run_attempt(run);
  Client client = connect();
  client.pump();
  request("POST", "/v1/jobs/a/runs/" + docket.stored(run).name + "/actions/stop");
  docket.advance(std::chrono::seconds{1});
  docket.executor.exit(docket.executor.started.back(), 0, docket.clock.now(), 15);
  docket.settle();
  client.pump();
  EXPECT_EQ(names(client).back(), "job_run_failed");
}

}  // namespace
}  // namespace docket::metronome
