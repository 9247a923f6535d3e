#pragma once

// Makes jobs of crontab entries, as `docket job add` would read them from a file. The same crontab
// always gives the same ids, so that importing it again updates its jobs in place.

#include <boost/json/object.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cli/crontab/crontab.h"

namespace docket::cli {

// On every imported job; the value says from which file.
inline constexpr std::string_view kImportLabel = "docket-import";
inline constexpr std::string_view kImportSchedule = "crontab";  // id of its schedule

struct ImportOptions {
  std::string source;    // the file, for the label and the description
  std::string prefix;    // ids become prefix.name; empty: none
  std::string timezone;  // for entries without CRON_TZ
  // Limits, which cron does not have: absent unless asked for.
  std::optional<double> cpus = {};
  std::optional<double> mem = {};  // MiB
};

// The word for a job that a shell command suggests: "/usr/bin/backup.sh --full" is "backup". Always
// a valid id.
std::string name_of_command(std::string_view command);

// One job for each entry, in order, for POST /docket/v1/jobs. `taken` are the ids of other files'
// jobs, and then of these too.
std::vector<boost::json::object> jobs_of(const Crontab& crontab, const ImportOptions& options,
                                         std::set<std::string>& taken);

}  // namespace docket::cli
