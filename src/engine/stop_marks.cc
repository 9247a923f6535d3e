#include "engine/stop_marks.h"

#include <vector>

namespace docket::engine {

// What has ended has its mark, whoever was asked; runs, steps and attempts are asked one by one.
Result<bool> StopMarks::of(Reader& reader, const model::Task& task) {
  if (task.stopping || task.job || model::is_final(task.state)) return task.stopping;
  std::vector<TaskId> path;
  bool stopping = false;
  for (TaskId above = task.parent; above && !stopping;) {
    const auto known = known_.find(above);
    if (known != known_.end()) {
      stopping = known->second;
      break;
    }
    const auto row = reader.task(above);
    if (!row) return fail(row.error());
    path.push_back(above);
    stopping = *row && (*row)->task.stopping;
    above = *row ? (*row)->task.parent : TaskId{};
  }
  for (const TaskId each : path) known_[each] = stopping;
  return stopping;
}

}  // namespace docket::engine
