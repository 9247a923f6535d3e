#include "kinds/process/flaws.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/process/spec.h"
#include "model/pattern.h"

namespace docket::kinds {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kNul = "must not contain NUL characters";
constexpr const char* kControl = "must not contain control characters";

std::vector<FieldError> flaws_of(const model::JobDefinition& job) {
  model::Flaws flaws;
  check_process(job, flaws);
  return flaws.take();
}

FieldError at(std::string path, std::string error) { return {std::move(path), {std::move(error)}}; }

class ProcessFlaws : public ::testing::Test {
 protected:
  ProcessFlaws() {
    job.id = "prod.email";
    job.spec = {.kind = kProcess, .body = body};
  }
  ProcessSpec& run() { return body->value; }
  std::shared_ptr<model::SpecOf<ProcessSpec>> body =
      std::make_shared<model::SpecOf<ProcessSpec>>(ProcessSpec{});
  model::JobDefinition job;
};

TEST_F(ProcessFlaws, AreReportedWithTheirPaths) {
  const std::string nul("a\0b", 3);
  const std::string bell = "a\x07";
  run().docker = Docker{.image = bell, .parameters = {{bell, "a\nb"}, {"k", nul}}};
  run().networks = {{.mode = "host", .name = bell, .labels = {{"k", bell}}}};
  run().volumes = {HostVolume{bell, nul, "RO"}, SecretVolume{bell, "s"}};
  run().secrets = {{bell, "s"}};
  EXPECT_THAT(
      flaws_of(job),
      ElementsAre(
          at("/run/secrets/" + bell, kControl), at("/run/volumes(0)/containerPath", kControl),
          at("/run/volumes(0)/hostPath", kNul), at("/run/volumes(1)/containerPath", kControl),
          at("/run/docker/image", kControl), at("/run/docker/parameters(0)/key", kControl),
          at("/run/docker/parameters(1)/value", kNul), at("/run/networks(0)/name", kControl),
          at("/run/networks(0)/labels/k", kControl)));
}

TEST_F(ProcessFlaws, NumbersOutOfRangeAreReported) {
  run().max_launch_delay_s = 9'000'000'000'000'000;
  run().timeout_s = 0;
  run().restart.max_attempts = 101;
  run().restart.backoff = Backoff{.first_s = -1, .max_s = 1e9};
  EXPECT_THAT(flaws_of(job),
              ElementsAre(at("/run/maxLaunchDelay", "must be from 0 to 9223372036"),
                          at("/run/timeoutSeconds", "must be from 1 to 9223372036"),
                          at("/run/restart/maxAttempts", "must be from 1 to 100"),
                          at("/run/restart/backoff/firstSeconds", "must be from 0 to 604800"),
                          at("/run/restart/backoff/maxSeconds", "must be from 0 to 604800")));
}

TEST_F(ProcessFlaws, AFileOfASecretStaysBelowTheWorkingDirectory) {
  run().volumes = {SecretVolume{"keys/db", "s"}, SecretVolume{"/etc/keys/db", "s"}};
  EXPECT_THAT(flaws_of(job), IsEmpty());
  run().volumes.clear();
  for (const char* path : {"../db", "/etc/../../db", "a//b", "./a", "/", "", "keys/"})
    run().volumes.emplace_back(SecretVolume{path, "s"});
  const auto flaws = flaws_of(job);
  ASSERT_EQ(flaws.size(), run().volumes.size());
  for (const FieldError& flaw : flaws)
    EXPECT_THAT(flaw.errors, ElementsAre("must name a file below the working directory"));
}

TEST_F(ProcessFlaws, WhatAProgramCanTakeIsNoFlaw) {
  run().cmd = std::string(model::kExecTextMax, 'x');
  run().args = {{"two\nlines\r\n\t\x1B", ""}};
  run().env = {{"A", std::string(model::kExecTextMax - 2, 'x')}, {"a.b-c d", "x=y\n"}};
  EXPECT_THAT(flaws_of(job), IsEmpty());
  *run().cmd += 'x';
  std::get<std::string>(run().env[0].second) += 'x';
  run().env.emplace_back("S\n", SecretRef{"s"});
  EXPECT_THAT(flaws_of(job),
              ElementsAre(at("/run/cmd", "must have at most 131071 bytes"),
                          at("/run/env/A", "must have at most 131071 bytes"),
                          at("/run/env/S\n", "must not have control characters in its name")));
}

TEST_F(ProcessFlaws, AreReportedUpToALimit) {
  run().args.emplace(model::kFlawsMax + 1, std::string(1, '\0'));
  EXPECT_EQ(flaws_of(job).size(), model::kFlawsMax);
}

TEST_F(ProcessFlaws, PatternsAreBoundedTogether) {
  const std::string half(model::kPatternBytesMax / 2, 'a');
  using enum model::ConstraintOperator;
  run().constraints = {{"rack", kLike, half}, {"rack", kIs, half}, {"rack", kUnlike, half}};
  EXPECT_THAT(flaws_of(job), IsEmpty());
  run().constraints.push_back({"rack", kLike, "a"});
  EXPECT_THAT(
      flaws_of(job),
      ElementsAre(at("/run/placement/constraints(3)/value",
                     "is too long: all patterns of a job may have at most 1024 bytes together")));
}

}  // namespace
}  // namespace docket::kinds
