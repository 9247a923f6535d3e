#pragma once

// Runs and steps that wait, and the targets, capacity and locks they wait for. Strand only.
//
// Waiting tasks with the same demand, targets and locks form a group, oldest first; only its
// oldest can be the next of them. A group whose locks are taken is parked, as a whole, on the
// first lock that is taken. So neither a full target nor a taken lock costs anything per waiting
// task, and a lock that becomes free costs one step for each group that is parked on it.
//
// Order: oldest first among those that fit and can have their locks. A younger task may overtake
// an older one that could fit an empty target for settings.overtaking_max. After that nobody
// starves:
//   - the oldest such task that can have its locks goes before everybody;
//   - a lock that such a task requests goes to nobody younger, even while the task still waits for
//     another lock. The lock may stand idle meanwhile: that is the price.
// Nobody waits for anyone younger, so no two wait for each other. (A run that holds a lock may
// itself wait for another run to end, which may wait for that lock: docket cannot see that.)

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/blocker.h"
#include "engine/lock_table.h"
#include "engine/resources.h"
#include "engine/settings.h"
#include "engine/targets.h"
#include "engine/task_tree.h"

namespace docket::engine {

class Queue {
  struct Group;

 public:
  Queue(const Settings& settings, const LockTable& locks, const Targets& targets);

  // not_before is ignored: its time has passed. With constraints that no target satisfies a task
  // only waits.
  void add(Node& task, const model::Needs& needs);
  void remove(Node& task);  // it will not begin
  // The next task to begin (take), and where; or a task to refuse, because a lock that it does not
  // want to wait for is held by, or kept for, `by`. Null: none.
  struct Next {
    Node* task = nullptr;
    Targets::Number target = 0;
    const model::LockRequest* refused = nullptr;
    TaskId by = {};
    explicit operator bool() const { return task != nullptr; }
  };
  Next next(Time now);
  void take(Node& task, Targets::Number target);  // leaves the queue, holds its capacity
  // After a restart: what tasks that have begun hold.
  void hold(Node& task, const Demand& demand, Targets::Number target);
  void give_back(Node& task);  // its last process is gone
  // Deadlines, and the time that tasks have waited, stay as long as before. The tasks were told
  // already.
  void clock_set(Duration by);
  void released(const std::string& lock);  // what was parked on it is a candidate again

  // Tasks whose wait is over, and the next instant at which there are some (kNever: none).
  std::vector<Node*> expired(Time now) const;
  Time next_deadline() const;

  std::size_t size() const { return waiting_.size(); }
  std::uint32_t running() const { return running_; }  // runs, whatever their steps hold
  struct Waiting {
    Node* task = nullptr;
    Group* group = nullptr;
    Time since = kNever;  // never later than anyone younger
  };
  const std::map<TaskId, Waiting>& waiting() const { return waiting_; }  // oldest first
  struct Held {
    Demand demand;
    Targets::Number target = 0;
  };
  const std::map<TaskId, Held>& holding() const { return holding_; }
  const Demand& total(Targets::Number target = 0) const { return targets_.at(target).capacity; }
  Demand free(Targets::Number target = 0) const;
  std::optional<Demand> demand_of(const Node& task) const;
  // On any target that takes new work, whatever its labels.
  bool fits_empty(const Demand& demand) const;

  // Why next() does not return this task, which waits with these needs; nothing: it is about to.
  std::vector<Blocker> blockers(const Node& task, const model::Needs& needs, Time now) const;
  // Waiting tasks that request the lock, oldest first.
  std::vector<TaskId> waiters_of(const std::string& lock, std::size_t most) const;
  // Groups looked at so far: the cost of placing.
  std::uint64_t visits() const { return visits_; }

 private:
  struct Place {  // what it wants, and where it may be
    Demand demand;
    std::vector<Targets::Number> targets;
    bool is_run = true;  // counts against running_max; a step's run has been counted
    auto operator<=>(const Place&) const = default;
  };
  struct Bucket;
  using Key = std::vector<model::LockRequest>;
  struct KeyLess {
    bool operator()(const Key& a, const Key& b) const;
  };
  struct Group {
    Bucket* bucket = nullptr;
    const Key* requests = nullptr;                  // the key it is found by
    std::map<TaskId, Node*> tasks;                  // never empty between calls
    const model::LockRequest* parked_on = nullptr;  // one of requests
    Node& head() const { return *tasks.begin()->second; }
  };
  using Heads = std::map<TaskId, Group*>;  // groups by their oldest task
  struct Bucket {
    Place place;
    std::map<Key, Group, KeyLess> groups;
    Heads candidates;  // not parked
  };
  struct Obstacle {
    const model::LockRequest* request = nullptr;
    TaskId by = {};
    bool kept = false;  // for the next holder; else held
    explicit operator bool() const { return request != nullptr; }
    bool is_waited_for() const { return request && request->wait == model::LockWait::kQueue; }
  };

  Group& group_for(const model::Needs& needs, bool is_run);
  Time wait_since(TaskId task, Time created_at);
  void list(Group& group);    // under its head, wherever groups are listed
  void unlist(Group& group);  // before its head changes
  void leave(Group& group, TaskId task);
  void park(Group& group, const model::LockRequest& request);
  void unpark(Group& group);
  // The rules.
  bool may_begin(const Place& place) const {
    return !place.is_run || running_ < settings_.running_max;
  }
  bool takes_work(Targets::Number target) const {
    return targets_.at(target).state == TargetState::kUp;
  }
  bool fits_empty(const Place& place) const;
  std::optional<Targets::Number> room_for(const Place& place) const;
  Obstacle obstacle(const model::LockRequest& request, const Node& task, Time now) const;
  Obstacle first_obstacle(const Group& group, Time now) const;
  const Node* kept_for(const std::string& lock, TaskId task, Time now) const;
  bool waited_long(TaskId task, Time now) const;
  Group* starving(Time now) const;
  const Group* first_in_turn(Time now) const;
  Group* oldest_that_fits() const;
  std::int64_t most_free_cpus() const;

  void add_room(const Place& place, std::vector<Blocker>& out) const;
  void add_locks(const Node& task, const Key& requests, Time now, std::vector<Blocker>& out) const;

  const Settings& settings_;
  const LockTable& locks_;
  const Targets& targets_;
  std::map<TaskId, Waiting> waiting_;
  std::map<TaskId, Held> holding_;           // of what holds capacity
  std::uint32_t running_ = 0;                // how many of these are runs
  std::map<Targets::Number, Demand> taken_;  // what these hold
  std::map<Place, Bucket> buckets_;
  std::map<std::string, Heads> requested_;          // by lock: every group that requests it
  std::map<std::string, std::set<Group*>> parked_;  // by the lock that they are parked on
  std::set<std::pair<Time, TaskId>> deadlines_;     // of waiting tasks that have one
  mutable std::uint64_t visits_ = 0;                // only a counter: see visits()
};

}  // namespace docket::engine
