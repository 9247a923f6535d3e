#include "sim/care_rules.h"

#include <fmt/format.h>

#include "exec/care/launch.h"

namespace docket::sim {
namespace {

using model::State;

std::string show(TaskId id) { return fmt::format("chore {}", id.value); }

}  // namespace

void CareRules::apply(const engine::Batch& batch) {
  for (const model::Task& task : batch.tasks) {
    if (!model::is_action(task)) continue;
    ordered_.insert(task.id);
    if (task.state == State::kRunning) {
      under_way_.insert(task.id);
    } else {
      under_way_.erase(task.id);
    }
    const bool made_one =
        task.state == State::kDone && task.operation->type == care::name_of(care::Chore::kBackup);
    verdict_.require(!made_one || is_made(task.operation->entity),
                     "a chore's file exists when it is done", show(task.id));
  }
  verdict_.require(under_way_.size() <= 1, "one chore is under way at a time",
                   under_way_.empty() ? "" : show(*under_way_.rbegin()));
}

void CareRules::acknowledged(TaskId task) {
  verdict_.require(ordered_.contains(task), "an order that is answered is durable", show(task));
}

}  // namespace docket::sim
