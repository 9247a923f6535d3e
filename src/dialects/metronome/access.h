#pragma once

// Who may do what to a job: metronome.md section 9. A job is a resource of the access list, with
// slashes for its dots, so that a permission on a group covers everything below it.
//
// Pure: may be called on the strand and on the archive's threads.

#include <string_view>

#include "core/result.h"
#include "engine/engine.h"
#include "http/access.h"

namespace docket::metronome {

// The permission required by the router in front of this API (on the hub, and on any mount under
// /service/metronome).
http::Gate router_gate();

// The resource of permissions for all jobs; those for a group or a job append ":GROUP/JOB".
inline constexpr const char* kJobsResource = "dcos:service:metronome:metronome:jobs";

bool may(const http::Identity& caller, http::Action action, std::string_view job_id);
// kDenied, with the text published for this API; the subject is the missing permission.
Result<> demand(const http::Identity& caller, http::Action action, std::string_view job_id);

// This API shows processes only: jobs of other kinds do not exist here.
bool is_shown(const model::Job& job);
const engine::JobEntry* shown_job(const engine::Engine& engine, const std::string& job_id);
const engine::Node* shown_run(const engine::Engine& engine, const std::string& job_id,
                              const std::string& run_name);

Error no_such_job();
// The job; kNotFound if there is none, kDenied if the caller may not do this to it.
Result<const engine::JobEntry*> find_job(const engine::Engine& engine, const http::Identity& caller,
                                         http::Action action, const std::string& job_id);

}  // namespace docket::metronome
