#include "exec/runner/cgroup_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace docket::runner {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kPeriodMicros = 100'000;

Result<> write_value(const fs::path& path, std::string_view value) {
  OwnedFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd || ::write(fd.get(), value.data(), value.size()) < 0) {
    return fail_errno(fmt::format("cannot set {} to {}", path.string(), value), errno);
  }
  return {};
}

std::string limit_or(std::int64_t bytes, std::string_view none) {
  return bytes > 0 ? std::to_string(bytes) : std::string(none);
}

// Swap must never be below memory on the way, so it is opened first and closed last. Kernels
// without swap accounting have no such file: then there is nothing to exclude.
Result<> write_v1_memory(const fs::path& slot, std::int64_t bytes) {
  const fs::path swap = slot / "memory.memsw.limit_in_bytes";
  const bool has_swap = ::access(swap.c_str(), W_OK) == 0;
  if (has_swap) {
    if (auto done = write_value(swap, "-1"); !done) return done;
  }
  const std::string value = limit_or(bytes, "-1");
  if (auto done = write_value(slot / "memory.limit_in_bytes", value); !done) return done;
  return has_swap ? write_value(swap, value) : Result<>{};
}

Result<> write_v2_memory(const fs::path& slot, std::int64_t bytes) {
  if (auto done = write_value(slot / "memory.max", limit_or(bytes, "max")); !done) return done;
  const fs::path swap = slot / "memory.swap.max";
  if (::access(swap.c_str(), W_OK) != 0) return {};
  return write_value(swap, bytes > 0 ? "0" : "max");
}

}  // namespace

const char* join_file(CgroupVersion version) {
  return version == CgroupVersion::kV2 ? "cgroup.procs" : "tasks";
}

const char* oom_file(CgroupVersion version) {
  return version == CgroupVersion::kV2 ? "memory.events" : "memory.oom_control";
}

std::uint64_t read_oom_kills(int oom_fd) {
  char buffer[512];
  const ssize_t n = ::pread(oom_fd, buffer, sizeof buffer, 0);
  const std::string_view text(buffer, n > 0 ? static_cast<std::size_t>(n) : 0);
  constexpr std::string_view kKey = "oom_kill ";
  const std::size_t at = text.find(kKey);
  if (at == std::string_view::npos) return 0;
  std::uint64_t count = 0;
  std::from_chars(text.data() + at + kKey.size(), text.data() + text.size(), count);
  return count;
}

Result<> write_cpu_shares(CgroupVersion version, const fs::path& slot, double cpus) {
  const double wanted = cpus > 0 ? cpus : 1;
  if (version == CgroupVersion::kV2) {
    const auto weight = std::clamp<std::int64_t>(std::llround(wanted * 100), 1, 10'000);
    return write_value(slot / "cpu.weight", std::to_string(weight));
  }
  const auto shares = std::clamp<std::int64_t>(std::llround(wanted * 1024), 2, 262'144);
  return write_value(slot / "cpu.shares", std::to_string(shares));
}

Result<> write_cpu_quota(CgroupVersion version, const fs::path& slot, double cpus) {
  const auto quota = static_cast<std::int64_t>(cpus * double{kPeriodMicros});
  if (version == CgroupVersion::kV2) {
    return write_value(slot / "cpu.max",
                       fmt::format("{} {}", limit_or(quota, "max"), kPeriodMicros));
  }
  return write_value(slot / "cpu.cfs_quota_us", limit_or(quota, "-1"));
}

Result<> write_memory_limit(CgroupVersion version, const fs::path& slot, std::int64_t bytes) {
  return version == CgroupVersion::kV2 ? write_v2_memory(slot, bytes)
                                       : write_v1_memory(slot, bytes);
}

Result<> write_process_limit(const fs::path& slot, std::uint64_t processes) {
  return write_value(slot / "pids.max", limit_or(static_cast<std::int64_t>(processes), "max"));
}

Result<> enable_controllers(const fs::path& cgroup) {
  const fs::path control = cgroup / "cgroup.subtree_control";
  const std::string enabled = read_small_file(AT_FDCWD, control.c_str());
  if (enabled.find("cpu") == std::string::npos || enabled.find("memory") == std::string::npos) {
    if (auto done = write_value(control, "+cpu +memory"); !done) return done;
  }
  // Not every machine delegates it; the other controllers are useful without it.
  if (!has_pids_controller(cgroup)) (void)write_value(control, "+pids");
  return {};
}

bool has_pids_controller(const fs::path& cgroup) {
  const std::string enabled =
      read_small_file(AT_FDCWD, (cgroup / "cgroup.subtree_control").c_str());
  return enabled.find("pids") != std::string::npos;
}

bool move_own_processes_to_leaf(const fs::path& cgroup) {
  std::error_code error;
  const fs::path own = fs::read_symlink("/proc/self/exe", error);
  std::istringstream pids(read_small_file(AT_FDCWD, (cgroup / "cgroup.procs").c_str()));
  std::vector<std::string> ours;
  for (std::string pid; pids >> pid; ours.push_back(pid)) {
    if (fs::read_symlink("/proc/" + pid + "/exe", error) != own || error) return false;
  }
  const fs::path leaf = cgroup / kLeafName;
  if (ours.empty() || (::mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST)) return false;
  for (const std::string& pid : ours) {
    if (!write_value(leaf / "cgroup.procs", pid)) return false;
  }
  return true;
}

}  // namespace docket::runner
