#pragma once

// Who may do what to a job: metronome.md section 9. A job is a resource of the access list, its
// dots being slashes, so that a permission on a group covers what lies below.
//
// The strand's and the archive's threads: everything here is pure.

#include <string_view>

#include "core/result.h"
#include "engine/engine.h"
#include "http/access.h"

namespace docket::metronome {

// What the router in front of this API asks for (the hub, and any mount under /service/metronome).
http::Gate router_gate();

// What permissions for all jobs are about; those for a group or a job have ":GROUP/JOB" behind it.
inline constexpr const char* kJobsResource = "dcos:service:metronome:metronome:jobs";

bool may(const http::Identity& caller, http::Action action, std::string_view job_id);
// kDenied, in the words published for this API; the subject is the permission that is missing.
Result<> demand(const http::Identity& caller, http::Action action, std::string_view job_id);

// This API is of processes: what docket has of other kinds is not there.
bool is_shown(const model::Job& job);
const engine::JobEntry* shown_job(const engine::Engine& engine, const std::string& job_id);
const engine::Node* shown_run(const engine::Engine& engine, const std::string& job_id,
                              const std::string& run_name);

Error no_such_job();
// The job: kNotFound when it is not there, kDenied when the caller may not do this to it.
Result<const engine::JobEntry*> find_job(const engine::Engine& engine, const http::Identity& caller,
                                         http::Action action, const std::string& job_id);

}  // namespace docket::metronome
