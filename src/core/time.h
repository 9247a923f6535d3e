#pragma once

// Instants and their text forms. All instants are UTC wall time in microseconds; nothing here reads
// a clock.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace docket {

using Duration = std::chrono::microseconds;
using Time = std::chrono::sys_time<Duration>;

// "Not yet": finished_at of a running task and the like. Stored as 0.
inline constexpr Time kNever{};

// The earlier of two instants, kNever being no instant at all.
inline Time earlier(Time a, Time b) {
  if (a == kNever) return b;
  return b == kNever ? a : std::min(a, b);
}

inline std::int64_t to_micros(Time time) { return time.time_since_epoch().count(); }
inline Time from_micros(std::int64_t micros) { return Time{Duration{micros}}; }

// 2019-04-11T00:20:00.000+0000: Metronome's form (milliseconds, always UTC, zone without colon).
std::string format_metronome(Time time);
// 2019-04-11T00:20:00.000000Z: RFC 3339 in microseconds, the native API's form.
std::string format_rfc3339(Time time);
// 2019-04-11T00:20:00Z: whole seconds, those of the time before the fraction.
std::string format_seconds(Time time);
// Any form above, any fraction length, zone Z, +hh:mm or +hhmm.
Result<Time> parse_time(std::string_view text);

}  // namespace docket
