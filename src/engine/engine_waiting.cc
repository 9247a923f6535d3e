// What runs and steps wait for before they begin: an instant, then room and rights.

#include <fmt/format.h>

#include <algorithm>

#include "engine/engine.h"

namespace docket::engine {
namespace {

using model::DueOutcome;
using model::State;

constexpr const char* kTooLate = "Its time was over before it could begin";

std::string_view key_of(const Node& node) {
  return node.is_step() ? std::string_view(node.task.planned->key) : std::string_view();
}

}  // namespace

model::Needs Engine::needs_of(const Node& node) const {
  return kind_of(*node.job).needs(*node.job, node.root().task.parameters.get(), key_of(node));
}

std::string Engine::in_words(TaskId task) const {
  const Node* node = tree_.find(task);
  if (!node || !node->is_step()) return fmt::format("run {}", task.value);
  return fmt::format("step '{}' of run {}", key_of(*node), node->task.root.value);
}

std::vector<Blocker> Engine::blockers(const Node& node, Time now) const {
  const model::Needs needs = needs_of(node);
  if (node.task.state == State::kQueued) {
    std::vector<Blocker> blockers = queue_.blockers(node, needs, now);
    for (Blocker& each : blockers) each.who = each.by ? in_words(each.by) : "";
    return blockers;
  }
  if (!needs.any() || node.task.state != State::kCreated) return {};
  return {{.what = BlockedBy::kTime, .at = needs.not_before}};
}

// ---- waiting

bool Engine::waits_for_needs(const Node& node) const {
  return node.waits() && !node.holds_capacity && needs_of(node).any();
}

void Engine::await(Node& node, const model::Needs& needs, Time now) {
  if (needs.not_before != kNever && node.task.state == State::kCreated) {
    not_before_.emplace(needs.not_before, node.task.id);
    return;
  }
  enqueue(node, needs, now);
}

// A patience of zero still means one look at the queue before it expires.
void Engine::enqueue(Node& node, const model::Needs& needs, Time now) {
  if (needs.patience && node.task.start_deadline == kNever) {
    node.task.start_deadline = now - node.clock_set + std::max(*needs.patience, Duration{1});
  }
  if (node.task.state == State::kCreated) change(node, State::kQueued, {}, now);
  queue_.add(node, needs);
}

void Engine::queue_due(Time now) {
  while (!not_before_.empty() && not_before_.begin()->first <= now) {
    Node& node = tree_.at(not_before_.begin()->second);
    const model::Needs needs = needs_of(node);
    const bool too_late = needs.late && now - needs.not_before > *needs.late;
    not_before_.erase(not_before_.begin());
    too_late ? refuse(node, State::kAborted, kTooLate, now) : enqueue(node, needs, now);
  }
}

void Engine::leave_queue(Node& node) {
  if (node.task.state == State::kQueued) return queue_.remove(node);
  if (not_before_.empty()) return;
  not_before_.erase({needs_of(node).not_before, node.task.id});
}

// ---- beginning

void Engine::place_waiting(Time now) {
  while (const Queue::Next next = queue_.next(now)) {
    if (!next.refused) {
      place(*next.task, next.target, now);
      continue;
    }
    const model::Lock* lock = locks_.find(next.refused->name);
    const bool held = lock && lock->holder;
    refuse(*next.task, State::kFailed,
           fmt::format("lock \"{}\" is {} {}", next.refused->name, held ? "held by" : "kept for",
                       in_words(next.by)),
           now);
  }
}

void Engine::place(Node& node, Targets::Number target, Time now) {
  queue_.take(node, target);
  locks_.grant(needs_of(node).locks, node.task, now, open_.batch->locks);
  if (target != 0) {
    node.task.work =
        std::make_shared<const model::Work>(model::Work{.target = targets_.at(target).name});
  }
  plan(node.root(), Placed{node, targets_.at(target)}, now);
  if (node.waits()) begin(node, now);
}

// The target of the task, or else of the nearest task above it.
const Target& Engine::place_of(const Node& node) const {
  for (const Node* at = &node; at; at = at->parent) {
    const Target* target = targets_.find(model::target_of(at->task));
    if (target) return *target;
  }
  return targets_.at(0);
}

// ---- refused or expired

// A run ends in this state; what becomes of a step is decided by its kind.
void Engine::refuse(Node& node, State state, std::string why, Time now) {
  if (!node.is_step()) return end_run(node, state, std::move(why), now);
  leave_queue(node);
  const AttemptReport report{.phase = AttemptPhase::kExited, .message = std::move(why)};
  plan(node.root(), Ended{node, report, false}, now);
}

void Engine::expire_waiting(Time now) {
  for (Node* node : queue_.expired(now)) {
    if (!node->waits()) continue;  // its run has ended with an earlier one
    if (node->is_step()) {
      refuse(*node, State::kFailed, "It waited too long: " + words_of(blockers(*node, now)), now);
      continue;
    }
    const model::Task& task = node->task;
    if (task.schedule) {
      open_.batch->ledger.push_back(
          {task.schedule, task.due_at, task.due_at, 1, DueOutcome::kPastDeadline, task.id});
    }
    refuse(*node, State::kFailed, "The starting deadline passed before the run could start", now);
  }
}

// ---- giving back

void Engine::give_back(Node& node) {
  if (!node.holds_capacity) return;
  queue_.give_back(node);
  std::vector<model::Lock>& changed = open_.batch->locks;
  std::size_t at = changed.size();
  locks_.release(needs_of(node).locks, node.task.id, changed);
  for (; at < changed.size(); ++at) queue_.released(changed[at].name);
}

}  // namespace docket::engine
