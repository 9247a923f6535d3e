#pragma once

// How a client names a task: by its number or by its UUID, which docket derives from the number or
// its reporter has chosen.

#include <optional>
#include <string>
#include <string_view>

#include "core/ids.h"
#include "core/result.h"
#include "engine/engine.h"
#include "engine/store.h"

namespace docket::native {

struct TaskRef {
  TaskId id;         // none: named by a UUID that its reporter chose
  std::string uuid;  // lower case
};
std::optional<TaskRef> parse_task_ref(std::string_view text);

// Among live tasks; none: it has ended, or never existed.
std::optional<TaskId> find_live(const engine::Engine& engine, const TaskRef& ref);
// Among all tasks ever. kNotFound names `text`, as the client wrote it.
Result<TaskId> find_in_history(engine::Reader& reader, std::string_view text);

}  // namespace docket::native
