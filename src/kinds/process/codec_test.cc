
#include <gtest/gtest.h>

#include <boost/json/value.hpp>

#include "core/json.h"
#include "core/json_reader.h"
#include "core/json_writer.h"
#include "kinds/process/spec.h"

namespace docket::kinds {
namespace {

std::string written(const ProcessSpec& spec) {
  std::string text;
  JsonWriter out(text);
  write_spec(out, spec);
  return text;
}

ProcessSpec read(const std::string& text) {
  const auto value = parse_json(text);
  JsonComplaints complaints;
  JsonReader in(*value, complaints);
  const ProcessSpec spec = read_process_spec(in);
  EXPECT_TRUE(complaints.list.empty()) << text;
  return spec;
}

ProcessSpec everything() {
  ProcessSpec spec;
  spec.cpus = 0.01;
  spec.mem = 32;
  spec.disk = 0.5;
  spec.gpus = 2;
  spec.cmd = "sleep \"1\"";
  spec.args = {"a", "b c"};
  spec.user = "nobody";
  spec.env = {{"A", "1"}, {"B", SecretRef{"s"}}};
  spec.secrets = {{"s", "/path"}};
  spec.constraints = {{"hostname", model::ConstraintOperator::kLike, "a.*"},
                      {"@zone", {}, std::nullopt}};
  spec.artifacts = {{"http://x/y.tgz", false, true, true}};
  spec.docker = Docker{"i", true, true, {{"k", "v"}}};
  spec.ucr = Ucr{"u", "appc", true, true};
  spec.volumes = {HostVolume{"/c", "/h", "RW"}, SecretVolume{"f", "s"}};
  spec.restart = {RestartPolicy::kOnFailure, 30, 7, Backoff{.first_s = 0.5, .max_s = 9}};
  spec.kill_grace_s = 1.5;
  spec.networks = {{"container", "n", {{"l", "m"}}}, {"host", "", {}}};
  spec.locks = {{"db", model::LockWait::kFail}};
  spec.on_lost = OnLost::kRestart;
  spec.timeout_s = 60;
  return spec;
}

TEST(ProcessSpecCodec, WritesEveryDefaultInTheReferencesOrder) {
  EXPECT_EQ(written({}),
            R"({"cpus":1,"mem":128,"disk":0,"gpus":0,"env":{},"placement":{"constraints":[]},)"
            R"("artifacts":[],"maxLaunchDelay":3600,"volumes":[],"restart":{"policy":"NEVER"},)"
            R"("secrets":{},"networks":[]})");
}

TEST(ProcessSpecCodec, RoundTripsEverything) {
  EXPECT_EQ(read(written(everything())), everything());
  EXPECT_EQ(read("{}"), ProcessSpec{});
}

TEST(ProcessSpecCodec, ReadsEqAsIs) {
  const auto spec = read(R"({"placement":{"constraints":[{"attribute":"a","operator":"EQ"}]}})");
  EXPECT_EQ(spec.constraints.at(0).op, model::ConstraintOperator::kIs);
}

TEST(ProcessSpecCodec, AVolumeMayHaveWhatTheOtherSortHas) {
  const auto spec =
      read(R"({"volumes":[{"containerPath":"f","secret":"s","mode":"RO","hostPath":"/h"}]})");
  EXPECT_EQ(spec.volumes, (std::vector<Volume>{SecretVolume{"f", "s"}}));
}

TEST(ProcessSpecCodec, NamesEveryBadMember) {
  const auto value = parse_json(
      R"({"cpus":"1","artifacts":[{"uri":"x"},{}],"volumes":[{"containerPath":"a"}],"colour":1,)"
      R"("secrets":{"s":{"source":""}},"restart":{"policy":"SOMETIMES","backoff":{"first":1}}})");
  JsonComplaints complaints;
  JsonReader in(*value, complaints);
  read_process_spec(in);
  const JsonPath run;
  const std::vector<JsonComplaint> expected{
      {run / "cpus", JsonFlaw::kNotNumber},
      {run / "artifacts" / 1 / "uri", JsonFlaw::kMissing},
      {run / "volumes" / 0, JsonFlaw::kOther,
       "must have containerPath with hostPath and mode, or containerPath with secret"},
      {run / "restart" / "policy", JsonFlaw::kUnknownWord, "NEVER, ON_FAILURE"},
      {run / "restart" / "backoff" / "first", JsonFlaw::kUnknownMember},
      {run / "secrets" / "s" / "source", JsonFlaw::kEmpty},
      {run / "colour", JsonFlaw::kUnknownMember}};
  EXPECT_EQ(complaints.list, expected);
  JsonComplaints lenient{.unknown = UnknownMembers::kIgnored};
  JsonReader again(*value, lenient);
  read_process_spec(again);
  EXPECT_EQ(lenient.list.size(), expected.size() - 2);
}

}  // namespace
}  // namespace docket::kinds
