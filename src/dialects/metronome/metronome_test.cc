// What transcripts cannot express: settings, limits, faults, and input that nobody would write by
// hand.

#include "dialects/metronome/metronome.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/json_writer.h"
#include "dialects/metronome/metrics.h"
#include "dialects/metronome/run_parameters.h"
#include "support/harness.h"

namespace docket::metronome {
namespace {

namespace json = boost::json;

constexpr const char* kJob = R"({"id":"a","run":{"cpus":0.1,"mem":32,"disk":0,"cmd":"true"}})";

class Door : public ::testing::Test {
 protected:
  http::Response ask(const std::string& method, const std::string& target,
                     const std::string& body = {}) {
    if (!door_) door_ = make_metronome_door(docket.loop(), *docket.archive, settings);
    return docket.ask(*door_, method, target, body);
  }
  json::value get(const std::string& target) {
    const http::Response response = ask("GET", target);
    EXPECT_EQ(response.status, 200) << target << ": " << response.body;
    return parse_json(response.body).value();
  }
  http::Response failure(int status, const std::string& path) {
    if (!door_) door_ = make_metronome_door(docket.loop(), *docket.archive, settings);
    return door_->envelope({status, "some text", path});
  }

  testing::Harness docket;
  MetronomeSettings settings;

 private:
  std::shared_ptr<const http::Door> door_;
};

// ---- faults of HTTP itself

TEST_F(Door, MessagesOfTheFramework) {
  EXPECT_EQ(failure(413, "/v1/jobs").body,
            R"({"message":"Request Entity Too Large","requestPath":"/v1/jobs"})");
  EXPECT_EQ(
      failure(415, "/v1/jobs").body,
      R"({"message":"Expecting text/json or application/json body","requestPath":"/v1/jobs"})");
  EXPECT_EQ(failure(404, "/x").body, R"({"message":"Unknown route.","requestPath":"/x"})");
  EXPECT_EQ(failure(400, "/x").body, R"({"message":"some text","requestPath":"/x"})");
  EXPECT_EQ(failure(500, "/v1/jobs").body, R"({"requestPath":"/v1/jobs"})");
  EXPECT_EQ(failure(404, "/service/metronome/v1/x").body,
            R"({"message":"Unknown route.","requestPath":"/v1/x"})");
  for (int status : {400, 404, 413, 415, 500}) {
    EXPECT_EQ(failure(status, "/x").status, status);
    EXPECT_EQ(failure(status, "/x").content_type, "application/json");
  }
}

TEST_F(Door, BodiesOfMoreThan100KibAreRefused) {
  const std::string shell(100 * 1024, ' ');
  EXPECT_EQ(ask("POST", "/v1/jobs", kJob + shell).status, 413);
  EXPECT_EQ(ask("GET", "/v1/jobs").body, "[]");
  const std::string body = kJob;
  EXPECT_EQ(ask("POST", "/v1/jobs", body + shell.substr(body.size())).status, 201);
}

TEST_F(Door, AFullDiskRefusesNewWorkOnly) {
  ask("POST", "/v1/jobs", kJob);
  docket.start("a");
  const std::string name = docket.stored_runs("a").back().name;
  docket.engine().refuse_new_work("The disk is full");
  const http::Response refused = ask("POST", "/v1/jobs/a/runs");
  EXPECT_EQ(refused.status, 507);
  EXPECT_EQ(refused.body, R"({"message":"The disk is full"})");
  EXPECT_EQ(ask("PUT", "/v1/jobs/a", kJob).status, 507);
  EXPECT_EQ(ask("GET", "/v1/jobs/a").status, 200);
  EXPECT_EQ(ask("POST", "/v1/jobs/a/runs/" + name + "/actions/stop").status, 200);
}

// ---- settings

TEST_F(Door, WithoutALeader) {
  settings.leader.clear();
  const http::Response response = ask("GET", "/leader");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, R"({"message":"There is no leader"})");
}

TEST_F(Door, HistoryShowsTheNewestAndCountsAll) {
  settings.history_limit = 3;
  ask("POST", "/v1/jobs", kJob);
  for (int i = 0; i < 5; ++i) {
    docket.finish_attempt(docket.start("a"), 0);
    docket.finish_attempt(docket.start("a"), 1);
    docket.advance(std::chrono::seconds{1});
  }
  const json::value job = get("/v1/jobs/a?embed=history");
  const json::value& history = job.at("history");
  EXPECT_EQ(history.at("successCount"), 5);
  EXPECT_EQ(history.at("failureCount"), 5);
  ASSERT_EQ(history.at("successfulFinishedRuns").as_array().size(), 3U);
  ASSERT_EQ(history.at("failedFinishedRuns").as_array().size(), 3U);
  const auto runs = docket.stored_runs("a");
  EXPECT_EQ(history.at("successfulFinishedRuns").at(0).at("id"), json::string(runs[8].name));
  EXPECT_EQ(history.at("failedFinishedRuns").at(2).at("id"), json::string(runs[5].name));
}

TEST_F(Door, ResponsesAreMetered) {
  settings.started_at = docket.clock.now();
  std::array<std::uint64_t, 5> counts{0, 100, 0, 7, 0};
  settings.http_responses = [&counts] { return counts; };
  docket.advance(std::chrono::seconds{10});
  get("/v1/metrics");
  counts[1] += 600;
  docket.advance(std::chrono::seconds{60});
  const json::value metrics = get("/v1/metrics");
  const json::value& ok = metrics.at("meters").at("metronome.http.responses.2xx.rate");
  EXPECT_EQ(ok.at("count"), 700);
  EXPECT_EQ(ok.at("mean_rate"), 10);
  EXPECT_EQ(ok.at("units"), "events/second");
  EXPECT_NEAR(ok.at("m1_rate").to_number<double>(), 6.32, 0.01);
  EXPECT_EQ(metrics.at("meters").at("metronome.http.responses.4xx.rate").at("count"), 7);
}

TEST(RateMeter, SettlesOnASteadyRateAndIgnoresClockSteps) {
  RateMeter meter;
  Time now = testing::working_day();
  for (std::uint64_t i = 0; i <= 400; ++i, now += std::chrono::seconds{10}) meter.read(50 * i, now);
  EXPECT_NEAR(meter.rate(0), 5.0, 0.001);
  EXPECT_NEAR(meter.rate(1), 5.0, 0.001);
  EXPECT_NEAR(meter.rate(2), 5.0, 0.1);
  meter.read(20'100, now - std::chrono::hours{1});
  EXPECT_NEAR(meter.rate(0), 5.0, 0.001);
}

// ---- run parameters

TEST(RunParameters, UnknownInputIsIgnored) {
  for (const char* body :
       {"", "{}", "[]", "null", "7", "{", "x=1", R"({"env":{}})", R"({"env":[]})",
        R"({"env":{"A":1}})", R"({"env":{"A":"1","B":{}}})", R"({"description":1})",
        R"({"description":""})", R"({"cmd":"rm -rf /"})"}) {
    EXPECT_EQ(read_run_parameters(body), nullptr) << body;
  }
}

TEST(RunParameters, GoodMembersAreUsedDespiteBadOnes) {
  const auto text = read_run_parameters(R"({"env":{"A":1},"description":"why","x":[]})");
  ASSERT_TRUE(text);
  EXPECT_TRUE(text->env.empty());
  EXPECT_EQ(text->description, "why");
}

TEST_F(Door, RunParametersReachTheProcessAndTheRecord) {
  ask("POST", "/v1/jobs",
      R"({"id":"a","run":{"cpus":0.1,"mem":32,"disk":0,"cmd":"true",)"
      R"("env":{"A":"job","B":"job"}}})");
  const auto body = R"({"env":{"A":"run","C":"run"},"description":"by hand"})";
  EXPECT_EQ(ask("POST", "/v1/jobs/a/runs", body).status, 201);
  const model::Task run = docket.stored_runs("a").back();
  ASSERT_TRUE(run.parameters);
  EXPECT_EQ(run.parameters->description, "by hand");
  std::map<std::string, std::string> env;
  const auto attempt = docket.newest_attempt(run.id);
  for (const auto& [name, value] : docket.executor.attempts.at(attempt).spec.env) env[name] = value;
  EXPECT_EQ(env["A"], "run");
  EXPECT_EQ(env["B"], "job");
  EXPECT_EQ(env["C"], "run");
}

// The original reads no body here, and any web page may send one that is not declared as JSON.
TEST_F(Door, ARunTakesItsParametersFromJsonOnly) {
  ask("POST", "/v1/jobs", kJob);
  const auto body = R"({"env":{"A":"run"},"description":"by hand"})";
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", ""}) {
    const auto made = docket.ask(*make_metronome_door(docket.loop(), *docket.archive, settings),
                                 "POST", "/v1/jobs/a/runs", body, {{"content-type", type}});
    EXPECT_EQ(made.status, 201) << type;
  }
  for (const model::Task& run : docket.stored_runs("a")) EXPECT_EQ(run.parameters, nullptr);
  EXPECT_EQ(docket.stored_runs("a").size(), 3U);
}

// ---- pages

TEST_F(Door, PagesOfAllRunsNameTheNext) {
  ask("POST", "/v1/jobs", kJob);
  for (int i = 0; i < 5; ++i) docket.finish_attempt(docket.start("a"), 0);
  std::string target = "/v1/jobs/a/runs?all=true&limit=2";
  std::vector<std::string> seen;
  while (!target.empty()) {
    const http::Response page = ask("GET", target);
    const json::value body = parse_json(page.body).value();
    for (const json::value& run : body.as_array()) {
      seen.emplace_back(run.at("id").as_string());
    }
    target.clear();
    for (const auto& [name, value] : page.headers) {
      if (name != "Link") continue;
      EXPECT_TRUE(value.ends_with(">; rel=\"next\"")) << value;
      target = "/v1/jobs/a/runs" + value.substr(1, value.find('>') - 1);
    }
  }
  const auto runs = docket.stored_runs("a");
  ASSERT_EQ(seen.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(seen[i], runs[4 - i].name);
}

// A job recreated under an old id does not show the old one's runs.
TEST_F(Door, AllRunsAreThoseOfTheCurrentJob) {
  ask("POST", "/v1/jobs", kJob);
  docket.finish_attempt(docket.start("a"), 0);
  ask("DELETE", "/v1/jobs/a");
  ask("POST", "/v1/jobs", kJob);
  EXPECT_EQ(ask("GET", "/v1/jobs/a/runs?all=true").body, "[]");
}

// ---- hostile input

constexpr const char* kRichJob = R"({"id":"prod.rich","description":"d","labels":{"a":"b"},
  "dependencies":[],"schedules":[{"id":"s1","cron":"*/5 1-3 L 1,2 *","timezone":"Europe/Rome",
  "startingDeadlineSeconds":60,"concurrencyPolicy":"FORBID","enabled":true}],
  "run":{"cpus":0.5,"mem":64,"disk":1,"gpus":0,"cmd":"true","args":["x"],"user":"nobody",
  "env":{"A":"1","S":{"secret":"s"}},"secrets":{"s":{"source":"/s"}},
  "placement":{"constraints":[{"attribute":"hostname","operator":"LIKE","value":"n.*"}]},
  "artifacts":[{"uri":"http://x/y","extract":false}],"maxLaunchDelay":5,
  "ucr":{"image":{"id":"i","kind":"docker"},"privileged":false},
  "volumes":[{"containerPath":"/a","hostPath":"/b","mode":"RW"},
             {"containerPath":"/c","secret":"s"}],
  "restart":{"policy":"ON_FAILURE","activeDeadlineSeconds":9},"taskKillGracePeriodSeconds":1.5,
  "networks":[{"mode":"container","name":"n","labels":{"l":"m"}}]}})";

