// Processes as Spawner makes them, and reapers that are killed while they work.

#include "exec/runner/spawn.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "exec/runner/owned_fd.h"
#include "exec/runner/processes.h"
#include "exec/runner/reaper.h"

namespace docket::runner {
namespace {

std::string read_file(const std::filesystem::path& file) {
  return read_small_file(AT_FDCWD, file.c_str());
}

struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    out = OwnedFd(ends[0]);
    in = OwnedFd(ends[1]);
  }
  // What is in it now, up to its capacity.
  std::string read() const {
    std::string text(std::size_t{1} << 20U, '\0');
    const ssize_t n = ::read(out.get(), text.data(), text.size());
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return text;
  }
  OwnedFd out;
  OwnedFd in;
};

int exit_code_of(pid_t pid) {
  int status = -1;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

OwnedFd root_directory() { return OwnedFd(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)); }

Command shell(const std::string& script, const OwnedFd& directory) {
  Command command;
  command.programs = {"/bin/sh"};
  command.argv = {"sh", "-c", script};
  command.directory_fd = directory.get();
  return command;
}

// A real v2 hierarchy, even one without controllers, shows that a child is born in its cgroup.
TEST(SpawnTest, ChildIsMadeInItsCgroup) {
  std::filesystem::path root;
  for (const char* path : {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"}) {
    if (std::filesystem::exists(std::filesystem::path(path) / "cgroup.controllers")) root = path;
  }
  const auto cgroup = root / fmt::format("docket-test-{}", ::getpid());
  if (root.empty() || ::mkdir(cgroup.c_str(), 0755) != 0) GTEST_SKIP() << "no writable cgroup v2";
  Pipe out;
  const OwnedFd here = root_directory();
  const OwnedFd directory(::open(cgroup.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Command command = shell("cat /proc/self/cgroup", here);
  command.stdout_fd = out.in.get();
  command.cgroup_directory_fd = directory.get();
  Spawner spawner;
  const SpawnResult result = spawner.spawn(command);
  ASSERT_TRUE(result) << result.error;
  EXPECT_EQ(exit_code_of(result.pid), 0);
  EXPECT_THAT(out.read(), ::testing::HasSubstr("0::/" + cgroup.filename().string()));
  ::rmdir(cgroup.c_str());
}

// The line for its record does not fit into a full pipe, so the command stays where it is, between
// clone and exec, until somebody reads.
class ReaperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // as the runner
    ::fcntl(record_.in.get(), F_SETFL, O_NONBLOCK);
    const std::string page(4096, 'x');
    while (::write(record_.in.get(), page.data(), page.size()) > 0) {
    }
    ::fcntl(record_.in.get(), F_SETFL, 0);
  }
  void TearDown() override { ::prctl(PR_SET_CHILD_SUBREAPER, 0); }

  Command recorded(const std::string& script) {
    Command command = shell(script, here_);
    command.record_fd = record_.in.get();
    return command;
  }

  // The reaper that waits for its command's exec.
  static pid_t reaper_at_work() {
    for (;;) {
      for (const pid_t pid : all_processes()) {
        const auto stat = process_stat(pid);
        if (stat && stat->parent == ::getpid() && stat->state == 'D' && is_reaper(pid)) return pid;
      }
      ::sched_yield();
    }
  }
  static bool is_reaper(pid_t pid) {
    return read_file(fmt::format("/proc/{}/comm", pid)) == fmt::format("{}\n", kReaperName);
  }

  static void kill_whole(pid_t pid) {
    ::kill(pid, SIGKILL);
    while (process_stat(pid)->state != 'Z') ::sched_yield();
  }

  OwnedFd here_ = root_directory();
  Pipe record_;
  Spawner spawner_;
};

TEST_F(ReaperTest, ACommandOutlivesAReaperThatIsKilledBeforeTheExec) {
  std::thread killer([&] {
    kill_whole(reaper_at_work());
    record_.read();
  });
  const SpawnResult result = spawner_.spawn(recorded("exit 3"));
  killer.join();
  ASSERT_TRUE(result) << result.error;
  EXPECT_EQ(exit_code_of(result.pid), 3);
}

TEST_F(ReaperTest, AFailureIsReportedAlthoughItsReaperIsKilled) {
  std::thread killer([&] {
    kill_whole(reaper_at_work());
    record_.read();
  });
  Command command = recorded("");
  command.programs = {"/no/such/program"};
  const SpawnResult result = spawner_.spawn(command);
  killer.join();
  EXPECT_EQ(result.failed, SpawnStep::kExec);
  EXPECT_EQ(result.error, ENOENT);
  EXPECT_EQ(result.pid, -1);
}

}  // namespace
}  // namespace docket::runner
