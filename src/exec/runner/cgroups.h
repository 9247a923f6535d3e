#pragma once

// cpus and mem through cgroups: v2 where cpu and memory are delegated to us, else v1, else nothing
// with the reason in status(). A slot is one directory in each hierarchy in use. Slots are pooled:
// made once, reused by attempt after attempt, and their limits are rewritten only when they differ,
// since making and removing a cgroup costs more than a spawn. A slot also names every process of
// its attempt, however it daemonized. Runner thread only.
//
// A record may name a slot as its attempt's long after the runner that gave it out is gone. So the
// name of a slot says which runner made it, and no other runner gives it out: it is adopted with
// its attempt or removed.
//
// Joining: on v2 the child is made in its cgroup (CLONE_INTO_CGROUP). On v1 it writes "0" into
// `tasks`, which for a caller that moves only itself skips the kernel's global lock of thread
// groups; `cgroup.procs` would wait for a grace period.
//
// Where slots are on v2: below our own cgroup, if it is delegated to us and holds only docket's
// processes (a systemd unit with Delegate=yes; they move into a leaf first, since a cgroup with
// processes cannot have limited children). Else below the nearest ancestor that lets us: as root
// in a login session that is the user's slice.

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "exec/runner/owned_fd.h"
#include "exec/runner/runner.h"

namespace docket::runner {

struct CgroupLimits {
  double cpus = 0;  // 0: not limited
  double mem_mib = 0;
  std::uint64_t processes = 0;
  bool operator==(const CgroupLimits&) const = default;
};

enum class CgroupVersion { kV1, kV2 };

inline constexpr CgroupLimits kUnknownLimits{-1, -1, 0};

// A mounted hierarchy and the directory in it below which we may make slots.
struct Hierarchy {
  CgroupVersion version = CgroupVersion::kV2;
  std::filesystem::path base;
  bool cpu = false;
  bool memory = false;
  bool pids = false;
};

// What /proc/self/mountinfo and /proc/self/cgroup say. Pure, so that every layout can be tested.
// v2 is chosen when its hierarchy offers cpu and memory; v1 hierarchies else, each once. A
// hierarchy that has pids but neither cpu nor memory does not count.
std::vector<Hierarchy> find_hierarchies(
    std::string_view mountinfo, std::string_view self_cgroup,
    const std::function<std::string(const std::filesystem::path&)>& read_file);

class CgroupSlot {
 public:
  const std::string& name() const { return name_; }
  // For Command::cgroup_fds and cgroup_directory_fd.
  const std::vector<int>& join_fds() const { return join_fds_; }
  int directory_fd() const { return directory_.get(); }
  bool counts_processes() const { return counts_processes_; }

 private:
  friend class CgroupPool;
  std::string name_;
  std::vector<std::filesystem::path> paths_;  // one for each hierarchy, in its order
  std::vector<OwnedFd> files_;                // owners of join_fds_
  std::vector<int> join_fds_;
  OwnedFd directory_;  // v2
  OwnedFd oom_file_;
  bool counts_processes_ = false;
  CgroupLimits limits_ = kUnknownLimits;  // as last written
  std::uint64_t oom_kills_ = 0;           // when the current user took the slot
  bool taken_ = false;
};

class CgroupPool {
 public:
  // Probes this machine. name tells the data directories of one machine apart, life the runners of
  // one directory since the machine was started.
  CgroupPool(CgroupOptions options, const std::string& name, std::uint64_t life);
  // For tests: with these hierarchies and no probing.
  CgroupPool(CgroupOptions options, std::vector<Hierarchy> hierarchies, std::uint64_t life);
  ~CgroupPool();
  CgroupPool(const CgroupPool&) = delete;
  CgroupPool& operator=(const CgroupPool&) = delete;

  bool active() const { return !hierarchies_.empty(); }
  // "cgroup v1 (cpu, memory)" or why limits are not enforced; one line.
  const std::string& status() const { return status_; }

  // Lives until released or the pool goes. kInternal when the kernel refuses the limits.
  Result<CgroupSlot*> take(const CgroupLimits& limits);
  void release(CgroupSlot& slot);
  // The slot of an attempt, as its record names it; null when nothing is in it any more.
  CgroupSlot* adopt(const std::string& name);

  std::vector<pid_t> processes(const CgroupSlot& slot) const;
  // Whether the kernel killed something in the slot for memory since it was taken.
  bool oom_killed(const CgroupSlot& slot) const;

 private:
  void start();
  Result<> prepare();
  Result<> prepare_v2(Hierarchy& hierarchy);
  Result<CgroupSlot*> make_slot(const std::string& name);
  void clear_old_slots();
  void clear_old_slot(const std::string& name);
  bool made_here(const CgroupSlot& slot) const;
  CgroupSlot* free_slot(const CgroupLimits& limits);
  Result<> apply(CgroupSlot& slot, const CgroupLimits& limits);
  Result<> apply(const Hierarchy& hierarchy, const std::filesystem::path& path,
                 const CgroupLimits& before, const CgroupLimits& limits) const;
  Result<> apply_cpu(const Hierarchy& hierarchy, const std::filesystem::path& path,
                     double cpus) const;

  CgroupOptions options_;
  std::vector<Hierarchy> hierarchies_;
  std::string status_;
  std::vector<std::unique_ptr<CgroupSlot>> slots_;
  std::vector<CgroupSlot*> free_;
  std::string prefix_;  // of the names of slots that this runner made
  std::uint64_t next_name_ = 0;
};

}  // namespace docket::runner
