#pragma once

// The ids by which clients name things. Pure functions.

#include <optional>
#include <string>
#include <string_view>

#include "core/ids.h"

namespace docket::metronome {

// [a-z0-9], with dashes inside: one segment of a job id.
bool is_id_segment(std::string_view text);

// Segments joined by single dots (metronome.md section 3).
bool is_job_id(std::string_view text);

// One segment of at least two characters (section 4), as the schedule endpoints require.
bool is_schedule_id(std::string_view text);

// A job id as it may appear in a path: empty segments are dropped (section 1). nullopt: not a valid
// id.
std::optional<std::string> job_id_of_path(std::string_view text);

// "prod_email_20190307204634kC8Rs.<uuid>": `dcos task log <run>` finds tasks by substring (section
// 7).
void append_task_id(std::string& out, std::string_view job_id, std::string_view run_name,
                    TaskId attempt);

}  // namespace docket::metronome
