#include "support/runner/bench.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "exec/runner/launch.h"
#include "exec/runner/monotonic.h"
#include "exec/runner/owned_fd.h"
#include "exec/runner/runner_executor.h"

namespace docket::runner {
namespace {

constexpr std::uint64_t kAtOnce = 256;

class Load : public engine::ExecutorListener {
 public:
  Load(RunnerExecutor& executor, boost::asio::io_context& io, std::uint64_t total)
      : executor_(executor),
        io_(io),
        total_(total),
        base_(static_cast<std::uint64_t>(monotonic_ns())) {
    spec_.args = {"/bin/true"};
    spec_.cpus = 1;
    spec_.mem_mib = 128;
  }
  void fill() {
    while (started_ < total_ && started_ - ended_ < kAtOnce) {
      executor_.start(TaskId{base_ + started_++}, engine::payload_of(spec_));
    }
  }
  void on_attempt(const engine::AttemptReport& report) override {
    if (report.phase != engine::AttemptPhase::kExited) return;
    if (!report.succeeded()) fmt::print("failed: {}\n", report.message);
    executor_.forget({report.token});
    ++ended_;
    if (ended_ == total_) io_.stop();
    if (started_ - ended_ <= kAtOnce / 2) fill();
  }

 private:
  RunnerExecutor& executor_;
  boost::asio::io_context& io_;
  std::uint64_t total_;
  std::uint64_t base_;
  std::uint64_t started_ = 0;
  std::uint64_t ended_ = 0;
  LaunchSpec spec_;
};

// Processor time in microseconds; a busy machine changes it less than wall time.
struct CpuTime {
  double runner = 0;
  double children = 0;
  double server = 0;
};

CpuTime read_cpu(pid_t runner) {
  const std::string stat = read_small_file(AT_FDCWD, fmt::format("/proc/{}/stat", runner).c_str());
  std::istringstream in(stat.substr(stat.rfind(')') + 2));
  std::string skip;
  for (int field = 3; field <= 13; ++field) in >> skip;
  double user = 0;
  double system = 0;
  double children_user = 0;
  double children_system = 0;
  in >> user >> system >> children_user >> children_system;
  const double tick = 1e6 / static_cast<double>(::sysconf(_SC_CLK_TCK));
  rusage self{};
  ::getrusage(RUSAGE_SELF, &self);
  const auto micros = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
  };
  return {(user + system) * tick, (children_user + children_system) * tick,
          micros(self.ru_utime) + micros(self.ru_stime)};
}

// The most that this machine can do, in the same minute: posix_spawn of the same program, two at
// once, nothing else.
double spawn_rate(int total) {
  char path[] = "/bin/true";
  char* argv[] = {path, nullptr};
  char* env[] = {nullptr};
  const std::int64_t begin = monotonic_ns();
  for (int running = 0, started = 0; started < total || running > 0;) {
    if (running == 2 || started == total) {
      ::waitpid(-1, nullptr, 0);
      --running;
      continue;
    }
    pid_t pid = -1;
    if (::posix_spawn(&pid, path, nullptr, nullptr, argv, env) != 0) return 0;
    ++started;
    ++running;
  }
  return total / (static_cast<double>(monotonic_ns() - begin) / 1e9);
}

// One at a time: what a single start costs when nothing else is going on.
class Single : public engine::ExecutorListener {
 public:
  Single(RunnerExecutor& executor, boost::asio::io_context& io, std::size_t total)
      : executor_(executor),
        io_(io),
        total_(total),
        next_(static_cast<std::uint64_t>(monotonic_ns())) {
    spec_.args = {"/bin/true"};
    spec_.cpus = 1;
    spec_.mem_mib = 128;
  }
  void go() {
    asked_at_ = monotonic_ns();
    executor_.start(TaskId{++next_}, engine::payload_of(spec_));
  }
  void on_attempt(const engine::AttemptReport& report) override {
    if (report.phase == engine::AttemptPhase::kRunning)
      latencies_.push_back(monotonic_ns() - asked_at_);
    if (report.phase != engine::AttemptPhase::kExited) return;
    executor_.forget({report.token});
    if (latencies_.size() >= total_) {
      io_.stop();
    } else {
      go();
    }
  }
  double quantile_ms(double q) {
    std::sort(latencies_.begin(), latencies_.end());
    const auto at = static_cast<std::size_t>(q * static_cast<double>(latencies_.size() - 1));
    return static_cast<double>(latencies_[at]) / 1e6;
  }

 private:
  RunnerExecutor& executor_;
  boost::asio::io_context& io_;
  std::size_t total_;
  std::uint64_t next_;
  std::int64_t asked_at_ = 0;
  std::vector<std::int64_t> latencies_;
  LaunchSpec spec_;
};

}  // namespace

int bench(const char* program, int argc, char** argv) {
  if (argc < 2) return 2;
  RunnerExecutorConfig config;
  config.dir = argv[0];
  config.runner_argv = {program, "runner", argv[0]};
  config.runner_argv.insert(config.runner_argv.end(), argv + 2, argv + argc);
  fmt::print("posix_spawn alone: {:.0f}/s\n", spawn_rate(3000));
  boost::asio::io_context io;
  RunnerExecutor executor(io, config, [](const std::string& line) { fmt::print("{}\n", line); });
  Single single(executor, io, 200);
  executor.attach(&single, 1);
  single.go();
  io.run();
  fmt::print("one at a time, start to running: p50 {:.2f} ms, p99 {:.2f} ms\n",
             single.quantile_ms(0.5), single.quantile_ms(0.99));
  io.restart();
  const auto total = static_cast<std::uint64_t>(std::atoll(argv[1]));
  Load load(executor, io, total);
  executor.attach(&load, 1);
  const std::string lock = read_small_file(AT_FDCWD, (config.dir / "runner.lock").c_str());
  const pid_t runner = std::atoi(lock.c_str());
  const CpuTime cpu_before = read_cpu(runner);
  const std::int64_t begin = monotonic_ns();
  load.fill();
  io.run();
  const CpuTime cpu = read_cpu(runner);
  const double seconds = static_cast<double>(monotonic_ns() - begin) / 1e9;
  fmt::print("{} attempts in {:.2f} s: {:.0f}/s\n", total, seconds,
             static_cast<double>(total) / seconds);
  const auto each = static_cast<double>(total);
  fmt::print("processor time an attempt: runner {:.0f} us, children {:.0f} us, server {:.0f} us\n",
             (cpu.runner - cpu_before.runner) / each, (cpu.children - cpu_before.children) / each,
             (cpu.server - cpu_before.server) / each);
  return 0;
}

}  // namespace docket::runner
