// Random expressions against the oracle, which takes local time from the C library and finds due
// times by walking minute by minute over the weeks around odd changes of the clocks.

#include "core/cron_oracle.h"

#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/cron.h"
#include "core/test_seed.h"

namespace docket {
namespace {

using cron_oracle::Date;
using cron_oracle::Expressions;
using cron_oracle::Oracle;

// --- minute by minute through the changes of the clocks ---

struct LocalClock {
  std::int64_t utc_minute;
  std::int64_t local_minute;
  int hour;
  int minute;
  std::size_t date;  // in Window::dates
};

// Some weeks of a zone, as the C library computes them.
struct Window {
  std::string zone;
  std::vector<LocalClock> clocks;
  std::vector<Date> dates;
};

constexpr int kWindowMinutes = 24 * 60 * 40;

Window open_window(const std::string& zone, const std::string& from) {
  ::setenv("TZ", (":" + zone).c_str(), 1);
  ::tzset();
  Window window{zone, {}, {}};
  const std::int64_t first = to_micros(parse_time(from + "T00:00:00Z").value()) / 60'000'000;
  for (std::int64_t minute = first; minute < first + kWindowMinutes; ++minute) {
    const time_t seconds = minute * 60;
    tm local{};
    ::localtime_r(&seconds, &local);
    const Date date{local.tm_year + 1900, local.tm_mon + 1, local.tm_mday, local.tm_wday};
    if (window.dates.empty() || window.dates.back().day != date.day) window.dates.push_back(date);
    window.clocks.push_back({minute, minute + local.tm_gmtoff / 60, local.tm_hour, local.tm_min,
                             window.dates.size() - 1});
  }
  return window;
}

const std::vector<Window>& windows() {
  static const std::vector<Window> all = {
      open_window("America/New_York", "2019-02-20"),
      open_window("America/New_York", "2019-10-20"),
      open_window("America/New_York", "2060-02-25"),  // past the end of zone files' lists
      open_window("Europe/Rome", "2019-03-10"),
      open_window("Europe/Rome", "2048-10-10"),
      open_window("Europe/Dublin", "2019-10-10"),
      open_window("America/Sao_Paulo", "2018-10-15"),
      open_window("America/Sao_Paulo", "2018-02-01"),
      open_window("Australia/Lord_Howe", "2019-03-20"),
      open_window("Australia/Lord_Howe", "2019-09-20"),
      open_window("Asia/Kathmandu", "1985-12-15"),
      open_window("Pacific/Apia", "2011-12-10"),
      open_window("Africa/Casablanca", "2019-04-25"),
      open_window("Antarctica/Troll", "2019-03-10"),
  };
  return all;
}

std::vector<Time> walk(const Oracle& oracle, const Window& window, std::size_t start) {
  std::vector<bool> days;
  for (const Date& date : window.dates) days.push_back(oracle.has_date(date));
  std::vector<Time> due;
  for (std::size_t i = start + 1; i < window.clocks.size(); ++i) {
    const LocalClock& clock = window.clocks[i];
    if (days[clock.date] && oracle.has_time(clock.hour, clock.minute)) {
      due.push_back(from_micros(clock.utc_minute * 60'000'000));
    }
  }
  return due;
}

// The matching local minutes between two neighbouring minutes of the window, where the clocks
// jumped.
std::vector<SkippedTime> walk_gaps(const Oracle& oracle, const Window& window) {
  std::vector<SkippedTime> skipped;
  for (std::size_t i = 1; i < window.clocks.size(); ++i) {
    const LocalClock& after = window.clocks[i];
    for (auto local = window.clocks[i - 1].local_minute + 1; local < after.local_minute; ++local) {
      const time_t seconds = local * 60;
      tm shown{};
      ::gmtime_r(&seconds, &shown);
      const Date date{shown.tm_year + 1900, shown.tm_mon + 1, shown.tm_mday, shown.tm_wday};
      if (!oracle.has_time(shown.tm_hour, shown.tm_min) || !oracle.has_date(date)) continue;
      skipped.push_back(
          {LocalTime{std::chrono::minutes{local}}, from_micros(after.utc_minute * 60'000'000)});
    }
  }
  return skipped;
}

TEST(CronOracle, RandomExpressionsAroundClockChanges) {
  constexpr int kCases = 4000;
  constexpr std::size_t kCompared = 200;
  const unsigned seed = test_seed();
  SCOPED_TRACE(seed_note(seed));
  Expressions expressions(seed);
  int compared = 0;
  for (int i = 0; i < kCases; ++i) {
    const std::string text = expressions.any();
    const Oracle oracle(text);
    const auto cron = Cron::parse(text);
    ASSERT_EQ(!cron, oracle.refuses()) << text;
    if (!cron) continue;
    const auto again = Cron::parse(cron->text());
    ASSERT_TRUE(again && *again == *cron) << text << " -> " << cron->text();
    const auto& window = windows()[static_cast<std::size_t>(i) % windows().size()];
    const Zone zone = Zone::find(window.zone).value();
    const auto start = static_cast<std::size_t>(expressions.below(kWindowMinutes));
    const auto due = walk(oracle, window, start);
    Time at = from_micros(window.clocks[start].utc_minute * 60'000'000);
    for (std::size_t k = 0; k < std::min(due.size(), kCompared); ++k, ++compared) {
      const auto next = cron->next(at, zone);
      ASSERT_TRUE(next && *next == due[k])
          << text << " in " << window.zone << " after " << format_rfc3339(at) << ": expected "
          << format_rfc3339(due[k]) << ", got " << (next ? format_rfc3339(*next) : "none");
      at = *next;
    }
    const Time end = from_micros(window.clocks.back().utc_minute * 60'000'000);
    if (due.size() < kCompared) {
      const auto beyond = cron->next(at, zone);
      ASSERT_TRUE(!beyond || *beyond > end) << text << " in " << window.zone;
    }
  }
  EXPECT_GT(compared, kCases);  // the generator still makes expressions that are due
}

TEST(CronOracle, SkippedTimesAreTheMatchesInsideGaps) {
  const unsigned seed = test_seed();
  SCOPED_TRACE(seed_note(seed));
  Expressions expressions(seed);
  std::size_t found = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = expressions.list(0, 59, nullptr) + " * * * *";
    const Oracle oracle(text);
    const Cron cron = Cron::parse(text).value();
    const auto& window = windows()[static_cast<std::size_t>(i) % windows().size()];
    auto expected = walk_gaps(oracle, window);
    if (expected.size() > Cron::kMaxSkipped) expected.resize(Cron::kMaxSkipped);
    const auto skipped = cron.gaps(from_micros(window.clocks.front().utc_minute * 60'000'000),
                                   from_micros(window.clocks.back().utc_minute * 60'000'000),
                                   Zone::find(window.zone).value());
    ASSERT_EQ(skipped, expected) << text << " in " << window.zone;
    found += skipped.size();
  }
  EXPECT_GT(found, 1000u);
}

TEST(CronOracle, FoldsAreTheLocalTimesShownTwice) {
  for (const Window& window : windows()) {
    const Zone zone = Zone::find(window.zone).value();
    for (std::size_t i = 0; i < window.clocks.size(); i += 5) {
      const auto shows_same = [&](const LocalClock& other) {
        return other.local_minute == window.clocks[i].local_minute;
      };
      const auto around = static_cast<std::ptrdiff_t>(i);
      const auto begin = window.clocks.begin();
      const auto low = begin + std::max<std::ptrdiff_t>(0, around - 181);
      const auto high = begin + std::min<std::ptrdiff_t>(kWindowMinutes, around + 181);
      const bool earlier = std::any_of(low, begin + around, shows_same);
      const bool later = std::any_of(begin + around + 1, high, shows_same);
      const Fold expected = earlier ? Fold::kSecond : later ? Fold::kFirst : Fold::kNone;
      const Time time = from_micros(window.clocks[i].utc_minute * 60'000'000);
      ASSERT_EQ(zone.fold(time), expected) << window.zone << format_rfc3339(time);
    }
  }
}

// --- day by day through a century, for rare days and years ---

TEST(CronOracle, RandomDaysThroughACentury) {
  constexpr int kCases = 2000;
  const unsigned seed = test_seed();
  SCOPED_TRACE(seed_note(seed));
  Expressions expressions(seed);
  for (int i = 0; i < kCases; ++i) {
    std::string text = "0 0 " + expressions.days() + " " +
                       expressions.list(1, 12, Expressions::kMonths) + " " + expressions.weekdays();
    if (i % 3 == 0) text += " " + expressions.list(1970, 2099, nullptr);
    const Oracle oracle(text);
    const auto cron = Cron::parse(text);
    ASSERT_EQ(!cron, oracle.refuses()) << text;
    if (!cron) continue;
    const int first_year = expressions.between(1975, 2095);
    Date date{1970, 1, 1, 4};
    std::int64_t day = 0;
    for (; date.year < first_year; date = next_date(date)) ++day;
    Time at = Time{std::chrono::days{day}} - Duration{1};
    for (int found = 0; found < 30 && date.year < 2100; date = next_date(date), ++day) {
      if (!oracle.has_date(date)) continue;
      const auto next = cron->next(at, Zone());
      ASSERT_TRUE(next && *next == Time{std::chrono::days{day}})
          << text << " after " << format_rfc3339(at) << ": got "
          << (next ? format_rfc3339(*next) : "none");
      at = *next;
      ++found;
    }
  }
}

}  // namespace
}  // namespace docket
