#pragma once

// Turns a LaunchSpec into a process: command line, environment, descriptors, user. Runner thread
// only.

#include <sys/types.h>

#include <string>
#include <vector>

#include "engine/executor.h"
#include "exec/runner/cgroups.h"
#include "exec/runner/launch.h"
#include "exec/runner/runner.h"
#include "exec/runner/sandbox.h"
#include "exec/runner/spawn.h"
#include "exec/runner/users.h"

namespace docket::runner {

// The spec's env, plus PATH, HOME, USER, SHELL, MESOS_SANDBOX and PWD where the spec does not name
// them.
std::vector<std::string> make_environment(const LaunchSpec& spec, const User& user,
                                          const std::string& work);

struct Launched {
  pid_t pid = -1;
  std::string message;  // why not, for the attempt
  int exit_code = 0;    // as a shell would say it: 127 not found, 126 not allowed
  OwnedFd result;       // of a fetch: holds its message when it failed
};

class Launcher {
 public:
  explicit Launcher(const RunnerConfig& config) : config_(config) {}
  Launched run(const LaunchSpec& spec, const User& user, const std::string& work,
               const Sandbox& sandbox, const CgroupSlot* slot);
  Launched fetch(const LaunchSpec& spec, const User& user, const std::string& work,
                 const Sandbox& sandbox, const CgroupSlot* slot);
  Spawner& spawner() { return spawner_; }
  const Spawner& spawner() const { return spawner_; }

 private:
  Launched spawn(const Command& command, const User& user);
  const RunnerConfig& config_;
  Spawner spawner_;
};

}  // namespace docket::runner
