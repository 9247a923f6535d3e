#pragma once

// Named exclusive rights. A run takes all its locks in one step when it starts, or none, so no two
// runs can wait for each other; so does a step of it. A lock is held until the run or step is
// final and its last process is gone. Strand only.

#include <map>
#include <span>
#include <string>
#include <vector>

#include "model/lock.h"
#include "model/needs.h"
#include "model/task.h"

namespace docket::engine {

class LockTable {
 public:
  const model::Lock* find(const std::string& name) const;
  const std::map<std::string, model::Lock>& all() const { return locks_; }
  // Grants all with new fencing numbers, except those that its run holds already (the others must
  // be free). The changed rows go to `changed`.
  void grant(std::span<const model::LockRequest> requests, const model::Task& holder, Time now,
             std::vector<model::Lock>& changed);
  void release(std::span<const model::LockRequest> requests, TaskId holder,
               std::vector<model::Lock>& changed);
  void restore(std::vector<model::Lock> locks);

 private:
  std::map<std::string, model::Lock> locks_;
};

}  // namespace docket::engine
