#include "core/zone.h"

#include <gtest/gtest.h>

#include <string>

namespace docket {
namespace {

using namespace std::chrono_literals;
using std::chrono::local_days;
using std::chrono::sys_days;

Zone zone(std::string_view id) { return Zone::find(id).value(); }

std::string name(std::string_view id) {
  const auto found = Zone::find(id);
  return found ? found->name() : "none";
}

Time utc(std::string_view text) { return parse_time(std::string(text) + ":00Z").value(); }

LocalTime local(std::string_view text) { return LocalTime{utc(text).time_since_epoch()}; }

TEST(ZoneFind, KnowsIanaIds) {
  for (const char* id : {"Europe/Rome", "America/Argentina/Buenos_Aires", "UTC", "GMT", "Etc/UTC",
                         "Etc/GMT+5", "EST", "US/Eastern"}) {
    EXPECT_EQ(name(id), id);
  }
  EXPECT_EQ(Zone(), zone("UTC"));
  EXPECT_EQ(zone("Etc/GMT+5").to_local(utc("2020-01-01T12:00")), local("2020-01-01T07:00"));
}

TEST(ZoneFind, KnowsFixedOffsetsAsJavaDoes) {
  EXPECT_EQ(name("Z"), "Z");
  EXPECT_EQ(name("+00:00"), "Z");
  EXPECT_EQ(name("+2"), "+02:00");
  EXPECT_EQ(name("+02"), "+02:00");
  EXPECT_EQ(name("-0330"), "-03:30");
  EXPECT_EQ(name("+01:02:03"), "+01:02:03");
  EXPECT_EQ(name("GMT+2"), "GMT+02:00");
  EXPECT_EQ(name("UTC+01:00"), "UTC+01:00");
  EXPECT_EQ(name("UTC+0"), "UTC");
  EXPECT_EQ(name("UT-18:00"), "UT-18:00");
  EXPECT_EQ(zone("GMT-03:30").to_local(utc("2020-01-01T00:00")), local("2019-12-31T20:30"));
}

// Stores keep a zone by its name.
TEST(ZoneFind, NamesAreFoundAgain) {
  for (const char* id : {"Z", "+2", "-0330", "+01:02:03", "GMT+2", "UTC", "UT-18", "Asia/Tokyo"}) {
    EXPECT_EQ(Zone::find(name(id)), Zone::find(id)) << id;
  }
}

TEST(ZoneFind, RefusesTheRest) {
  for (const char* id : {"",
                         " ",
                         "Mars/X",
                         "Europe",
                         "Europe/",
                         "europe/rome",
                         "utc",
                         "+18:01",
                         "+19",
                         "GMT+",
                         "GMT+2x",
                         "GMT2",
                         "+1:00",
                         "+02:60",
                         "+02:",
                         "+02:0",
                         "+02:0000",
                         "+0200:00",
                         "UTC+123",
                         "localtime",
                         "posixrules",
                         "posix/Europe/Rome",
                         "right/UTC",
                         "tzdata.zi",
                         "zone.tab",
                         "../../etc/passwd",
                         "Europe/../Europe/Rome",
                         "/etc/localtime",
                         "Factory",
                         "SECURITY",
                         "Europe/Rome\n"}) {
    EXPECT_EQ(name(id), "none") << id;
  }
}

TEST(ZoneFind, ErrorQuotesTheId) {
  EXPECT_EQ(Zone::find("Mars/X").error().message, "No time zone found with this id: \"Mars/X\"");
  EXPECT_EQ(Zone::find("Mars/X").error().kind, ErrorKind::kInvalid);
}

TEST(ZoneResolve, GapsFoldsAndPlainTimes) {
  const Zone york = zone("America/New_York");
  EXPECT_EQ(york.resolve(local("2019-03-10T02:30")).count, 0u);
  const Resolved plain = york.resolve(local("2019-03-10T03:00"));
  ASSERT_EQ(plain.count, 1u);
  EXPECT_EQ(plain.instants[0], utc("2019-03-10T07:00"));
  const Resolved fold = york.resolve(local("2019-11-03T01:30"));
  ASSERT_EQ(fold.count, 2u);
  EXPECT_EQ(fold.instants[0], utc("2019-11-03T05:30"));
  EXPECT_EQ(fold.instants[1], utc("2019-11-03T06:30"));
  EXPECT_EQ(york.resolve(local("2019-11-03T02:00")).count, 1u);
}

TEST(ZoneResolve, KeepsMicroseconds) {
  const Zone rome = zone("Europe/Rome");
  const Time time = utc("2019-07-01T12:00") + 123456us;
  EXPECT_EQ(rome.to_local(time), local("2019-07-01T14:00") + 123456us);
  EXPECT_EQ(rome.resolve(rome.to_local(time)).instants[0], time);
}

TEST(ZoneResolve, SamoaSkippedADay) {
  const Zone apia = zone("Pacific/Apia");
  EXPECT_EQ(apia.resolve(local("2011-12-30T00:00")).count, 0u);
  EXPECT_EQ(apia.resolve(local("2011-12-30T23:59")).count, 0u);
  EXPECT_EQ(apia.resolve(local("2011-12-31T00:00")).count, 1u);
}

TEST(ZoneFold, TellsTheFirstFromTheSecond) {
  const Zone york = zone("America/New_York");
  EXPECT_EQ(york.fold(utc("2019-11-03T05:30")), Fold::kFirst);
  EXPECT_EQ(york.fold(utc("2019-11-03T06:30")), Fold::kSecond);
  EXPECT_EQ(york.fold(utc("2019-11-03T07:00")), Fold::kNone);
  EXPECT_EQ(Zone().fold(utc("2019-11-03T05:30")), Fold::kNone);
}

TEST(ZoneSpans, CoverAllTimeWithoutOverlap) {
  for (const char* id : {"America/New_York", "Europe/Rome", "Asia/Kathmandu", "Pacific/Apia",
                         "Africa/Casablanca", "Australia/Lord_Howe", "UTC", "+05:30"}) {
    const Zone here = zone(id);
    Time at = Zone::kEarliest;
    for (int spans = 0; at < Zone::kLatest && spans < 30000; ++spans) {
      const Zone::Span span = here.span_at(at);
      ASSERT_EQ(span.begin, at) << id;
      ASSERT_GT(span.end, at) << id;
      ASSERT_EQ(here.span_at(span.end - 1us).begin, at) << id << format_rfc3339(at);
      at = span.end;
    }
    EXPECT_EQ(at, Zone::kLatest) << id;
  }
}

// Zone files list changes up to 2037 only; the rule goes on.
TEST(ZoneSpans, DaylightSavingGoesOnAfter2037) {
  const Zone rome = zone("Europe/Rome");
  EXPECT_EQ(rome.span_at(utc("2099-07-01T00:00")).offset, 2h);
  EXPECT_EQ(rome.span_at(utc("2099-12-01T00:00")).offset, 1h);
  EXPECT_EQ(rome.span_at(utc("2050-03-27T00:59")).offset, 1h);
  EXPECT_EQ(rome.span_at(utc("2050-03-27T01:00")).offset, 2h);
  EXPECT_EQ(zone("Australia/Sydney").span_at(utc("2064-02-29T00:00")).offset, 11h);
  EXPECT_EQ(zone("Australia/Sydney").span_at(utc("2064-07-01T00:00")).offset, 10h);
  EXPECT_EQ(zone("Asia/Tokyo").span_at(utc("2064-07-01T00:00")).offset, 9h);
}

}  // namespace
}  // namespace docket
