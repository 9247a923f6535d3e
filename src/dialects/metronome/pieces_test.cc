// Lists too long for one piece: complete and in order, whatever changes while they are read.

#include "dialects/metronome/pieces.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "core/json.h"
#include "support/harness.h"

namespace docket::metronome {
namespace {

namespace json = boost::json;

// A client that takes a piece only when told to.
class SlowClient {
 public:
  SlowClient(testing::Harness& docket, http::Response response)
      : docket_(docket), response_(std::move(response)), ended_(!response_.stream) {}

  bool take_piece() {
    if (ended_) return false;
    response_.stream->next([this](std::optional<std::string> piece) {
      ended_ = !piece;
      response_.body += piece.value_or("");
      longest_ = std::max(longest_, piece.value_or("").size());
    });
    docket_.settle();
    return !ended_;
  }
  std::string take_all() {
    while (take_piece()) {
    }
    return response_.body;
  }
  bool is_streamed() const { return response_.stream != nullptr; }
  std::size_t longest() const { return longest_; }

 private:
  testing::Harness& docket_;
  http::Response response_;
  bool ended_;
  std::size_t longest_ = 0;
};

class PiecesTest : public ::testing::Test {
 protected:
  static std::string id_of(int number) {
    const std::string digits = std::to_string(number);
    return "group.job" + std::string(4 - digits.size(), '0') + digits;
  }
  void add_jobs(int count) {
    for (int i = 0; i < count; ++i) {
      auto job = docket.job(id_of(i));
      job.description = std::string(200, 'x');
      std::vector<model::ScheduleDefinition> schedules;
      if (i % 3 == 0) schedules.push_back(docket.schedule("0 3 * * *", "Europe/Rome"));
      docket.add_job(std::move(job), std::move(schedules));
    }
  }
  // Adds runs that wait for ever.
  void add_waiting(const std::string& id, int runs) {
    auto job = docket.job(id);
    kinds::change_process(job.spec).cpus = 1000;
    docket.add_job(std::move(job));
    for (int i = 0; i < runs; ++i) docket.start(id);
  }
  SlowClient ask(const std::string& target, http::Fields headers = {}) {
    if (!door_) door_ = make_metronome_door(docket.loop(), *docket.archive, {});
    return {docket, docket.ask(http::Site{{"", door_}}, "GET", target, "", std::move(headers))};
  }
  std::string get(const std::string& target) { return ask(target).take_all(); }
  static std::vector<std::string> ids_of(const std::string& list, const char* member = "id") {
    std::vector<std::string> ids;
    const json::value parsed = parse_json(list).value();
    for (const json::value& item : parsed.as_array()) {
      ids.emplace_back(item.at(member).as_string());
    }
    return ids;
  }

  testing::Harness docket;

