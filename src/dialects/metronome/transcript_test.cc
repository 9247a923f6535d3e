// Plays the conversations in transcripts/*.txt against the door (support/transcript.h). Its own
// directives:
//
//   @job ID {patch}             body: a minimal job with a JSON merge patch applied
//   @schedule ID {patch}        body: likewise
//   @invalid PATH: TEXT         answer: one line of a 422's details

#include "support/transcript.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <sstream>

#include "core/json_writer.h"
#include "dialects/metronome/access.h"
#include "dialects/metronome/metronome.h"

namespace docket::metronome {
namespace {

namespace json = boost::json;

// "@job a {...}" as JSON.
std::string expand(const std::string& line) {
  std::istringstream in(line);
  std::string kind;
  std::string id;
  std::string patch;
  std::getline(in >> kind >> id, patch);
  json::value body =
      kind == "@job"
          ? testing::parsed_json(R"({"run":{"cpus":0.1,"mem":32,"disk":0,"cmd":"true"}})")
          : testing::parsed_json(R"({"cron":"0 0 * * *"})");
  body.get_object()["id"] = id;
  if (patch.find('{') != std::string::npos) testing::merge_json(body, testing::parsed_json(patch));
  return to_json(body);
}

void add_detail(json::array& details, const std::string& path, const std::string& text) {
  for (json::value& detail : details) {
    if (detail.at("path") == json::string(path)) {
      detail.at("errors").get_array().emplace_back(text);
      return;
    }
  }
  details.push_back(json::object{{"path", path}, {"errors", json::array{json::string(text)}}});
}

class Stage final : public testing::TranscriptStage {
 public:
  // As on the port of this API: the service itself, and below the prefix its front router.
  http::Site site() override {
    return {{"", door()}, {"/service/metronome", door(), router_gate()}};
  }
  void restarted() override { door_.reset(); }
  std::string everything() override {
    return docket.ask(*door(), "GET", "/v1/jobs?embed=activeRuns,history").body +
           docket.ask(*door(), "GET", "/v1/queue").body;
  }
  const char* time_pattern() const override {
    return R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000)";
  }
  std::string body(const std::string& line) override { return expand(line); }
  void expect(const std::string& line, json::value& wanted) override {
    ASSERT_TRUE(line.starts_with("@invalid ")) << line;
    if (wanted.is_null()) {
      wanted = json::object{{"message", "Object is not valid"}, {"details", json::array{}}};
    }
    const std::size_t colon = line.find(": ");
    add_detail(wanted.at("details").get_array(), line.substr(9, colon - 9), line.substr(colon + 2));
  }

 private:
  const std::shared_ptr<const http::Door>& door() {
    MetronomeSettings settings;
    settings.started_at = testing::working_day();
    settings.config = {{"mesos.role", "*"}};
    if (!door_) door_ = make_metronome_door(docket.loop(), *docket.archive, settings);
    return door_;
  }

  std::shared_ptr<const http::Door> door_;
};

class Transcript : public ::testing::TestWithParam<testing::TranscriptCase> {};

TEST_P(Transcript, IsReproduced) {
  Stage stage;
  testing::TranscriptPlayer(stage).play(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Metronome, Transcript,
                         ::testing::ValuesIn(testing::transcript_cases(DOCKET_TRANSCRIPTS)),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace docket::metronome
