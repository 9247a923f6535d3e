#include "http/envelope.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace docket::http {
namespace {

TEST(Envelope, DefaultIsAJsonMessage) {
  const auto response = json_envelope({.status = 400, .message = "a \"b\"\n\\"});
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body, R"({"message":"a \"b\"\u000a\\"})");
}

TEST(Envelope, TheDoorsOwnTakesPrecedence) {
  Door door;
  EXPECT_EQ(render_failure(door, {.status = 404, .path = "/a"}).body, R"({"message":"Not Found"})");
  door.envelope = [](const Failure& failure) {
    return Response{.status = failure.status, .body = failure.path + "|" + failure.message};
  };
  EXPECT_EQ(render_failure(door, {.status = 413, .path = "/a%20b"}).body,
            "/a%20b|Request Entity Too Large");
  EXPECT_EQ(render_failure(door, {.status = 421, .message = "why", .path = "/a"}).body, "/a|why");
  door.envelope = [](const Failure&) -> Response { throw std::runtime_error("bug"); };
  EXPECT_EQ(render_failure(door, {.status = 500, .path = "/a"}).status, 500);
}

}  // namespace
}  // namespace docket::http
