#pragma once

// The JSON that stands in the store for what has no columns of its own: a job's definition, a run's
// parameters, an operation's labels.

#include <string>
#include <string_view>

#include "core/result.h"
#include "model/job.h"
#include "model/task.h"

namespace docket::store {

// {"id": ..., "description": ..., "labels": {}, "dependencies": [], "kind": "process", "run":
// {...}}. A spec of a kind that `specs` does not have (any kind, if there are none) is kept as it
// is.
void write_definition(std::string& out, const model::JobDefinition& definition);
Result<model::JobDefinition> read_definition(std::string_view text, const model::SpecReader* specs);

// {"env": {}, "description": ""}
void write_parameters(std::string& out, const model::RunParameters& parameters);
Result<model::RunParameters> read_parameters(std::string_view text);

// {"name": "value"}
void write_labels(std::string& out, const StringPairs& labels);
Result<StringPairs> read_labels(std::string_view text);

}  // namespace docket::store
