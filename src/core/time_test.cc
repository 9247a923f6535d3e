#include "core/time.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "core/test_seed.h"

namespace docket {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;

constexpr Time kGuide = sys_days{std::chrono::April / 11 / 2019} + 20min;

bool accepts(std::string_view text) { return parse_time(text).has_value(); }

TEST(FormatTime, WritesThreeDigitsForMetronomeAndSixForTheNativeApi) {
  EXPECT_EQ(format_metronome(kGuide), "2019-04-11T00:20:00.000+0000");
  EXPECT_EQ(format_metronome(kGuide + 1999us), "2019-04-11T00:20:00.001+0000");
  EXPECT_EQ(format_rfc3339(kGuide + 59s + 7us), "2019-04-11T00:20:59.000007Z");
}

TEST(FormatTime, WritesWholeSeconds) {
  EXPECT_EQ(format_seconds(kNever), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_seconds(kGuide + 1h + 2s + 999999us), "2019-04-11T01:20:02Z");
}

TEST(FormatTime, HasAsManyDigitsAsTheYearNeeds) {
  EXPECT_EQ(format_seconds(sys_days{std::chrono::May / 6 / 987}), "0987-05-06T00:00:00Z");
  EXPECT_EQ(format_seconds(sys_days{std::chrono::May / 6 / 12345}), "12345-05-06T00:00:00Z");
}

TEST(FormatTime, RoundsDownBeforeTheEpoch) {
  EXPECT_EQ(format_rfc3339(Time{-1us}), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_metronome(Time{-1us}), "1969-12-31T23:59:59.999+0000");
}

TEST(ParseTime, ReadsBothFormsAndAnyZone) {
  for (const char* text :
       {"2019-04-11T00:20:00.000+0000", "2019-04-11T00:20:00Z", "2019-04-11T02:20:00+02:00",
        "2019-04-10T18:50:00.0-0530", "2019-04-11T00:20:00.000000999Z"}) {
    const auto time = parse_time(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(*time, kGuide) << text;
  }
  EXPECT_EQ(parse_time("2019-04-11T00:20:00.5Z"), kGuide + 500ms);
  EXPECT_EQ(parse_time("2019-04-11T00:20:00.1234567Z"), kGuide + 123456us);
}

TEST(ParseTime, RefusesEverythingElse) {
  for (const char* text : {"",
                           "2019",
                           "2019-04-11",
                           "2019-04-11T00:20:00",
                           "2019-04-11 00:20:00Z",
                           "2019-02-29T00:00:00Z",
                           "2019-13-01T00:00:00Z",
                           "2019-00-01T00:00:00Z",
                           "2019-04-11T24:00:00Z",
                           "2019-04-11T00:60:00Z",
                           "2019-04-11T00:00:61Z",
                           "2019-04-11T00:20:00.Z",
                           "2019-04-11T00:20:00Zx",
                           "2019-04-11T00:20:00+2",
                           "2019-04-11T00:20:00+99:00",
                           "2019-04-11T00:20:00+00:60",
                           "2019-04-11T00:20:00+0-1",
                           "+019-04-11T00:20:00Z",
                           "2019-04-1\xC3T00:20:00Z",
                           "-019-04-11T00:20:00Z",
                           "2019-+4-11T00:20:00Z",
                           "2019-04-11T-1:20:00Z",
                           "2019-04-11T00:20:00 Z"}) {
    EXPECT_FALSE(accepts(text)) << text;
  }
  EXPECT_EQ(parse_time("x").error().message, "not a timestamp: x");
  EXPECT_EQ(parse_time("x").error().kind, ErrorKind::kInvalid);
}

TEST(ParseTime, TakesALeapSecondAsTheNextMinute) {
  EXPECT_EQ(parse_time("2016-12-31T23:59:60Z"), parse_time("2017-01-01T00:00:00Z"));
}

TEST(ParseTime, ReadsBackWhatFormatWrote) {
  const unsigned seed = test_seed();
  SCOPED_TRACE(seed_note(seed));
  std::mt19937_64 random(seed);
  const std::int64_t first = to_micros(*parse_time("0000-01-01T00:00:00Z"));
  const std::int64_t last = to_micros(*parse_time("9999-12-31T23:59:59.999999Z"));
  std::uniform_int_distribution<std::int64_t> any(first, last);
  for (int i = 0; i < 5000; ++i) {
    const Time time = from_micros(any(random));
    EXPECT_EQ(parse_time(format_rfc3339(time)), time);
    EXPECT_EQ(parse_time(format_metronome(time)),
              std::chrono::floor<std::chrono::milliseconds>(time));
  }
}

}  // namespace
}  // namespace docket
