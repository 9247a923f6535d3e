#pragma once

// The task tree as the Scylla Task Manager shows it: the children of a task by how they ended, the
// tasks that doors that forget still show, tasks by the uuid of their reporter. Pages are read
// from indexes in their order, so a page costs only its rows.

#include <array>
#include <string>
#include <vector>

#include "engine/store.h"
#include "store/sqlite/database.h"

namespace docket::store {

class TreePages {
 public:
  explicit TreePages(Database& database);

  // All within the caller's transaction.
  Result<std::vector<engine::TaskRow>> children(const engine::ChildQuery& query);
  Result<std::vector<engine::ChildId>> child_ids(const engine::ChildQuery& query);
  Result<std::vector<engine::ListedRow>> listed(const engine::ListedQuery& query);
  Result<std::optional<model::Listing>> listing(TaskId task);
  Result<std::optional<TaskId>> task_of_uuid(const std::string& uuid);

 private:
  using ByFold = std::array<Statement, 3>;  // by engine::Fold

  // The statement that lists them, bound; null: there is no such parent.
  Result<Statement*> bound(const engine::ChildQuery& query, ByFold& of_operation, ByFold& of_run);

  Statement kind_, listed_at_, listed_behind_, listing_, by_uuid_;
  ByFold of_operation_, of_run_;          // whole rows
  ByFold ids_of_operation_, ids_of_run_;  // ids only
};

}  // namespace docket::store
