#pragma once

// Lists of tasks: the query parameters common to runs and tasks, and the page they select.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"
#include "dialects/native/query.h"
#include "engine/store.h"
#include "model/task.h"

namespace docket::native {

struct TaskFilter {
  engine::TaskQuery query;  // the conditions that the store supports
  // Those that it does not:
  std::optional<model::Trigger> trigger;
  std::optional<std::string> kind;  // model::kind_name()
  std::optional<std::string> module;
  std::string group;  // of job ids: see JobFilter
  // Code that has the engine resolves labels into `jobs`, and schedule_id into query.schedule.
  std::vector<std::string> labels;
  std::optional<std::set<std::string>> jobs;
  std::string schedule_id;
};

// job, name, state, scheduleUid, trigger, createdFrom, createdUntil, order, after, limit.
TaskFilter read_task_filter(Query& query);

Result<std::string> read_task_page(engine::Reader& reader, const TaskFilter& filter);

}  // namespace docket::native
