// core/time, core/zone and core/utf8: small readers that everything above uses.

#include <algorithm>

#include "core/time.h"
#include "core/utf8.h"
#include "core/zone.h"
#include "fuzz/fuzz.h"

namespace docket::fuzz {
namespace {

void check_time(std::string_view text) {
  const auto time = parse_time(text);
  if (!time) return;
  if (*time < Zone::kEarliest || *time >= Zone::kLatest) return;  // year 0 or 10000 in its zone
  require(parse_time(format_rfc3339(*time)) == time, "RFC 3339 loses nothing",
          format_rfc3339(*time));
  const auto coarse = parse_time(format_metronome(*time));
  require(coarse && std::chrono::floor<std::chrono::milliseconds>(*time) == *coarse,
          "Metronome's form loses less than a millisecond", format_metronome(*time));
}

void check_zone(std::string_view id, Time time) {
  const auto zone = Zone::find(id);
  if (!zone) return;
  require(Zone::find(zone->name()) == zone, "a zone is found by its name", zone->name());
  const Time at = std::clamp(time, Zone::kEarliest, Zone::kLatest - Duration{1});
  const Zone::Span span = zone->span_at(at);
  require(span.begin <= at && at < span.end, "an instant is in its span");
  require(span.offset <= std::chrono::hours{26} && span.offset >= -std::chrono::hours{26},
          "no zone is more than a day away");
  const Resolved resolved = zone->resolve(zone->to_local(at));
  const auto end = resolved.instants.begin() + static_cast<std::ptrdiff_t>(resolved.count);
  require(std::find(resolved.instants.begin(), end, at) != end,
          "local time stands for the instant it was made of", zone->name());
}

void check_utf8(std::string_view bytes) {
  const std::string text = to_utf8(bytes);
  require(is_utf8(text), "to_utf8 makes UTF-8");
  require(is_utf8(bytes) == (text == bytes), "UTF-8 stays as it is");
}

void run(std::string_view bytes) {
  Input input(bytes);
  const Time time = from_micros(input.number());
  check_time(input.rest());
  check_zone(input.rest(), time);
  check_utf8(bytes);
}

const Target kTarget("time", run);

}  // namespace
}  // namespace docket::fuzz
