#include <algorithm>
#include <fstream>

#include "conformance/executors/bench.h"
#include "exec/runner/testing/harness.h"
#include "exec/test/test_executor.h"
#include "sim/sim_executor.h"

namespace docket::conformance {
namespace {

using engine::PayloadPtr;

// ---- real processes, with a runner of their own

class RunnerBench : public ExecutorBench {
 public:
  RunnerBench() { harness_.executor().attach(this, ++epoch_); }
  engine::Executor& executor() override { return harness_.executor(); }
  PayloadPtr ending(TaskId token, int code) override {
    return shell(token, "exit " + std::to_string(code));
  }
  PayloadPtr lasting(TaskId token) override { return shell(token, "exec sleep 1000"); }
  int begun(TaskId token) override {
    std::ifstream in(mark(token));
    return static_cast<int>(std::count(std::istreambuf_iterator<char>(in), {}, '\n'));
  }
  bool until(const std::function<bool()>& holds) override { return harness_.until(holds); }
  void restart_server() override {
    harness_.drop_server();
    harness_.start_server();
    harness_.executor().attach(this, ++epoch_);
  }
  bool outlives_server() const override { return true; }

 private:
  std::string mark(TaskId token) const {
    return (harness_.dir() / ("begun-" + std::to_string(token.value))).string();
  }
  PayloadPtr shell(TaskId token, const std::string& what) const {
    return engine::payload_of(runner::testing::shell("echo once >> " + mark(token) + "; " + what));
  }

  runner::testing::Harness harness_;
  std::uint64_t epoch_ = 1;  // the harness's own
};

// ---- on simulated time: the runner of the simulation

class SimulatedBench : public ExecutorBench {
 public:
  bool until(const std::function<bool()>& holds) override {
    for (int steps = 0; !holds(); ++steps) {
      if (steps == 100'000 || !timeline_.step()) return false;
    }
    return true;
  }

 protected:
  sim::Timeline timeline_;
  sim::SimClock clock_{timeline_, Time{std::chrono::hours{1}}};
  std::uint64_t epoch_ = 0;
};

class SimBench : public SimulatedBench {
 public:
  SimBench() {
    executor_.runner.habits.unstartable_percent = 0;
    executor_.attach(this, ++epoch_);
  }
  engine::Executor& executor() override { return executor_; }
  PayloadPtr ending(TaskId, int code) override { return command("exit " + std::to_string(code)); }
  PayloadPtr lasting(TaskId) override { return command("exec sleep 1000"); }
  void restart_server() override {
    timeline_.next_server();
    executor_.server_died();
    executor_.attach(this, ++epoch_);
  }
  bool outlives_server() const override { return true; }

 private:
  static PayloadPtr command(const std::string& cmd) {
    return engine::payload_of(runner::LaunchSpec{.cmd = cmd});
  }

  sim::Verdict verdict_{false};
  sim::DiskHealth health_;
  sim::Record record_;
  sim::ProcessRules rules_{record_, verdict_, engine::Settings{}};
  sim::SimExecutor executor_{timeline_, clock_, health_, sim::Dice(1), rules_, verdict_};
};

// ---- and timers in the server

class TestBench : public SimulatedBench {
 public:
  TestBench() { restart_server(); }
  engine::Executor& executor() override { return *executor_; }
  PayloadPtr ending(TaskId, int code) override {
    return engine::payload_of(test_executor::TestWork{.takes = std::chrono::seconds{4},
                                                      .exit_code = code,
                                                      .parts = 3,
                                                      .facts = R"({"so":"it is"})"});
  }
  PayloadPtr lasting(TaskId) override {
    return engine::payload_of(
        test_executor::TestWork{.takes = std::chrono::hours{1000}, .result = "1"});
  }
  void restart_server() override {
    timeline_.next_server();
    executor_ = std::make_unique<test_executor::TestExecutor>(
        clock_, [this](Duration delay, std::function<void()> work) {
          timeline_.at_server(timeline_.now() + delay, std::move(work));
        });
    executor_->attach(this, ++epoch_);
  }
  bool outlives_server() const override { return false; }

 private:
  std::unique_ptr<test_executor::TestExecutor> executor_;
};

template <class Bench>
ExecutorUnderTest under_test(const char* name) {
  return {name, [] { return std::make_unique<Bench>(); }};
}

}  // namespace

std::vector<ExecutorUnderTest> executors() {
  return {under_test<RunnerBench>("Runner"), under_test<SimBench>("Simulated"),
          under_test<TestBench>("Test")};
}

}  // namespace docket::conformance