 private:
  std::shared_ptr<const http::Door> door_;
};

TEST_F(PiecesTest, AShortListIsAnsweredWhole) {
  add_jobs(20);
  EXPECT_FALSE(ask("/v1/jobs?embed=activeRuns").is_streamed());
  EXPECT_FALSE(ask("/v1/jobs?embed=history").is_streamed());
  EXPECT_EQ(ids_of(get("/v1/jobs")).size(), 20);
}

TEST_F(PiecesTest, ALongListIsTheJobsOneByOne) {
  add_jobs(500);
  docket.start(id_of(7));
  docket.run_attempt(docket.start(id_of(7)));
  docket.finish_attempt(docket.start(id_of(8)), 0);
  docket.finish_attempt(docket.start(id_of(8)), 1);
  for (const std::string embeds :
       {"", "?embed=activeRuns", "?embed=historySummary&embed=history&embed=schedules"}) {
    auto list = ask("/v1/jobs" + embeds);
    EXPECT_TRUE(list.is_streamed());
    std::string wanted = "[";
    for (int i = 0; i < 500; ++i) {
      std::string job = get("/v1/jobs/" + id_of(i) + embeds);
      // A list shows no empty activeRuns.
      if (const auto empty = job.find(",\"activeRuns\":[]"); empty != std::string::npos) {
        job.erase(empty, 16);
      }
      wanted += (i > 0 ? "," : "") + job;
    }
    EXPECT_EQ(list.take_all(), wanted + "]");
    EXPECT_LT(list.longest(), 64 * 1024);
  }
}

TEST_F(PiecesTest, JobsMayComeAndGoMeanwhile) {
  add_jobs(300);
  auto list = ask("/v1/jobs");
  ASSERT_TRUE(list.take_piece());
  for (int i = 0; i < 300; i += 2) {
    ASSERT_TRUE(
        docket.engine().delete_job(id_of(i), engine::ActiveRuns::kStop, docket.clock.now()));
  }
  docket.add_job("a");
  docket.add_job("z");
  const auto ids = ids_of(list.take_all());
  EXPECT_TRUE(std::ranges::is_sorted(ids));
  for (int i = 1; i < 300; i += 2) EXPECT_EQ(std::ranges::count(ids, id_of(i)), 1) << i;
  EXPECT_EQ(ids.back(), "z");
  EXPECT_EQ(std::ranges::count(ids, "a"), 0);
  EXPECT_LT(ids.size(), 300);
}

TEST_F(PiecesTest, AListShowsWhatItsReaderMaySee) {
  add_jobs(700);
  docket.add_job("other.a");
  docket.access.emplace();
  auto reader = std::make_shared<http::Identity>("reader");
  ASSERT_TRUE(reader->grant("dcos:adminrouter:service:metronome full"));
  ASSERT_TRUE(reader->grant("dcos:service:metronome:metronome:jobs:other read"));
  ASSERT_TRUE(docket.access->add(http::token_digest("t"), reader));
  EXPECT_EQ(ids_of(ask("/v1/jobs", {{"authorization", "token=t"}}).take_all()),
            std::vector<std::string>{"other.a"});
}

TEST_F(PiecesTest, AJobMayHaveMoreRunsThanFitInAPiece) {
  docket.add_job("a");
  add_waiting("busy", 1000);
  docket.add_job("c");
  for (const std::string path : {"/v1/jobs?embed=activeRuns", "/v1/jobs/busy?embed=activeRuns"}) {
    auto answer = ask(path);
    EXPECT_TRUE(answer.is_streamed());
    const json::value body = parse_json(answer.take_all()).value();
    EXPECT_LT(answer.longest(), 64 * 1024);
    const json::value& busy = body.is_array() ? body.at(1) : body;
    EXPECT_EQ(busy.at("activeRuns").as_array().size(), 1000);
  }
  EXPECT_EQ(ids_of(get("/v1/jobs?embed=activeRuns")), (std::vector<std::string>{"a", "busy", "c"}));
  auto runs = ask("/v1/jobs/busy/runs");
  EXPECT_TRUE(runs.is_streamed());
  const std::string list = runs.take_all();
  EXPECT_EQ(ids_of(list).size(), 1000);
  EXPECT_NE(get("/v1/jobs/busy?embed=activeRuns").find("\"activeRuns\":" + list),
            std::string::npos);
}

TEST_F(PiecesTest, AJobMayGoWhileItsRunsAreRead) {
  add_waiting("busy", 300);
  docket.add_job("c");
  auto jobs = ask("/v1/jobs?embed=activeRuns&embed=historySummary");
  auto runs = ask("/v1/jobs/busy/runs");
  auto queue = ask("/v1/queue");
  for (SlowClient* client : {&jobs, &runs}) ASSERT_TRUE(client->take_piece());
  ASSERT_TRUE(docket.engine().delete_job("busy", engine::ActiveRuns::kStop, docket.clock.now()));
  EXPECT_EQ(ids_of(jobs.take_all()), (std::vector<std::string>{"busy", "c"}));
  EXPECT_LT(ids_of(runs.take_all()).size(), 300);
  EXPECT_TRUE(parse_json(queue.take_all()));
}

TEST_F(PiecesTest, TheQueueIsTheSameShortAndLong) {
  const auto expect_queue = [&](std::size_t first, std::size_t second) {
    const json::value queue = parse_json(get("/v1/queue")).value();
    ASSERT_EQ(ids_of(get("/v1/queue"), "jobId"), (std::vector<std::string>{"a", "c"}));
    EXPECT_EQ(queue.at(0).at("runs").as_array().size(), first);
    EXPECT_EQ(queue.at(1).at("runs").as_array().size(), second);
  };
  add_waiting("c", 2);
  add_waiting("a", 3);
  docket.add_job("b");
  docket.run_attempt(docket.start("b"));  // not in the queue
  const std::string before = get("/v1/queue");
  expect_queue(3, 2);
  for (int i = 0; i < 1000; ++i) docket.start("c");
  EXPECT_TRUE(ask("/v1/queue").is_streamed());
  expect_queue(3, 1002);
  EXPECT_TRUE(get("/v1/queue").starts_with(before.substr(0, before.size() - 3)));
}

}  // namespace
}  // namespace docket::metronome
