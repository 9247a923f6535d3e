#pragma once

// Live tasks in memory: every tree whose root is not final, or that still has a process running
// under it. A change of a node is remembered until the tick takes it to the store. Strand only.

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/kind.h"
#include "model/event.h"
#include "model/job.h"
#include "model/task.h"

namespace docket::engine {

struct Node {
  model::Task task;
  model::JobPtr job;  // as frozen when the run was made
  Node* parent = nullptr;
  std::vector<std::unique_ptr<Node>> children;  // oldest first
  std::uint32_t live_children = 0;              // children not final
  bool dirty = false;                           // changed since the last tick was taken
  bool recovered = false;       // came from the store at start-up (STARTING instead of INITIAL)
  Duration clock_set{};         // roots: how far since it was made; see Engine::see_clock
  bool holds_capacity = false;  // roots: counted against the node until the last process is gone

  // Of a run that waits, on the clock as it is.
  Time start_deadline() const {
    return task.start_deadline == kNever ? kNever : task.start_deadline + clock_set;
  }
  bool is_final() const { return model::is_final(task.state); }
  const Node& root() const { return parent ? parent->root() : *this; }
};

}  // namespace docket::engine
