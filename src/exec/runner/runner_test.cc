// Attempts from start to end through RunnerExecutor, with a real runner and real processes.

#include "exec/runner/runner.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "exec/runner/log_files.h"
#include "support/runner/harness.h"

namespace docket::runner::testing {
namespace {

using engine::AttemptPhase;
using engine::AttemptReport;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> list;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) list.push_back(line);
  return list;
}

class RunnerTest : public ::testing::Test {
 protected:
  std::filesystem::path runner_dir() const { return runner.dir() / "runner"; }
  Harness runner;
};

TEST_F(RunnerTest, ReportsSuccess) {
  const AttemptReport report = runner.run("true");
  EXPECT_TRUE(report.succeeded());
  EXPECT_NE(report.started_at, kNever);
  EXPECT_GE(report.finished_at, report.started_at);
}

TEST_F(RunnerTest, ReportsExitCodes) {
  EXPECT_EQ(runner.run("exit 1").exit_code, 1);
  const AttemptReport report = runner.run("exit 255");
  EXPECT_EQ(report.exit_code, 255);
  EXPECT_EQ(report.signal, 0);
  EXPECT_EQ(report.message, "");
}

TEST_F(RunnerTest, ReportsTheSignalThatEndedIt) {
  const AttemptReport report = runner.run("kill -SEGV $$");
  EXPECT_EQ(report.signal, SIGSEGV);
  EXPECT_FALSE(report.succeeded());
}

TEST_F(RunnerTest, ReportsRunningBeforeExited) {
  const TaskId token = runner.start("true");
  runner.wait(token);
  EXPECT_EQ(runner.seen(token, AttemptPhase::kRunning), 1);
}

TEST_F(RunnerTest, KeepsBothOutputs) {
  const TaskId token = runner.start("echo to out; echo to err >&2; echo again >> /dev/stdout");
  runner.wait(token);
  EXPECT_EQ(runner.out(token), "to out\nagain\n");
  EXPECT_EQ(runner.err(token), "to err\n");
}

TEST_F(RunnerTest, OutputIsReadableWhileItRuns) {
  const TaskId token = runner.start("echo early; exec sleep 1000");
  EXPECT_EQ(runner.first_line(token), "early");
  EXPECT_EQ(runner.find(token).phase, AttemptPhase::kRunning);
}

TEST_F(RunnerTest, StdinIsEmpty) {
  const TaskId token = runner.start("wc -c; readlink /proc/self/fd/0");
  runner.wait(token);
  EXPECT_EQ(runner.out(token), "0\n/dev/null\n");
}

TEST_F(RunnerTest, NoOtherDescriptorIsOpen) {
  LaunchSpec spec;
  spec.args = {"ls", "/proc/self/fd"};
  const TaskId token = runner.start(spec);
  runner.wait(token);
  EXPECT_THAT(lines(runner.out(token)),
              ElementsAre("0", "1", "2", "3"));  // 3 is ls reading the folder
}

TEST_F(RunnerTest, NoSignalIsBlockedOrIgnored) {
  const TaskId token = runner.start("grep -E '^Sig(Blk|Ign)' /proc/self/status");
  runner.wait(token);
  EXPECT_THAT(lines(runner.out(token)),
              ElementsAre("SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"));
}

TEST_F(RunnerTest, IsItsOwnSessionWithTheUsualUmask) {
  const TaskId token = runner.start("ps -o sid= -p $$ | tr -d ' '; echo $$; umask");
  runner.wait(token);
  const auto out = lines(runner.out(token));
  ASSERT_EQ(out.size(), 3U);
  EXPECT_EQ(out[0], out[1]);
  EXPECT_EQ(out[2], "0022");
}

// ---- command lines ----

TEST_F(RunnerTest, ArgsAreNotSeenByAShell) {
  LaunchSpec spec;
  spec.args = {"printf", "%s|", "$HOME", "a b", ""};
  const TaskId token = runner.start(spec);
  runner.wait(token);
  EXPECT_EQ(runner.out(token), "$HOME|a b||");
}

TEST_F(RunnerTest, ArgsFollowCmd) {
  LaunchSpec spec = shell("echo $0 $1 $2");
  spec.args = {"zero", "one", "two"};
  const TaskId token = runner.start(spec);
  runner.wait(token);
  EXPECT_EQ(runner.out(token), "zero one two\n");
}

TEST_F(RunnerTest, UnknownCommandIsReported) {
  LaunchSpec spec;
  spec.args = {"no-such-command"};
  const AttemptReport report = runner.run(spec);
  EXPECT_EQ(report.message, "command not found: no-such-command");
  EXPECT_EQ(report.exit_code, 127);
  EXPECT_EQ(runner.run("no-such-command").exit_code, 127);  // from the shell
}

TEST_F(RunnerTest, ForbiddenCommandIsReported) {
  LaunchSpec spec;
  spec.args = {"/etc/passwd"};
  const AttemptReport report = runner.run(spec);
  EXPECT_EQ(report.message, "permission denied: /etc/passwd");
  EXPECT_EQ(report.exit_code, 126);
}

