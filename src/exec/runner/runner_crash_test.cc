// The server dies, the runner dies, children daemonize: nothing is lost, nothing runs twice,
// nothing is left behind.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "exec/runner/log_files.h"
#include "exec/runner/owned_fd.h"
#include "exec/runner/processes.h"
#include "support/runner/harness.h"

namespace docket::runner::testing {
namespace {

using engine::AttemptPhase;
using engine::AttemptReport;
using ::testing::HasSubstr;

std::filesystem::path runner_dir(const Harness& runner) { return runner.dir() / "runner"; }

// A command that prints its pid and ends, with 5, when a file appears.
std::string until_file(const std::filesystem::path& file) {
  return fmt::format("echo $$; while [ ! -e {} ]; do sleep 0.01; done; exit 5", file.string());
}

std::string this_boot_claim() { return fmt::format("claim {} 3000000 0 0 -\n", boot_id()); }

// The parent of the attempt's command, by the pid that the command has written first.
pid_t reaper_of(const Harness& runner, TaskId token) {
  const std::string record = slurp(record_path(runner_dir(runner), token));
  const auto stat = process_stat(std::atoi(record.substr(record.find("spawn ") + 6).c_str()));
  EXPECT_TRUE(stat.has_value());
  EXPECT_EQ(slurp(fmt::format("/proc/{}/comm", stat->parent)), "job-reaper\n");
  return stat->parent;
}

void touch(const std::filesystem::path& file) { std::ofstream(file).flush(); }

void kill_both(Harness& runner) {
  const pid_t pid = runner.runner_pid();
  runner.drop_server();
  ::kill(pid, SIGKILL);
  while (runs(pid)) ::sched_yield();
}

// ---- the server is killed ----

TEST(ServerCrashTest, FindsWhatStillRuns) {
  Harness runner;
  const TaskId token = runner.start(until_file(runner.dir() / "go"));
  runner.first_line(token);
  const Time started = runner.find(token).started_at;
  runner.drop_server();
  runner.start_server();
  const AttemptReport report = runner.find(token);
  EXPECT_EQ(report.phase, AttemptPhase::kRunning);
  EXPECT_EQ(report.started_at, started);
  touch(runner.dir() / "go");
  EXPECT_EQ(runner.wait(token).exit_code, 5);  // reported to the new server
}

TEST(ServerCrashTest, FindsWhatEndedMeanwhile) {
  Harness runner;
  const TaskId token = runner.start(until_file(runner.dir() / "go"));
  const pid_t pid = std::atoi(runner.first_line(token).c_str());
  runner.drop_server();
  touch(runner.dir() / "go");
  while (runs(pid)) ::sched_yield();
  runner.start_server();
  ASSERT_TRUE(runner.until([&] { return runner.find(token).phase == AttemptPhase::kExited; }));
  const AttemptReport report = runner.find(token);
  EXPECT_EQ(report.exit_code, 5);
  EXPECT_GE(report.finished_at, report.started_at);
  EXPECT_EQ(runner.out(token), fmt::format("{}\n", pid));
}

TEST(ServerCrashTest, CallsMadeWhileDisconnectedAreKept) {
  Harness runner;
  const pid_t first = runner.runner_pid();
  ::kill(first, SIGSTOP);
  const TaskId token = runner.start("echo once");
  ::kill(first, SIGKILL);  // it never read the start
  EXPECT_TRUE(runner.wait(token).succeeded());
  EXPECT_EQ(runner.out(token), "once\n");
  EXPECT_NE(runner.runner_pid(), first);
}

TEST(ServerCrashTest, RunnerEndsWhenNobodyNeedsIt) {
  Harness runner;
  const TaskId token = runner.start(until_file(runner.dir() / "go"));
  runner.first_line(token);
  const pid_t pid = runner.runner_pid();
  runner.drop_server();
  EXPECT_TRUE(runs(pid));
  touch(runner.dir() / "go");
  while (runs(pid)) ::sched_yield();
  runner.start_server();  // a new runner knows the old one's results
  EXPECT_EQ(runner.find(token).exit_code, 5);
}

TEST(ServerCrashTest, AnIdleRunnerEndsWithItsServer) {
  Harness runner;
  EXPECT_TRUE(runner.run("true").succeeded());
  const pid_t pid = runner.runner_pid();
  runner.drop_server();
  while (runs(pid)) ::sched_yield();
  runner.start_server();
  EXPECT_TRUE(runner.run("true").succeeded());
}

// ---- the runner is killed ----

TEST(RunnerCrashTest, ANewRunnerAdoptsWhatRuns) {
  Harness runner;
  const TaskId token = runner.start(until_file(runner.dir() / "go"));
  runner.first_line(token);
  const Time started = runner.find(token).started_at;
  runner.kill_runner();
  const AttemptReport found = runner.find(token);
  EXPECT_EQ(found.phase, AttemptPhase::kRunning);
  EXPECT_EQ(found.started_at, started);
  touch(runner.dir() / "go");
  EXPECT_EQ(runner.wait(token).exit_code, 5);
  EXPECT_EQ(runner.find(token).exit_code, 5);
}

// A server that takes connections and says nothing, until it is closed.
OwnedFd silent_server(int& port) {
  OwnedFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(fd.get(), 8), 0);
  EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  port = ntohs(address.sin_port);
  return fd;
}

// Its artifacts were on the way; nothing of it had run, so the next runner starts over.
TEST(RunnerCrashTest, AnAttemptThatHadNotRunIsNotLost) {
  Harness runner;
  int port = 0;
  OwnedFd silent = silent_server(port);
  LaunchSpec spec = shell("exit 6");
  spec.artifacts.push_back({.uri = fmt::format("http://127.0.0.1:{}/file", port)});
  const TaskId token = runner.start(spec);
  runner.wait(token, AttemptPhase::kStarting);
  runner.kill_runner();
  silent.reset();
  EXPECT_THAT(runner.wait(token).message, HasSubstr("Failed to fetch artifact"));
  EXPECT_EQ(runner.seen(token, AttemptPhase::kLost), 0);
}

// The exit code is recorded by the reaper, which needs no runner.
TEST(RunnerCrashTest, AnEndWithoutARunnerIsKnownToTheNext) {
  Harness runner;
  LaunchSpec spec = shell("setsid sleep 1000 & echo $!; " + until_file(runner.dir() / "go"));
  spec.secret_files = {{"key", "x"}};
  const TaskId token = runner.start(spec);
  const pid_t left = std::atoi(runner.first_line(token).c_str());
  const Time started = runner.find(token).started_at;
  const pid_t reaper = reaper_of(runner, token);
  kill_both(runner);
  touch(runner.dir() / "go");
  while (runs(reaper)) ::sched_yield();
  runner.start_server();
  const AttemptReport report = runner.find(token);
  EXPECT_EQ(report.phase, AttemptPhase::kExited);
  EXPECT_EQ(report.exit_code, 5);
  EXPECT_EQ(report.started_at, started);
  EXPECT_GE(report.finished_at, started);
  EXPECT_TRUE(runner.until([&] { return !runs(left); }));
  EXPECT_FALSE(std::filesystem::exists(work_path(runner_dir(runner), token) / "key"));
}

// The instant between the end of a command and its reaper's record of it.
TEST(RunnerCrashTest, AZombieIsNotLostBeforeItsReaperHasRecordedItsEnd) {
  Harness runner;
  const TaskId token = runner.start(until_file(runner.dir() / "go"));
  const pid_t pid = std::atoi(runner.first_line(token).c_str());
  runner.find(token);
  const pid_t reaper = reaper_of(runner, token);
  kill_both(runner);
  ::kill(reaper, SIGSTOP);
  touch(runner.dir() / "go");
  while (runs(pid)) ::sched_yield();
  runner.start_server();
  EXPECT_EQ(runner.find(token).phase, AttemptPhase::kRunning);
  ::kill(reaper, SIGCONT);
  EXPECT_EQ(runner.wait(token).exit_code, 5);
}

TEST(RunnerCrashTest, AReaperHoldsNothingOfTheRunner) {
  Harness runner;
  const TaskId token = runner.start(until_file(runner.dir() / "go"));
  runner.first_line(token);
  const pid_t reaper = reaper_of(runner, token);
  std::vector<std::string> open;
  for (const auto& entry :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", reaper))) {
    if (std::atoi(entry.path().filename().c_str()) > 2) {
      open.push_back(std::filesystem::read_symlink(entry.path()));
    }
  }
  EXPECT_EQ(open, std::vector<std::string>{record_path(runner_dir(runner), token)});
  touch(runner.dir() / "go");
  runner.wait(token);
}

// A job sees its reaper as its parent. When the reaper is killed, the runner takes the job over.
TEST(RunnerCrashTest, AJobThatKillsItsParentDoesNoHarm) {
  Harness runner;
  const TaskId bystander = runner.start(until_file(runner.dir() / "go"));
  runner.first_line(bystander);
  const pid_t pid = runner.runner_pid();
  const TaskId token = runner.start("kill -9 $PPID; exit 3");
  EXPECT_EQ(runner.wait(token).exit_code, 3);
  EXPECT_EQ(runner.runner_pid(), pid);
  EXPECT_TRUE(runs(pid));
  touch(runner.dir() / "go");
  EXPECT_EQ(runner.wait(bystander).exit_code, 5);
}

TEST(RunnerCrashTest, AnAdoptedAttemptCanBeStopped) {
  Harness runner;
  const TaskId token = runner.start("(trap '' TERM; echo $$; while :; do sleep 0.01; done) & wait");
  const pid_t pid = std::atoi(runner.first_line(token).c_str());
  runner.kill_runner();
  runner.executor().stop(token, std::chrono::milliseconds{10});
  EXPECT_TRUE(runner.until([&] { return !runs(pid); }));
  EXPECT_TRUE(runner.until([&] { return runner.find(token).phase != AttemptPhase::kRunning; }));
}

// The new runner gets the start and the stop before it has read what the token did before.
TEST(RunnerCrashTest, AStopBehindARepeatedStartIsNotLost) {
  Harness runner;
  const LaunchSpec spec = shell("echo $$; exec sleep 1000");
  const TaskId token = runner.start(spec);
  const pid_t pid = std::atoi(runner.first_line(token).c_str());
  runner.kill_runner();
  runner.executor().start(token, engine::payload_of(spec));
  runner.executor().stop(token, Duration{0});
  EXPECT_TRUE(runner.until([&] { return !runs(pid); }));
}

TEST(RunnerCrashTest, AnUnseenEndIsLostAndItsRemainsAreKilled) {
  Harness runner;
  LaunchSpec spec = shell("setsid sleep 1000 & echo $$ $!; while :; do sleep 0.01; done");
  spec.secret_files = {{"key", "x"}};
  const TaskId token = runner.start(spec);
  int main_pid = 0;
  int left_pid = 0;
  ASSERT_EQ(std::sscanf(runner.first_line(token).c_str(), "%d %d", &main_pid, &left_pid), 2);
  const pid_t reaper = reaper_of(runner, token);
  kill_both(runner);
  ::kill(reaper, SIGKILL);
  ::kill(main_pid, SIGKILL);
  while (runs(main_pid)) ::sched_yield();
  runner.start_server();
  EXPECT_EQ(runner.find(token).phase, AttemptPhase::kLost);
  EXPECT_TRUE(runner.until([&] { return !runs(left_pid); }));
  EXPECT_FALSE(std::filesystem::exists(work_path(runner_dir(runner), token) / "key"));
  EXPECT_EQ(runner.find(token).phase, AttemptPhase::kLost);
}

TEST(RunnerCrashTest, AResultIsKnownToTheNextRunner) {
  Harness runner;
  const TaskId token = runner.start("exit 9");
  runner.wait(token);
  runner.kill_runner();
  EXPECT_EQ(runner.find(token).exit_code, 9);
}

TEST(RunnerCrashTest, AStartIsNotRepeatedByTheNextRunner) {
  Harness runner;
  const LaunchSpec spec = shell(fmt::format("echo run >> {}/count; exit 6", runner.dir().string()));
  const TaskId token = runner.start(spec);
  runner.wait(token);
  runner.kill_runner();
  runner.executor().start(token, engine::payload_of(spec));
  ASSERT_TRUE(runner.until([&] { return runner.seen(token, AttemptPhase::kExited) >= 2; }));
  EXPECT_EQ(slurp(runner.dir() / "count"), "run\n");
}

TEST(RunnerCrashTest, AClaimWithoutASpawnMayStart) {
  Harness runner;
  const TaskId token{4711};
  std::filesystem::create_directories(shard_path(runner_dir(runner), token));
  std::ofstream(record_path(runner_dir(runner), token)) << this_boot_claim() << "spaw";
  EXPECT_EQ(runner.find(token).phase, AttemptPhase::kUnknown);
  runner.executor().start(token, engine::payload_of(shell("exit 8")));
  EXPECT_EQ(runner.wait(token).exit_code, 8);
}

// The runner died between the child's exec and its own note of it.
TEST(RunnerCrashTest, AProcessThatOnlyNotedItselfIsAdopted) {
  Harness runner;
  const TaskId token = runner.start(until_file(runner.dir() / "go"));
  runner.first_line(token);
  runner.find(token);
  runner.kill_runner();
  const auto file = record_path(runner_dir(runner), token);
  const std::string text = slurp(file);
  std::filesystem::resize_file(file, text.find("start "));
  runner.drop_server();
  runner.start_server();
  const AttemptReport report = runner.find(token);
  EXPECT_EQ(report.phase, AttemptPhase::kRunning);
  EXPECT_NE(report.started_at, kNever);
  touch(runner.dir() / "go");
  EXPECT_TRUE(runner.until([&] { return runner.find(token).phase != AttemptPhase::kRunning; }));
}

// A record names the cgroup of its attempt until a runner has seen the end of it, maybe two runners
// later. Nothing else may run there meanwhile: it would be killed as what the attempt left behind.
TEST(RunnerCrashTest, AnotherAttemptIsNotKilledAsTheRemainsOfALostOne) {
  Harness runner;
  const TaskId lost = runner.start(until_file(runner.dir() / "never"));
  const pid_t pid = std::atoi(runner.first_line(lost).c_str());
  const pid_t reaper = reaper_of(runner, lost);
  kill_both(runner);
  ::kill(reaper, SIGKILL);
  ::kill(pid, SIGKILL);
  while (runs(pid)) ::sched_yield();
  runner.start_server();  // it does not ask about the first attempt
  const TaskId other = runner.start(
      fmt::format("echo $$; while [ ! -e {0}/go ]; do sleep 0.01; done; touch {0}/over",
                  runner.dir().string()));
  runner.first_line(other);
  kill_both(runner);
  runner.start_server();
  EXPECT_EQ(runner.find(lost).phase, AttemptPhase::kLost);
  EXPECT_EQ(runner.find(other).phase, AttemptPhase::kRunning);
  touch(runner.dir() / "go");
  EXPECT_TRUE(runner.until([&] { return runner.find(other).phase != AttemptPhase::kRunning; }));
  EXPECT_TRUE(std::filesystem::exists(runner.dir() / "over")) << "killed as a remain of the first";
}

// A process may have the pid of a lost attempt by now, and so may its session and its group.
TEST(RunnerCrashTest, ALostAttemptsPidDoesNotMarkAProcessAsItsRemains) {
  Harness runner;
  const TaskId other = runner.start("env -i /bin/sh -c 'echo $$; cd /; exec sleep 1000'");
  runner.first_line(other);
  const TaskId lost{4713};
  std::filesystem::create_directories(shard_path(runner_dir(runner), lost));
  std::string text = slurp(record_path(runner_dir(runner), other));
  const std::size_t slot = text.rfind(' ', text.find('\n'));
  text.replace(slot, text.find('\n') - slot, " -");
  text.replace(text.find("start "), std::string::npos, "");
  const pid_t pid = std::atoi(text.substr(text.find("spawn ") + 6).c_str());
  text += fmt::format("start {} 1 2 3\n", pid);
  std::ofstream(record_path(runner_dir(runner), lost)) << text;
  EXPECT_EQ(runner.find(lost).phase, AttemptPhase::kLost);
  EXPECT_EQ(runner.seen(other, AttemptPhase::kExited), 0);
  EXPECT_EQ(runner.find(other).phase, AttemptPhase::kRunning);
  EXPECT_TRUE(runs(pid));
}

// Between its claim and its command the last runner wrote secrets and fetched artifacts.
TEST(RunnerCrashTest, PreparationsForACommandThatNeverRanAreNoObstacle) {
  Harness runner;
  LaunchSpec spec = shell("cat key; rm key; [ ! -e half ]");
  spec.secret_files = {{"key", "new"}};
  const TaskId token{4714};
  std::filesystem::create_directories(work_path(runner_dir(runner), token));
  std::ofstream(work_path(runner_dir(runner), token) / "key") << "old";
  std::ofstream(work_path(runner_dir(runner), token) / "half") << "of an artifact";
  std::ofstream(record_path(runner_dir(runner), token)) << this_boot_claim() << "secret key\n";
  runner.executor().start(token, engine::payload_of(spec));
  const AttemptReport report = runner.wait(token);
  EXPECT_TRUE(report.succeeded()) << report.message;
  EXPECT_EQ(runner.out(token), "new");
}

TEST(RunnerCrashTest, AnUnfinishedRecordOfAnotherBootIsLost) {
  Harness runner;
  const TaskId token{4712};
  std::filesystem::create_directories(shard_path(runner_dir(runner), token));
  std::ofstream(record_path(runner_dir(runner), token)) << "claim another-boot 3000000 0 0 -\n";
  EXPECT_EQ(runner.find(token).phase, AttemptPhase::kLost);
  runner.executor().start(token, engine::payload_of(shell("true")));
  EXPECT_EQ(runner.wait(token, AttemptPhase::kLost).phase, AttemptPhase::kLost);
}

TEST(RunnerCrashTest, RandomKillsLoseNothing) {
  Harness runner;
  std::vector<TaskId> tokens;
  for (int round = 0; round < 8; ++round) {
    for (int i = 0; i < 25; ++i) {
      tokens.push_back(
          runner.start(fmt::format("echo x >> {}/ran-{}", runner.dir().string(), tokens.size())));
    }
    // Each round lets another number of attempts begin before the runner dies.
    const auto target = tokens[tokens.size() - 25 + static_cast<std::size_t>(round) * 3];
    runner.wait(target, AttemptPhase::kRunning);
    runner.kill_runner();
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    EXPECT_TRUE(runner.wait(tokens[i]).succeeded()) << i;
    EXPECT_EQ(runner.seen(tokens[i], AttemptPhase::kLost), 0) << i;
    EXPECT_EQ(slurp(runner.dir() / fmt::format("ran-{}", i)), "x\n") << i;
  }
}

TEST(RunnerCrashTest, OneRunnerForADirectory) {
  Harness runner;
  const std::string command =
      fmt::format("{} runner {} 2>&1", RUNNER_MAIN, runner_dir(runner).string());
  const TaskId token = runner.start(command);
  EXPECT_EQ(runner.wait(token).exit_code, 1);
  EXPECT_THAT(runner.out(token), HasSubstr("another runner has"));
}

// Its directory was moved between its start and its first look, or its disk unmounted.
TEST(RunnerCrashTest, AMissingDirectoryIsNotMade) {
  Harness runner;
  const auto gone = runner.dir() / "gone";
  const TaskId token = runner.start(fmt::format("{} runner {} 2>&1", RUNNER_MAIN, gone.string()));
  EXPECT_EQ(runner.wait(token).exit_code, 1);
  EXPECT_THAT(runner.out(token), HasSubstr("No such file or directory"));
  EXPECT_FALSE(std::filesystem::exists(gone));
}

// ---- nothing is left behind ----

class LeftoverTest : public ::testing::TestWithParam<const char*> {};

// Each writes the pid of what it leaves behind to stdout and ends.
const char* const kLeavers[] = {
    "sleep 1000 & echo $!",
    "setsid sleep 1000 & echo $!",
    "(setsid sh -c 'echo $$; exec sleep 1000' &) ; while ! [ -s /proc/self/fd/1 ]; do :; done",
    "setsid sh -c 'setsid sh -c \"trap : TERM HUP INT; echo \\$\\$; sleep 1000; sleep 1000\" & "
    "exit 0'; "
    "while ! [ -s /proc/self/fd/1 ]; do :; done",
};

TEST_P(LeftoverTest, IsKilledWithTheMainProcess) {
  Harness runner({GetParam()});
  for (const char* leaver : kLeavers) {
    const TaskId token = runner.start(std::string(leaver) + "; exit 0");
    EXPECT_TRUE(runner.wait(token).succeeded()) << leaver << runner.err(token);
    const pid_t pid = std::atoi(runner.first_line(token).c_str());
    ASSERT_GT(pid, 0);
    EXPECT_FALSE(runs(pid)) << leaver;
  }
}

TEST_P(LeftoverTest, IsKilledByStop) {
  Harness runner({GetParam()});
  for (const char* leaver : kLeavers) {
    const TaskId token = runner.start(std::string(leaver) + "; exec sleep 1000");
    const pid_t pid = std::atoi(runner.first_line(token).c_str());
    runner.executor().stop(token, Duration{0});
    runner.wait(token);
    EXPECT_FALSE(runs(pid)) << leaver;
  }
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutCgroups, LeftoverTest,
                         ::testing::Values("cgroups=1", "cgroups=0"));

}  // namespace
}  // namespace docket::runner::testing
