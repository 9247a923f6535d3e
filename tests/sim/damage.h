#pragma once

// How mutations damage batches on their way to the disk: as an engine would that is wrong about
// operations.

#include <functional>

#include "engine/batch.h"
#include "sim/simulation.h"

namespace docket::sim {

std::function<void(engine::Batch&)> damage_of(Mutation mutation);  // null: none

}  // namespace docket::sim
