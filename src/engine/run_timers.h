#pragma once

// What runs wait for beside the queue: the next attempt after a failed one, and the end of the time
// that a run may take. One instant of each for a run. Not durable: they are set again when a store
// is loaded. Strand only.

#include <array>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>

#include "core/ids.h"
#include "core/time.h"

namespace docket::engine {

enum class Wake : std::uint8_t { kRetry, kTimeout };

class RunTimers {
 public:
  void set(TaskId run, Wake wake, Time at);  // kNever: none
  void clear(TaskId run);
  // Takes the oldest of this sort that is due.
  std::optional<TaskId> due(Wake wake, Time now);
  Time of(TaskId run, Wake wake) const;  // kNever: none
  Time next(Wake wake) const;            // kNever: nothing to wait for
  void clock_set(Duration by);           // what is left is as long as before

 private:
  using Of = std::set<std::pair<Time, TaskId>>;
  std::array<Of, 2> waiting_;
  std::array<std::unordered_map<TaskId, Time>, 2> at_;
};

}  // namespace docket::engine
