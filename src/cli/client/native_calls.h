#pragma once

// Calls of the native API that several commands share. Finding runs above all: the API numbers
// them, people know their names (20190307204634kC8Rs).

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

// The run with this name, or the run or attempt with this number or UUID; null when there is none.
Result<boost::json::value> find_task(ServerApi& server, const std::string& text);
// The run that the task belongs to, or is.
Result<boost::json::value> run_of(ServerApi& server, const boost::json::value& task);
// The name that the Metronome API knows the run by. `run` itself when it is one, or when the server
// does not say.
std::string name_of_run(ServerApi& server, const std::string& run);

// The items of all pages. `path` has a query; at most kMaxPages pages are read.
inline constexpr int kMaxPages = 100;
Result<boost::json::array> all_items(ServerApi& server, const std::string& path);

// The place of an event in the log; none: it is no event.
std::optional<std::uint64_t> number_of(const boost::json::value& event);

// The number of the newest event of all; 0 when there is none.
Result<std::uint64_t> newest_event(ServerApi& server);

enum class RunsOf { kActive, kAny };

// The task of that name or number, or the newest run of the job of that id; of a job, kActive
// leaves finished ones out.
Result<boost::json::value> find_run(ServerApi& server, const std::string& job_or_run, RunsOf of);

Error no_job_or_run(const std::string& id);

}  // namespace docket::cli
