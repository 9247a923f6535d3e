#pragma once

// A task as clients name it: its number, or its UUID, which docket makes of the number or its
// reporter has chosen.

#include <optional>
#include <string>
#include <string_view>

#include "core/ids.h"
#include "core/result.h"
#include "engine/engine.h"
#include "engine/store.h"

namespace docket::native {

struct TaskRef {
  TaskId id;         // none: it has the UUID that its reporter chose
  std::string uuid;  // lower case
};
std::optional<TaskRef> parse_task_ref(std::string_view text);

// Of what is live; none: it has ended, or never was.
std::optional<TaskId> find_live(const engine::Engine& engine, const TaskRef& ref);
// Of all history. kNotFound: `text` is what the client wrote.
Result<TaskId> find_any(engine::Reader& reader, std::string_view text);

}  // namespace docket::native
