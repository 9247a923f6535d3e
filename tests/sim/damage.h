#pragma once

// What mutations do to batches on their way to the disk: the damage of an engine that is wrong
// about operations.

#include <functional>

#include "engine/batch.h"
#include "sim/simulation.h"

namespace docket::sim {

std::function<void(engine::Batch&)> damage_of(Mutation mutation);  // null: none

}  // namespace docket::sim
