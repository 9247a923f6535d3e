#pragma once

// For tests: a second, independent reading of the cron dialect (metronome.md section 5), and random
// expressions of it. The oracle shares nothing with the code under test: it reads fields one value
// at a time, without masks, and knows its own calendar.

#include <algorithm>
#include <array>
#include <cctype>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace docket::cron_oracle {

// --- the oracle ---

struct Date {
  int year;
  int month;
  int day;
  int weekday;  // 0 is Sunday
};

inline bool leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

inline int month_length(int year, int month) {
  constexpr std::array<int, 12> kLengths = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && leap(year) ? 29 : kLengths[static_cast<std::size_t>(month - 1)];
}

inline Date next_date(Date date) {
  date.weekday = (date.weekday + 1) % 7;
  if (++date.day <= month_length(date.year, date.month)) return date;
  date.day = 1;
  if (++date.month <= 12) return date;
  date.month = 1;
  ++date.year;
  return date;
}

inline std::vector<std::string> pieces(const std::string& text, char separator) {
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

inline int number_of(const std::string& text) {
  static const std::string kNames = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
  static const std::string kDays = "MONTUEWEDTHUFRISATSUN";
  if (std::isdigit(static_cast<unsigned char>(text[0])) != 0) return std::stoi(text);
  const std::size_t month = kNames.find(text);
  return static_cast<int>((month != std::string::npos ? month : kDays.find(text)) / 3) + 1;
}

// Counts from the item's first value round the field, and looks at every step-th.
inline bool item_has(const std::string& item, int value, int low, int high, bool weekday) {
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

inline bool field_has(const std::string& field, int value, int low, int high) {
  const std::vector<std::string> items = pieces(field, ',');
  return std::any_of(items.begin(), items.end(), [&](const std::string& item) {
    return item_has(item, value, low, high, false);
  });
}

// The day of month that "15W" means, found by looking outwards from the 15th; 0 when the month has
// no such day.
inline int working_day(int wanted, const Date& date) {
  const int length = month_length(date.year, date.month);
  if (wanted > length) return 0;
  for (const int away : {0, -1, 1, -2, 2}) {
    const int day = wanted + away;
    const int weekday = ((date.weekday + day - date.day) % 7 + 7) % 7;
    if (day >= 1 && day <= length && weekday != 0 && weekday != 6) return day;
  }
  return 0;
}

inline bool day_item_has(const std::string& item, const Date& date) {
  const int length = month_length(date.year, date.month);
  if (item[0] == 'L') {
    return date.day == length - (item.size() > 2 ? std::stoi(item.substr(2)) : 0);
  }
  if (item.back() == 'W') return date.day == working_day(std::stoi(item), date);
  return item_has(item, date.day, 1, 31, false);
}

inline bool weekday_item_has(const std::string& item, const Date& date) {
  if (item == "L") return date.weekday == 0;
  const std::vector<std::string> parts = pieces(item, '#');
  if (parts.size() == 1) return item_has(item, date.weekday, 0, 7, true);
  return date.weekday == number_of(parts[0]) % 7 && (date.day + 6) / 7 == std::stoi(parts[1]);
}

// Which values from `low` to `high` a field has, by value.
inline std::vector<bool> field_table(const std::string& field, int low, int high) {
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

  // Never due.
  bool refuses() const {
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
    std::string step = "/" + std::to_string(between(1, below(2) == 0 ? 3 : high - low));
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

}  // namespace docket::cron_oracle
