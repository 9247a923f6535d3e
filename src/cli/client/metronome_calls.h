#pragma once

// Paths and calls of the Metronome door that several commands share (metronome.md sections 1 and
// 11).

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "cli/client/server_api.h"
#include "core/result.h"

namespace docket::cli {

std::string job_path(const std::string& job);        // /v1/jobs/J
std::string runs_path(const std::string& job);       // /v1/jobs/J/runs
std::string schedules_path(const std::string& job);  // /v1/jobs/J/schedules
std::string schedule_path(const std::string& job, const std::string& schedule);

// Replaces the server's message by that of `dcos job` if the job does not exist.
Error job_error(Error error, const std::string& job);
// For calls that answer 404 both for the job and for what is in it.
Error part_error(Error error, const std::string& job, const std::string& noun,
                 const std::string& part);

// A job file: its schedules are sent in calls of their own ("Using the Jobs API" in seed 004).
struct JobFile {
  std::string id;
  boost::json::object job;       // without schedules
  boost::json::value schedules;  // as in the file; null if it has none
};
Result<JobFile> split_job(const boost::json::value& file);

// Leaves the job with exactly `schedule`, which replaces the one with its id, or any other.
Result<void> put_schedule(ServerApi& server, const std::string& job,
                          const boost::json::value& schedule);
Result<void> remove_schedules(ServerApi& server, const std::string& job);

}  // namespace docket::cli
