#pragma once

// Calls of the native API that several commands share. Above all finding runs: the API numbers
// them, but people know their names (20190307204634kC8Rs).

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/client/server_api.h"
#include "core/result.h"

namespace docket::cli {

// 14 digits of a time and 5 letters or digits (metronome.md section 7).
bool is_run_name(std::string_view text);

// The run with this name, or the run or attempt with this number or UUID; null if there is none.
Result<boost::json::value> find_task(ServerApi& server, const std::string& text);
// The run that the task belongs to, or the task itself if it is a run.
Result<boost::json::value> run_of(ServerApi& server, const boost::json::value& task);
// The name by which the Metronome API knows the run. Returns `run` itself if it is a name, or if
// the server does not know it.
std::string name_of_run(ServerApi& server, const std::string& run);

// The items of all pages. `path` has a query; at most kMaxPages pages are read.
inline constexpr int kMaxPages = 100;
Result<boost::json::array> all_items(ServerApi& server, const std::string& path);

// The position of an event in the log; none: not an event.
std::optional<std::uint64_t> number_of(const boost::json::value& event);

// The number of the newest event of all; 0 if there is none.
Result<std::uint64_t> newest_event(ServerApi& server);

enum class RunsOf { kActive, kAny };

// The task with that name or number, or the newest run of the job with that id; for a job, kActive
// leaves finished ones out.
Result<boost::json::value> find_run(ServerApi& server, const std::string& job_or_run, RunsOf of);

Error no_job_or_run(const std::string& id);

}  // namespace docket::cli
