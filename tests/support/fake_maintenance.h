#pragma once

// The port through which doors order housekeeping. It makes a task of every sound order, as the
// server does, which runs at once; nothing is done, and the test says how it ends.

#include <string>
#include <utility>
#include <vector>

#include "engine/maintenance.h"

namespace docket::testing {

class FakeMaintenance : public engine::Maintenance {
 public:
  Result<TaskId> ask(engine::Engine& engine, engine::ChoreOrder order, Time now) override {
    if (auto sound = check(order); !sound) return fail(std::move(sound.error()));
    if (order.file == kFileThatIsThere) {
      return fail(ErrorKind::kConflict, order.file + " exists already");
    }
    const auto node = engine.operations().create(operation_of(order), {}, true, now);
    if (!node) return fail(node.error());
    orders.push_back(std::move(order));
    return task = (*node)->task.id;
  }

  static constexpr const char* kFileThatIsThere = "there";

  std::vector<engine::ChoreOrder> orders;  // that were taken
  TaskId task;                             // of the last
};

}  // namespace docket::testing
