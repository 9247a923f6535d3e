#pragma once

// Draws of the simulator. Every part of a world has dice of its own, so that a change in one part
// leaves the others' draws as they were.

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/time.h"
#include "support/fakes.h"

namespace docket::sim {

class Dice : public testing::SeededRandom {
 public:
  using SeededRandom::SeededRandom;

  Dice fork() { return Dice(next()); }
  bool percent(std::uint64_t chance) { return below(100) < chance; }
  std::int64_t between(std::int64_t low, std::int64_t high) {  // both included
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  Duration between(Duration low, Duration high) {
    return Duration{between(low.count(), high.count())};
  }
  // Spread evenly over the orders of magnitude: many short ones, a few long ones.
  Duration spread(Duration low, Duration high) {
    const double part = static_cast<double>(next() >> 11) * 0x1p-53;
    const double ratio = static_cast<double>(high.count()) / static_cast<double>(low.count());
    return Duration{std::llround(static_cast<double>(low.count()) * std::pow(ratio, part))};
  }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }
};

}  // namespace docket::sim
