#pragma once

// The progress of everything below a task that is not folded into it: what a live task's own
// progress is made of (scylla-tasks.md section 4, progress). Trees may be very deep, so this does
// not recurse. One call at a time, on the archive's threads.

#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/store.h"

namespace docket::engine {

class ProgressSums {
 public:
  // None: nothing below it counts.
  Result<std::optional<model::Progress>> of(Reader& reader, const model::Task& task);

 private:
  using Sum = std::optional<model::Progress>;
  struct Open {  // a task whose sum is being made
    TaskId id;
    ChildQuery query;
    std::vector<TaskRow> page = {};
    std::size_t at = 0;
    bool page_is_last = false;
    Sum sum = {};
  };
  Result<bool> next_child(Reader& reader, Open& open) const;
  // The sum, if no reading is needed for it.
  std::optional<Sum> known(const model::Task& task) const;

  std::unordered_map<TaskId, Sum> sums_;  // kept for later calls
};

}  // namespace docket::engine
