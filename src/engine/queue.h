#pragma once

// Runs that wait, and the capacity they wait for. Waiting runs are kept by what they demand, so
// that a full node costs nothing per queued run. Strand only.
//
// Order: oldest first among those that fit. A smaller run may overtake a bigger one for
// settings.overtaking_max; after that the oldest run that could fit the empty node goes before
// everybody, so nobody starves.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/settings.h"
#include "engine/tree.h"

namespace docket::engine {

// Whether this node satisfies the constraints (reference/metronome.md section 3, `placement`). The
// first that fails, or null.
const model::Constraint* unmet_constraint(const NodeSettings& node,
                                          const std::vector<model::Constraint>& constraints);

class Queue {
 public:
  explicit Queue(const Settings& settings);

  void add(Node& run, const Demand& demand, bool placeable);
  void remove(Node& run);
  // The next run to start, or null. The caller starts it (take) or sets it aside until a lock is
  // free (park).
  Node* next(Time now) const;
  void take(Node& run);                        // leaves the queue, holds its capacity
  void hold(Node& run, const Demand& demand);  // after a restart: a running run's capacity
  void give_back(Node& run);                   // its last process is gone
  void park(Node& run);
  void unpark_all();  // a lock became free: parked runs are candidates again

  // Runs whose starting deadline has passed, and the next such deadline (kNever: none).
  std::vector<Node*> expired(Time now) const;
  Time next_deadline() const;

  std::size_t size() const { return waiting_.size(); }
  std::uint32_t running() const { return running_; }
  bool is_parked(const Node& run) const { return parked_.contains(run.task.id); }
  const std::map<TaskId, Node*>& waiting() const { return waiting_; }  // oldest first
  const Demand& total() const { return total_; }
  const Demand& free() const { return free_; }
  std::optional<Demand> demand_of(const Node& run) const;
  bool fits_free(const Demand& demand) const;
  bool fits_empty(const Demand& demand) const;

 private:
  struct Entry {
    Demand demand;
    bool placeable = true;
  };
  void enter_bucket(TaskId id, Node& run, const Entry& entry);
  void leave_bucket(TaskId id, const Entry& entry);
  Node* starving(Time now) const;

  const Settings& settings_;
  Demand total_;
  Demand free_;
  std::uint32_t running_ = 0;
  std::map<TaskId, Node*> waiting_;
  std::map<TaskId, Entry> entries_;                    // of waiting and running runs
  std::map<Demand, std::map<TaskId, Node*>> buckets_;  // candidates: placeable and not parked
  std::map<TaskId, Node*> parked_;
  std::set<std::pair<Time, TaskId>> deadlines_;  // of waiting runs that have one
};

}  // namespace docket::engine
