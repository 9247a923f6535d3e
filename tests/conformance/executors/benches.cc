#include <algorithm>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <mutex>
#include <thread>

#include "conformance/executors/bench.h"
#include "exec/care/care_executor.h"
#include "exec/test/test_executor.h"
#include "sim/sim_executor.h"
#include "support/fakes.h"
#include "support/runner/harness.h"

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

// ---- and docket's housekeeping, on threads

// The families of a piece of work say which piece it is, and whether it lasts.
class CareUnderTest : public engine::StoreCare {
 public:
  Result<> backup(const std::string&, engine::CareWatch&) override { return {}; }
  Result<> verify(const std::vector<std::string>& families, engine::CareWatch& watch) override {
    {
      const std::lock_guard lock(mutex_);
      ++begun_[families.at(0)];
    }
    for (int part = 1; part <= 3; ++part) watch.go_on(part, 3);
    if (families.at(1) == "fails") return fail(ErrorKind::kInternal, "damaged");
    if (families.at(1) == "ends") return {};
    while (watch.go_on(1, 3)) watch.rest();
    return engine::cancelled();
  }
  Result<> vacuum(engine::CareWatch&) override { return {}; }
  Result<> checkpoint(engine::CareWatch&) override { return {}; }
  Result<> export_records(const std::string&, engine::CareWatch&) override { return {}; }
  Result<> upgrade(engine::CareWatch&) override { return {}; }
  Result<std::uint64_t> trees_ended_before(Time) override { return 0; }

  int begun(const std::string& which) {
    const std::lock_guard lock(mutex_);
    return begun_[which];
  }

 private:
  std::mutex mutex_;
  std::map<std::string, int> begun_;
};

class NoRetention : public care::Retention {
 public:
  Time kept_since() override { return kNever; }
  void sweep(std::function<void(Result<>)>) override {}
};

class CareBench : public ExecutorBench {
 public:
  CareBench() { restart_server(); }
  ~CareBench() override {
    executor_.reset();
    for (std::thread& each : threads_) each.join();
  }
  engine::Executor& executor() override { return *executor_; }
  PayloadPtr ending(TaskId token, int code) override {
    return verify(token, code == 0 ? "ends" : "fails");
  }
  PayloadPtr lasting(TaskId token) override { return verify(token, "lasts"); }
  int reported_code(int code) const override { return code == 0 ? 0 : 1; }
  int begun(TaskId token) override { return care_.begun(std::to_string(token.value)); }
  bool until(const std::function<bool()>& holds) override {
    while (!holds()) {
      std::unique_lock lock(mutex_);
      if (!ready_.wait_for(lock, std::chrono::seconds{20}, [this] { return !posted_.empty(); })) {
        return false;
      }
      const auto next = std::move(posted_.front());
      posted_.pop_front();
      lock.unlock();
      next();
    }
    return true;
  }
  void restart_server() override {
    executor_ = std::make_unique<care::CareExecutor>(
        care::CareExecutor::Ports{
            .care = care_,
            .retention = retention_,
            .clock = clock_,
            .background = [this](auto piece) { threads_.emplace_back(std::move(piece)); },
            .post = [this](auto work) { post(std::move(work)); }},
        "/nonexistent");
    executor_->attach(this, ++epoch_);
  }
  bool outlives_server() const override { return false; }

 private:
  static PayloadPtr verify(TaskId token, const std::string& how) {
    return engine::payload_of(care::CareWork{.families = {std::to_string(token.value), how}});
  }
  void post(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      posted_.push_back(std::move(work));
    }
    ready_.notify_one();
  }

  CareUnderTest care_;
  NoRetention retention_;
  testing::FakeClock clock_{Time{std::chrono::hours{1}}};
  std::uint64_t epoch_ = 0;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> posted_;
  std::vector<std::thread> threads_;
  std::unique_ptr<care::CareExecutor> executor_;
};

template <class Bench>
ExecutorUnderTest under_test(const char* name) {
  return {name, [] { return std::make_unique<Bench>(); }};
}

}  // namespace

std::vector<ExecutorUnderTest> executors() {
  return {under_test<RunnerBench>("Runner"), under_test<SimBench>("Simulated"),
          under_test<TestBench>("Test"), under_test<CareBench>("Care")};
}

}  // namespace docket::conformance
