#include "cli/client/metronome_calls.h"

#include "cli/client/json_access.h"

namespace docket::cli {

namespace json = boost::json;

std::string job_path(const std::string& job) { return "/v1/jobs/" + encode_segment(job); }
std::string runs_path(const std::string& job) { return job_path(job) + "/runs"; }
std::string schedules_path(const std::string& job) { return job_path(job) + "/schedules"; }
std::string schedule_path(const std::string& job, const std::string& schedule) {
  return schedules_path(job) + "/" + encode_segment(schedule);
}

Error job_error(Error error, const std::string& job) {
  if (error.kind == ErrorKind::kNotFound) error.message = "job \"" + job + "\" does not exist";
  return error;
}

Error part_error(Error error, const std::string& job, const std::string& noun,
                 const std::string& part) {
  if (error.kind == ErrorKind::kNotFound) {
    error.message = "job \"" + job + "\" or " + noun + " \"" + part + "\" does not exist";
  }
  return error;
}

Result<JobFile> split_job(const json::value& file) {
  const std::string id = text_at(file, "id");
  if (id.empty()) return fail(ErrorKind::kInvalid, "jobs JSON requires an ID");
  JobFile split{id, file.get_object(), member(file, "schedules")};
  split.job.erase("schedules");
  return split;
}

namespace {

// The id cannot be changed in place, and a job has at most one schedule: the old one is removed,
// and put back if the server refuses the new one.
Result<void> swap_schedule(ServerApi& server, const std::string& job, const json::value& old,
                           const json::value& schedule) {
  const std::string old_path = schedule_path(job, text_at(old, "id"));
  if (auto removed = server.call({.method = "DELETE", .path = old_path}); !removed) {
    return fail(removed.error());
  }
  const auto added =
      server.call({.method = "POST", .path = schedules_path(job), .body = &schedule});
  if (added) return {};
  const auto restored = server.call({.method = "POST", .path = schedules_path(job), .body = &old});
  Error error = added.error();
  if (!restored) error.message += "; schedule \"" + text_at(old, "id") + "\" was removed";
  return fail(std::move(error));
}

}  // namespace

Result<void> put_schedule(ServerApi& server, const std::string& job, const json::value& schedule) {
  const auto present = server.metronome(schedules_path(job));
  if (!present) return fail(present.error());
  const std::string id = text_at(schedule, "id");
  const json::array& schedules = array_of(*present);
  if (schedules.size() == 1 && text_at(schedules.front(), "id") != id && !id.empty()) {
    return swap_schedule(server, job, schedules.front(), schedule);
  }
  const bool known = !schedules.empty() && !id.empty();
  const auto stored = server.call({.method = known ? "PUT" : "POST",
                                   .path = known ? schedule_path(job, id) : schedules_path(job),
                                   .body = &schedule});
  if (!stored) return fail(stored.error());
  return {};
}

Result<void> remove_schedules(ServerApi& server, const std::string& job) {
  const auto present = server.metronome(schedules_path(job));
  if (!present) return fail(present.error());
  for (const json::value& schedule : array_of(*present)) {
    const std::string path = schedule_path(job, text_at(schedule, "id"));
    if (auto removed = server.call({.method = "DELETE", .path = path}); !removed) {
      return fail(removed.error());
    }
  }
  return {};
}

}  // namespace docket::cli
