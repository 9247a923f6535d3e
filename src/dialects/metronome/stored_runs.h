#pragma once

// Runs as the store has them, live or ended long ago: pages for `GET /runs?all=true`, and the JSON
// of events. For the archive's threads.

#include <optional>
#include <string_view>
#include <vector>

#include "dialects/metronome/errors.h"
#include "dialects/metronome/query.h"
#include "engine/store.h"

namespace docket::metronome {

// All attempts of a run, oldest first.
Result<std::vector<model::Task>> stored_attempts(engine::Reader& reader, TaskId run);

// The newest runs of a job before paging.before, newest first; a Link header names the next page.
http::Response stored_runs_page(engine::Reader& reader, JobUid job, const Paging& paging,
                                const Names& names);

}  // namespace docket::metronome
