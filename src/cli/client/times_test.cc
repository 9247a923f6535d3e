#include "cli/client/times.h"

#include <gtest/gtest.h>

#include <sstream>

namespace docket::cli {
namespace {

class Times : public testing::Test {
 protected:
  std::string read(const std::string& text) const {
    const auto time = read_time(env_, "--since", text);
    return time ? *time : time.error().message;
  }
  std::stringstream text_;
  CliEnvironment env_{.in = text_,
                      .out = text_,
                      .err = text_,
                      .timezone = "Europe/Rome",
                      .now = *parse_time("2026-03-29T12:00:00Z")};
};

TEST_F(Times, AreShownInTheZoneOfTheMachine) {
  EXPECT_EQ(shown_time(env_, "2026-03-07T20:46:34.512000Z"), "2026-03-07 21:46:34");
  EXPECT_EQ(shown_time(env_, "2026-07-07T20:46:34.512+0000"), "2026-07-07 22:46:34");
  env_.utc = true;
  EXPECT_EQ(shown_time(env_, "2026-03-07T20:46:34.512000Z"), "2026-03-07 20:46:34Z");
  EXPECT_EQ(shown_time(env_, ""), "");
  EXPECT_EQ(shown_time(env_, "N/A"), "N/A");
}

TEST_F(Times, InJobTablesHaveDocketsFormOnlyOnATerminal) {
  EXPECT_EQ(table_time(env_, "2026-03-07T20:46:34.512+0000"), "2026-03-07T20:46:34.512+0000");
  env_.is_tty = true;
  EXPECT_EQ(table_time(env_, "2026-03-07T20:46:34.512+0000"), "2026-03-07 21:46:34");
}

TEST_F(Times, BetweenTwo) {
  const std::string from = "2026-03-29T11:00:00.000000Z";
  EXPECT_EQ(shown_span(env_, from, "2026-03-29T11:00:59.900000Z"), "59s");
  EXPECT_EQ(shown_span(env_, from, "2026-03-29T11:04:03Z"), "4m 3s");
  EXPECT_EQ(shown_span(env_, from, ""), "1h 0m") << "it goes on";
  EXPECT_EQ(shown_span(env_, from, "2026-04-01T13:00:00Z"), "3d 2h");
  EXPECT_EQ(shown_span(env_, from, "2026-03-29T10:00:00Z"), "0s") << "the clock was set back";
  EXPECT_EQ(shown_span(env_, "", from), "");
}

TEST_F(Times, AreReadInManyForms) {
  EXPECT_EQ(read("24h"), "2026-03-28T12:00:00.000000Z");
  EXPECT_EQ(read("90s"), "2026-03-29T11:58:30.000000Z");
  EXPECT_EQ(read("2w"), "2026-03-15T12:00:00.000000Z");
  EXPECT_EQ(read("2026-03-07"), "2026-03-06T23:00:00.000000Z");
  EXPECT_EQ(read("2026-07-07 22:46"), "2026-07-07T20:46:00.000000Z");
  EXPECT_EQ(read("2026-07-07T22:46:34"), "2026-07-07T20:46:34.000000Z");
  EXPECT_EQ(read("2026-07-07T22:46:34Z"), "2026-07-07T22:46:34.000000Z");
}

TEST_F(Times, AtAClockChange) {
  EXPECT_EQ(read("2026-03-29 02:30"), "2026-03-29T01:00:00.000000Z") << "never shown by a clock";
  EXPECT_EQ(read("2026-10-25 02:30"), "2026-10-25T00:30:00.000000Z") << "the first of the two";
}

TEST_F(Times, ThatAreNotTimesAreRefused) {
  for (const char* text : {"", "h", "24", "24x", "-1h", "99999999h", "2026-3-7", "yesterday",
                           "2026-13-01", "2026-03-07 25:00"}) {
    EXPECT_EQ(read(text), "--since: \"" + std::string(text) +
                              "\" is not a time like 24h, 2026-03-07 or 2026-03-07T21:46:34Z");
  }
}

}  // namespace
}  // namespace docket::cli
