#pragma once

// The rules of docket's own housekeeping (src/kinds/maintenance), judged on every durable batch.
// What becomes of its runs as runs is up to BatchRules.

#include <map>
#include <set>
#include <string>

#include "engine/batch.h"
#include "sim/verdict.h"

namespace docket::sim {

class CareRules {
 public:
  explicit CareRules(Verdict& verdict) : verdict_(verdict) {}

  void apply(const engine::Batch& batch);
  // The client got its answer.
  void acknowledged(TaskId task);
  // What is on the disk now, whatever becomes of the task.
  void made(const std::string& file) { files_.insert(file); }
  bool is_made(const std::string& file) const { return files_.contains(file); }

 private:
  Verdict& verdict_;
  std::set<TaskId> ordered_;
  std::set<TaskId> under_way_;
  std::set<std::string> files_;
};

}  // namespace docket::sim
