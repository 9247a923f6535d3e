#pragma once

// Makes jobs of crontab entries, as `docket job add` would read them from a file. The same crontab
// always gives the same ids, so that importing it again updates its jobs in place.

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/crontab.h"

namespace docket::cli {

// On every imported job; the value says from which file.
inline constexpr std::string_view kImportLabel = "docket-import";
inline constexpr std::string_view kImportSchedule = "crontab";  // id of its schedule

struct ImportOptions {
  std::string source;    // the file, for the label and the description
  std::string prefix;    // ids become prefix.name; empty: none
  std::string timezone;  // for entries without CRON_TZ
  double cpus = 0.1;
  std::int64_t mem = 256;  // MiB
};

// The word for a job that a shell command suggests: "/usr/bin/backup.sh --full" is "backup". Always
// a valid id.
std::string name_of_command(std::string_view command);

// One job for each time of each entry, in order.
std::vector<boost::json::object> jobs_of(const Crontab& crontab, const ImportOptions& options);

}  // namespace docket::cli
