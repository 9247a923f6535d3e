#pragma once

// The native API, /docket/v1: every noun of docket in one style (camelCase members, ids as strings,
// RFC 3339 instants in microseconds, RFC 9457 problems, cursor paging). The other doors follow
// foreign APIs; this one shows everything, including what was created through other doors.
//
// One file per resource, each with its route table: jobs, schedules, ledger, runs, tasks, reports,
// events, logs, locks, secrets, explain, status, maintenance. render.h writes the nouns, read_job.h
// and read_task.h read them. openapi.json describes every route; a test holds it against the door.
//
// Thread rule: handlers run on the engine's strand, as the loop demands; history and logs are read
// on the archive's threads, which answer from there.

#include <cstddef>
#include <memory>
#include <string>

#include "core/time.h"
#include "engine/loop.h"
#include "engine/ports.h"
#include "http/access.h"
#include "http/door.h"
#include "kinds/maintenance/orders.h"

namespace docket::native {

// Where the door expects to be mounted; it shows in Location headers and in the OpenAPI document.
inline constexpr const char* kPrefix = "/docket/v1";

// Access: readers need `docket:native read`, all other requests `docket:native full`.
http::Gate gate();

struct NativeSettings {
  std::string version;                         // of the program
  Time started_at = kNever;                    // of this server, for its uptime
  std::string user = {};                       // runs the server, and jobs that name no user
  bool other_users = false;                    // whether jobs may name another user
  std::size_t body_limit = 1U << 20;           // bytes; more is 413
  const kinds::Orders* maintenance = nullptr;  // outlives the door; null: orders answer 503
};

// Keeps references to both. Shared because it is mounted on several listeners.
std::shared_ptr<const http::Door> make_native_door(engine::Loop& loop, engine::Archive& archive,
                                                   const NativeSettings& settings);

}  // namespace docket::native
