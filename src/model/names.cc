#include <array>

#include "model/event.h"
#include "model/schedule.h"

namespace docket::model {
namespace {
template <class Enum, std::size_t N>
const char* pick(const std::array<const char*, N>& names, Enum value) {
  return names[static_cast<std::size_t>(value)];
}
}  // namespace

const char* name_of(ConcurrencyPolicy policy) {
  constexpr std::array names{"ALLOW", "FORBID", "REPLACE"};
  return pick(names, policy);
}

const char* name_of(MissedPolicy policy) {
  constexpr std::array names{"none", "last", "all"};
  return pick(names, policy);
}

const char* name_of(DueOutcome outcome) {
  constexpr std::array names{"ran", "skipped_forbid", "missed_down", "missed_late",
                             "past_deadline"};
  return pick(names, outcome);
}

const char* name_of(EventType type) {
  constexpr std::array names{"job_created",  "job_updated",  "job_deleted",
                             "run_created",  "run_changed",  "attempt_changed",
                             "task_created", "task_changed", "task_note"};
  return pick(names, type);
}

}  // namespace docket::model
