#include "dialects/metronome/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "kinds/process/spec.h"

namespace docket::metronome {
namespace {

std::string resource_of(std::string_view job_id) {
  std::string path(job_id);
  std::ranges::replace(path, '.', '/');
  return fmt::format("{}:{}", kJobsResource, path);
}

}  // namespace

http::Gate router_gate() { return {.resource = "dcos:adminrouter:service:metronome"}; }

bool may(const http::Identity& caller, http::Action action, std::string_view job_id) {
  return caller.is_superuser() || caller.may(resource_of(job_id), action);
}

Result<> demand(const http::Identity& caller, http::Action action, std::string_view job_id) {
  if (may(caller, action, job_id)) return {};
  return fail({.kind = ErrorKind::kDenied,
               .message = "Not Authorized to perform this action!",
               .fields = {},
               .subject = http::permission_for(resource_of(job_id), action)});
}

Error no_such_job() {
  return {.kind = ErrorKind::kNotFound, .message = "Job not found", .fields = {}, .subject = "job"};
}

bool is_shown(const model::Job& job) { return job.definition.spec.kind == kinds::kProcess; }

const engine::JobEntry* shown_job(const engine::Engine& engine, const std::string& job_id) {
  const engine::JobEntry* entry = engine.job(job_id);
  return entry && is_shown(entry->job()) ? entry : nullptr;
}

const engine::Node* shown_run(const engine::Engine& engine, const std::string& job_id,
                              const std::string& run_name) {
  const engine::Node* run = engine.find_run(job_id, run_name);
  return run && is_shown(*run->job) ? run : nullptr;
}

Result<const engine::JobEntry*> find_job(const engine::Engine& engine, const http::Identity& caller,
                                         http::Action action, const std::string& job_id) {
  const engine::JobEntry* entry = shown_job(engine, job_id);
  if (!entry) return fail(no_such_job());
  if (auto allowed = demand(caller, action, job_id); !allowed) return fail(allowed.error());
  return entry;
}

}  // namespace docket::metronome
