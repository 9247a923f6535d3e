#pragma once

// The names and formats of the files in a cgroup directory: the only difference between v1 and v2
// for us. Pure functions over paths; runner thread.

#include <cstdint>
#include <filesystem>

#include "exec/runner/cgroups.h"

namespace docket::runner {

const char* join_file(CgroupVersion version);
const char* oom_file(CgroupVersion version);
std::uint64_t read_oom_kills(int oom_fd);

// Relative weight: one cpu is 1024 shares (v1) or weight 100 (v2). 0 cpus: the default weight.
Result<> write_cpu_shares(CgroupVersion version, const std::filesystem::path& slot, double cpus);
// Hard limit; 0: none.
Result<> write_cpu_quota(CgroupVersion version, const std::filesystem::path& slot, double cpus);
// Hard limit with swap counted or forbidden where the kernel can; 0: none.
Result<> write_memory_limit(CgroupVersion version, const std::filesystem::path& slot,
                            std::int64_t bytes);
// Of processes and threads at once; 0: no limit.
Result<> write_process_limit(const std::filesystem::path& slot, std::uint64_t processes);
// v2: lets the children of a directory have cpu and memory limits, and process limits where it can.
Result<> enable_controllers(const std::filesystem::path& cgroup);

// v2: whether the children of a directory have process limits.
bool has_pids_controller(const std::filesystem::path& cgroup);

// v2: the leaf into which processes of docket move out of the way.
inline constexpr char kLeafName[] = "docket-main";
// Moves every process of a cgroup into its leaf, if all of them run our own program. False: nothing
// was moved.
bool move_own_processes_to_leaf(const std::filesystem::path& cgroup);

}  // namespace docket::runner
