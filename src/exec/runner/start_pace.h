#pragma once

// When to start a runner again that has ended: after a pause that doubles, less the time that it
// served, so that one that dies at once is no busy loop, and one that died once is soon back.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/time.h"

namespace docket::runner {

class StartPace {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  StartPace(Duration first, Duration last) : first_(first), last_(last) {}

  // A runner was started, or could not be.
  void begins() { is_there_ = true; }
  // A runner serves, whoever started it.
  void serves(Instant now) {
    is_there_ = true;
    since_ = now;
  }
  // There is no runner. True the first time after there was one.
  bool ends(Instant now) {
    if (!std::exchange(is_there_, false)) return false;
    const auto since = std::exchange(since_, std::nullopt);
    served_ = since ? std::chrono::duration_cast<Duration>(now - *since) : Duration::zero();
    pause_ = std::clamp(pause_ * 2 - std::min(served_, last_ * 2), first_, last_);
    in_a_row_ = pause_ == first_ ? 1 : in_a_row_ + 1;
    next_ = now + pause_;
    return true;
  }

  Instant next() const { return next_; }  // at once, before the first
  Duration pause() const { return pause_; }
  Duration served() const { return served_; }
  std::uint64_t in_a_row() const { return in_a_row_; }  // that ended too soon

 private:
  Duration first_;
  Duration last_;
  bool is_there_ = false;
  std::optional<Instant> since_;  // it has served
  Instant next_;                  // the epoch: at once
  Duration pause_{};
  Duration served_{};
  std::uint64_t in_a_row_ = 0;
};

}  // namespace docket::runner
