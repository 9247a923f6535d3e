#include "engine/task_tree.h"

#include <algorithm>
#include <utility>

namespace docket::engine {
namespace {

using model::EventType;
using model::State;

EventType change_of(const Node& node) {
  if (node.task.operation) return EventType::kTaskChanged;
  return node.is_attempt() ? EventType::kAttemptChanged : EventType::kRunChanged;
}

model::Event about(const Node& node, EventType type, State before, Time now) {
  return {.seq = {},
          .at = now,
          .type = type,
          .job = node.task.job,
          .task = node.task.id,
          .root = node.task.root,
          .before = before,
          .after = node.task.state,
          .job_id = node.job ? node.job->id() : std::string(),
          .message = {}};
}

std::string run_name(const Node& node) { return node.job ? node.root().task.name : std::string(); }

}  // namespace

const Node::Below Node::kNothing;

bool is_stopping(const Node& node) {
  const Node* at = &node;
  while (at->parent && !at->task.stopping) at = at->parent;
  return at->task.stopping;
}

bool has_live_attempt_below(const Node& of) {
  return std::ranges::any_of(of.children(), [](const auto& child) {
    const Node& node = *child.second;
    return (node.is_attempt() && !node.is_final()) || has_live_attempt_below(node);
  });
}

Node* TaskTree::find(TaskId id) {
  const auto found = nodes_.find(id);
  return found == nodes_.end() ? nullptr : found->second.get();
}

const Node* TaskTree::find(TaskId id) const {
  const auto found = nodes_.find(id);
  return found == nodes_.end() ? nullptr : found->second.get();
}

Node& TaskTree::insert(model::Task task, model::JobPtr job) {
  auto made = std::make_unique<Node>();
  Node& node = *made;
  node.task = std::move(task);
  node.job = std::move(job);
  node.parent = node.task.parent ? find(node.task.parent) : nullptr;
  if (Node* parent = node.parent) {
    Children& children = below(*parent).children;
    children.emplace_hint(children.end(), node.task.id, &node);
    ++parent->staying;
  }
  if (node.is_attempt() && !node.is_final() && node.parent) ++node.root().live_attempts;
  if (node.is_step()) below(node.root()).steps.emplace(node.task.planned->key, &node);
  nodes_.emplace(node.task.id, std::move(made));
  return node;
}

Node::Below& TaskTree::below(Node& node) {
  if (!node.below) node.below = std::make_unique<Node::Below>();
  return *node.below;
}

void TaskTree::touch(Node& node) {
  ++changes_;
  if (!std::exchange(node.dirty, true)) dirty_.push_back(&node);
}

EventSeq TaskTree::log(const Node& node, EventType type, State before, std::string message,
                       Time now) {
  model::Event event = about(node, type, before, now);
  event.message = std::move(message);
  return journal_.append(std::move(event), run_name(node));
}

void TaskTree::note(const Node& node, model::NoteText text, Time now) {
  model::Event event = about(node, EventType::kTaskNote, node.task.state, now);
  event.message = std::move(text.message);
  event.subtype = std::move(text.subtype);
  event.detail = std::move(text.detail);
  journal_.append(std::move(event), run_name(node));
}

void TaskTree::change(Node& node, State to, std::string message, Time now) {
  const State before = node.task.state;
  if (!model::move(node.task, before, to, now)) return;
  if (!message.empty()) node.task.message = message;
  touch(node);
  const bool over = model::is_final(to);
  const EventSeq seq = log(node, change_of(node), before,
                           over ? model::reason_of(node.task) : std::move(message), now);
  if (!over) return;
  if (node.is_attempt() && node.parent) --node.root().live_attempts;
  if (node.is_step() && node.what().folds) node.task.tally.fold = seq.value;
  if (node.task.operation) fold(node, seq);
  journal_.ended(node.task.id);
}

// Nothing is folded into a parent that has ended. A step counts in its parent although it stays
// in memory.
void TaskTree::fold(Node& node, EventSeq end) {
  Node* parent = node.parent;
  if (!parent || parent->is_final() || !parent->task.operation) return;
  model::Tally& tally = parent->task.tally;
  touch(*parent);
  if (!node.is_step() && (node.staying > 0 || node.task.tally.unfolded > 0)) {
    ++tally.unfolded;
    return;
  }
  if (!node.is_step()) node.task.tally.fold = end.value;
  const model::Progress progress = model::progress_of(node.task, std::nullopt);
  ++tally.children;
  tally.failing += model::is_failing(node.task) ? 1 : 0;
  tally.children_completed += progress.completed;
  tally.children_total += progress.total;
}

void TaskTree::leave(Node& node) {
  for (Node* each = &node; each;) {
    each->leaving = true;
    leaving_.push_back(each);
    Node* parent = each->parent;
    if (parent) --parent->staying;
    const bool waited = parent && !parent->job && parent->is_final() && parent->staying == 0;
    each = waited ? parent : nullptr;
  }
}

void TaskTree::drop(Node& node) {
  if (node.parent) --node.parent->staying;
  erase(node);
}

void TaskTree::take(Batch& batch) {
  batch.tasks.reserve(batch.tasks.size() + dirty_.size());
  for (Node* node : dirty_) {
    node->dirty = false;
    batch.tasks.push_back(node->task);
  }
  dirty_.clear();
  changes_ = 0;
  for (Node* node : std::exchange(leaving_, {})) erase(*node);
}

// Nothing below it stays.
void TaskTree::erase(Node& node) {
  while (!node.children().empty()) erase(*node.children().begin()->second);
  if (node.is_step()) node.root().below->steps.erase(node.task.planned->key);
  if (node.parent) node.parent->below->children.erase(node.task.id);
  nodes_.erase(node.task.id);
}

}  // namespace docket::engine
