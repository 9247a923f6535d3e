#pragma once

// The two sources of nondeterminism, as interfaces: the engine and the kinds get both from outside,
// so that the simulator can decide every tick and every draw. Real ones live in app/, fake ones
// beside the tests.

#include <cstdint>

#include "core/time.h"

namespace docket {

// The clocks, read at one instant.
struct ClockReading {
  Time wall;               // may step either way
  Duration elapsed{};      // since the machine started, asleep or not; cannot be set
  std::uint64_t boot = 0;  // which start of the machine that was
  bool operator==(const ClockReading&) const = default;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() = 0;  // wall time
  virtual ClockReading read() = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;  // uniform over 64 bits
};

}  // namespace docket
