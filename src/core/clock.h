#pragma once

// The two sources of nondeterminism, as interfaces: the engine and the kinds get both from outside,
// so that the simulator can decide every tick and every draw. Real ones live in app/, fake ones
// beside the tests.

#include <cstdint>

#include "core/time.h"

namespace docket {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() = 0;  // wall time; may step either way
};

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;  // uniform over 64 bits
};

}  // namespace docket
