#pragma once

// What the executor has to know to do a job's work on one node, from the records as they are.

#include "core/result.h"
#include "engine/kind.h"
#include "exec/ssh/launch.h"
#include "kinds/rollout/spec.h"

namespace docket::kinds {

// Fails in words for the job's events: the node is gone, or what it needs is.
Result<ssh::NodeWork> node_work(const RolloutSpec& spec, const engine::Records& records,
                                RecordId node, const engine::SecretSource& secrets);

}  // namespace docket::kinds
