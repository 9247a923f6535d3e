#include "exec/runner/runner_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <system_error>

#include "exec/runner/owned_fd.h"

namespace docket::runner {
namespace {

// posix_spawn's two parameter blocks, with an owner.
struct Plan {
  Plan() {
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_init(&files);
  }
  ~Plan() {
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&files);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t files{};
};

}  // namespace

Result<pid_t> start_runner(const std::filesystem::path& dir, const std::vector<std::string>& argv) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  const std::string log = dir / "runner.log";
  Plan plan;
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&plan.attributes, &none);
  ::posix_spawnattr_setsigdefault(&plan.attributes, &all);
  ::posix_spawnattr_setflags(&plan.attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  ::posix_spawn_file_actions_addopen(&plan.files, 0, "/dev/null", O_RDWR, 0);
  ::posix_spawn_file_actions_addopen(&plan.files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                     0600);
  ::posix_spawn_file_actions_adddup2(&plan.files, 1, 2);
  ::posix_spawn_file_actions_addclosefrom_np(&plan.files, 3);
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, arguments.front(), &plan.files, &plan.attributes,
                                   arguments.data(), environ);
  if (failed != 0)
    return fail_errno(fmt::format("cannot start the runner {}", argv.front()), failed);
  return pid;
}

bool runner_ended(pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; }

}  // namespace docket::runner
