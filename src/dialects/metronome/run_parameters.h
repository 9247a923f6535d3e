#pragma once

// Parameters to start a run with: an addition to the original, which ignores the body of POST
// /runs.

#include <memory>
#include <string_view>

#include "model/task.h"

namespace docket::metronome {

// From an object with `env` (an object of strings) or `description` (a string). Anything else is
// ignored, as in the original; null means that nothing was given.
std::shared_ptr<const model::RunParameters> read_run_parameters(std::string_view body);

}  // namespace docket::metronome
