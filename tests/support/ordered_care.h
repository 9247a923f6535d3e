#pragma once

// Housekeeping that a door under test orders and nobody does: the test says how each piece of it
// ends.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "kinds/maintenance/orders.h"
#include "support/harness.h"

namespace docket::testing {

class OrderedCare {
 public:
  explicit OrderedCare(Harness& docket) : docket_(docket) {
    std::filesystem::create_directories(directory_);
    std::ofstream(directory_ + "/there") << "an earlier file";
  }
  OrderedCare(const OrderedCare&) = delete;
  OrderedCare& operator=(const OrderedCare&) = delete;
  ~OrderedCare() { std::filesystem::remove_all(directory_); }

  const kinds::Orders& orders() const { return orders_; }

  // The tasks that were ordered since the last call, oldest first.
  std::vector<TaskId> fresh() {
    std::vector<TaskId> tasks = live();
    std::erase_if(tasks, [this](TaskId task) { return task <= seen_; });
    if (!tasks.empty()) seen_ = tasks.back();
    return tasks;
  }
  const care::CareWork& work_of(TaskId task) const {
    const auto* node = docket_.engine().find_task(task);
    return kinds::maintenance_of(node->job->definition.spec)->work;
  }

  // Ends the task, and first what it waits for.
  void finish(TaskId task, const std::string& error = {}) {
    for (int rounds = 0; docket_.engine().is_live(task); ++rounds) {
      ASSERT_LT(rounds, 1000);
      const auto attempts = docket_.carer.attempts;
      ASSERT_FALSE(attempts.empty()) << "nothing is under way";
      for (const auto& [token, attempt] : attempts) end(token, of(token) == task ? error : "");
      docket_.settle();
    }
  }

 private:
  TaskId of(TaskId attempt) const {
    const auto* node = docket_.engine().find_task(attempt);
    return node ? node->task.parent : TaskId{};
  }
  void end(TaskId attempt, const std::string& error) {
    auto& fake = docket_.carer;
    const bool stopped = std::ranges::find(fake.stopped, attempt) != fake.stopped.end();
    fake.attempts.at(attempt).report.message = error;
    fake.exit(attempt, error.empty() ? 0 : 1, docket_.clock.now(), stopped ? 15 : 0);
  }
  std::vector<TaskId> live() const {
    const engine::Engine& engine = docket_.engine();
    std::vector<TaskId> tasks = engine.queue().waiters_of(kinds::kMaintenanceLock, 1000);
    const model::Lock* lock = engine.locks().find(kinds::kMaintenanceLock);
    if (lock && lock->holder) tasks.insert(tasks.begin(), lock->holder);
    return tasks;
  }

  Harness& docket_;
  TaskId seen_;
  const std::string directory_ =
      (std::filesystem::temp_directory_path() / ("docket-orders-" + std::to_string(::getpid())))
          .string();
  const kinds::Orders orders_{directory_};
};

}  // namespace docket::testing
