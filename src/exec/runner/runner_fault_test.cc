// Every call of the runner that touches the disk fails once: with a full disk (ENOSPC), and with a
// broken one (EIO). Whatever fails, a command runs at most once, and if it ran its outcome is
// reported; the runner goes on, or the next one does.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "exec/runner/log_files.h"
#include "support/runner/harness.h"

namespace docket::runner::testing {
namespace {

using engine::AttemptPhase;
using engine::AttemptReport;

// ---- one call fails

struct FaultyCall {
  const char* call;
  const char* error;
};

class OneFaultTest : public ::testing::TestWithParam<FaultyCall> {};

// A command leaves a mark when it runs, and exits with 7.
LaunchSpec marking(const Harness& runner, const std::string& name) {
  LaunchSpec spec = shell(fmt::format("echo x >> {}/{}; exit 7", runner.dir().string(), name));
  spec.secret_files = {{"folder/key", "x"}};
  return spec;
}

void expect_right_outcome(Harness& runner, TaskId token, const std::string& name) {
  const AttemptReport report = runner.wait(token);
  const std::string marks = slurp(runner.dir() / name);
  EXPECT_EQ(runner.seen(token, AttemptPhase::kLost), 0) << name;
  if (marks.empty()) {
    EXPECT_EQ(report.exit_code, 126) << name;
    EXPECT_NE(report.message, "") << name;
  } else {
    EXPECT_EQ(marks, "x\n") << name;
    EXPECT_EQ(report.exit_code, 7) << name << report.message;
  }
}

// Starts, an end, a stop, a server that goes and comes back, a result that is asked for again.
void live_a_day(Harness& runner) {
  const TaskId first = runner.start(marking(runner, "first"));
  const TaskId stopped = runner.start("exec sleep 1000");
  expect_right_outcome(runner, first, "first");
  runner.executor().stop(stopped, Duration{0});
  runner.wait(stopped);
  runner.drop_server();
  runner.start_server();
  const TaskId second = runner.start(marking(runner, "second"));
  expect_right_outcome(runner, second, "second");
  const AttemptReport told = runner.wait(second);
  runner.kill_runner();
  const AttemptReport found = runner.find(second);
  EXPECT_EQ(found.phase, AttemptPhase::kExited);
  EXPECT_EQ(found.exit_code, told.exit_code);
  EXPECT_TRUE(runner.run("true").succeeded());
}

// Every call; with the sanitizers, which make a day ten times as long, fewer and fewer of them.
int next_call(int number) {
#ifdef DOCKET_SANITIZE_ADDRESS
  return number + 1 + number / 2;
#else
  return number + 1;
#endif
}

TEST_P(OneFaultTest, LosesNoOutcomeAndRunsNothingTwice) {
  int number = 1;
  for (bool struck = true; struck; number = next_call(number)) {
    SCOPED_TRACE(fmt::format("{} {}", GetParam().call, number));
    Harness runner({"sample_ms=20"}, {.fault = Fault{GetParam().call, GetParam().error, number}});
    live_a_day(runner);
    struck = runner.fault_struck();
    ASSERT_FALSE(HasFailure()) << slurp(runner.dir() / "runner" / "runner.log");
  }
  EXPECT_GT(number, 2) << "the runner makes no such call";
}

std::string name_of(const ::testing::TestParamInfo<FaultyCall>& info) {
  return fmt::format("{}_{}", info.param.call, info.param.error);
}

INSTANTIATE_TEST_SUITE_P(
    EveryCall, OneFaultTest,
    ::testing::Values(FaultyCall{"write", "ENOSPC"}, FaultyCall{"write", "EIO"},
                      FaultyCall{"openat", "ENOSPC"}, FaultyCall{"openat", "EIO"},
                      FaultyCall{"mkdir", "ENOSPC"}, FaultyCall{"mkdir", "EIO"},
                      FaultyCall{"mkdirat", "ENOSPC"}, FaultyCall{"mkdirat", "EIO"},
                      FaultyCall{"renameat2", "ENOSPC"}, FaultyCall{"renameat2", "EIO"}),
    name_of);

// ---- the disk is full

class FullDiskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can mount a small file system";
  }
  void fill() {
    std::ofstream file(disk / "ballast", std::ios::binary);
    const std::string block(4096, 'x');
    while (file.write(block.data(), std::ssize(block)).flush()) {
    }
  }
  void make_room() { std::filesystem::remove(disk / "ballast"); }

  Harness runner{{}, {.disk = ::geteuid() == 0 ? "1m" : ""}};
  const std::filesystem::path disk = runner.dir() / "runner";
};

TEST_F(FullDiskTest, ARunningAttemptEndsWithItsOutcome) {
  const TaskId token = runner.start(
      fmt::format("while [ ! -e {}/go ]; do sleep 0.01; done; exit 5", runner.dir().string()));
  runner.wait(token, AttemptPhase::kRunning);
  fill();
  std::ofstream(runner.dir() / "go").flush();
  EXPECT_EQ(runner.wait(token).exit_code, 5);
  runner.kill_runner();
  EXPECT_EQ(runner.find(token).exit_code, 5);
}

TEST_F(FullDiskTest, AnUnstartedAttemptWaitsForRoom) {
  const pid_t before = runner.runner_pid();
  fill();
  const TaskId token = runner.start(marking(runner, "waiting"));
  EXPECT_TRUE(runner.until([&] {
    return slurp(runner.dir() / "waiting").empty() &&
           runner.find(token).phase == AttemptPhase::kStarting;
  }));
  const TaskId stopped = runner.start("true");
  runner.executor().stop(stopped, {});
  make_room();
  expect_right_outcome(runner, token, "waiting");
  EXPECT_EQ(runner.wait(token).exit_code, 7);
  EXPECT_EQ(runner.wait(stopped).message, "Stopped before the command was started");
  EXPECT_EQ(runner.runner_pid(), before);
}

TEST_F(FullDiskTest, ARunnerThatStartsOnAFullDiskKnowsWhatRan) {
  const TaskId over = runner.start(marking(runner, "over"));
  runner.wait(over);
  const TaskId token = runner.start("exec sleep 1000");
  runner.wait(token, AttemptPhase::kRunning);
  fill();
  runner.kill_runner();
  EXPECT_EQ(runner.find(over).exit_code, 7);
  EXPECT_EQ(runner.find(token).phase, AttemptPhase::kRunning);
  runner.executor().stop(token, Duration{0});
  EXPECT_NE(runner.wait(token).signal, 0);
}

// ---- somebody removes the runner's files

TEST(RemovedFilesTest, AttemptsAreMadeAgain) {
  Harness runner;
  EXPECT_TRUE(runner.run("true").succeeded());
  std::filesystem::remove_all(runner.dir() / "runner" / "attempts");
  EXPECT_TRUE(runner.run("true").succeeded());
  EXPECT_TRUE(runner.run("true").succeeded());
}

}  // namespace
}  // namespace docket::runner::testing
