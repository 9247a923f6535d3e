#pragma once

// What a run may be started with: an addition to the original, which ignores the body of POST /runs
// altogether.

#include <memory>
#include <string_view>

#include "model/task.h"

namespace docket::metronome {

// From an object with `env` (an object of strings) or `description` (a string); anything else is
// ignored as before, and null means that nothing was given.
std::shared_ptr<const model::RunParameters> read_run_parameters(std::string_view body);

}  // namespace docket::metronome
