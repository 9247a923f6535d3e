// Random expressions against an independent reading of the same rules. The oracle shares nothing
// with the code under test: it has its own field reader (one value at a time, no masks), takes
// local time from the C library, and finds due times by walking minute by minute over the days
// around odd changes of the clocks.

#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "core/cron.h"
#include "core/test_seed.h"

namespace docket {
namespace {

// --- the oracle ---

struct Date {
  int year;
  int month;
  int day;
  int weekday;  // 0 is Sunday
};

bool leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int month_length(int year, int month) {
  constexpr std::array<int, 12> kLengths = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && leap(year) ? 29 : kLengths[static_cast<std::size_t>(month - 1)];
}

Date next_date(Date date) {
  date.weekday = (date.weekday + 1) % 7;
  if (++date.day <= month_length(date.year, date.month)) return date;
  date.day = 1;
  if (++date.month <= 12) return date;
  date.month = 1;
  ++date.year;
  return date;
}

std::vector<std::string> pieces(const std::string& text, char separator) {
  std::vector<std::string> result(1);
  for (const char c : text) {
    if (c == separator) {
      result.emplace_back();
    } else {
      result.back() += c;
    }
  }
  return result;
}

int number_of(const std::string& text) {
  static const std::string kNames = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
  static const std::string kDays = "MONTUEWEDTHUFRISATSUN";
  if (std::isdigit(static_cast<unsigned char>(text[0])) != 0) return std::stoi(text);
  const std::size_t month = kNames.find(text);
  return static_cast<int>((month != std::string::npos ? month : kDays.find(text)) / 3) + 1;
}

// Counts from the item's first value round the field, and looks at every step-th.
bool item_has(const std::string& item, int value, int low, int high, bool weekday) {
  const std::vector<std::string> parts = pieces(item, '/');
  const int step = parts.size() > 1 ? number_of(parts[1]) : 1;
  int first = low;
  int last = high;
  if (!parts[0].empty() && parts[0] != "*") {
    const std::vector<std::string> ends = pieces(parts[0], '-');
    first = number_of(ends[0]);
    if (weekday && ends.size() == 1) first %= 7;
    last = ends.size() > 1 ? number_of(ends[1]) : parts.size() > 1 ? high : first;
  }
  if (weekday && first > last) first %= 7;
  for (int at = first, count = 0;; ++count) {
    const int shown = weekday ? at % 7 : at;
    if (count % step == 0 && shown == value) return true;
    if (at == last) return false;
    at = at == high || (weekday && first > last && at == 6) ? low : at + 1;
  }
}

bool field_has(const std::string& field, int value, int low, int high) {
  const std::vector<std::string> items = pieces(field, ',');
  return std::any_of(items.begin(), items.end(), [&](const std::string& item) {
    return item_has(item, value, low, high, false);
  });
}

// The day of month that "15W" means, found by looking outwards from the 15th; 0 when the month has
// no such day.
int working_day(int wanted, const Date& date) {
  const int length = month_length(date.year, date.month);
  if (wanted > length) return 0;
  for (const int away : {0, -1, 1, -2, 2}) {
    const int day = wanted + away;
    const int weekday = ((date.weekday + day - date.day) % 7 + 7) % 7;
    if (day >= 1 && day <= length && weekday != 0 && weekday != 6) return day;
  }
  return 0;
}

bool day_item_has(const std::string& item, const Date& date) {
  const int length = month_length(date.year, date.month);
  if (item[0] == 'L') {
    return date.day == length - (item.size() > 2 ? std::stoi(item.substr(2)) : 0);
  }
  if (item.back() == 'W') return date.day == working_day(std::stoi(item), date);
  return item_has(item, date.day, 1, 31, false);
}

bool weekday_item_has(const std::string& item, const Date& date) {
  if (item == "L") return date.weekday == 0;
  const std::vector<std::string> parts = pieces(item, '#');
  if (parts.size() == 1) return item_has(item, date.weekday, 0, 7, true);
  return date.weekday == number_of(parts[0]) % 7 && (date.day + 6) / 7 == std::stoi(parts[1]);
}

// Which values from `low` to `high` a field has, by value.
std::vector<bool> field_table(const std::string& field, int low, int high) {
  std::vector<bool> table(static_cast<std::size_t>(high + 1));
  for (int value = low; value <= high; ++value) {
    table[static_cast<std::size_t>(value)] = field_has(field, value, low, high);
  }
  return table;
}

class Oracle {
 public:
  explicit Oracle(std::string text) {
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    std::istringstream in(text);
    for (std::string field; in >> field;) fields_.push_back(field);
    minutes_ = field_table(fields_[0], 0, 59);
    hours_ = field_table(fields_[1], 0, 23);
    months_ = field_table(fields_[3], 1, 12);
    years_ = field_table(fields_.size() == 6 ? fields_[5] : "*", 1970, 2099);
    days_ = pieces(fields_[2], ',');
    weekdays_ = pieces(fields_[4], ',');
  }

