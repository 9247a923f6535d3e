#include "support/runner/harness.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mount.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>

#include "exec/runner/log_files.h"
#include "exec/runner/processes.h"

namespace docket::runner::testing {

using engine::AttemptPhase;
using engine::AttemptReport;

namespace {

std::filesystem::path make_temporary() {
  std::string pattern = (std::filesystem::temp_directory_path() / "runner-test-XXXXXX").string();
  const char* made = ::mkdtemp(pattern.data());
  EXPECT_NE(made, nullptr);
  std::filesystem::permissions(pattern,
                               std::filesystem::perms{0755});  // other users' commands pass through
  return pattern;
}

// Words to put before a command: its first start in dir is traced, and one system call of it
// fails.
std::vector<std::string> tracer(const std::filesystem::path& dir, const Fault& fault) {
  const std::string trace =
      fmt::format("strace -qq -o {}/trace -e trace={} -e inject={}:error={}:when={}", dir.string(),
                  fault.call, fault.call, fault.error, fault.number);
  return {"/bin/sh", "-c",
          fmt::format("[ ! -e {0}/trace ] || exec \"$@\"; ASAN_OPTIONS=detect_leaks=0 exec {1} "
                      "\"$@\"",
                      dir.string(), trace),
          "sh"};
}

}  // namespace

Harness::Harness(std::vector<std::string> options, Conditions conditions)
    : dir_(make_temporary()), options_(std::move(options)), conditions_(std::move(conditions)) {
  std::filesystem::create_directory(dir_ / "runner");
  if (!conditions_.disk.empty()) {
    EXPECT_EQ(::mount("tmpfs", (dir_ / "runner").c_str(), "tmpfs", 0,
                      ("mode=755,size=" + conditions_.disk).c_str()),
              0);
  }
  start_server();
}

Harness::~Harness() {
  for (const auto& [token, reports] : reports_) executor_->stop(token, Duration{0});
  for (const auto& [token, reports] : reports_) {
    until([&] {
      const AttemptPhase phase = find(token).phase;
      return phase != AttemptPhase::kStarting && phase != AttemptPhase::kRunning;
    });
  }
  executor_.reset();  // first, or it would start another runner
  const pid_t runner = runner_pid();
  if (runner > 0) ::kill(runner, SIGTERM);
  until([&] { return !runs(runner); });
  if (!conditions_.disk.empty()) ::umount2((dir_ / "runner").c_str(), MNT_DETACH);
  std::filesystem::remove_all(dir_);
}

void Harness::drop_server() {
  executor_.reset();
  io_.reset();
}

void Harness::start_server() {
  RunnerExecutorConfig config;
  config.dir = dir_ / "runner";
  if (conditions_.fault) config.runner_argv = tracer(dir_, *conditions_.fault);
  config.runner_argv.insert(config.runner_argv.end(), {RUNNER_MAIN, "runner", config.dir});
  config.runner_argv.insert(config.runner_argv.end(), options_.begin(), options_.end());
  io_ = std::make_unique<boost::asio::io_context>();
  executor_ = std::make_unique<RunnerExecutor>(*io_, config, [](const std::string&) {});
  executor_->attach(this, ++epoch_);
  EXPECT_TRUE(until([&] { return executor_->status().connected; }))
      << slurp(config.dir / "runner.log");
}

pid_t Harness::runner_pid() const {
  return static_cast<pid_t>(std::atoi(slurp(dir_ / "runner" / "runner.lock").c_str()));
}

void Harness::kill_runner() {
  const pid_t pid = runner_pid();
  ASSERT_GT(pid, 0);
  ::kill(pid, SIGKILL);
  ASSERT_TRUE(until([&] { return !runs(pid); }));
}

TaskId Harness::start(LaunchSpec spec) {
  const TaskId token{next_token_++};
  reports_[token];
  executor_->start(token, engine::payload_of(std::move(spec)));
  return token;
}

TaskId Harness::start(const std::string& cmd) { return start(shell(cmd)); }

AttemptReport Harness::wait(TaskId token, AttemptPhase phase) {
  EXPECT_TRUE(until([&] { return seen(token, phase) > 0; }))
      << "attempt " << token.value << "\n"
      << slurp(dir_ / "runner" / "runner.log");
  const auto& reports = reports_[token];
  const auto found = std::find_if(reports.begin(), reports.end(), [&](const AttemptReport& report) {
    return report.phase == phase;
  });
  return found == reports.end() ? AttemptReport{} : *found;
}

AttemptReport Harness::find(TaskId token) {
  std::optional<AttemptReport> answer;
  executor_->find({{token}},
                  [&](Result<std::vector<AttemptReport>> found) { answer = found->at(0); });
  EXPECT_TRUE(until([&] { return answer.has_value(); }));
  return answer.value_or(AttemptReport{});
}

bool Harness::until(const std::function<bool()>& holds) {
  using std::chrono::steady_clock;
  const auto deadline = steady_clock::now() + std::chrono::seconds{30};
  while (!holds()) {
    if (steady_clock::now() > deadline) return false;
    if (io_->stopped()) io_->restart();
    io_->run_one_for(std::chrono::milliseconds{2});
  }
  return true;
}

bool Harness::fault_struck() const {
  return slurp(dir_ / "trace").find("(INJECTED)") != std::string::npos;
}

std::string Harness::out(TaskId token) const { return slurp(stdout_path(dir_ / "runner", token)); }
std::string Harness::err(TaskId token) const { return slurp(stderr_path(dir_ / "runner", token)); }

std::string Harness::first_line(TaskId token) {
  EXPECT_TRUE(until([&] { return out(token).find('\n') != std::string::npos; })) << err(token);
  const std::string text = out(token);
  return text.substr(0, text.find('\n'));
}

int Harness::seen(TaskId token, AttemptPhase phase) const {
  const auto found = reports_.find(token);
  if (found == reports_.end()) return 0;
  return static_cast<int>(std::count_if(found->second.begin(), found->second.end(),
                                        [&](const AttemptReport& r) { return r.phase == phase; }));
}

void Harness::on_attempt(const AttemptReport& report) { reports_[report.token].push_back(report); }

LaunchSpec shell(const std::string& cmd) {
  LaunchSpec spec;
  spec.cmd = cmd;
  return spec;
}

bool runs(pid_t pid) {
  const auto stat = process_stat(pid);
  return stat && stat->state != 'Z' && stat->state != 'X';
}

std::string slurp(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace docket::runner::testing