// Values that break readers: wrong types, edges of number types, odd text.
json::value odd_value(testing::SeededRandom& random) {
  switch (random.below(16)) {
    case 0:
      return nullptr;
    case 1:
      return json::object{};
    case 2:
      return json::array{};
    case 3:
      return json::object{{"id", 1}, {"secret", json::array{}}};
    case 4:
      return json::array{json::object{}, "x", 1};
    case 5:
      return std::int64_t{-1};
    case 6:
      return std::numeric_limits<std::int64_t>::min();
    case 7:
      return std::numeric_limits<std::uint64_t>::max();
    case 8:
      return 1.7e308;
    case 9:
      return -0.0;
    case 10:
      return 1e-320;
    case 11:
      return "";
    case 12:
      return json::string(3000, 'a');
    case 13:
      return json::string(std::string_view("\0\xff\"'<\n", 6));
    case 14:
      return random.one_in(2);
    default:
      return "* * * * *";
  }
}

// Another value of the same type, often still valid.
void nudge(json::value& value, testing::SeededRandom& random) {
  if (auto* text = value.if_string()) {
    random.one_in(2) ? text->push_back('1') : text->resize(text->size() / 2);
  } else if (value.is_number()) {
    value = value.to_number<double>() * 2;
  } else if (value.is_bool()) {
    value = !value.get_bool();
  } else if (auto* array = value.if_array(); array && !array->empty()) {
    array->pop_back();
  }
}

