// Jobs of kinds other than process do not exist for clients of this API.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dialects/metronome/metronome.h"
#include "support/harness.h"

namespace docket::metronome {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class OtherKinds : public ::testing::Test {
 protected:
  OtherKinds() {
    model::JobDefinition tree = docket.job("tree");
    tree.spec = kinds::spec_of(kinds::TestSpec{.steps = {{.name = "a"}}});
    docket.add_job(tree);
    docket.add_job("process");
    run = docket.stored(docket.start("tree")).name;
  }
  http::Response ask(const std::string& method, const std::string& path,
                     const std::string& body = {}) {
    return docket.ask(*make_metronome_door(docket.loop(), *docket.archive, {}), method, path, body);
  }
  testing::Harness docket;
  std::string run;
};

TEST_F(OtherKinds, AreInNoList) {
  for (const char* path : {"/v1/jobs?embed=job.activeRuns", "/v0/scheduled-jobs", "/v1/queue"}) {
    EXPECT_THAT(ask("GET", path).body, Not(HasSubstr("tree"))) << path;
  }
}

TEST_F(OtherKinds, AreFoundByNoName) {
  const std::pair<const char*, std::string> requests[] = {
      {"GET", "/v1/jobs/tree"},
      {"DELETE", "/v1/jobs/tree"},
      {"GET", "/v1/jobs/tree/runs"},
      {"GET", "/v1/jobs/tree/runs?all=true"},
      {"POST", "/v1/jobs/tree/runs"},
      {"GET", "/v1/jobs/tree/runs/" + run},
      {"POST", "/v1/jobs/tree/runs/" + run + "/actions/stop"},
      {"GET", "/v1/jobs/tree/schedules"}};
  for (const auto& [method, path] : requests) {
    EXPECT_EQ(ask(method, path).status, 404) << method << " " << path;
  }
  EXPECT_EQ(docket.engine().job("tree")->active.size(), 1U) << "and nothing was stopped";
}

TEST_F(OtherKinds, KeepTheirIds) {
  EXPECT_EQ(ask("POST", "/v1/jobs",
                R"({"id": "tree", "run": {"cmd": "x", "cpus": 1, "mem": 32, "disk": 0}})")
                .status,
            409);
}

}  // namespace
}  // namespace docket::metronome
