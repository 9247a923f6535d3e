#include "dialects/metronome/errors.h"

#include <gtest/gtest.h>

namespace docket::metronome {
namespace {

const Names kNames{.path = "/v1/jobs/a", .job = "a", .schedule = "s", .run = "r"};

Error error(ErrorKind kind, const char* subject = "") {
  return {.kind = kind, .message = "text", .fields = {}, .subject = subject};
}

TEST(Errors, EveryKindHasItsStatus) {
  const std::pair<ErrorKind, int> expected[] = {
      {ErrorKind::kNotFound, 404}, {ErrorKind::kConflict, 409},  {ErrorKind::kInvalid, 422},
      {ErrorKind::kDenied, 403},   {ErrorKind::kExhausted, 507}, {ErrorKind::kUnavailable, 503},
      {ErrorKind::kTimeout, 503},  {ErrorKind::kCancelled, 503}, {ErrorKind::kInternal, 500},
  };
  for (const auto& [kind, status] : expected) {
    const http::Response response = error_response(error(kind), kNames);
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.content_type, "application/json");
    const bool shows_message = status != 404 && status != 500;
    EXPECT_EQ(response.body == R"({"message":"text"})", shows_message) << response.body;
  }
}

// Clients learn nothing about internal faults.
TEST(Errors, FaultsRevealOnlyThePath) {
  EXPECT_EQ(error_response(error(ErrorKind::kInternal), kNames).body,
            R"({"requestPath":"/v1/jobs/a"})");
}

TEST(Errors, WhatIsMissingIsNamed) {
  const auto body = [](const char* subject) {
    return error_response(error(ErrorKind::kNotFound, subject), kNames).body;
  };
  EXPECT_EQ(body("job"), R"({"id":"a","message":"Job not found"})");
  EXPECT_EQ(body("schedule"), R"({"id":"s","message":"Schedule not found"})");
  EXPECT_EQ(body("run"), R"({"jobSpec":"a","id":"r","message":"Job Run not found"})");
}

TEST(Errors, DetailsComeWithTheirPaths) {
  Error invalid = error(ErrorKind::kInvalid);
  invalid.fields = {{"/run", {"one", "two"}}, {"", {"three"}}};
  EXPECT_EQ(error_response(invalid, kNames).body,
            R"({"message":"text","details":[{"path":"/run","errors":["one","two"]},)"
            R"({"path":"","errors":["three"]}]})");
}

TEST(Errors, FrameworkTextsAreEscapedAsHtml) {
  EXPECT_EQ(framework_error(400, R"(<a> & "b" 'c')", "/x<y").body,
            R"({"message":"&lt;a&gt; &amp; &quot;b&quot; &#x27;c&#x27;","requestPath":"/x<y"})");
}

}  // namespace
}  // namespace docket::metronome