TEST_F(RunnerTest, AnyOtherRefusalOfTheKernelIsReported) {
  LaunchSpec spec;
  spec.args = {"/bin/true", std::string(std::size_t{1} << 20, 'x')};
  EXPECT_EQ(runner.run(spec).message, "cannot execute /bin/true: Argument list too long");
}

TEST_F(RunnerTest, ScriptWithoutInterpreterLineIsRunByTheShell) {
  const auto program = runner.dir() / "script";
  std::ofstream(program) << "echo script $1\n";
  std::filesystem::permissions(program, std::filesystem::perms{0755});
  LaunchSpec spec;
  spec.args = {program, "argument"};
  const TaskId token = runner.start(spec);
  runner.wait(token);
  EXPECT_EQ(runner.out(token), "script argument\n");
}

TEST_F(RunnerTest, CommandIsSearchedInThePathOfTheSpec) {
  const auto program = runner.dir() / "only-here";
  std::ofstream(program) << "#!/bin/sh\necho found\n";
  std::filesystem::permissions(program, std::filesystem::perms{0755});
  LaunchSpec spec;
  spec.args = {"only-here"};
  spec.env = {{"PATH", "/nonexistent:" + runner.dir().string()}};
  const TaskId token = runner.start(spec);
  runner.wait(token);
  EXPECT_EQ(runner.out(token), "found\n");
}

// ---- environment, user, working directory ----

TEST_F(RunnerTest, EnvironmentIsTheSpecsAndTheBase) {
  LaunchSpec spec;
  spec.args = {"/usr/bin/env"};
  spec.env = {{"ONE", "1"}, {"EMPTY", ""}, {"HOME", "/elsewhere"}};
  const TaskId token = runner.start(spec);
  runner.wait(token);
  const std::string work = work_path(runner_dir(), token);
  const passwd* self = ::getpwuid(::geteuid());
  EXPECT_THAT(lines(runner.out(token)),
              UnorderedElementsAre(
                  "ONE=1", "EMPTY=", "HOME=/elsewhere",
                  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                  std::string("USER=") + self->pw_name, std::string("SHELL=") + self->pw_shell,
                  "MESOS_SANDBOX=" + work, "PWD=" + work));
}

TEST_F(RunnerTest, WorkingDirectoryIsPrivateAndEmpty) {
  const TaskId token = runner.start("pwd; ls -A; stat -c %a .");
  runner.wait(token);
  EXPECT_THAT(lines(runner.out(token)),
              ElementsAre(work_path(runner_dir(), token).string(), "700"));
}

TEST_F(RunnerTest, RunsAsAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  LaunchSpec spec =
      shell("id -un; id -G; touch mine; stat -c '%U %a' mine .; echo $USER; ls ..; cat ../record");
  spec.user = "nobody";
  const TaskId token = runner.start(spec);
  runner.wait(token);
  EXPECT_THAT(lines(runner.out(token)),
              ElementsAre("nobody", "65534", "nobody 644", "nobody 700", "nobody"));
  EXPECT_THAT(runner.err(token), HasSubstr("Permission denied"));
}

TEST_F(RunnerTest, UnknownUserIsReported) {
  LaunchSpec spec = shell("true");
  spec.user = "no-such-user";
  EXPECT_EQ(runner.run(spec).message, "unknown user: no-such-user");
}

// ---- secrets ----

TEST_F(RunnerTest, SecretFileIsThereOnlyWhileItRuns) {
  LaunchSpec spec = shell("cat deep/er/key; stat -c ' %a %U' deep/er/key");
  spec.secret_files = {{"deep/er/key", "hidden-content"}};
  if (::geteuid() == 0) spec.user = "nobody";
  const TaskId token = runner.start(spec);
  const AttemptReport report = runner.wait(token);
  EXPECT_TRUE(report.succeeded()) << report.message;
  EXPECT_EQ(runner.out(token),
            ::geteuid() == 0 ? "hidden-content 400 nobody\n" : runner.out(token));
  EXPECT_FALSE(std::filesystem::exists(work_path(runner_dir(), token) / "deep/er/key"));
}

TEST_F(RunnerTest, SecretFileMustStayInside) {
  for (const char* path : {"/etc/evil", "../evil", "a/../../evil", "", "a//b", "a/"}) {
    LaunchSpec spec = shell("true");
    spec.secret_files = {{path, "x"}};
    EXPECT_THAT(runner.run(spec).message, HasSubstr("outside of the working directory")) << path;
  }
}

TEST_F(RunnerTest, SecretsAreNowhereOnDiskOrInCommandLines) {
  const std::string secret = "s3cr3t-" + std::to_string(::getpid());
  LaunchSpec spec = shell("echo ready; exec sleep 1000");
  spec.env = {{"PASSWORD", secret}};
  const TaskId token = runner.start(spec);
  runner.first_line(token);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(runner.dir())) {
    if (entry.is_regular_file()) {
      EXPECT_EQ(slurp(entry.path()).find(secret), std::string::npos) << entry.path();
    }
  }
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    EXPECT_EQ(slurp(entry.path() / "cmdline").find(secret), std::string::npos) << entry.path();
  }
}

