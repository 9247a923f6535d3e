#pragma once

// The numbers that the store uses for enumerations; they are defined only here. A number never
// gets another meaning, and one that is not used any more is never used again. The program may
// change the names and the order of the values.

#include <array>
#include <cstdint>
#include <optional>

#include "model/event.h"
#include "model/schedule.h"
#include "model/task.h"

namespace docket::store {

template <class Enum>
struct Code {
  std::int64_t code;
  Enum value;
};

template <class Enum>
struct CodesOf;

template <>
struct CodesOf<model::State> {
  using enum model::State;
  static constexpr std::array kTable{Code{0, kCreated}, Code{1, kQueued}, Code{2, kRunning},
                                     Code{3, kPaused},  Code{4, kDone},   Code{5, kFailed},
                                     Code{6, kAborted}};
};
template <>
struct CodesOf<model::TaskKind> {
  using enum model::TaskKind;
  static constexpr std::array kTable{Code{0, kRun}, Code{1, kAttempt}, Code{2, kOperation}};
};
template <>
struct CodesOf<model::Trigger> {
  using enum model::Trigger;
  static constexpr std::array kTable{Code{0, kManual}, Code{1, kSchedule}, Code{2, kDependency}};
};
template <>
struct CodesOf<model::EventType> {
  using enum model::EventType;
  static constexpr std::array kTable{
      Code{0, kJobCreated},  Code{1, kJobUpdated},  Code{2, kJobDeleted},
      Code{3, kRunCreated},  Code{4, kRunChanged},  Code{5, kAttemptChanged},
      Code{6, kTaskCreated}, Code{7, kTaskChanged}, Code{8, kTaskNote}};
};
template <>
struct CodesOf<model::ConcurrencyPolicy> {
  using enum model::ConcurrencyPolicy;
  static constexpr std::array kTable{Code{0, kAllow}, Code{1, kForbid}, Code{2, kReplace}};
};
template <>
struct CodesOf<model::MissedPolicy> {
  using enum model::MissedPolicy;
  static constexpr std::array kTable{Code{0, kNone}, Code{1, kLast}, Code{2, kAll}};
};
template <>
struct CodesOf<model::DueOutcome> {
  using enum model::DueOutcome;
  static constexpr std::array kTable{Code{0, kRan}, Code{1, kForbidden}, Code{2, kMissedDown},
                                     Code{3, kMissedLate}, Code{4, kPastDeadline}};
};

template <class Enum>
constexpr std::int64_t code_of(Enum value) {
  for (const auto& each : CodesOf<Enum>::kTable) {
    if (each.value == value) return each.code;
  }
  return -1;  // one that has no code: it is read as damage
}

template <class Enum>
constexpr std::optional<Enum> value_of(std::int64_t code) {
  for (const auto& each : CodesOf<Enum>::kTable) {
    if (each.code == code) return each.value;
  }
  return std::nullopt;
}

// Conditions as statements and indexes write them.
#define DOCKET_IS_OVER "state >= 4"
#define DOCKET_IS_LIVE "state < 4"
#define DOCKET_IS_DONE "state = 4"
#define DOCKET_IS_ATTEMPT "kind = 1"
#define DOCKET_IS_OPERATION "kind = 2"
static_assert(code_of(model::State::kDone) == 4 && code_of(model::TaskKind::kAttempt) == 1 &&
              code_of(model::TaskKind::kOperation) == 2);
static_assert([] {
  for (const auto& each : CodesOf<model::State>::kTable) {
    const bool over = each.value == model::State::kDone || each.value == model::State::kFailed ||
                      each.value == model::State::kAborted;
    if (over != (each.code >= 4)) return false;
  }
  return true;
}());

}  // namespace docket::store
