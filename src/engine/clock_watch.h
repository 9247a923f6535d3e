#pragma once

// Judges the wall clock by the time since the machine started, which nobody can set. It keeps
// three clocks, or hands. All three advance by the time that has passed:
//
//   trusted   what retention and lists that forget count by. Never ahead of the wall clock. It goes
//             back with the wall clock, but goes forward only once what the clock was set by has
//             held for a day, or an operator has said that the clock is right.
//   pending   what has held since some instant less than a day ago: becomes trusted.
//   wall      what the clock shows.
//
// So an hour in the wrong century makes nothing old. The clock is *held* while trusted is more
// than an hour behind the wall clock. The time between two starts of the machine was not seen to
// pass: if it is longer than that, the clock is held as well.

#include <optional>

#include "core/clock.h"
#include "model/clock.h"

namespace docket::engine {

class ClockWatch {
 public:
  // The record of an earlier life of the server. Call it before the first reading.
  void restore(const model::ClockRecord& record);

  // Returns by how much the clock was set since the last reading, in this life of the server or an
  // earlier one: zero when it was not, or when the machine was started in between, which hides it.
  Duration read(const ClockReading& reading);
  // An operator says that the clock is right.
  void accept();

  bool has_read() const { return has_read_; }
  const ClockReading& last() const { return record_.read; }
  Time trusted() const { return record_.trusted; }
  Duration ahead() const { return record_.read.wall - record_.trusted; }
  bool held() const { return ahead() > kAheadMax; }
  const model::ClockRecord& record() const { return record_; }  // its steps are the engine's

  static constexpr Duration kAheadMax = std::chrono::hours{1};
  static constexpr Duration kAgreement = std::chrono::hours{24};
  // A smaller step is only the difference of two clocks that are not read at the same instant.
  static constexpr Duration kStepMin = std::chrono::milliseconds{5};

 private:
  void settle();

  bool has_read_ = false;
  model::ClockRecord record_;
};

}  // namespace docket::engine