// Walks down a random path and changes the value there.
void mutate(json::value& value, testing::SeededRandom& random) {
  const bool inside = !random.one_in(20);
  if (auto* object = value.if_object(); object && !object->empty() && inside) {
    auto member = object->begin() + static_cast<std::ptrdiff_t>(random.below(object->size()));
    const std::string key(member->key());
    if (random.one_in(8)) {
      object->erase(key);
    } else if (random.one_in(8)) {
      object->insert_or_assign(random.one_in(2) ? "extra" : "id", odd_value(random));
    } else {
      mutate(object->at(key), random);
    }
    return;
  }
  if (auto* array = value.if_array(); array && !array->empty() && inside) {
    if (random.one_in(6)) array->push_back(array->front());
    return mutate((*array)[random.below(array->size())], random);
  }
  random.one_in(2) ? nudge(value, random) : void(value = odd_value(random));
}

std::string cut(std::string text, testing::SeededRandom& random) {
  if (random.one_in(20)) text.resize(random.below(text.size() + 1));
  if (!text.empty() && random.one_in(20)) text[random.below(text.size())] = '\xc3';
  return text;
}

TEST_F(Door, MutatedJobsNeverFaultAndRefusalsChangeNothing) {
  const http::Response made = ask("POST", "/v1/jobs", kRichJob);
  ASSERT_EQ(made.status, 201) << made.body;
  const json::value rich = parse_json(kRichJob).value();
  testing::SeededRandom random(20160715);
  int accepted = 0;
  for (int i = 0; i < 3000; ++i) {
    json::value body = rich;
    mutate(body, random);
    const std::string text = cut(to_json(body), random);
    const std::string before = ask("GET", "/v1/jobs").body;
    const http::Response response =
        i % 2 == 0 ? ask("PUT", "/v1/jobs/prod.rich", text) : ask("POST", "/v1/jobs", text);
    ASSERT_LT(response.status, 500) << text << "\n" << response.body;
    ASSERT_TRUE(parse_json(response.body)) << response.body;
    if (response.status >= 400) {
      ASSERT_EQ(ask("GET", "/v1/jobs").body, before);
    }
    if (response.status < 300) ++accepted;
    if (response.status == 201) {
      const json::value job = parse_json(response.body).value();
      ASSERT_EQ(ask("DELETE", "/v1/jobs/" + std::string(job.at("id").as_string())).status, 200);
    }
  }
  EXPECT_GT(accepted, 300);
}

