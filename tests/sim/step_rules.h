#pragma once

// What must hold of the steps of runs, judged on each durable batch: the tree is the one in the
// spec, every step goes one way, and an end means that the work below it has ended.

#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "engine/batch.h"
#include "kinds/test/test_kind.h"
#include "sim/record.h"
#include "sim/verdict.h"

namespace docket::sim {

class StepRules {
 public:
  StepRules(const Record& record, Verdict& verdict) : record_(record), verdict_(verdict) {}

  void apply(const engine::Batch& batch);  // after BatchRules
  void check_loaded(const engine::Snapshot& snapshot);

 private:
  struct Life {
    model::Task task;
    model::State told = model::State::kCreated;  // by its events
    std::uint32_t live_attempts = 0;
    bool succeeded = false;  // an attempt of it did
    int told_parts = 0;      // by its newest attempt
  };
  using Tree = std::map<std::string, TaskId, std::less<>>;  // a run's steps by key

  void take_step(const model::Task& task);
  void take_attempt(const model::Task& task);
  void follow(const model::Event& event);
  void take_note(Life& step, const std::string& note);
  bool may_be_swept(TaskId step) const;
  void check_end(const Life& step);
  void check_run(const model::Task& run);

  const kinds::TestKind kind_;
  const Record& record_;
  Verdict& verdict_;
  std::unordered_map<TaskId, Life> steps_;
  std::unordered_map<TaskId, Tree> trees_;
  std::unordered_map<TaskId, std::uint32_t> working_;  // live attempts of a run
  std::set<TaskId> live_attempts_;
  std::set<TaskId> told_;            // with events in this batch
  std::set<TaskId> ended_attempts_;  // with this batch or before
};

}  // namespace docket::sim
