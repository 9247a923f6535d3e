#pragma once

// Reads the `run` object of a job: model/codec.h reads the members, this adds the words of this
// door, the refusal of unknown members, and the rules between members.

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

#include "core/result.h"
#include "model/process_spec.h"

namespace docket::native {

model::ProcessSpec read_run(const boost::json::value& value, const std::string& path,
                            std::vector<FieldError>& errors);

}  // namespace docket::native
