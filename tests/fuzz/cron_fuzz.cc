// core/cron: whatever parses has a normal form, and its due times rise, match, and agree with the
// independent reading of cron_oracle.h.

#include <array>

#include "core/cron.h"
#include "core/cron_oracle.h"
#include "fuzz/fuzz.h"

namespace docket::fuzz {
namespace {

using cron_oracle::Date;
using cron_oracle::Oracle;

const Zone& zone_at(std::size_t at) {
  static const std::array<Zone, 6> kZones{Zone(),
                                          Zone::find("Europe/Rome").value(),
                                          Zone::find("America/New_York").value(),
                                          Zone::find("Australia/Lord_Howe").value(),
                                          Zone::find("Pacific/Apia").value(),
                                          Zone::find("+05:45").value()};
  return kZones.at(at % kZones.size());
}

Date date_of(std::chrono::local_days day) {
  const std::chrono::year_month_day date{day};
  return {int{date.year()}, static_cast<int>(unsigned{date.month()}),
          static_cast<int>(unsigned{date.day()}),
          static_cast<int>(std::chrono::weekday{day}.c_encoding())};
}

bool matches(const Oracle& oracle, LocalTime local) {
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const Date date = date_of(day);
  if (date.year < 1970 || date.year > 2099) return true;  // beyond the oracle's years
  const auto minute = std::chrono::floor<std::chrono::minutes>(local - day).count();
  return oracle.has_date(date) &&
         oracle.has_time(static_cast<int>(minute / 60), static_cast<int>(minute % 60));
}

// In UTC, for some days from `after` on: no due time was skipped.
void check_first(const Oracle& oracle, Time after, std::optional<Time> due) {
  constexpr std::chrono::days kLooked{40};
  const LocalTime first{after.time_since_epoch()};
  auto day = std::chrono::floor<std::chrono::days>(first);
  for (const auto end = day + kLooked; day < end; day += std::chrono::days{1}) {
    const Date date = date_of(day);
    if (date.year < 1970 || date.year > 2099) return;
    if (!oracle.has_date(date)) continue;
    for (int minute = 0; minute < 24 * 60; ++minute) {
      if (!oracle.has_time(minute / 60, minute % 60)) continue;
      const LocalTime local = day + std::chrono::minutes{minute};
      if (local <= first) continue;
      require(due && due->time_since_epoch() == local.time_since_epoch(),
              "the first due time is the first that matches", format_rfc3339(after));
      return;
    }
  }
  require(!due || *due >= Time{day.time_since_epoch()}, "nothing is due that does not match");
}

void check_next(const Cron& cron, const Oracle& oracle, const Zone& zone, Time after) {
  const Time from = std::clamp(after, Zone::kEarliest, Zone::kLatest);
  if (zone == Zone()) check_first(oracle, from, cron.next(from, zone));
  Time at = from;
  for (int i = 0; i < 20; ++i) {
    const auto due = cron.next(at, zone);
    if (!due) return;
    require(*due > at, "due times rise", cron.text());
    require(*due <= at + Cron::kSearchYears || cron.text().find(' ') != std::string::npos,
            "the search ends");
    require(matches(oracle, zone.to_local(*due)), "a due time matches", format_rfc3339(*due));
    require(cron.next(*due - Duration{1}, zone) == due, "next() just before it finds it again");
    at = *due;
  }
  require(cron.count(from, at, zone, 1000) == 20, "count() counts what next() finds");
  Time last = from;
  for (const SkippedTime& gap : cron.gaps(from, at, zone)) {
    require(gap.at > from && gap.at <= at && gap.at >= last, "gaps lie in between, in order");
    require(matches(oracle, gap.local), "what was skipped matches");
    require(zone.resolve(gap.local).count == 0, "what was skipped did not happen");
    last = gap.at;
  }
}

void run(std::string_view bytes) {
  Input input(bytes);
  const Zone& zone = zone_at(input.byte());
  // Minutes from 1970, about 65 years to either side of 2020.
  const std::int64_t minutes = 26'300'000 + (input.number() % 34'000'000);
  const auto cron = Cron::parse(input.rest());
  if (!cron) {
    require(cron.error().kind == ErrorKind::kInvalid, "a bad expression is kInvalid");
    return;
  }
  const auto again = Cron::parse(cron->text());
  require(again && *again == *cron, "the normal form is an equal schedule", cron->text());
  require(again->text() == cron->text(), "the normal form is one", again->text());
  const Time after{std::chrono::minutes{minutes}};
  if (cron->is_reboot()) {
    require(!cron->next(after, zone), "no clock tells when a machine starts");
    return;
  }
  check_next(*cron, Oracle(std::string(input.rest())), zone, after);
}

const Target kTarget("cron", run);

}  // namespace
}  // namespace docket::fuzz
