#pragma once

// Carries out TestWork (launch.h) with nothing but timers. Strand only; see engine/executor.h.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "engine/executor.h"
#include "exec/test/launch.h"

namespace docket::test_executor {

class TestExecutor : public engine::Executor {
 public:
  // Does something later, on the strand; never from within the call.
  using After = std::function<void(Duration, std::function<void()>)>;

  TestExecutor(Clock& clock, After after) : clock_(clock), after_(std::move(after)) {}
  ~TestExecutor() override { *alive_ = false; }
  TestExecutor(const TestExecutor&) = delete;
  TestExecutor& operator=(const TestExecutor&) = delete;

  void attach(engine::ExecutorListener* listener, std::uint64_t epoch) override;
  void start(TaskId token, const engine::PayloadPtr& payload) override;
  void stop(TaskId token, std::optional<Duration> grace) override;
  void forget(const std::vector<TaskId>& tokens) override;
  void find(std::vector<engine::AttemptQuery> attempts,
            std::function<void(Result<std::vector<engine::AttemptReport>>)> done) override;

 private:
  struct Attempt {
    TestWork work;
    std::uint32_t told = 0;  // parts
    engine::AttemptReport report;
  };
  void later(Duration delay, TaskId token, void (TestExecutor::*what)(Attempt&));
  void begin(Attempt& attempt);
  void go_on(Attempt& attempt);
  void end(Attempt& attempt);
  void end_by_signal(Attempt& attempt);
  void tell(Attempt& attempt);

  Clock& clock_;
  After after_;
  engine::ExecutorListener* listener_ = nullptr;
  std::map<TaskId, Attempt> attempts_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // shared with what comes later
};

}  // namespace docket::test_executor
