#include "core/cron_fields.h"

#include <bit>

namespace docket {
namespace {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::minutes;
using std::chrono::year_month;

constexpr unsigned kDaysOfWeek = 7;

// The shape of one month, all that day rules need to know.
struct Month {
  unsigned length;         // 28 to 31
  unsigned first_weekday;  // of the 1st; 0 is Sunday

  explicit Month(year_month month)
      : length(static_cast<unsigned>((month / std::chrono::last).day())),
        first_weekday(std::chrono::weekday{local_days{month / 1}}.c_encoding()) {}

  std::uint32_t all() const { return ~std::uint32_t{0} >> (32 - length); }
  unsigned weekday_of(unsigned day) const { return (first_weekday + day - 1) % kDaysOfWeek; }
};

std::uint32_t bit_of_day(unsigned day) { return std::uint32_t{1} << (day - 1); }

// The working day closest to `day` within the month: Saturday moves to Friday, Sunday to Monday,
// and at the ends of the month to the other side.
unsigned nearest_weekday(const Month& month, unsigned day) {
  const unsigned weekday = month.weekday_of(day);
  if (weekday == 6) return day == 1 ? 3 : day - 1;
  if (weekday == 0) return day == month.length ? day - 2 : day + 1;
  return day;
}

std::uint32_t last_days(const Month& month, std::uint32_t distances) {
  std::uint32_t due = 0;
  for (; distances != 0; distances &= distances - 1) {
    const auto distance = static_cast<unsigned>(std::countr_zero(distances));
    if (distance < month.length) due |= bit_of_day(month.length - distance);
  }
  return due;
}

std::uint32_t working_days(const Month& month, std::uint32_t wanted) {
  std::uint32_t due = 0;
  for (wanted &= month.all(); wanted != 0; wanted &= wanted - 1) {
    due |= bit_of_day(nearest_weekday(month, static_cast<unsigned>(std::countr_zero(wanted)) + 1));
  }
  return due;
}

// Turns a mask by weekday into a mask by day for the first seven days of the month.
std::uint32_t first_week(const Month& month, std::uint8_t weekdays) {
  const std::uint32_t twice = weekdays | (std::uint32_t{weekdays} << kDaysOfWeek);
  return (twice >> month.first_weekday) & 0x7F;
}

std::uint32_t days_by_weekday(const CronFields& fields, const Month& month) {
  const std::uint32_t every_week = first_week(month, fields.weekdays);
  std::uint32_t due = 0;
  for (unsigned week = 0; week < fields.nth.size(); ++week) {
    due |= (every_week | first_week(month, fields.nth[week])) << (week * kDaysOfWeek);
  }
  return due;
}

// The first due time of day from `start` on.
std::optional<minutes> due_time_of_day(const CronFields& fields, minutes start) {
  const auto hour = static_cast<unsigned>(start.count() / 60);
  const auto minute = static_cast<unsigned>(start.count() % 60);
  if ((fields.hours >> hour & 1) != 0 && fields.minutes >> minute != 0) {
    return start + minutes{std::countr_zero(fields.minutes >> minute)};
  }
  const std::uint32_t later = fields.hours >> hour >> 1;
  if (later == 0) return std::nullopt;
  const auto next_hour = static_cast<int>(hour) + 1 + std::countr_zero(later);
  return std::chrono::hours{next_hour} + minutes{std::countr_zero(fields.minutes)};
}

std::optional<local_days> first_due_day(const CronFields& fields, local_days from,
                                        LocalMinute limit) {
  const std::chrono::year_month_day start{from};
  std::uint32_t not_before = ~std::uint32_t{0} << (static_cast<unsigned>(start.day()) - 1);
  year_month month = start.year() / start.month();
  while (local_days{month / 1} < limit) {
    if (!fields.has_year(month.year())) {
      month = (month.year() + std::chrono::years{1}) / std::chrono::January;
      not_before = ~std::uint32_t{0};
      continue;
    }
    if (const std::uint32_t due = fields.due_days(month) & not_before) {
      return local_days{month / 1} + days{std::countr_zero(due)};
    }
    month += std::chrono::months{1};
    not_before = ~std::uint32_t{0};
  }
  return std::nullopt;
}

}  // namespace

bool CronFields::has_year(std::chrono::year year) const {
  if (years.none()) return true;
  const int number = static_cast<int>(year);
  return number >= kFirstYear && number <= kLastYear &&
         years.test(static_cast<std::size_t>(number - kFirstYear));
}

std::uint32_t CronFields::due_days(year_month month) const {
  const unsigned number = static_cast<unsigned>(month.month());
  if ((months >> (number - 1) & 1) == 0) return 0;
  const Month shape(month);
  std::uint32_t due = days;
  if (days_from_last != 0) due |= last_days(shape, days_from_last);
  if (nearest_weekdays != 0) due |= working_days(shape, nearest_weekdays);
  return due & days_by_weekday(*this, shape) & shape.all();
}

std::optional<LocalMinute> CronFields::first_due(LocalMinute from, LocalMinute limit) const {
  const auto day = first_due_day(*this, std::chrono::floor<std::chrono::days>(from), limit);
  if (!day) return std::nullopt;
  const auto time = due_time_of_day(*this, *day < from ? from - *day : std::chrono::minutes{0});
  if (!time) {  // only when the day is today and its last due time has passed
    return first_due(*day + std::chrono::days{1}, limit);
  }
  const LocalMinute due = *day + *time;
  return due < limit ? std::optional(due) : std::nullopt;
}

}  // namespace docket
