#pragma once

// What the suite needs of an executor under test: work for it, its time, and lives of its server.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "engine/executor.h"

namespace docket::conformance {

class ExecutorBench : public engine::ExecutorListener {
 public:
  virtual engine::Executor& executor() = 0;
  // Work that ends by itself with this code; and work that ends only when it is stopped.
  virtual engine::PayloadPtr ending(TaskId token, int code) = 0;
  virtual engine::PayloadPtr lasting(TaskId token) = 0;
  // The code that failed work reports, for an executor with only one way to fail.
  virtual int reported_code(int code) const { return code; }
  // How often the token's work has begun: work that began twice reports two beginnings.
  virtual int begun(TaskId token) {
    std::set<Time> begins;
    for (const auto& report : reports[token]) {
      if (report.started_at != kNever) begins.insert(report.started_at);
    }
    return static_cast<int>(begins.size());
  }
  // Lets time pass until it holds; false after a while.
  virtual bool until(const std::function<bool()>& holds) = 0;
  // The server dies, and the next one starts, in the next epoch.
  virtual void restart_server() = 0;
  // Whether running work goes on without its server.
  virtual bool outlives_server() const = 0;

  void on_attempt(const engine::AttemptReport& report) override {
    reports[report.token].push_back(report);
  }
  std::map<TaskId, std::vector<engine::AttemptReport>> reports;
};

// One executor, and how to make a bench with it.
struct ExecutorUnderTest {
  const char* name;
  std::function<std::unique_ptr<ExecutorBench>()> make;
};
std::vector<ExecutorUnderTest> executors();

}  // namespace docket::conformance
