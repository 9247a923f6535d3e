// The search goes span by span (a span has one offset from UTC). Within a span local time is
// continuous, so the calendar of CronFields answers. Local times between two spans are skipped,
// and local times in both are found in both. Tested by cron_test.cc and cron_oracle_test.cc.

#include "core/cron.h"

#include <algorithm>
#include <utility>

#include "core/cron_parse.h"

namespace docket {
namespace {

using std::chrono::minutes;

LocalMinute local_ceil(Time time, std::chrono::seconds offset) {
  return std::chrono::ceil<minutes>(LocalTime{time.time_since_epoch() + offset});
}

Time to_instant(LocalMinute local, std::chrono::seconds offset) {
  return Time{local.time_since_epoch() - offset};
}

// A year's first instant in any zone, give or take: callers only need an end that is not too early.
Time new_year(std::chrono::year year) {
  return std::chrono::sys_days{year / std::chrono::January / 2};
}

}  // namespace

Result<Cron> Cron::parse(std::string_view expression) {
  if (expression == kReboot) return Cron(CronFields{}, kReboot);
  auto parsed = parse_cron(expression);
  if (!parsed) return fail(std::move(parsed.error()));
  return Cron(parsed->fields, std::move(parsed->text));
}

Time Cron::search_end(Time after) const {
  if (fields_.years.none()) return std::min(after + kSearchYears, Zone::kLatest);
  for (int year = CronFields::kLastYear;; --year) {
    if (fields_.has_year(std::chrono::year{year})) return new_year(std::chrono::year{year + 1});
  }
}

std::optional<Time> Cron::next(Time after, const Zone& zone) const {
  if (is_reboot()) return std::nullopt;
  Time from = std::clamp(after, Zone::kEarliest, Zone::kLatest) + Duration{1};
  const Time end = search_end(from);
  while (from < end) {
    const Zone::Span span = zone.span_at(from);
    const Time stop = std::min(span.end, end);
    const auto due =
        fields_.first_due(local_ceil(from, span.offset), local_ceil(stop, span.offset));
    if (due) return to_instant(*due, span.offset);
    from = stop;
  }
  return std::nullopt;
}

std::uint64_t Cron::count(Time from, Time to, const Zone& zone, std::uint64_t limit) const {
  std::uint64_t found = 0;
  for (auto due = next(from, zone); due && *due <= to && found < limit; due = next(*due, zone)) {
    ++found;
  }
  return found;
}

std::vector<SkippedTime> Cron::gaps(Time from, Time to, const Zone& zone) const {
  std::vector<SkippedTime> result;
  if (is_reboot()) return result;
  Zone::Span before = zone.span_at(from);
  while (before.end <= to && before.end < Zone::kLatest) {
    const Zone::Span after = zone.span_at(before.end);
    const LocalMinute resumes = local_ceil(before.end, after.offset);
    auto due = fields_.first_due(local_ceil(before.end, before.offset), resumes);
    for (; due; due = fields_.first_due(*due + minutes{1}, resumes)) {
      if (result.size() == kMaxSkipped) return result;
      result.push_back({*due, before.end});
    }
    before = after;
  }
  return result;
}

}  // namespace docket
