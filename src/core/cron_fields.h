#pragma once

// A cron expression as bit masks over the calendar, without zones: which days of a month are due,
// and the first due minute of a stretch of local time. Read by cron.cc, filled by cron_parse.cc.

#include <array>
#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace docket {

using LocalMinute = std::chrono::local_time<std::chrono::minutes>;

struct CronFields {
  static constexpr int kFirstYear = 1970;
  static constexpr int kLastYear = 2099;
  static constexpr std::size_t kYears = kLastYear - kFirstYear + 1;

  std::uint64_t minutes = 0;             // bit m: minute m
  std::bitset<kYears> years;             // bit 0: 1970; none set: every year, also beyond the range
  std::uint32_t hours = 0;               // bit h: hour h
  std::uint32_t days = 0;                // bit 0: the 1st
  std::uint32_t days_from_last = 0;      // bit k: L-k, bit 0: L
  std::uint32_t nearest_weekdays = 0;    // bit 0: 1W
  std::uint16_t months = 0;              // bit 0: January
  std::uint8_t weekdays = 0;             // bit 0: Sunday
  std::array<std::uint8_t, 5> nth = {};  // like weekdays, for the first, second, ... of a month

  bool has_year(std::chrono::year year) const;
  // Bit 0: the 1st is due. Day of month AND day of week must match (metronome.md section 5).
  std::uint32_t due_days(std::chrono::year_month month) const;
  // The first due minute in [from, limit). Walks months, so the work is bounded by the length of
  // the stretch.
  std::optional<LocalMinute> first_due(LocalMinute from, LocalMinute limit) const;

  bool operator==(const CronFields&) const = default;
};

}  // namespace docket
