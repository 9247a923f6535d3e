#pragma once

// What /proc says about processes, for the two jobs that need it: proving that a pid is still the
// process that an earlier runner started, and finding what an attempt left behind where no cgroup
// knows. Runner thread only.

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace docket::runner {

struct ProcessStat {
  char state = '?';  // Z and X: over
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  std::int64_t started_ns = 0;  // CLOCK_BOOTTIME, in steps of a clock tick (10 ms)
};

std::optional<ProcessStat> process_stat(pid_t pid);
std::vector<pid_t> own_children();
std::vector<pid_t> all_processes();
std::string boot_id();
std::int64_t boot_clock_ns();

// Whether a process came from the attempt whose main process is main_pid and whose working
// directory is work: by session, group, MESOS_SANDBOX in its environment, or current directory. A
// process that changes all four escapes this (but not a cgroup).
bool came_from(pid_t pid, pid_t main_pid, const std::filesystem::path& work);

// Whether pid leads the session that was started in work: for an attempt whose runner died before
// it noted more than the pid.
bool leads_session_of(pid_t pid, const std::filesystem::path& work);

}  // namespace docket::runner
