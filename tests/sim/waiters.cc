#include "sim/waiters.h"

#include <fmt/format.h>

namespace docket::sim {
namespace {

constexpr Duration kSlack = std::chrono::seconds{1};  // for the reactor to call

std::string show(TaskId id) { return fmt::format("operation {}", id.value); }

}  // namespace

void Waiters::wait(TaskId task, std::optional<Duration> patience, bool hasty, bool forgetful) {
  engine::Loop* loop = world_.loop();
  if (!loop) return;
  const std::uint64_t ticket = ++last_ticket_;
  Waiter& waiter = waiting_[ticket] = {task, {}};
  if (patience) waiter.until = world_.timeline.now() + *patience;
  const Time until = patience ? world_.clock.now() + *patience : kNever;
  world_.verdict.tell("wait", task.value, ticket);
  if (hasty && !world_.engine().is_live(task)) return tell(ticket, true);
  loop->wait(task, until, [this, ticket, forgetful](Result<bool> ended) {
    if (!forgetful) tell(ticket, ended);
  });
}

void Waiters::tell(std::uint64_t ticket, const Result<bool>& ended) {
  const auto waiter = waiting_.extract(ticket);
  if (waiter.empty())
    return world_.verdict.violated("a waiter is told once", fmt::format("waiter {}", ticket));
  world_.verdict.tell("waited", ticket, ended.value_or(false));
  ++told_;
  if (!ended) return;  // the store has failed
  const auto& [task, until] = waiter.mapped();
  if (!*ended) {
    world_.verdict.require(until && world_.timeline.now() >= *until,
                           "a waiter is not sent away before its time", show(task));
    return;
  }
  const auto life = world_.record.operations.find(task);
  world_.verdict.require(
      life != world_.record.operations.end() && model::is_final(life->second.state),
      "a waiter is told of durable ends only", show(task));
}

void Waiters::check() const {
  if (!world_.settled()) return;
  for (const auto& [ticket, waiter] : waiting_) {
    world_.verdict.require(world_.record.live_operations.contains(waiter.task),
                           "nobody waits for what has ended", show(waiter.task));
    world_.verdict.require(!waiter.until || world_.timeline.now() < *waiter.until + kSlack,
                           "nobody waits longer than asked", show(waiter.task));
  }
}

}  // namespace docket::sim
