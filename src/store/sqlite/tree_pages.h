#pragma once

// The task tree as the Scylla Task Manager shows it: the children of a task by how they ended, the
// tasks that doors which forget still show, tasks by the uuid of their reporter. Pages are
// read from indexes that have their order, so a page costs its rows.

#include <array>
#include <string>
#include <vector>

#include "engine/store.h"
#include "store/sqlite/database.h"

namespace docket::store {

class TreePages {
 public:
  explicit TreePages(Database& database);

  // All within a transaction of the caller's.
  Result<std::vector<engine::TaskRow>> children(const engine::ChildQuery& query);
  Result<std::vector<engine::ListedRow>> listed(const engine::ListedQuery& query);
  Result<std::optional<model::Listing>> listing(TaskId task);
  Result<std::optional<TaskId>> task_of_uuid(const std::string& uuid);

 private:
  static constexpr std::size_t kFolds = 3;

  Statement kind_, listed_at_, listed_behind_, listing_, by_uuid_;
  std::array<Statement, kFolds> of_operation_, of_run_;  // by engine::Fold
};

}  // namespace docket::store