  bool has_time(int hour, int minute) const {
    return minutes_[static_cast<std::size_t>(minute)] && hours_[static_cast<std::size_t>(hour)];
  }

  bool has_date(const Date& date) const {
    if (!years_[static_cast<std::size_t>(date.year)]) return false;
    if (!months_[static_cast<std::size_t>(date.month)]) return false;
    return std::any_of(days_.begin(), days_.end(),
                       [&](const std::string& item) { return day_item_has(item, date); }) &&
           std::any_of(weekdays_.begin(), weekdays_.end(),
                       [&](const std::string& item) { return weekday_item_has(item, date); });
  }

  // Never due, or the day and month fields are what DC/OS refuses by their first values alone.
  bool refuses() const {
    if ((fields_[2] + fields_[3]).find_first_of("*/,W") == std::string::npos &&
        fields_[2][0] != 'L') {
      const auto days = pieces(fields_[2], '-');
      const auto months = pieces(fields_[3], '-');
      const bool forward = number_of(days.front()) <= number_of(days.back()) &&
                           number_of(months.front()) <= number_of(months.back());
      if (forward && number_of(days[0]) > month_length(2000, number_of(months[0]))) return true;
    }
    for (Date date{1970, 1, 1, 4}; date.year < 2100; date = next_date(date)) {
      if (has_date(date)) return false;
    }
    return true;
  }

 private:
  std::vector<std::string> fields_;
  std::vector<bool> minutes_;
  std::vector<bool> hours_;
  std::vector<bool> months_;
  std::vector<bool> years_;
  std::vector<std::string> days_;
  std::vector<std::string> weekdays_;
};

// --- random expressions ---

class Expressions {
 public:
  explicit Expressions(unsigned seed) : random_(seed) {}

  int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  int between(int low, int high) { return low + below(high - low + 1); }

  std::string any() {
    std::string text = list(0, 59, nullptr) + blank() + list(0, 23, nullptr) + blank();
    text += days() + blank() + (below(2) == 0 ? "*" : list(1, 12, kMonths)) + blank() + weekdays();
    if (below(8) == 0) text += blank() + list(2010, 2070, nullptr);
    return text;
  }

  std::string days() {
    if (below(3) == 0) return "*";
    std::string text = day();
    for (int more = below(3); more > 0 && below(2) == 0; --more) text += "," + day();
    return text;
  }

  std::string weekdays() {
    if (below(2) == 0) return "*";
    if (below(10) == 0) return "l";
    std::string text = weekday();
    for (int more = below(3); more > 0 && below(2) == 0; --more) text += "," + weekday();
    return text;
  }

  std::string list(int low, int high, const char* names) {
    std::string text = item(low, high, names);
    for (int more = below(4); more > 0 && below(3) == 0; --more)
      text += "," + item(low, high, names);
    return text;
  }

  static constexpr const char* kMonths = "JanFEBmarAPRmayJUNjulAUGsepOCTnovDEC";
  static constexpr const char* kWeekdays = "monTUEwedTHUfriSATsun";

 private:
  std::string blank() { return below(10) == 0 ? "\t " : " "; }

  std::string day() {
    switch (below(6)) {
      case 0:
        return "L";
      case 1:
        return "L-" + std::to_string(between(1, 30));
      case 2:
        return std::to_string(between(1, 31)) + "w";
      default:
        return item(1, 31, nullptr);
    }
  }

  std::string weekday() {
    if (below(4) > 0) return item(0, 7, kWeekdays);
    return value(0, 7, kWeekdays) + "#" + std::to_string(between(1, 5));
  }

  std::string value(int low, int high, const char* names) {
    const int number = between(low, high);
    if (names != nullptr && number > 0 && below(3) == 0) {
      return std::string(names).substr(static_cast<std::size_t>(number - 1) * 3, 3);
    }
    return (below(8) == 0 ? "0" : "") + std::to_string(number);
  }

  std::string item(int low, int high, const char* names) {
    const std::string step = "/" + std::to_string(between(1, below(2) == 0 ? 3 : high - low));
    switch (below(8)) {
      case 0:
        return "*";
      case 1:
        return "*" + step;
      case 2:
        return step;
      case 3:
        return value(low, high, names) + step;
      case 4:
        return value(low, high, names) + "-" + value(low, high, names);
      case 5:
        return value(low, high, names) + "-" + value(low, high, names) + step;
      default:
        return value(low, high, names);
    }
  }

  std::mt19937 random_;
};

// --- minute by minute through the changes of the clocks ---

struct LocalClock {
  std::int64_t utc_minute;
  std::int64_t local_minute;
  int hour;
  int minute;
  std::size_t date;  // in Window::dates
};

// Some weeks of a zone, as the C library tells them.
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
  EXPECT_GT(compared, kCases);  // the generator is not allowed to go stale
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