// ---- stop ----

TEST_F(RunnerTest, StopAsksFirst) {
  const TaskId token =
      runner.start("trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.01; done");
  runner.first_line(token);
  runner.executor().stop(token, std::nullopt);
  const AttemptReport report = runner.wait(token);
  EXPECT_EQ(report.exit_code, 7);
  EXPECT_EQ(runner.out(token), "ready\nbye\n");
}

TEST_F(RunnerTest, StopKillsAfterGrace) {
  const TaskId token = runner.start("trap '' TERM; echo ready; while :; do sleep 0.01; done");
  runner.first_line(token);
  runner.executor().stop(token, std::chrono::milliseconds{50});
  EXPECT_EQ(runner.wait(token).signal, SIGKILL);
}

TEST_F(RunnerTest, RepeatedStopShortensTheGrace) {
  const TaskId token = runner.start("trap '' TERM; echo ready; while :; do sleep 0.01; done");
  runner.first_line(token);
  runner.executor().stop(token, std::chrono::hours{1});
  runner.executor().stop(token, Duration{0});
  runner.executor().stop(token, std::chrono::hours{1});
  EXPECT_EQ(runner.wait(token).signal, SIGKILL);
}

TEST_F(RunnerTest, StopOfUnknownTokenIsIgnored) {
  runner.executor().stop(TaskId{777}, Duration{0});
  EXPECT_EQ(runner.find(TaskId{777}).phase, AttemptPhase::kUnknown);
}

// ---- once ----

TEST_F(RunnerTest, StartedTwiceRunsOnce) {
  LaunchSpec spec = shell(fmt::format("echo run >> {}/count", runner.dir().string()));
  const TaskId token = runner.start(spec);
  runner.executor().start(token, engine::payload_of(spec));
  runner.wait(token);
  runner.executor().start(token, engine::payload_of(spec));  // ended: reported again
  ASSERT_TRUE(runner.until([&] { return runner.seen(token, AttemptPhase::kExited) >= 2; }));
  EXPECT_EQ(slurp(runner.dir() / "count"), "run\n");
}

TEST_F(RunnerTest, FindsInOrder) {
  const TaskId ended = runner.start("exit 3");
  runner.wait(ended);
  const TaskId running = runner.start("exec sleep 1000");
  runner.wait(running, AttemptPhase::kRunning);
  std::vector<AttemptReport> found;
  runner.executor().find({{running}, {TaskId{5}}, {ended}},
                         [&](Result<std::vector<AttemptReport>> reports) { found = *reports; });
  ASSERT_TRUE(runner.until([&] { return found.size() == 3; }));
  EXPECT_EQ(found[0].phase, AttemptPhase::kRunning);
  EXPECT_EQ(found[1].phase, AttemptPhase::kUnknown);
  EXPECT_EQ(found[2].exit_code, 3);
}

TEST_F(RunnerTest, ResultStaysUntilItsFilesAreRemoved) {
  const TaskId token = runner.start("exit 4");
  runner.wait(token);
  runner.executor().forget({token});
  EXPECT_EQ(runner.find(token).exit_code, 4);
  ASSERT_TRUE(remove_attempt_files(runner_dir(), token));
  ASSERT_TRUE(remove_attempt_files(runner_dir(), token));
  EXPECT_EQ(runner.find(token).phase, AttemptPhase::kUnknown);
}

// ---- many ----

TEST_F(RunnerTest, FiveHundredAtOnce) {
  std::vector<TaskId> tokens;
  for (int i = 0; i < 500; ++i)
    tokens.push_back(runner.start(fmt::format("echo {}; exit {}", i, i % 7)));
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    EXPECT_EQ(runner.wait(tokens[i]).exit_code, static_cast<int>(i % 7));
    EXPECT_EQ(runner.out(tokens[i]), fmt::format("{}\n", i));
  }
}

TEST_F(RunnerTest, SpecLargerThanAFrameFailsTheAttempt) {
  LaunchSpec spec = shell("true");
  spec.env = {{"BIG", std::string(std::size_t{33} << 20, 'x')}};
  EXPECT_THAT(runner.run(spec).message, HasSubstr("too large"));
  EXPECT_TRUE(runner.run("true").succeeded());
}

TEST(RunnerLimitTest, TooManyAttemptsFailWithAMessage) {
  Harness runner({"max_attempts=1"});
  const TaskId first = runner.start("exec sleep 1000");
  runner.wait(first, AttemptPhase::kRunning);
  EXPECT_THAT(runner.run("true").message, HasSubstr("limit of 1 attempts"));
}

}  // namespace
}  // namespace docket::runner::testing
