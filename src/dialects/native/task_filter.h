#pragma once

// Lists of tasks: the query parameters that runs and tasks share, and the page they give.

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
  engine::TaskQuery query;                // what the store can select
  std::optional<model::Trigger> trigger;  // what it cannot
  std::optional<std::string> kind;        // model::kind_name()
  std::optional<std::string> module;
  std::string group;                // of job ids: see JobFilter
  std::vector<std::string> labels;  // to be turned into `jobs`, like
  std::optional<std::set<std::string>> jobs;
  std::string schedule_id;  // to be turned into query.schedule by whoever has the engine
};

// job, name, state, scheduleUid, trigger, createdFrom, createdUntil, order, after, limit.
TaskFilter read_task_filter(Query& query);

Result<std::string> read_task_page(engine::Reader& reader, const TaskFilter& filter);

}  // namespace docket::native
