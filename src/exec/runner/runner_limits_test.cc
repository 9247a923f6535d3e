// Memory, cpu, disk and log limits on real processes, and the degraded path where this machine has
// no cgroups.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>

#include "exec/runner/log_files.h"
#include "exec/runner/log_reader.h"
#include "support/runner/harness.h"

namespace docket::runner::testing {
namespace {

using engine::AttemptReport;
using ::testing::HasSubstr;
using ::testing::StartsWith;

bool enforced(const Harness& runner) {
  return const_cast<Harness&>(runner).executor().status().limits.starts_with("cgroup ");
}

constexpr char kEatMemory[] =
    "exec dd if=/dev/zero of=/dev/null bs=300M count=1";  // one buffer of 300 MiB

TEST(CgroupLimitTest, MemoryIsEnforcedAndOomIsReported) {
  Harness runner;
  if (!enforced(runner)) GTEST_SKIP() << runner.executor().status().limits;
  LaunchSpec spec = shell(kEatMemory);
  spec.mem_mib = 32;
  const AttemptReport report = runner.run(spec);
  EXPECT_TRUE(report.oom);
  EXPECT_EQ(report.signal, SIGKILL);
  EXPECT_EQ(report.message, "Memory limit of 32 MiB exceeded");
  EXPECT_EQ(runner.find(report.token).oom, true);
  // The next user of the slot is not blamed.
  LaunchSpec next = shell("exit 1");
  next.mem_mib = 32;
  EXPECT_FALSE(runner.run(next).oom);
}

TEST(CgroupLimitTest, OomOfAChildOfTheShellIsReportedToo) {
  Harness runner;
  if (!enforced(runner)) GTEST_SKIP() << runner.executor().status().limits;
  LaunchSpec spec = shell("dd if=/dev/zero of=/dev/null bs=300M count=1; exit $?");
  spec.mem_mib = 32;
  const AttemptReport report = runner.run(spec);
  EXPECT_TRUE(report.oom);
  EXPECT_EQ(report.exit_code, 128 + SIGKILL);
}

TEST(CgroupLimitTest, LimitsFollowTheAttemptThroughReusedSlots) {
  Harness runner;
  if (!enforced(runner)) GTEST_SKIP() << runner.executor().status().limits;
  for (const double mib : {32.0, 0.0, 600.0, 32.0}) {
    LaunchSpec spec = shell(kEatMemory);
    spec.mem_mib = mib;
    EXPECT_EQ(runner.run(spec).oom, mib == 32.0) << mib;
  }
}

TEST(CgroupLimitTest, CpuIsHeldToItsQuota) {
  Harness runner;
  if (!enforced(runner)) GTEST_SKIP() << runner.executor().status().limits;
  LaunchSpec spec = shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; times");
  spec.cpus = 0.2;
  const AttemptReport report = runner.run(spec);
  double user = 0;
  double system = 0;  // "0m0.150000s 0m0.010000s"
  ASSERT_EQ(std::sscanf(runner.first_line(report.token).c_str(), "0m%lfs 0m%lfs", &user, &system),
            2);
  const std::chrono::duration<double> took = report.finished_at - report.started_at;
  EXPECT_GT(user, 0.05);
  EXPECT_GT(took.count(), (user + system) * 3) << user << " + " << system;
}

// The child shares the runner's memory until its exec: running out in between must not end the
// runner.
TEST(CgroupLimitTest, NoMemoryForTheExecFailsTheAttemptOnly) {
  Harness runner;
  if (!enforced(runner)) GTEST_SKIP() << runner.executor().status().limits;
  const pid_t before = runner.runner_pid();
  LaunchSpec spec = shell("true");
  for (int i = 0; i < 10; ++i)
    spec.env.emplace_back(fmt::format("V{}", i), std::string(100'000, 'x'));
  spec.mem_mib = 0.05;
  EXPECT_FALSE(runner.run(spec).succeeded());
  EXPECT_TRUE(runner.run("true").succeeded());
  EXPECT_EQ(runner.runner_pid(), before);
}

TEST(CgroupLimitTest, TinyJobsAreNotStarved) {
  Harness runner;
  LaunchSpec spec = shell("true");
  spec.cpus = 0.001;
  spec.mem_mib = 32;
  const AttemptReport report = runner.run(spec);
  EXPECT_TRUE(report.succeeded()) << report.message;
  EXPECT_LT(report.finished_at - report.started_at, std::chrono::seconds{5});
}

TEST(CgroupLimitTest, WithoutCgroupsAttemptsRunAndTheReasonIsGiven) {
  Harness runner({"cgroups=0"});
  EXPECT_THAT(runner.executor().status().limits, StartsWith("limits are not enforced: "));
  LaunchSpec spec = shell("true");
  spec.mem_mib = 32;
  spec.cpus = 0.1;
  EXPECT_TRUE(runner.run(spec).succeeded());
}

// Writes how many of fifty children it could make.
constexpr char kForkFifty[] =
    "i=0; while [ $i -lt 50 ]; do sleep 1000 & i=$((i+1)); echo $i > made; done 2>/dev/null; true";

TEST(ProcessLimitTest, ACgroupLimitsRootToo) {
  Harness runner({"processes=20"});
  if (runner.executor().status().limits.find("pids") == std::string::npos) {
    GTEST_SKIP() << runner.executor().status().limits;
  }
  const TaskId token = runner.start(std::string(kForkFifty));
  runner.wait(token);
  const int made = std::atoi(slurp(work_path(runner.dir() / "runner", token) / "made").c_str());
  EXPECT_GT(made, 10);
  EXPECT_LT(made, 20);
  EXPECT_TRUE(runner.run("true").succeeded());
}

// Counted with all other processes of that user.
TEST(ProcessLimitTest, WithoutACgroupOtherUsersAreLimited) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can run jobs of other users";
  Harness runner({"cgroups=0", "processes=20"});
  LaunchSpec spec = shell("awk '/Max processes/ {print $3, $4}' /proc/self/limits");
  spec.user = "nobody";
  const TaskId token = runner.start(spec);
  EXPECT_TRUE(runner.wait(token).succeeded());
  EXPECT_EQ(runner.out(token), "20 20\n");
}

TEST(ProcessLimitTest, OpenFilesAndCoreFilesAreLimited) {
  Harness runner({"open_files=77", "core_bytes=1024"});
  const TaskId token = runner.start("ulimit -n; ulimit -Hn; ulimit -c; ulimit -Hc");
  EXPECT_TRUE(runner.wait(token).succeeded());
  EXPECT_EQ(runner.out(token), "77\n77\n2\n2\n");  // blocks of 512 bytes
}

TEST(ProcessLimitTest, NoCoreFilesUnlessAsked) {
  Harness runner;
  const TaskId token = runner.start("ulimit -c; ulimit -Hc");
  EXPECT_TRUE(runner.wait(token).succeeded());
  EXPECT_EQ(runner.out(token), "0\n0\n");
}

// Processes of root can leave their cgroup: they are still found by session, or by what started
// them.
TEST(CgroupLimitTest, AProcessThatLeavesItsCgroupIsKilledAndReported) {
  Harness runner;
  if (!enforced(runner) || ::geteuid() != 0) GTEST_SKIP() << runner.executor().status().limits;
  const std::string leave =
      "leave() { for c in $(find /sys/fs/cgroup -maxdepth 2 -name cgroup.procs); do echo $1 > $c; "
      "done 2>/dev/null; }; sleep 1000 & leave $!; echo $!; mkfifo away; "
      "setsid sh -c 'echo >away; exec sleep 1000' & leave $!; echo $!; read _ <away";
  const TaskId token = runner.start(leave);
  EXPECT_TRUE(runner.wait(token).succeeded());
  int in_group = 0;
  int on_its_own = 0;
  ASSERT_EQ(std::sscanf(runner.out(token).c_str(), "%d %d", &in_group, &on_its_own), 2);
  EXPECT_FALSE(runs(in_group));
  EXPECT_FALSE(runs(on_its_own));
  EXPECT_THAT(slurp(runner.dir() / "runner" / "runner.log"),
              HasSubstr(fmt::format("killing process {}, which has left", on_its_own)));
}

TEST(DiskLimitTest, IsEnforcedAndReported) {
  Harness runner({"sample_ms=20"});
  LaunchSpec spec = shell("mkdir a; head -c 20M /dev/zero > a/file; exec sleep 1000");
  spec.disk_mib = 10;
  const AttemptReport report = runner.run(spec);
  EXPECT_EQ(report.message, "Disk limit of 10 MiB exceeded");
  EXPECT_EQ(report.signal, SIGKILL);
  EXPECT_FALSE(report.succeeded());
}

TEST(LogLimitTest, TheNewestIsKeptAtItsOffset) {
  Harness runner({"sample_ms=10", "log_bytes=65536"});
  const TaskId token = runner.start("seq 1 200000");
  EXPECT_TRUE(runner.wait(token).succeeded());
  const auto path = stdout_path(runner.dir() / "runner", token);
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 1288895);
  EXPECT_LE(info.st_blocks * 512, 65536 + 8192);
  const auto chunk = read_log(path, 0, std::size_t{1} << 20);
  ASSERT_TRUE(chunk);
  EXPECT_EQ(chunk->offset, chunk->first_available);
  EXPECT_GE(chunk->data.size(), 65536U);
  EXPECT_EQ(chunk->offset + chunk->data.size(), 1288895U);
  EXPECT_THAT(chunk->data, ::testing::EndsWith("199999\n200000\n"));
  EXPECT_EQ(chunk->data.find('\0'), std::string::npos);
}

TEST(LogLimitTest, HoldsWhileItRuns) {
  Harness runner({"sample_ms=10", "log_bytes=65536"});
  const TaskId token = runner.start("head -c 10M /dev/zero | tr '\\0' x; exec sleep 1000");
  const auto path = stdout_path(runner.dir() / "runner", token);
  EXPECT_TRUE(runner.until([&] {
    struct stat info{};
    return ::stat(path.c_str(), &info) == 0 && info.st_size == 10 << 20 &&
           info.st_blocks * 512 <= 65536 + 8192;
  }));
}

}  // namespace
}  // namespace docket::runner::testing
