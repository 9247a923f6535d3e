#pragma once

// The one place that makes processes. clone(CLONE_VM | CLONE_VFORK) with a stack of its own: no
// page tables are copied, the runner waits until the child has called exec, and the child reports
// a failed step through shared memory. Between clone and exec the child (child.h) makes plain
// system calls only; everything it needs is prepared in Command. A command with a record gets a
// parent of its own, see reaper.h. Runner thread only.

#include <sys/resource.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exec/runner/users.h"

namespace docket::runner {

struct ResourceLimit {
  int resource = 0;  // RLIMIT_...
  rlimit value{};
};

struct Command {
  std::vector<std::string> programs;  // tried in order, as execvp tries PATH
  std::vector<std::string> argv;
  std::vector<std::string> env;  // NAME=value
  int directory_fd = -1;
  int stdin_fd = -1;  // -1: inherits the runner's, which is /dev/null
  int stdout_fd = -1;
  int stderr_fd = -1;
  int fourth_fd = -1;            // becomes descriptor 3 when given
  int record_fd = -1;            // gets the lines "spawn" and "end" of attempt_record.h when given
  std::vector<int> cgroup_fds;   // of files that move the writer of "0" into a cgroup
  int cgroup_directory_fd = -1;  // v2: the child is made inside this cgroup
  std::vector<ResourceLimit> limits;
  const User* user = nullptr;  // null: stays the runner's user
};

// Whether Command::cgroup_directory_fd works on this architecture; cgroup_fds always do.
bool can_clone_into_cgroup();

// Candidates for running name with this PATH.
std::vector<std::string> search_path(const std::string& name, const std::string& path);

enum class SpawnStep {
  kDone,
  kClone,
  kCgroup,
  kSession,
  kLimits,
  kDirectory,
  kFiles,
  kUser,
  kExec
};

struct SpawnResult {
  pid_t pid = -1;
  SpawnStep failed = SpawnStep::kDone;
  int error = 0;
  explicit operator bool() const { return failed == SpawnStep::kDone; }
};

class Reapers;

class Spawner {
 public:
  Spawner();
  ~Spawner();
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;
  SpawnResult spawn(const Command& command);

  // For children of the runner that are not commands: whether it is a reaper, and that it has
  // ended.
  bool is_reaper(pid_t pid) const;
  void ended(pid_t pid);

 private:
  struct Stack;
  std::unique_ptr<Stack> stack_;  // reused: vfork semantics allow one child at a time
  std::unique_ptr<Reapers> reapers_;
  // Given back to children that name no other limit; the runner raises its own.
  std::optional<ResourceLimit> open_files_;
};

}  // namespace docket::runner
