#pragma once

// Watches the wall clock with the help of the time that has passed since the machine started, which
// nobody can set. Three hands go on with what has passed:
//
//   trusted   what retention and lists that forget count by. Never ahead of the wall clock; goes
//             back with it, but not forward, until what the clock was set by has been seen to hold
//             for a day, or an operator has said that it is right.
//   pending   what has been seen to hold since some instant less than a day ago: becomes trusted.
//   wall      what the clock shows.
//
// So what an hour in the wrong century makes old is not old. The clock is *held* while trusted is
// more than an hour behind the wall clock. The time between two starts of the machine was not seen
// to pass: after a longer one the clock is held as well.

#include <optional>

#include "core/clock.h"
#include "model/clock.h"

namespace docket::engine {

class ClockWatch {
 public:
  // Of an earlier life of the server; before the first reading.
  void restore(const model::ClockRecord& record);

  // By how much the clock was set since the last reading, whether that is of this life or of an
  // earlier one: zero when it was not, or when the machine was started in between and nobody knows.
  Duration read(const ClockReading& reading);
  // An operator says that the clock is right.
  void accept();

  bool has_read() const { return has_read_; }
  const ClockReading& last() const { return hands_.read; }
  Time trusted() const { return hands_.trusted; }
  Duration ahead() const { return hands_.read.wall - hands_.trusted; }
  bool held() const { return ahead() > kAheadMax; }
  const model::ClockRecord& record() const { return hands_; }  // its steps are the engine's

  static constexpr Duration kAheadMax = std::chrono::hours{1};
  static constexpr Duration kAgreement = std::chrono::hours{24};
  // Less than this is the difference of two clocks that are not read at the same instant.
  static constexpr Duration kStepMin = std::chrono::milliseconds{5};

 private:
  void settle();

  bool has_read_ = false;
  model::ClockRecord hands_;
};

}  // namespace docket::engine
