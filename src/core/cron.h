#pragma once

// Cron schedules in the dialect of DC/OS Jobs (metronome.md section 5): minute hour day-of-month
// month day-of-week [year]. A schedule is due at exactly the instants whose local time matches, at
// second 0. From this one rule follows all of daylight saving: a time in the spring gap is skipped
// that day, a time in the autumn fold is due twice, and hourly patterns follow elapsed time.
//
//   auto cron = Cron::parse("30 2 * * MON-FRI");       // cron->text() == "30 2 * * 1-5"
//   auto due = cron->next(now, *Zone::find("Europe/Rome"));
//
// A value of about 130 bytes without pointers of its own (texts longer than 15 characters take one
// allocation more).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cron_fields.h"
#include "core/result.h"
#include "core/time.h"
#include "core/zone.h"

namespace docket {

// A local time that matched but never happened, and the instant at which the clocks jumped over it.
struct SkippedTime {
  LocalTime local;
  Time at;
  bool operator==(const SkippedTime&) const = default;
};

class Cron {
 public:
  // Without a year field the search for the next due time ends this far ahead. 29 February on a
  // given weekday can be 40 years off (across 2100, which is no leap year). With a year field it
  // ends with the last year named, 2099 at most. A search visits each month and each change of
  // offset on the way once, so it takes microseconds at worst.
  static constexpr std::chrono::years kSearchYears{41};
  static constexpr std::size_t kMaxSkipped = 1000;

  // Due once after each start of the machine, and at no instant.
  static constexpr const char* kReboot = "@reboot";

  // Five fields, six, or kReboot. kInvalid: the message names the field at fault and why, as in
  // `hour: "25" is none of ...`.
  static Result<Cron> parse(std::string_view expression);

  // The normal form; parsing it gives an equal schedule.
  const std::string& text() const { return text_; }

  bool is_reboot() const { return text_ == kReboot; }

  // The first due instant strictly after `after`; none when the years of the schedule are over, or
  // is_reboot().
  std::optional<Time> next(Time after, const Zone& zone) const;

  // Due times in (from, to], counted up to `limit`.
  std::uint64_t count(Time from, Time to, const Zone& zone, std::uint64_t limit) const;

  // Matching local times that the zone skipped in (from, to], oldest first, at most kMaxSkipped.
  // Zone::fold tells whether a due instant is the first or the second of a fold.
  std::vector<SkippedTime> gaps(Time from, Time to, const Zone& zone) const;

  bool operator==(const Cron&) const = default;

 private:
  Cron(const CronFields& fields, std::string text) : fields_(fields), text_(std::move(text)) {}
  Time search_end(Time after) const;

  CronFields fields_;
  std::string text_;
};

}  // namespace docket
