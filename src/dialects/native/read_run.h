#pragma once

// Reads the `run` object of a job: model/codec.h reads the members, this adds the rules between
// them.

#include "core/json_reader.h"
#include "kinds/process/spec.h"

namespace docket::native {

kinds::ProcessSpec read_run(JsonReader& in);

}  // namespace docket::native
