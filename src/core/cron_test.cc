#include "core/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "core/cron_parse.h"
#include "core/test_seed.h"

namespace docket {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;

// Tests write instants as 2019-03-30T22:55Z.
Time at(std::string text) {
  text.insert(text.size() - 1, ":00");
  return parse_time(text).value();
}

std::string show(Time time) {
  std::string text = format_rfc3339(time);
  return text.substr(0, 16) + "Z";
}

Zone zone(std::string_view id) { return Zone::find(id).value(); }

Cron cron(std::string_view text) { return Cron::parse(text).value(); }

std::vector<std::string> due(std::string_view expression, const std::string& from,
                             std::string_view zone_id, std::size_t count) {
  std::vector<std::string> times;
  auto next = cron(expression).next(at(from), zone(zone_id));
  for (; next && times.size() < count; next = cron(expression).next(*next, zone(zone_id))) {
    times.push_back(show(*next));
  }
  return times;
}

std::string normal(std::string_view text) {
  const auto parsed = Cron::parse(text);
  return parsed ? parsed->text() : "refused";
}

// --- metronome.md section 5, the table ---

struct Row {
  const char* from;
  const char* zone;
  const char* cron;
  std::vector<std::string> due;
};

TEST(CronReference, NextFireTimes) {
  const std::vector<Row> rows = {
      {"2019-03-30T22:55Z", "Europe/Rome", "55 23 * * *", {"2019-03-31T21:55Z"}},
      {"2019-03-09T07:30Z", "America/New_York", "30 2 * * *", {"2019-03-11T06:30Z"}},
      {"2019-11-02T05:30Z",
       "America/New_York",
       "30 1 * * *",
       {"2019-11-03T05:30Z", "2019-11-03T06:30Z", "2019-11-04T06:30Z"}},
      {"2017-10-02T10:00Z", "UTC", "0 9 1-7 * 1", {"2017-11-06T09:00Z", "2017-12-04T09:00Z"}},
      {"2020-01-01T20:50Z",
       "UTC",
       "*/7 * * * *",
       {"2020-01-01T20:56Z", "2020-01-01T21:00Z", "2020-01-01T21:07Z"}},
      {"2020-01-30T20:30Z",
       "UTC",
       "0 0 */2 * *",
       {"2020-01-31T00:00Z", "2020-02-01T00:00Z", "2020-02-03T00:00Z"}},
      {"2020-01-01T00:00Z",
       "UTC",
       "0 0 * * */2",
       {"2020-01-02T00:00Z", "2020-01-04T00:00Z", "2020-01-05T00:00Z", "2020-01-07T00:00Z"}},
      {"2020-01-01T20:30Z",
       "UTC",
       "0 0 15W * *",
       {"2020-01-15T00:00Z", "2020-02-14T00:00Z", "2020-03-16T00:00Z"}},
      {"2020-01-01T20:30Z",
       "UTC",
       "0 0 L * *",
       {"2020-01-31T00:00Z", "2020-02-29T00:00Z", "2020-03-31T00:00Z"}},
      {"2020-01-01T00:00Z",
       "UTC",
       "0 0 L-3 * *",
       {"2020-01-28T00:00Z", "2020-02-26T00:00Z", "2020-03-28T00:00Z"}},
      {"2020-03-01T00:00Z",
       "UTC",
       "5/15 * * * *",
       {"2020-03-01T00:05Z", "2020-03-01T00:20Z", "2020-03-01T00:35Z", "2020-03-01T00:50Z",
        "2020-03-01T01:05Z"}},
      {"2018-11-03T03:30Z", "America/Sao_Paulo", "30 0 * * *", {"2018-11-05T02:30Z"}},
  };
  for (const Row& row : rows) {
    EXPECT_THAT(due(row.cron, row.from, row.zone, row.due.size()), ElementsAreArray(row.due))
        << row.cron;
  }
}

TEST(CronReference, RefusesAndAccepts) {
  for (const char* text : {"",
                           "   ",
                           "* * * *",
                           "* * * * * * *",
                           "wrong cron",
                           "60 * * * *",
                           "* 24 * * *",
                           "* * 0 * *",
                           "* * 32 * *",
                           "* * * 0 *",
                           "* * * 13 *",
                           "* * * * 8",
                           "* * * * TUESDAY",
                           "* * * JANUARY *",
                           "* * * MON *",
                           "* * * * JAN",
                           "*/60 * * * *",
                           "*/0 * * * *",
                           "* */24 * * *",
                           "* */23/2 * * *",
                           "1, * * * *",
                           ",1 * * * *",
                           "1,,2 * * * *",
                           "-5 * * * *",
                           "5- * * * *",
                           "1-2-3 * * * *",
                           "1.5 * * * *",
                           "+1 * * * *",
                           "*-5 * * * *",
                           "5/ * * * *",
                           "/ * * * *",
                           "** * * * *",
                           "? * * * *",
                           "* * ? * *",
                           "* * * * ?",
                           "* * LW * *",
                           "* * H * *",
                           "H * * * *",
                           "* * * * 5L",
                           "* * * * 1,L",
                           "* * * * L,L",
                           "L * * * *",
                           "* * L-31 * *",
                           "* * L- * *",
                           "* * W * *",
                           "* * 32W * *",
                           "* * 1-15W * *",
                           "* * 15W/2 * *",
                           "* * L/2 * *",
                           "* * * * 1#0",
                           "* * * * 1#6",
                           "* * * * 8#1",
                           "* * * * 1#",
                           "* * * * #2",
                           "1#2 * * * *",
                           "@daily",
                           "@reboot ",
                           "@every 5m",
                           "* * * * * 1969",
                           "* * * * * 2100",
                           "99999999999999999999 * * * *",
                           "0 0 31 2 *",
                           "0 0 30-31 2 *",
                           "0 0 31 4,6 *",
                           "0 0 30 FEB *",
                           "0 0 31W 2 *",
                           "0 0 29 2 * 2019"}) {
    EXPECT_EQ(normal(text), "refused") << text;
  }
  for (const char* text :
       {"@reboot", "*/59 * * * *", "* */23 * * *", "* * */30 * *", "* * * */11 *", "* * * * */7",
        "0 0 29 2 *", "0 0 31-2 2 *", "0 0 20-31 2 *", "0 0 31 3-4 *", "0 0 31 4-5 *",
        "0 0 31 2-3 *", "0 0 1 1 * 2020", "* * * * 0-7", "0 0 1,L,15W * 1#1,5",
        "* * * * * 1970-2099"}) {
    EXPECT_NE(normal(text), "refused") << text;
  }
}

TEST(CronReference, AnErrorNamesTheFieldAndWhy) {
  const auto why = [](std::string_view text) { return Cron::parse(text).error().message; };
  EXPECT_EQ(why("wrong cron"),
            "needs 5 fields (minute, hour, day of month, month, day of week), or 6 with a year; it "
            "has 2");
  EXPECT_EQ(why("0 25 * * *"), "hour: \"25\" is none of *, 0 to 23, or a range or step of these");
  EXPECT_EQ(why("0 0 * * MON,TUESDAY"),
            "day of week: \"TUESDAY\" is none of *, 0 to 7, MON to SUN, 1#2, or a range or step of "
            "these");
  EXPECT_EQ(why("*/60 * * * *"), "minute: \"*/60\": a step is a number from 1 to 59");
  EXPECT_EQ(why("0 0 1,,2 * *"), "day of month: an item of the list is empty");
  EXPECT_EQ(why("0 0 ? * \"\x1B"),
            "day of month: \"?\" is none of *, 1 to 31, L, L-3, 15W, or a range or step of these");
  EXPECT_EQ(why("0 0 31 2 *"), "is never due: there is no such date");
  EXPECT_EQ(why(std::string(kMaxCronLength + 1, '*')),
            "an expression may have at most 512 characters");
}

TEST(CronReference, NormalForm) {
  EXPECT_EQ(normal("20 0 * * *"), "20 0 * * *");
  EXPECT_EQ(normal("  */1\t/15  /1 * * "), "* */15 * * *");
  EXPECT_EQ(normal("00 09 01 1 1"), "0 9 1 1 1");
  EXPECT_EQ(normal("0 0 * jan-Dec mon-FRI"), "0 0 * 1-12 1-5");
  EXPECT_EQ(normal("0 0 * JAN,3,dec SUN"), "0 0 * 1,3,12 0");
  EXPECT_EQ(normal("0 0 * * 7"), "0 0 * * 0");
  EXPECT_EQ(normal("0 0 * * 6-7"), "0 0 * * 6-7");
  EXPECT_EQ(normal("0 0 * * SAT-SUN"), "0 0 * * 6-7");
  EXPECT_EQ(normal("0 0 * * 1,7"), "0 0 * * 1,0");
  EXPECT_EQ(normal("5/15 10-20/05 * * *"), "5/15 10-20/5 * * *");
  EXPECT_EQ(normal("0 0 l-03 * *"), "0 0 L-3 * *");
  EXPECT_EQ(normal("0 0 015w,1,L * *"), "0 0 15W,1,L * *");
  EXPECT_EQ(normal("0 0 * * MON#2,sun#1"), "0 0 * * 1#2,0#1");
  EXPECT_EQ(normal("0 0 * * l"), "0 0 * * L");
  EXPECT_EQ(normal("0 0 * * * */2"), "0 0 * * * */2");
  EXPECT_EQ(normal("5/1 1-3/1 * * *"), "5/1 1-3/1 * * *");
}

// Where the original fires only the first value of a reversed range, the reference rules that we
// wrap.
TEST(CronReference, ReversedRangesWrap) {
  EXPECT_THAT(due("0 22-1 * * *", "2020-01-01T20:00Z", "UTC", 5),
              ElementsAre("2020-01-01T22:00Z", "2020-01-01T23:00Z", "2020-01-02T00:00Z",
                          "2020-01-02T01:00Z", "2020-01-02T22:00Z"));
  EXPECT_THAT(due("50-10/10 0 * * *", "2020-01-01T00:00Z", "UTC", 3),
              ElementsAre("2020-01-01T00:10Z", "2020-01-01T00:50Z", "2020-01-02T00:00Z"));
  EXPECT_THAT(due("0 0 30-1 * *", "2020-02-01T00:00Z", "UTC", 4),
              ElementsAre("2020-03-01T00:00Z", "2020-03-30T00:00Z", "2020-03-31T00:00Z",
                          "2020-04-01T00:00Z"));
  EXPECT_THAT(due("0 0 1 11-2 *", "2020-02-01T00:00Z", "UTC", 4),
              ElementsAre("2020-11-01T00:00Z", "2020-12-01T00:00Z", "2021-01-01T00:00Z",
                          "2021-02-01T00:00Z"));
  EXPECT_THAT(due("0 0 * * 5-1", "2020-01-01T00:00Z", "UTC", 5),  // a Wednesday
              ElementsAre("2020-01-03T00:00Z", "2020-01-04T00:00Z", "2020-01-05T00:00Z",
                          "2020-01-06T00:00Z", "2020-01-10T00:00Z"));
  EXPECT_EQ(due("0 0 * * 7-2", "2020-01-01T00:00Z", "UTC", 9),
            due("0 0 * * 0-2", "2020-01-01T00:00Z", "UTC", 9));
}

// --- days ---

TEST(CronDays, DayOfMonthAndDayOfWeekMustBothMatch) {
  EXPECT_THAT(due("0 0 13 * 5", "2020-01-01T00:00Z", "UTC", 3),
              ElementsAre("2020-03-13T00:00Z", "2020-11-13T00:00Z", "2021-08-13T00:00Z"));
}

TEST(CronDays, NthWeekday) {
  EXPECT_THAT(due("0 0 * * 1#2", "2020-01-01T00:00Z", "UTC", 3),
              ElementsAre("2020-01-13T00:00Z", "2020-02-10T00:00Z", "2020-03-09T00:00Z"));
  EXPECT_THAT(due("0 0 * 2 6#5", "2020-01-01T00:00Z", "UTC", 2),
              ElementsAre("2020-02-29T00:00Z", "2048-02-29T00:00Z"));
  EXPECT_THAT(due("0 0 * 1 MON#1,3", "2020-01-01T00:00Z", "UTC", 3),
              ElementsAre("2020-01-06T00:00Z", "2020-01-08T00:00Z", "2020-01-15T00:00Z"));
}

TEST(CronDays, NearestWeekdayStaysInItsMonth) {
  // 1 February 2020 is a Saturday, 31 May 2020 a Sunday.
  EXPECT_THAT(due("0 0 1W * *", "2020-01-15T00:00Z", "UTC", 1), ElementsAre("2020-02-03T00:00Z"));
  EXPECT_THAT(due("0 0 31W 5 *", "2020-01-01T00:00Z", "UTC", 1), ElementsAre("2020-05-29T00:00Z"));
  EXPECT_THAT(due("0 0 31W * *", "2020-01-31T00:00Z", "UTC", 1), ElementsAre("2020-03-31T00:00Z"));
}

TEST(CronDays, LastSundayLetter) {
  EXPECT_THAT(due("0 0 * * L", "2020-01-01T00:00Z", "UTC", 2),
              ElementsAre("2020-01-05T00:00Z", "2020-01-12T00:00Z"));
}

TEST(CronDays, RareDaysAreFoundAcrossACentury) {
  EXPECT_THAT(due("0 0 29 2 0", "2088-03-01T00:00Z", "UTC", 1), ElementsAre("2128-02-29T00:00Z"));
}

TEST(CronYears, ExhaustedYearsNeverFire) {
  EXPECT_THAT(due("0 0 1 1 * 2020", "2020-01-01T00:00Z", "UTC", 1), IsEmpty());
  EXPECT_THAT(due("0 0 1 1 * 2020", "2019-01-01T00:00Z", "UTC", 5),
              ElementsAre("2020-01-01T00:00Z"));
  EXPECT_THAT(due("0 0 1 1 * 2030,2099", "2020-01-01T00:00Z", "UTC", 5),
              ElementsAre("2030-01-01T00:00Z", "2099-01-01T00:00Z"));
  EXPECT_THAT(due("59 23 31 12 * 2020", "2020-12-31T23:59Z", "Pacific/Honolulu", 5),
              ElementsAre("2021-01-01T09:59Z"));
  EXPECT_THAT(due("30 2 10 3 * 2019", "2019-01-01T00:00Z", "America/New_York", 1), IsEmpty());
}

TEST(CronYears, OldAndFarInstantsAreHarmless) {
  EXPECT_TRUE(cron("* * * * *").next(kNever, Zone()));
  EXPECT_TRUE(cron("* * * * *").next(Time::min(), zone("Europe/Rome")));
  EXPECT_FALSE(cron("* * * * *").next(Time::max(), zone("Europe/Rome")));
  EXPECT_EQ(cron("0 0 1 1 * 1999").next(Time::min(), Zone()), at("1999-01-01T00:00Z"));
}

TEST(CronTimes, StrictlyAfterAndAtSecondZero) {
  const Time minute = at("2020-01-01T00:01Z");
  EXPECT_EQ(cron("* * * * *").next(minute - Duration{1}, Zone()), minute);
  EXPECT_EQ(cron("* * * * *").next(minute, Zone()), minute + std::chrono::minutes{1});
  EXPECT_EQ(cron("* * * * *").next(minute + Duration{1}, Zone()), minute + std::chrono::minutes{1});
}

// --- daylight saving ---

TEST(CronDaylightSaving, HourlyPatternsFollowElapsedTime) {
  EXPECT_THAT(due("0 * * * *", "2019-11-03T04:00Z", "America/New_York", 4),
              ElementsAre("2019-11-03T05:00Z", "2019-11-03T06:00Z", "2019-11-03T07:00Z",
                          "2019-11-03T08:00Z"));
  EXPECT_THAT(due("*/30 * * * *", "2019-11-03T05:00Z", "America/New_York", 4),
              ElementsAre("2019-11-03T05:30Z", "2019-11-03T06:00Z", "2019-11-03T06:30Z",
                          "2019-11-03T07:00Z"));
  EXPECT_THAT(due("0 * * * *", "2019-03-10T05:00Z", "America/New_York", 3),
              ElementsAre("2019-03-10T06:00Z", "2019-03-10T07:00Z", "2019-03-10T08:00Z"));
  EXPECT_THAT(due("*/30 * * * *", "2019-03-10T06:00Z", "America/New_York", 3),
              ElementsAre("2019-03-10T06:30Z", "2019-03-10T07:00Z", "2019-03-10T07:30Z"));
}

TEST(CronDaylightSaving, HalfHourAndWholeDayJumps) {
  // Lord Howe: 02:00 +11 becomes 01:30 +10:30 on 7 April 2019.
  EXPECT_THAT(due("45 1 7 4 *", "2019-04-01T00:00Z", "Australia/Lord_Howe", 2),
              ElementsAre("2019-04-06T14:45Z", "2019-04-06T15:15Z"));
  // Samoa had no 30 December 2011.
  EXPECT_THAT(due("0 12 * * *", "2011-12-29T00:00Z", "Pacific/Apia", 2),
              ElementsAre("2011-12-29T22:00Z", "2011-12-30T22:00Z"));
}

TEST(CronDaylightSaving, OffsetsMayHaveSeconds) {
  // Liberia was 44 minutes and 30 seconds behind UTC until 1972.
  EXPECT_EQ(cron("0 0 * * *").next(at("1971-05-01T12:00Z"), zone("Africa/Monrovia")),
            at("1971-05-02T00:44Z") + std::chrono::seconds{30});
}

TEST(CronDaylightSaving, GoesOnAfterTheZoneFilesEnd) {
  // In 2060 the clocks of New York go forward on 14 March and back on 7 November.
  EXPECT_THAT(due("30 2 * * *", "2060-03-13T08:00Z", "America/New_York", 1),
              ElementsAre("2060-03-15T06:30Z"));
  EXPECT_THAT(due("30 1 7 11 *", "2060-01-01T00:00Z", "America/New_York", 2),
              ElementsAre("2060-11-07T05:30Z", "2060-11-07T06:30Z"));
}

TEST(CronDaylightSaving, ReportsWhatWasSkipped) {
  const auto skipped =
      cron("30 2 * * *")
          .gaps(at("2018-01-01T00:00Z"), at("2020-01-01T00:00Z"), zone("America/New_York"));
  ASSERT_EQ(skipped.size(), 2u);
  EXPECT_EQ(skipped[1].at, at("2019-03-10T07:00Z"));
  EXPECT_EQ(skipped[1].local, LocalTime{at("2019-03-10T02:30Z").time_since_epoch()});
  EXPECT_THAT(cron("30 3 * * *")
                  .gaps(at("2018-01-01T00:00Z"), at("2020-01-01T00:00Z"), zone("America/New_York")),
              IsEmpty());
}

TEST(CronDaylightSaving, SkippedCountsTheJumpAtTheEndOfTheStretchOnly) {
  const Cron half_past_two = cron("30 2 * * *");
  const Time jump = at("2019-03-10T07:00Z");
  const Zone york = zone("America/New_York");
  EXPECT_EQ(half_past_two.gaps(jump - Duration{1}, jump, york).size(), 1u);
  EXPECT_THAT(half_past_two.gaps(jump, jump + std::chrono::days{1}, york), IsEmpty());
  EXPECT_EQ(cron("* * * * *").gaps(at("1900-01-01T00:00Z"), at("2030-01-01T00:00Z"), york).size(),
            Cron::kMaxSkipped);
}

TEST(CronCount, CountsWithinALimit) {
  const Time from = at("2020-01-01T00:00Z");
  EXPECT_EQ(cron("0 * * * *").count(from, at("2020-01-02T00:00Z"), Zone(), 1000), 24u);
  EXPECT_EQ(cron("0 * * * *").count(from, from, Zone(), 1000), 0u);
  EXPECT_EQ(cron("* * * * *").count(from, at("2029-01-01T00:00Z"), Zone(), 1000), 1000u);
}

TEST(CronSize, AHundredThousandFitEasily) { EXPECT_LE(sizeof(Cron), 136u); }

// --- garbage ---

TEST(CronParse, SurvivesGarbage) {
  const unsigned seed = test_seed();
  SCOPED_TRACE(seed_note(seed));
  std::mt19937 random(seed);
  const std::string alphabet = "0123456789***///--,,#LWlwMONJAN?@.   \t\xC3";
  for (int i = 0; i < 50000; ++i) {
    std::string text;
    for (auto length = random() % 30; length > 0; --length) {
      text.push_back(alphabet[random() % alphabet.size()]);
    }
    const auto parsed = Cron::parse(text);
    if (parsed) {
      EXPECT_EQ(Cron::parse(parsed->text()), parsed) << text;
    }
  }
  EXPECT_EQ(normal(std::string(1'000'000, '*')), "refused");
  EXPECT_EQ(normal(std::string(kMaxCronLength + 1, ' ')), "refused");
}

}  // namespace
}  // namespace docket
