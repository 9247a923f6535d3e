#pragma once

// docket's tasks as this API shows them (scylla-tasks.md section 2). Runs are tasks of the module
// "process", attempts their children: the keyspace is the kind of the job, the table its id, the
// entity the name of the run. Pure; any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_writer.h"
#include "engine/store.h"

namespace docket::scylla {

struct TaskView {
  // The parent's uuid is passed in, because its reporter may have chosen one and only the parent's
  // row has it. Empty: no parent. The view must not outlive the row.
  TaskView(const engine::TaskRow& row, std::string_view parent_uuid);

  std::string uuid;
  std::string_view type, scope, keyspace, table, entity, units;  // into the row, or static
  std::string_view kind = "node";
  std::string_view state;
  std::string error;
  std::string_view parent;  // uuid or "none"
  std::uint64_t sequence = 0;
  std::uint32_t shard = 0;
  bool abortable = false;
  Time started_at = kNever;
  Time finished_at = kNever;
};

// As an element of list_module_tasks.
void write_stats(JsonWriter& json, const TaskView& view);

// task_status up to children_ids; leaves the object open.
void begin_status(JsonWriter& json, const TaskView& view, const model::Progress& progress);

void write_identity(JsonWriter& json, std::string_view uuid, std::string_view node);

}  // namespace docket::scylla
