#include "core/zone.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <optional>

#include "core/json_writer.h"

namespace docket {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year;

constexpr seconds kLargestFixedOffset = std::chrono::hours{18};

Time clamp(Time time) { return std::clamp(time, Zone::kEarliest, Zone::kLatest); }
Time clamp(date::sys_seconds time) {
  const auto count =
      std::clamp(seconds{time.time_since_epoch()},
                 std::chrono::duration_cast<seconds>(Zone::kEarliest.time_since_epoch()),
                 std::chrono::duration_cast<seconds>(Zone::kLatest.time_since_epoch()));
  return Time{count};
}

Zone::Span recorded_span(const date::time_zone& rules, Time time) {
  const auto info = rules.get_info(std::chrono::floor<seconds>(time));
  return {clamp(info.begin), clamp(info.end), info.offset};
}

// Zone files list their changes up to 2037 only, and the date library does not read the rule after
// the list. So later years borrow the changes of an earlier one. Years are counted from 1 March:
// then those with the same weekday on that day have the same calendar, and any eleven years in a
// row hold all seven of them.
constexpr year kLastListedYear{2037};

sys_days first_of_march(year y) { return sys_days{y / std::chrono::March / 1}; }

year march_year_of(Time time) {
  const std::chrono::year_month_day date{std::chrono::floor<days>(time)};
  return date.month() < std::chrono::March ? date.year() - std::chrono::years{1} : date.year();
}

year listed_year_like(year y) {
  const std::chrono::weekday start{first_of_march(y)};
  year like = kLastListedYear - std::chrono::years{1};
  while (std::chrono::weekday{first_of_march(like)} != start) --like;
  return like;
}

// A list that ends later is complete: Morocco's fasting months are listed to 2087 and follow no
// calendar that could be repeated.
bool list_was_cut(const Zone::Span& last) {
  return last.end == Zone::kLatest &&
         last.begin >= sys_days{kLastListedYear / std::chrono::January / 1} &&
         last.begin <
             sys_days{(kLastListedYear + std::chrono::years{1}) / std::chrono::January / 1};
}

Zone::Span repeated_span(const date::time_zone& rules, Time time) {
  const year y = march_year_of(time);
  const days shift = first_of_march(y) - first_of_march(listed_year_like(y));
  const Zone::Span like = recorded_span(rules, time - shift);
  const Time year_end = std::min(Time{first_of_march(y + std::chrono::years{1})}, Zone::kLatest);
  return {std::max(like.begin + shift, Time{first_of_march(y)}),
          std::min(like.end + shift, year_end), like.offset};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Two digits at the front, at most 59.
std::optional<int> two_digits(std::string_view& text) {
  if (text.size() < 2 || !is_digit(text[0]) || !is_digit(text[1])) return std::nullopt;
  const int value = (text[0] - '0') * 10 + (text[1] - '0');
  text.remove_prefix(2);
  return value <= 59 ? std::optional(value) : std::nullopt;
}

// h, hh, hh:mm, hhmm, hh:mm:ss or hhmmss.
std::optional<seconds> read_unsigned_offset(std::string_view text) {
  if (text.size() == 1 && is_digit(text[0])) return std::chrono::hours{text[0] - '0'};
  std::array<int, 3> parts{};
  const bool colons = text.size() > 2 && text[2] == ':';
  for (std::size_t i = 0; i < parts.size() && !(i > 0 && text.empty()); ++i) {
    if (i > 0 && colons) {
      if (text[0] != ':') return std::nullopt;
      text.remove_prefix(1);
    }
    const auto part = two_digits(text);
    if (!part) return std::nullopt;
    parts[i] = *part;
  }
  if (!text.empty()) return std::nullopt;
  return std::chrono::hours{parts[0]} + std::chrono::minutes{parts[1]} + seconds{parts[2]};
}

std::optional<seconds> read_offset(std::string_view text) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto offset = read_unsigned_offset(text.substr(1));
  if (!offset || *offset > kLargestFixedOffset) return std::nullopt;
  return text[0] == '-' ? -*offset : *offset;
}

// The zone directory also holds other files and second copies (posix/, right/, localtime); no IANA
// zone id starts with a lower-case letter.
bool looks_like_region(std::string_view id) {
  return !id.empty() && id[0] >= 'A' && id[0] <= 'Z' && id != "Factory" &&
         id.find("..") == std::string_view::npos;
}

const date::time_zone* find_rules(std::string_view id) {
  if (!looks_like_region(id)) return nullptr;
  try {
    const date::time_zone* rules = date::locate_zone(id);
    static_cast<void>(rules->get_info(date::sys_seconds{}));  // reads the file
    return rules;
  } catch (const std::exception&) {
    return nullptr;
  }
}

tl::unexpected<Error> no_zone(std::string_view id) {
  std::string message = "No time zone found with this id: ";
  append_json_string(message, id);
  return fail(ErrorKind::kInvalid, std::move(message));
}

}  // namespace

