#pragma once

// The names that this API gives to the engine's states: one table (metronome.md section 7).

#include <string_view>

#include "model/task.h"

namespace docket::metronome {

enum class RunStatus { kInitial, kStarting, kActive, kSuccess, kFailed };
const char* name_of(RunStatus status);  // "INITIAL", ...

enum class Attempts { kNone, kSome };
enum class Origin { kNew, kRecovered };  // recovered: the server was restarted while the run waited

RunStatus run_status(model::State state, Attempts attempts, Origin origin);

const char* task_status(model::State attempt);  // "TASK_RUNNING", ...

}  // namespace docket::metronome
