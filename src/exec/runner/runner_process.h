#pragma once

// Starting the runner from the server. Io thread only.

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"

namespace docket::runner {

// A new session with DIR/runner.log as output and no other descriptor of ours. posix_spawn, since
// a large server forks slowly. Returns the pid, to be given to runner_ended until that is true.
Result<pid_t> start_runner(const std::filesystem::path& dir, const std::vector<std::string>& argv);

// Reaps it without waiting.
bool runner_ended(pid_t pid);

}  // namespace docket::runner
