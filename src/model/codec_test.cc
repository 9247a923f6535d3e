#include "model/codec.h"

#include <gtest/gtest.h>

#include <boost/json/value.hpp>

#include "core/json.h"

namespace docket::model {
namespace {

std::string written(const ProcessSpec& spec) {
  std::string text;
  JsonWriter out(text);
  write_process_spec(out, spec);
  return text;
}

ProcessSpec read(const std::string& text) {
  const auto value = parse_json(text);
  EXPECT_TRUE(value) << text;
  const auto spec = read_process_spec(*value, "/run");
  EXPECT_TRUE(spec) << text;
  return spec.value_or(ProcessSpec{});
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
  spec.constraints = {{"hostname", ConstraintOperator::kLike, "a.*"}, {"@zone", {}, std::nullopt}};
  spec.artifacts = {{"http://x/y.tgz", false, true, true}};
  spec.docker = Docker{"i", true, true, {{"k", "v"}}};
  spec.ucr = Ucr{"u", "appc", true, true};
  spec.volumes = {HostVolume{"/c", "/h", "RW"}, SecretVolume{"f", "s"}};
  spec.restart = {RestartPolicy::kOnFailure, 30, 7, Backoff{.first_s = 0.5, .max_s = 9}};
  spec.kill_grace_s = 1.5;
  spec.networks = {{"container", "n", {{"l", "m"}}}, {"host", "", {}}};
  spec.locks = {{"db", LockWait::kFail}};
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
  EXPECT_EQ(spec.constraints.at(0).op, ConstraintOperator::kIs);
}

TEST(ProcessSpecCodec, NamesEveryBadField) {
  const auto value =
      parse_json(R"({"cpus":"1","artifacts":[{"uri":"x"},{}],"volumes":[{"containerPath":"a"}],)"
                 R"("secrets":{"s":{"source":""}},"restart":{"policy":"SOMETIMES"}})");
  const auto spec = read_process_spec(*value, "/run");
  ASSERT_FALSE(spec);
  const std::vector<FieldError> expected{
      {"/run/cpus", {"error.expected.jsnumber"}},
      {"/run/artifacts(1)/uri", {"error.path.missing"}},
      {"/run/volumes(0)",
       {R"(expected HostVolume or SecretVolume object but got {"containerPath":"a"})"}},
      {"/run/restart/policy", {"error.unknown.enum.literal"}},
      {"/run/secrets/s/source", {"error.minLength"}}};
  EXPECT_EQ(spec.error().fields, expected);
}

}  // namespace
}  // namespace docket::model
