#pragma once

// The runner: a small single-threaded process that owns every child process, so that the server may
// be killed and started again while jobs run. `docket runner --dir DIR` is run_runner(); `docket
// runner-fetch` is run_fetch(0), which the runner starts as the attempt's own user to get
// artifacts. Neither is called inside the server.
//
// Start reading at attempts.h (the life of an attempt), then spawn.h, cgroups.h and wire.h. The
// server's side is runner_executor.h; the files are described in log_files.h.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/time.h"

namespace docket::runner {

struct FetchLimits {
  std::uint64_t download_bytes = std::uint64_t{4} << 30;    // one artifact
  std::uint64_t extracted_bytes = std::uint64_t{16} << 30;  // one archive, unpacked
  std::uint64_t extracted_entries = 1'000'000;              // of one archive
  std::uint64_t cache_bytes = std::uint64_t{4}
                              << 30;   // one user's cache; the oldest entries go first
  std::uint64_t seconds = 3600;        // one artifact
  std::uint64_t stalled_seconds = 60;  // without a byte
};

// Limits of cpus and mem. Shares alone (the Mesos default) let an idle machine run a job faster
// than it asked; a hard quota keeps it to what it asked. The quota is on by default, since a limit
// that holds only under load surprises, and has a floor: jobs of 0.01 cpus are common, and at one
// millisecond per 100 even `sh -c true` takes a second.
struct CgroupOptions {
  bool enabled = true;
  bool cpu_quota = true;
  double cpu_quota_floor = 0.1;
};

// Limits of every attempt, whatever it asks for; 0 open files: what the runner was started with.
struct ProcessLimits {
  std::uint64_t processes = 4096;  // and threads, at once; 0: not limited. Without a pids cgroup:
                                   // of its user, and not for root
  std::uint64_t open_files = 0;
  std::uint64_t core_bytes = 0;  // of a core file, which holds what the process knew
};

struct RunnerConfig {
  std::filesystem::path dir;  // made when missing; one runner per directory
  std::string fetch_program = "/proc/self/exe";
  std::vector<std::string> fetch_arguments = {"runner-fetch"};
  CgroupOptions cgroups;
  ProcessLimits limits;
  FetchLimits fetch;
  std::size_t max_attempts = 20'000;  // at once; more fail with a message
  std::size_t max_frame_bytes = std::size_t{32}
                                << 20;  // one message; a client that sends more is dropped
  std::size_t max_unsent_bytes = std::size_t{64}
                                 << 20;  // to a client that does not read, before it is dropped
  std::size_t max_clients = 16;
  std::size_t max_disk_entries =
      50'000;  // looked at in one disk check; a larger tree counts as far as it was seen
  std::uint64_t log_bytes = std::uint64_t{100} << 20;  // kept of each output stream, the newest
  Duration sample_interval = std::chrono::milliseconds{250};  // log and disk limits
  Duration drain_limit = std::chrono::seconds{
      10};  // for killed descendants to vanish (disk sleep) before the exit is reported
};

// Serves until idle or SIGTERM. Returns 0, or 1 with the reason on stderr. Never stops attempts
// when it ends.
int run_runner(const RunnerConfig& config);

// Gets the artifacts listed in in_fd into the current directory; the reason of a failure goes to
// stdout, progress to stderr.
int run_fetch(int in_fd);

}  // namespace docket::runner
