#pragma once

// Finding runs through the native API, which numbers them; people know their names
// (20190307204634kC8Rs).

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "cli/server_api.h"
#include "core/result.h"

namespace docket::cli {

// 14 digits of a time and 5 letters or digits (metronome.md section 7).
bool is_run_name(std::string_view text);

// The run with this name, number or UUID; null when there is none.
Result<boost::json::value> find_named_run(ServerApi& server, const std::string& run);

// The items of all pages. `path` has a query; at most kMaxPages pages are read.
inline constexpr int kMaxPages = 100;
Result<boost::json::array> all_items(ServerApi& server, const std::string& path);

enum class RunsOf { kActive, kAny };

// The run of that name, or the newest run of the job of that id; of a job, kActive leaves finished
// ones out.
Result<boost::json::value> find_run(ServerApi& server, const std::string& job_or_run, RunsOf of);

Error no_job_or_run(const std::string& id);

}  // namespace docket::cli
