#pragma once

// A seeded stream of batches such as an engine makes: numbers rise, trees are whole, a task's
// identity never changes. The clock sometimes steps back. Operations fold into their parents when
// nothing below them is live.

#include <cstdint>
#include <random>
#include <vector>

#include "engine/store.h"

namespace docket::conformance {

class Workload {
 public:
  explicit Workload(std::uint64_t seed) : random_(seed) {}
  engine::Batch next();

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  bool chance(std::uint64_t percent) { return below(100) < percent; }
  // Questions about what this workload made.
  engine::TaskQuery task_query();
  engine::EventQuery event_query();
  engine::ChildQuery child_query();
  engine::ListedQuery listed_query();
  std::string some_uuid();
  Time some_time();
  TaskId some_task() { return TaskId{below(last_task_ + 2)}; }
  JobUid some_job() { return JobUid{below(jobs_.size() + 2)}; }
  ScheduleUid some_schedule() { return ScheduleUid{below(last_schedule_ + 2)}; }

 private:
  void change_jobs(engine::Batch& batch);
  void change_schedules(engine::Batch& batch);
  void add_run(engine::Batch& batch);
  void change_live(engine::Batch& batch);
  void end_tree(engine::Batch& batch, std::size_t at);
  void change_the_rest(engine::Batch& batch);
  void add_operation(engine::Batch& batch);
  void change_operations(engine::Batch& batch);
  void end_operation(engine::Batch& batch, std::size_t at);
  void change_listings(engine::Batch& batch);
  std::string some_module() { return "module-" + std::to_string(below(3)); }
  void put(engine::Batch& batch, const model::Task& task);
  model::State some_end();
  Time some_until();

  std::mt19937_64 random_;
  std::int64_t now_s_ = 1'000'000;
  std::vector<engine::JobRow> jobs_;
  std::vector<model::Schedule> schedules_;
  struct Tree {
    model::Task run;
    std::vector<model::Task> attempts;
  };
  std::vector<Tree> live_;
  std::vector<model::Task> operations_;  // live ones
  std::uint64_t last_task_ = 0;
  std::uint64_t last_event_ = 0;
  std::uint64_t last_schedule_ = 0;
};

}  // namespace docket::conformance
