#pragma once

// The clocks of the runner and of the server that starts it: the runner is a process of its own,
// so it reads them itself. Wall time for reports, monotonic for timers.

#include <time.h>

#include <chrono>
#include <cstdint>

#include "core/time.h"

namespace docket::runner {

inline std::int64_t to_ns(Duration duration) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

inline std::int64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

inline std::chrono::steady_clock::time_point steady_now() {
  return std::chrono::steady_clock::now();
}

inline Time wall_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return from_micros(std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000);
}

}  // namespace docket::runner
