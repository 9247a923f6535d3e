// docket clock against a server with canned answers.

#include "support/fake_native.h"

namespace docket::cli {
namespace {

constexpr const char* kHeld =
    R"({"held":true,"now":"2119-01-01T00:00:00Z","trusted":"2024-01-15T10:00:00Z"})";

class ClockCommands : public NativeCommands {};

TEST_F(ClockCommands, ShowsTheTimeThatRetentionGoesBy) {
  answer("GET /status", 200, std::string(R"({"version":"1","clock":)") + kHeld + "}");
  const Outcome outcome = docket({"clock", "show"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "held: true\nnow: 2119-01-01 01:00:00\ntrusted: 2024-01-15 11:00:00\n");
}

TEST_F(ClockCommands, Accepts) {
  answer("POST /clock/accept", 200,
         R"({"held":false,"now":"2024-01-15T10:00:00Z","trusted":"2024-01-15T10:00:00Z"})");
  const Outcome outcome = docket({"clock", "accept"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, testing::StartsWith("held: false\n"));
}

}  // namespace
}  // namespace docket::cli
