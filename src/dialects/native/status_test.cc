#include <set>

#include "support/native_fixture.h"

namespace docket::native {
namespace {

class NativeStatus : public NativeTest {};

TEST_F(NativeStatus, CountsWhatHappens) {
  docket.add_job("a");
  for (int code : {0, 1}) {
    const auto run = docket.start("a");
    docket.run_attempt(run);
    docket.finish_attempt(run, code);
  }
  docket.start("a");
  docket.advance(minutes{1});
  EXPECT_EQ(get("/status").response.body,
            R"({"version":"1.2.3","paused":false,"user":"","otherUsers":false,)"
            R"("now":"2024-01-15T10:01:00.000000Z",)"
            R"("startedAt":"2024-01-15T10:00:00.000000Z","uptimeSeconds":60,"jobs":1,)"
            R"("runs":{"queued":0,"running":1},"counters":{"runsStarted":3,"runsSucceeded":1,)"
            R"("runsFailed":1,"dueMissed":0},"waiters":0,"store":{"full":false,"failed":false,)"
            R"("trouble":null},)"
            R"("clock":{"held":false,"now":"2024-01-15T10:01:00.000000Z",)"
            R"("trusted":"2024-01-15T10:01:00.000000Z"}})");
}

TEST_F(NativeStatus, AClockSetFarAheadIsHeldUntilItIsAccepted) {
  docket.clock.step(hours{24 * 365});
  docket.advance(minutes{1});
  const auto held = get("/status");
  EXPECT_EQ(held.at("/clock/held"), "true");
  EXPECT_EQ(held.at("/clock/now"), "2025-01-14T10:01:00.000000Z");
  EXPECT_EQ(held.at("/clock/trusted"), "2024-01-15T10:01:00.000000Z");
  const auto accepted = post("/clock/accept", "");
  EXPECT_EQ(accepted.at("/held"), "false");
  EXPECT_EQ(accepted.at("/trusted"), "2025-01-14T10:01:00.000000Z");
  EXPECT_EQ(get("/status").at("/clock/held"), "false");
}

TEST_F(NativeStatus, TargetsShowWhatIsFree) {
  docket.add_job("a");
  docket.start("a");
  EXPECT_EQ(
      get("/targets").response.body,
      R"({"items":[{"id":"node1","kind":"local","capacity":{"cpus":64,"mem":1048576,)"
      R"("disk":1048576,"gpus":0},"free":{"cpus":63.9,"mem":1048544,"disk":1048576,"gpus":0},)"
      R"("attributes":{},"running":1}],"next":null})");
}

TEST_F(NativeStatus, FailuresOfHttpAreProblemsToo) {
  const auto unknown = docket.ask(*door, "GET", "/nope");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.content_type, "application/problem+json");
  EXPECT_EQ(parse_json(unknown.body)->at("type"), "urn:docket:problem:not-found");
  const auto wrong = docket.ask(*door, "PATCH", "/jobs");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(parse_json(wrong.body)->at("title"), "Method Not Allowed");
  EXPECT_EQ(docket.ask(*door, "HEAD", "/status").status, 200);
}

TEST_F(NativeStatus, TheDocumentIsServed) {
  const auto served = get("/openapi.json");
  EXPECT_EQ(served.at("/openapi"), "3.1.0");
  EXPECT_EQ(served.at("/servers/0/url"), kPrefix);
}

TEST_F(NativeStatus, TheDocumentAndTheDoorHaveTheSameRoutes) {
  EXPECT_EQ(testing::ApiDocument::operations(*door), openapi().operations());
}

// Every {capture} is described, operation ids are unique, and every $ref resolves.
TEST_F(NativeStatus, TheDocumentIsConsistent) {
  std::set<std::string> ids;
  std::function<void(const Json&)> visit = [&](const Json& value) {
    if (const auto* array = value.if_array()) {
      for (const Json& item : *array) visit(item);
    }
    if (!value.is_object()) return;
    for (const auto& [name, member] : value.as_object()) {
      if (name == "$ref") {
        boost::system::error_code missing;
        openapi().value().find_pointer(text(member).substr(1), missing);
        EXPECT_FALSE(missing) << text(member);
      }
      if (name == "operationId") {
        EXPECT_TRUE(ids.insert(text(member)).second) << text(member);
      }
      visit(member);
    }
  };
  visit(openapi().value());
  EXPECT_EQ(ids.size(), door->routes.size());
}

}  // namespace
}  // namespace docket::native
