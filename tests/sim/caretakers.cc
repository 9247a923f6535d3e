#include "sim/caretakers.h"

#include <fmt/format.h>

namespace docket::sim {

Caretakers::Caretakers(World& world, Dice dice, Duration think_max)
    : world_(world), dice_(dice), think_max_(think_max) {
  think();
}

void Caretakers::think() {
  const Duration pause = dice_.spread(std::chrono::seconds{1}, think_max_);
  world_.timeline.at(world_.timeline.now() + pause, [this] {
    if (!active_) return;
    if (world_.loop()) {
      const bool regrets = !known_.empty() && dice_.percent(25);
      regrets ? abort(dice_.pick(known_)) : order();
    }
    think();
  });
}

void Caretakers::order() {
  world_.loop()->call<TaskId>(
      [this, order = draw()](engine::Engine& engine, Time now) {
        return orders_.ask(engine, order, now);
      },
      [this](const Result<TaskId>& task) {
        world_.verdict.tell("order", task ? task->value : 0);
        if (!task) return;
        world_.chores.acknowledged(*task);
        ++acknowledged_;
        known_.push_back(*task);
      });
}

void Caretakers::abort(TaskId task) {
  world_.verdict.tell("abort of a chore", task.value);
  world_.loop()->call<bool>(
      [task](engine::Engine& engine, Time now) -> Result<bool> {
        return engine.abort_task(task, now).has_value();
      },
      [](const Result<bool>&) {});
}

kinds::Order Caretakers::draw() {
  kinds::Order order;
  order.work.chore = static_cast<care::Chore>(dice_.below(care::kChores.size()));
  const bool named = care::makes_file(order.work.chore) && dice_.percent(80);
  if (named) order.work.file = fmt::format("copy-{}", dice_.below(50));
  return order;
}

}  // namespace docket::sim