Result<Zone> Zone::find(std::string_view id) {
  if (auto fixed = find_fixed(id)) return fixed;
  Zone zone;
  zone.rules_ = find_rules(id);
  if (zone.rules_ == nullptr) return no_zone(id);
  return zone;
}

Result<Zone> Zone::find_fixed(std::string_view id) {
  Zone zone;
  if (id == "Z") id = "+0";
  for (const std::string_view prefix : {"UTC", "GMT", "UT", ""}) {
    if (!id.starts_with(prefix)) continue;
    const std::string_view rest = id.substr(prefix.size());
    const auto offset = rest.empty() && !prefix.empty() ? seconds{0} : read_offset(rest);
    if (!offset) break;
    zone.prefix_ = prefix;
    zone.offset_ = *offset;
    return zone;
  }
  return no_zone(id);
}

std::string Zone::name() const {
  if (rules_ != nullptr) return rules_->name();
  if (offset_ == seconds{0}) return std::string(prefix_.empty() ? "Z" : prefix_);
  const std::chrono::hh_mm_ss<seconds> clock{offset_};
  std::string name = fmt::format("{}{}{:02}:{:02}", prefix_, clock.is_negative() ? '-' : '+',
                                 clock.hours().count(), clock.minutes().count());
  if (clock.seconds() != seconds{0}) name += fmt::format(":{:02}", clock.seconds().count());
  return name;
}

Zone::Span Zone::span_at(Time time) const {
  if (rules_ == nullptr) return {kEarliest, kLatest, offset_};
  time = clamp(time);
  Span span = recorded_span(*rules_, time);
  if (!list_was_cut(span)) return span;
  const Time cut = first_of_march(kLastListedYear + std::chrono::years{1});
  if (time >= cut) return repeated_span(*rules_, time);
  span.end = cut;
  return span;
}

LocalTime Zone::to_local(Time time) const {
  return LocalTime{time.time_since_epoch() + span_at(time).offset};
}

Resolved Zone::resolve(LocalTime local) const {
  Resolved resolved;
  const Time as_utc{local.time_since_epoch()};
  // No zone is a whole day from UTC, so only spans that touch these two days can hold the instant.
  // (Samoa moved its offset by a whole day, from -10 to +14; both are still less than a day from
  // UTC.)
  const Time last = as_utc + days{1};
  for (Span span = span_at(as_utc - days{1});; span = span_at(span.end)) {
    const Time instant = as_utc - span.offset;
    if (instant >= span.begin && instant < span.end && resolved.count < 2) {
      resolved.instants[resolved.count++] = instant;
    }
    if (span.end > last || span.end >= kLatest) return resolved;
  }
}

Fold Zone::fold(Time time) const {
  const Resolved resolved = resolve(to_local(time));
  if (resolved.count < 2) return Fold::kNone;
  return resolved.instants[0] == time ? Fold::kFirst : Fold::kSecond;
}

}  // namespace docket
