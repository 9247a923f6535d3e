#pragma once

// The body of /v1/metrics (metronome.md section 10), and rates over irregular readings.

#include <array>
#include <cstdint>
#include <string>

#include "core/time.h"

namespace docket::metronome {

// Events per second over the last 1, 5 and 15 minutes, weighted exponentially, from a count read at
// irregular times.
class RateMeter {
 public:
  void read(std::uint64_t count, Time now);
  std::uint64_t count() const { return count_; }
  double rate(std::size_t window) const {
    return rates_[window];
  }  // 0: one minute, 1: five, 2: fifteen

 private:
  std::uint64_t count_ = 0;
  Time read_at_ = kNever;
  std::array<double, 3> rates_{};
};

struct MetricsReading {
  std::uint64_t active_runs = 0;
  std::uint64_t started_runs = 0;
  std::uint64_t failed_runs = 0;
  double uptime_seconds = 0;
  bool counts_responses = false;
};

// `responses`: by class of status, 1xx first; shown if the reading says so.
std::string metrics_body(const MetricsReading& reading, const std::array<RateMeter, 5>& responses);

}  // namespace docket::metronome
