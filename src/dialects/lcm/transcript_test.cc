// Plays the conversations in transcripts/*.txt against the door (support/transcript.h).

#include "support/transcript.h"

#include <gtest/gtest.h>

#include "dialects/lcm/lcm.h"

namespace docket::lcm {
namespace {

class Stage final : public testing::TranscriptStage {
 public:
  Stage() { restarted(); }
  http::Site site() override { return {{"", door_, {}}}; }
  void restarted() override { door_ = make_lcm_door(docket.loop()); }
  std::string everything() override {
    std::string all;
    for (const char* list : {"repositories", "machine_credentials", "config_profiles", "clusters",
                             "datacenters", "nodes"}) {
      all += docket.ask(*door_, "GET", std::string("/api/v2/lcm/") + list).body;
    }
    return all;
  }
  const char* time_pattern() const override { return R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"; }

 private:
  std::shared_ptr<const http::Door> door_;
};

class Transcript : public ::testing::TestWithParam<testing::TranscriptCase> {};

TEST_P(Transcript, IsReproduced) {
  Stage stage;
  testing::TranscriptPlayer(stage).play(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Lcm, Transcript,
                         ::testing::ValuesIn(testing::transcript_cases(DOCKET_TRANSCRIPTS)),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace docket::lcm
