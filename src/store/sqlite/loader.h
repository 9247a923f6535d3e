#pragma once

// What the engine needs after a restart, read through the indexes of live rows: the cost follows
// the number of jobs and live runs, not the length of history.

#include "engine/batch.h"
#include "store/sqlite/database.h"

namespace docket::store {

Result<engine::Snapshot> load_snapshot(Database& database, const model::SpecReader* specs);

}  // namespace docket::store
