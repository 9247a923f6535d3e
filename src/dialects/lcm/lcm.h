#pragma once

// The door for OpsCenter's Lifecycle Manager. The contract is opscenter-lcm.md in the reference.
//
// Where to start reading: resource.h (the table that everything follows from), object.h (bodies,
// records, objects), wire.h (errors, pages, addresses), model_routes.cc (handlers).
//
// So far it serves the model: repositories, machine credentials, config profiles, clusters,
// datacenters and nodes. Jobs, definitions and sessions are still to come, so no listener has it.
//
// Thread rule: handlers are called on the engine's strand, and everything is answered from memory.

#include <memory>

#include "engine/loop.h"
#include "http/door.h"

namespace docket::lcm {

// Shared: the door is mounted on its own port and on the hub.
std::shared_ptr<const http::Door> make_lcm_door(engine::Loop& loop);

}  // namespace docket::lcm