TEST_F(Door, MutatedSchedulesNeverFault) {
  ask("POST", "/v1/jobs", kJob);
  const json::value good =
      parse_json(R"({"id":"nightly","cron":"0 0 * * *","timezone":"UTC","enabled":true,)"
                 R"("startingDeadlineSeconds":900,"concurrencyPolicy":"ALLOW"})")
          .value();
  testing::SeededRandom random(7);
  for (int i = 0; i < 2000; ++i) {
    json::value body = good;
    mutate(body, random);
    const http::Response response = ask("POST", "/v1/jobs/a/schedules", cut(to_json(body), random));
    ASSERT_LT(response.status, 500) << response.body;
    if (response.status == 201) ask("DELETE", "/v1/jobs/a/schedules/nightly");
  }
}

// Complaints are looked up by path; a body full of them must not take quadratic time.
TEST_F(Door, AsManyComplaintsAsABodyHolds) {
  std::string body = R"({"id":"a","run":{"cpus":0.1,"mem":32,"disk":0,"cmd":"x","volumes":[{})";
  while (body.size() < 100 * 1024 - 16) body += ",{}";
  const http::Response response = ask("POST", "/v1/jobs", body + "]}}");
  EXPECT_EQ(response.status, 422);
  const json::value answer = parse_json(response.body).value();
  EXPECT_GT(answer.at("details").as_array().size(), 30'000U);
}

TEST_F(Door, OddPathsNeverFault) {
  ask("POST", "/v1/jobs", kJob);
  for (const char* target :
       {"/v1/jobs/%00", "/v1/jobs/%ff", "/v1/jobs/a%2Fb", "/v1/jobs/...", "/v1/jobs/a/runs/%2e%2e",
        "/v1/jobs/a/schedules/%22", "/v1/jobs?embed=%00", "/v1/jobs?embed=,,,", "/public/../etc",
        "/v1/jobs/a/runs?all=true&limit=99999999999999999999",
        "/v1/jobs/a/runs?all=true&before="}) {
    const std::string text(target);
    if (text.find("%00") != std::string::npos) continue;  // refused before a door sees it
    EXPECT_LT(ask("GET", text).status, 500) << text;
  }
}

}  // namespace
}  // namespace docket::metronome
