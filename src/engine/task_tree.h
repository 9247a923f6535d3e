#pragma once

// The live tasks in memory: runs with their attempts, and operations of reporters. A task leaves
// memory with the tick that stores its end, unless something below it is still live; then it waits
// for that. A change is remembered until the tick takes it to the store. Strand only.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/batch.h"
#include "model/event.h"
#include "model/job.h"
#include "model/task.h"

namespace docket::engine {

struct Node;
using Children = std::map<TaskId, Node*>;                 // in memory, oldest first
using Steps = std::map<std::string, Node*, std::less<>>;  // of a run, at any depth, by key

struct Node {
  model::Task task;
  model::JobPtr job;  // of a run and its attempts: as frozen when the run was made
  Node* parent = nullptr;
  struct Below {
    Children children;
    Steps steps;
  };
  std::unique_ptr<Below> below;     // most have nothing: a run that waits, an attempt, a leaf
  std::uint32_t live_attempts = 0;  // of a run: at any depth
  std::uint32_t staying = 0;        // children that do not leave with this tick
  bool dirty = false;               // changed since the last tick was taken
  bool leaving = false;             // leaves memory with this tick
  bool recovered = false;           // came from the store at start-up (STARTING instead of INITIAL)
  bool holds_capacity = false;      // of its target, until the last process is gone
  Duration clock_set{};             // while it waits: by how much (Engine::see_clock)
  Time lease_until = kNever;        // of a reporter's task; kNever: no lease

  bool is_attempt() const { return task.kind == model::TaskKind::kAttempt; }
  bool is_reported() const { return task.operation && !task.job; }
  bool is_step() const { return model::is_step(task); }
  const Children& children() const { return below ? below->children : kNothing.children; }
  const Steps& steps() const { return below ? below->steps : kNothing.steps; }
  Node* step(std::string_view key) {  // of a run; itself for the empty key, null: not in memory
    if (key.empty()) return this;
    const auto found = steps().find(key);
    return found == steps().end() ? nullptr : found->second;
  }
  const Node* step(std::string_view key) const { return const_cast<Node*>(this)->step(key); }
  const model::Operation& what() const { return *task.operation; }
  // Of a waiting task, by the present clock.
  Time start_deadline() const {
    return task.start_deadline == kNever ? kNever : task.start_deadline + clock_set;
  }
  bool is_final() const { return model::is_final(task.state); }
  bool waits() const {
    return task.state == model::State::kCreated || task.state == model::State::kQueued;
  }
  Node& root() {
    Node* top = this;
    while (top->parent) top = top->parent;
    return *top;
  }
  const Node& root() const { return const_cast<Node*>(this)->root(); }
  const Node& newest_child() const { return *children().rbegin()->second; }

 private:
  static const Below kNothing;
};

// It was asked to stop, or something above it was.
bool is_stopping(const Node& node);

// At any depth.
bool has_live_attempt_below(const Node& of);

class TaskTree {
 public:
  // What the engine lends: the event log, and the call for those that wait for an end.
  class Journal {
   public:
    virtual ~Journal() = default;
    // run_name: of the root, for doors that name runs by it.
    virtual EventSeq append(model::Event event, const std::string& run_name) = 0;
    virtual void ended(TaskId task) = 0;
  };

  explicit TaskTree(Journal& journal) : journal_(journal) {}

  Node* find(TaskId id);  // null: not in memory
  const Node* find(TaskId id) const;
  Node& at(TaskId id) { return *nodes_.at(id); }
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [id, node] : nodes_) visit(*node);
  }

  // A new or a restored task, below its parent if that is in memory; its row is written when it is
  // touched.
  Node& insert(model::Task task, model::JobPtr job);
  void touch(Node& node);
  EventSeq log(const Node& node, model::EventType type, model::State before, std::string message,
               Time now);
  void note(const Node& node, model::NoteText text, Time now);
  // Another state, with an event; does nothing where the state table does not allow the move. An
  // empty message leaves the old one. An operation that ends with nothing left below it is folded
  // into a live parent.
  void change(Node& node, model::State to, std::string message, Time now);
  // Leaves with this tick, and so does everything below; so do parents that only waited for it.
  void leave(Node& node);
  // At once: not dirty, not leaving, and without children.
  void drop(Node& node);

  bool dirty() const { return !dirty_.empty(); }
  // Changes since the last take(); a row that changes twice counts twice.
  std::size_t changes() const { return changes_; }
  void count_change() { ++changes_; }  // of other rows about tasks
  // Puts the rows of what has changed into the batch; removes what is leaving.
  void take(Batch& batch);

 private:
  static Node::Below& below(Node& node);
  void fold(Node& node, EventSeq end);
  void erase(Node& node);

  Journal& journal_;
  std::unordered_map<TaskId, std::unique_ptr<Node>> nodes_;
  std::vector<Node*> dirty_;
  std::vector<Node*> leaving_;
  std::size_t changes_ = 0;
};

}  // namespace docket::engine
