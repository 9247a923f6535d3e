#pragma once

// The status of a task with its children, and of a whole tree breadth first, written piece by piece
// from the store: neither the tree nor the answer is ever wholly in memory. For which children are
// shown, and in which order, see scylla-tasks.md section 4, folding.
//
// A walk may take several turns on the archive's threads, one at a time, while the tree changes. A
// child that ends meanwhile is still shown once.

#include <deque>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "dialects/scylla/task_view.h"
#include "engine/progress_sums.h"
#include "engine/store.h"

namespace docket::scylla {

// The children of a task that this API shows: unfolded ones, then folded ones; for a folded task
// only those that failed. A Child is an engine::TaskRow or an engine::ChildId.
template <class Child>
class Siblings {
 public:
  Siblings(TaskId parent, bool parent_is_folded);
  // Null at the end. Valid until the next call.
  Result<const Child*> next(engine::Reader& reader);

 private:
  Result<> read_page(engine::Reader& reader);

  engine::ChildQuery query_;
  std::vector<Child> page_;
  std::size_t at_ = 0;
  bool page_is_last_ = false;
  std::unordered_set<TaskId> shown_;  // shown as unfolded; may be folded by now
};

class TreeWalk {
 public:
  enum class Depth { kOne, kAll };
  TreeWalk(engine::TaskRow root, std::string parent_uuid, std::string node, Depth depth);
  // Appends until there are `enough` bytes; false if nothing is left.
  Result<bool> write(engine::Reader& reader, std::string& out, std::size_t enough);

 private:
  struct Open {  // a task whose children are still to be shown
    TaskId id;
    std::string uuid;
    bool folded;
  };
  Result<> begin(engine::Reader& reader, std::string& out, const engine::TaskRow& row,
                 std::string_view parent_uuid, bool folded);
  Result<> write_child_id(engine::Reader& reader, std::string& out);
  Result<> write_child(engine::Reader& reader, std::string& out);

  engine::TaskRow root_;
  std::string root_parent_;
  std::string node_;
  bool whole_;
  bool begun_ = false;
  std::optional<Siblings<engine::ChildId>> ids_;  // of the task being written
  bool has_ids_ = false;
  std::optional<Siblings<engine::TaskRow>> siblings_;  // being written
  Open parent_{};                                      // of these
  std::deque<Open> open_;
  engine::ProgressSums sums_;
};

}  // namespace docket::scylla
