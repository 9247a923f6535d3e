#pragma once

// An executor whose reports come twice now and then, as after a connection that broke.

#include "engine/executor.h"
#include "sim/dice.h"

namespace docket::sim {

class Echo : public engine::Executor, private engine::ExecutorListener {
 public:
  Echo(engine::Executor& executor, Dice dice) : executor_(executor), dice_(dice) {}

  void attach(engine::ExecutorListener* listener, std::uint64_t epoch) override {
    listener_ = listener;
    executor_.attach(listener ? this : nullptr, epoch);
  }
  void start(TaskId token, const engine::PayloadPtr& payload) override {
    executor_.start(token, payload);
    if (dice_.percent(10)) executor_.start(token, payload);
  }
  void stop(TaskId token, std::optional<Duration> grace) override { executor_.stop(token, grace); }
  void forget(const std::vector<TaskId>& tokens) override { executor_.forget(tokens); }
  void find(std::vector<engine::AttemptQuery> attempts,
            std::function<void(Result<std::vector<engine::AttemptReport>>)> done) override {
    executor_.find(std::move(attempts), std::move(done));
  }

  bool renumbers = false;  // a mutation: repeated reports have new numbers

 private:
  void on_attempt(const engine::AttemptReport& report) override {
    if (!listener_) return;
    engine::AttemptReport copy = report;
    if (renumbers) copy.seq = 2 * report.seq;
    listener_->on_attempt(copy);
    if (!dice_.percent(20)) return;
    if (renumbers && report.seq > 0) ++copy.seq;
    listener_->on_attempt(copy);
  }

  engine::Executor& executor_;
  Dice dice_;
  engine::ExecutorListener* listener_ = nullptr;
};

}  // namespace docket::sim
