#pragma once

// Time zones: a cheap value over the system's zone data (the date library reads it once and keeps
// it for the life of the program; finding and using zones is safe from any thread). A zone is best
// seen as a row of spans, each with one offset: between two spans local time either jumps ahead (a
// gap: those local times never happen) or back (a fold: they happen twice).

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/time.h"

namespace date {
class time_zone;
}

namespace docket {

// What a clock on the wall of some zone shows.
using LocalTime = std::chrono::local_time<Duration>;

// The instants that a local time stands for, earliest first: none in a gap, two in a fold.
struct Resolved {
  std::array<Time, 2> instants{};
  std::size_t count = 0;
};

enum class Fold { kNone, kFirst, kSecond };

class Zone {
 public:
  // [begin, end): instants with the same offset from UTC. Neighbours may have the same offset.
  struct Span {
    Time begin;
    Time end;
    std::chrono::seconds offset;
  };

  // Spans reach no further than this; instants outside are treated as the nearest one inside.
  static constexpr Time kEarliest{std::chrono::sys_days{std::chrono::January / 1 / 1}};
  static constexpr Time kLatest{std::chrono::sys_days{std::chrono::January / 1 / 10000}};

  Zone() = default;  // UTC

  // IANA ids, UTC, GMT, and Java's fixed forms: Z, +2, +02:00, GMT+2, UTC-03:30, at most 18 hours
  // either way.
  static Result<Zone> find(std::string_view id);

  // The id; fixed forms come back as Java writes them (GMT+2 is GMT+02:00).
  std::string name() const;

  Span span_at(Time time) const;
  LocalTime to_local(Time time) const;
  Resolved resolve(LocalTime local) const;
  // Whether the local time of this instant happens twice, and which of the two it is.
  Fold fold(Time time) const;

  bool operator==(const Zone&) const = default;

 private:
  static Result<Zone> find_fixed(std::string_view id);

  const date::time_zone* rules_ = nullptr;  // none: a fixed offset
  std::string_view prefix_ = "UTC";         // of a fixed offset; points to a literal
  std::chrono::seconds offset_{0};
};

}  // namespace docket
