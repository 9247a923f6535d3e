#pragma once

// The door for the Scylla Task Manager: every task of docket's tree, whatever its kind, as that API
// shows tasks. The contract is scylla-tasks.md in the reference; docs/differences-scylla.md says
// where this door departs from it. openapi.json describes every route and model; the transcripts
// hold it against the door.
//
// Where to start reading: routes.h (handlers), task_view.h (docket's tasks as this API shows them),
// tree_walk.h (recursive statuses), wire.h (parameters and errors).
//
// A task that this door forgets is only hidden here (engine: listings); the native API has every
// task.
//
// Thread rule: handlers are called on the engine's strand. Tasks are read on the archive's threads
// and answered from there. The loop and the archive outlive the door.

#include <cstddef>
#include <memory>
#include <string>

#include "engine/loop.h"
#include "engine/ports.h"
#include "http/door.h"
#include "kinds/maintenance/orders.h"

namespace docket::scylla {

struct ScyllaSettings {
  // Reading the status of a task that has ended unregisters it, as in the seed and in 6.2. Off: as
  // in current master, where reading changes nothing, and an empty filter is no filter.
  bool status_unregisters = true;
  bool test_api = false;                       // /task_manager_test
  std::string node = "127.0.0.1";              // this server's address, as children name it
  const kinds::Orders* maintenance = nullptr;  // outlives the door; null: its routes answer 500
};

// Access: readers need `docket:tasks read`, all other requests `docket:tasks full`.
http::Gate gate();

// Shared: the door is mounted on its own port and on the hub.
std::shared_ptr<const http::Door> make_scylla_door(engine::Loop& loop, engine::Archive& archive,
                                                   const ScyllaSettings& settings);

}  // namespace docket::scylla
