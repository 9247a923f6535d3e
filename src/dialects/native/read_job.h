#pragma once

// Reads request bodies as definitions. Every complaint is in the error (kInvalid), and nothing has
// changed.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "engine/kinds.h"
#include "model/job.h"
#include "model/schedule.h"
#include "model/task.h"

namespace docket::native {

struct JobBody {
  model::JobDefinition definition;
  std::optional<std::vector<model::ScheduleDefinition>> schedules;  // absent: not in the body
};

// `path_id` is the id in the path of a PUT; the body may leave it out, and must not contradict it.
// Members that this door writes but does not read (version, totals, ...) are ignored, so that a
// body from GET can be PUT back.
Result<JobBody> read_job(std::string_view text, const std::optional<std::string>& path_id,
                         const engine::Kinds& kinds);
Result<model::ScheduleDefinition> read_schedule(std::string_view text,
                                                const std::optional<std::string>& path_id);
// An empty body is an empty object: no parameters. Null when there are none.
Result<std::shared_ptr<const model::RunParameters>> read_run_parameters(std::string_view text);
// {"value": "..."}
Result<std::string> read_secret(std::string_view text);

}  // namespace docket::native
