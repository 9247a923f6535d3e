#include "cli/client/times.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

#include "core/zone.h"

namespace docket::cli {
namespace {

Zone zone_of(const CliEnvironment& env) {
  return env.utc ? Zone() : Zone::find(env.timezone).value_or(Zone());
}

struct Unit {
  char letter;
  std::chrono::seconds length;
};
constexpr std::array<Unit, 5> kUnits{{{'s', std::chrono::seconds{1}},
                                      {'m', std::chrono::minutes{1}},
                                      {'h', std::chrono::hours{1}},
                                      {'d', std::chrono::hours{24}},
                                      {'w', std::chrono::hours{24 * 7}}}};
constexpr std::int64_t kLongest = 1'000'000;  // for any unit, so that no product overflows

std::optional<Duration> read_length(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end + 1 != text.data() + text.size()) return std::nullopt;
  if (count < 0 || count > kLongest) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (unit.letter == *end) return count * unit.length;
  }
  return std::nullopt;
}

// A time of day may end after the minutes, or be missing.
std::optional<LocalTime> read_local(std::string text) {
  constexpr std::string_view kMidnight = "0000-00-00T00:00:00";
  if (text.size() > 10 && text[10] == ' ') text[10] = 'T';
  if (text.size() != 10 && text.size() != 16 && text.size() != kMidnight.size()) {
    return std::nullopt;
  }
  text += kMidnight.substr(text.size());
  const auto time = parse_time(text + "Z");
  if (!time) return std::nullopt;
  return LocalTime{time->time_since_epoch()};
}

// A gap's local times continue those before it, so the offset before it leads past the jump.
Time instant_of(const Zone& zone, LocalTime local) {
  const Resolved resolved = zone.resolve(local);
  if (resolved.count > 0) return resolved.instants.front();
  const Time utc{local.time_since_epoch()};
  const auto before = zone.span_at(utc - std::chrono::hours{26}).offset;
  return zone.span_at(utc - before).begin;
}

}  // namespace

std::string shown_time(const CliEnvironment& env, const std::string& text) {
  const auto time = parse_time(text);
  if (!time) return text;
  const auto local = zone_of(env).to_local(*time);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(
      std::chrono::sys_time<Duration>{local.time_since_epoch()});
  return fmt::format("{:%Y-%m-%d %H:%M:%S}{}", seconds, env.utc ? "Z" : "");
}

std::string shown_span(const CliEnvironment& env, const std::string& from, const std::string& to) {
  const auto begin = parse_time(from);
  if (!begin) return {};
  const Duration length = std::max(parse_time(to).value_or(env.now) - *begin, Duration{0});
  const auto seconds = std::chrono::floor<std::chrono::seconds>(length).count();
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m {}s", seconds / 60, seconds % 60);
  if (seconds < 86400) return fmt::format("{}h {}m", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{}d {}h", seconds / 86400, seconds / 3600 % 24);
}

std::string table_time(const CliEnvironment& env, const std::string& text) {
  return env.is_tty ? shown_time(env, text) : text;
}

Result<std::string> read_time(const CliEnvironment& env, const std::string& flag,
                              const std::string& text) {
  if (const auto length = read_length(text)) return format_rfc3339(env.now - *length);
  if (const auto instant = parse_time(text)) return format_rfc3339(*instant);
  if (const auto local = read_local(text)) return format_rfc3339(instant_of(zone_of(env), *local));
  return fail(ErrorKind::kInvalid, flag + ": \"" + text +
                                       "\" is not a time like 24h, 2026-03-07 or "
                                       "2026-03-07T21:46:34Z");
}

}  // namespace docket::cli
