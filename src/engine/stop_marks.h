#pragma once

// Whether a task of a reporter was asked to stop. An abort is stored with the task that it was
// asked of, and holds for everything below. One turn at a time on the archive's threads.

#include <unordered_map>

#include "engine/store.h"

namespace docket::engine {

class StopMarks {
 public:
  // The task itself says so, or one above it does.
  Result<bool> of(Reader& reader, const model::Task& task);

 private:
  std::unordered_map<TaskId, bool> known_;  // of parents that were read
};

}  // namespace docket::engine
