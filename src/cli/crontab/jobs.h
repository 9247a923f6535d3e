#pragma once

// Makes jobs from crontab entries, in the form that `docket job add` reads from a file. The same
// crontab always gives the same ids, so importing it again updates its jobs in place.

#include <boost/json/object.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cli/crontab/crontab.h"

namespace docket::cli {

// Label of every imported job; its value names the file.
inline constexpr std::string_view kImportLabel = "docket-import";
inline constexpr std::string_view kImportSchedule = "crontab";  // id of its schedule

struct ImportOptions {
  std::string source;    // the file, for the label and the description
  std::string prefix;    // ids become prefix.name; empty: none
  std::string timezone;  // for entries without CRON_TZ
  // Limits, which cron does not have: absent unless requested.
  std::optional<double> cpus = {};
  std::optional<double> mem = {};  // MiB
};

// The job name that a shell command suggests: "/usr/bin/backup.sh --full" is "backup". Always a
// valid id.
std::string name_of_command(std::string_view command);

// One job per entry, in order, for POST /docket/v1/jobs. `taken` holds the ids of other files'
// jobs; the new ids are added to it.
std::vector<boost::json::object> jobs_of(const Crontab& crontab, const ImportOptions& options,
                                         std::set<std::string>& taken);

}  // namespace docket::cli
