#pragma once

// A job from flags instead of a file: `docket job add ID --cmd ...`.

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/client/command_tree.h"

namespace docket::cli {

struct JobOptions {
  std::string cmd;
  std::string description, user, cron, timezone, concurrency, missed;
  std::optional<double> cpus, mem, disk;
  std::vector<std::string> env, labels, after;
};

// All flags except --cmd require --cmd.
void add_job_flags(CLI::App& command, JobOptions& options);

// The body of POST /docket/v1/jobs. Its schedule is called `cron`, and is in the zone of this
// machine unless another one is given. kInvalid: a NAME=VALUE that is malformed.
Result<boost::json::object> job_of(const CliEnvironment& env, const std::string& id,
                                   const JobOptions& options);

// NAME=VALUE words as an object; kInvalid names the flag.
Result<boost::json::object> pairs_of(const std::string& flag,
                                     const std::vector<std::string>& words);

}  // namespace docket::cli
