// An edit through this door preserves what the door cannot express.

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "core/json.h"
#include "core/json_writer.h"
#include "dialects/metronome/metronome.h"
#include "support/harness.h"

namespace docket::metronome {
namespace {

namespace json = boost::json;
using model::ConcurrencyPolicy;
using model::MissedPolicy;

constexpr const char* kRun = R"("run":{"cpus":0.1,"mem":32,"disk":0,"cmd":"other")";

constexpr kinds::Backoff kPauses{.first_s = 1, .max_s = 8};

class Edit : public ::testing::Test {
 protected:
  // A job as the native API creates it.
  Edit() {
    model::JobDefinition job = docket.job("a");
    auto& run = kinds::change_process(job.spec);
    run.locks = {{"db", model::LockWait::kFail}};
    run.on_lost = kinds::OnLost::kRestart;
    run.limits = kinds::Limits::kNone;
    run.timeout_s = 60;
    run.restart.max_attempts = 5;
    run.restart.backoff = kPauses;
    model::ScheduleDefinition nightly = docket.schedule("0 2 * * *");
    nightly.missed = MissedPolicy::kAll;
    nightly.missed_limit = 3;
    nightly.policy = ConcurrencyPolicy::kReplace;
    docket.add_job(std::move(job), {std::move(nightly)});
  }

  http::Response ask(const std::string& method, const std::string& target,
                     const std::string& body = {}) {
    if (!door_) door_ = make_metronome_door(docket.loop(), *docket.archive, {});
    return docket.ask(*door_, method, target, body);
  }
  void put(const std::string& target, const std::string& body) {
    const auto response = ask("PUT", target, body);
    EXPECT_EQ(response.status, 200) << response.body;
  }
  const kinds::ProcessSpec& run() {
    return kinds::process_of(docket.engine().job("a")->job().definition.spec);
  }
  const model::ScheduleDefinition& nightly() {
    return docket.engine().schedule(docket.engine().job("a")->schedules.at("nightly"))->definition;
  }
  void expect_all_kept() {
    EXPECT_EQ(run().locks, (std::vector<model::LockRequest>{{"db", model::LockWait::kFail}}));
    EXPECT_EQ(run().on_lost, kinds::OnLost::kRestart);
    EXPECT_EQ(run().limits, kinds::Limits::kNone);
    EXPECT_EQ(run().timeout_s, 60);
    EXPECT_EQ(run().restart.max_attempts, 5);
    EXPECT_EQ(run().restart.backoff, kPauses);
    EXPECT_EQ(nightly().missed, MissedPolicy::kAll);
    EXPECT_EQ(nightly().missed_limit, 3U);
  }

  testing::Harness docket;

 private:
  std::shared_ptr<const http::Door> door_;
};

TEST_F(Edit, ABodyFromGetCanBeSentBack) {
  json::value job = parse_json(ask("GET", "/v1/jobs/a").body).value();
  json::value schedule = job.at("schedules").at(0);
  put("/v0/scheduled-jobs/a", to_json(job));
  expect_all_kept();
  put("/v1/jobs/a", to_json(job));
  put("/v1/jobs/a/schedules/nightly", to_json(schedule));
  expect_all_kept();
  EXPECT_EQ(nightly().policy, ConcurrencyPolicy::kReplace);
}

TEST_F(Edit, WhatABodyOmitsStays) {
  put("/v1/jobs/a", std::string(R"({"id":"a",)") + kRun + "}}");
  EXPECT_EQ(run().cmd, "other");
  put("/v1/jobs/a/schedules/nightly",
      R"({"id":"nightly","cron":"0 3 * * *","concurrencyPolicy":"FORBID"})");
  EXPECT_EQ(nightly().cron.text(), "0 3 * * *");
  EXPECT_EQ(nightly().policy, ConcurrencyPolicy::kForbid);
  expect_all_kept();
  put("/v0/scheduled-jobs/a", std::string(R"({"id":"a",)") + kRun +
                                  R"(},"schedules":[{"id":"nightly","cron":"0 4 * * *"}]})");
  EXPECT_EQ(nightly().cron.text(), "0 4 * * *");
  expect_all_kept();
}

TEST_F(Edit, WhatABodySaysIsApplied) {
  put("/v1/jobs/a",
      std::string(R"({"id":"a",)") + kRun + R"(,"locks":[{"name":"x"}],"onLost":"fail"}})");
  EXPECT_EQ(run().locks, (std::vector<model::LockRequest>{{"x", model::LockWait::kQueue}}));
  EXPECT_EQ(run().on_lost, kinds::OnLost::kFail);
  put("/v1/jobs/a", std::string(R"({"id":"a",)") + kRun + R"(,"locks":[]}})");
  EXPECT_TRUE(run().locks.empty());
  put("/v1/jobs/a", std::string(R"({"id":"a",)") + kRun +
                        R"(,"timeoutSeconds":9,"restart":{"policy":"ON_FAILURE","maxAttempts":2,)"
                        R"("backoff":{"firstSeconds":2}}}})");
  EXPECT_EQ(run().timeout_s, 9);
  EXPECT_EQ(run().restart.max_attempts, 2);
  EXPECT_EQ(run().restart.backoff, (kinds::Backoff{.first_s = 2}));
}

TEST_F(Edit, ReplaceIsAcceptedBackButNotSetAnew) {
  constexpr const char* kRefused =
      R"({"message":"Object is not valid","details":[{"path":"/concurrencyPolicy",)"
      R"("errors":["Instance is invalid enum value."]}]})";
  const std::string replace =
      R"({"id":"nightly","cron":"0 3 * * *","concurrencyPolicy":"REPLACE"})";
  put("/v1/jobs/a/schedules/nightly", replace);
  put("/v1/jobs/a/schedules/nightly",
      R"({"id":"nightly","cron":"0 3 * * *","concurrencyPolicy":"ALLOW"})");
  const auto refused = ask("PUT", "/v1/jobs/a/schedules/nightly", replace);
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(refused.body, kRefused);
  const auto within =
      ask("PUT", "/v0/scheduled-jobs/a",
          std::string(R"({"id":"a",)") + kRun + R"(},"schedules":[)" + replace + "]}");
  EXPECT_EQ(within.status, 422);
  EXPECT_NE(within.body.find("/schedules/0/concurrencyPolicy"), std::string::npos);
  EXPECT_EQ(ask("POST", "/v1/jobs/a/schedules", replace).body, kRefused);
}

TEST_F(Edit, RebootIsAcceptedBackButNotSetAnew) {
  const std::string reboot = R"({"id":"nightly","cron":"@reboot"})";
  const auto refused = ask("PUT", "/v1/jobs/a/schedules/nightly", reboot);
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(
      refused.body,
      R"({"message":"Object is not valid","details":[{"path":"/cron",)"
      R"("errors":["Can not read cron expression \"@reboot\"","is for schedules that are made in docket's own API"]}]})");
  EXPECT_EQ(ask("POST", "/v1/jobs/a/schedules", reboot).status, 422);
  docket.add_job(docket.job("b"), {docket.schedule("@reboot")});
  put("/v1/jobs/b/schedules/nightly", reboot);
}

}  // namespace
}  // namespace docket::metronome
