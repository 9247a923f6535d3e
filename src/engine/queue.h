#pragma once

// Runs that wait, and the capacity and locks they wait for. Strand only.
//
// Waiting runs that demand the same and wish for the same locks form a group, oldest first; only
// its oldest can be the next of them. A group whose locks are taken is parked, as a whole, on the
// first lock that is: neither a full node nor a taken lock costs anything per waiting run, and a
// lock that becomes free costs what is parked on it, counted in groups.
//
// Order: oldest first among those that fit and can have their locks. A younger run may overtake an
// older one that could fit the empty node for settings.overtaking_max. After that nobody starves:
//   - the oldest such run whose locks are to be had goes before everybody;
//   - a lock that such a run wishes for goes to nobody younger, also while it still waits for
//     another one. The lock may stand idle then: that is the price.
// Nobody waits for anyone younger, so no two wait for each other. (A run that holds a lock and
// itself waits for another run to be done may be waited for by the latter: not for docket to see.)

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/lock_table.h"
#include "engine/settings.h"
#include "engine/task_tree.h"

namespace docket::engine {

using model::Demand;

class Queue {
  struct Group;

 public:
  Queue(const Settings& settings, const LockTable& locks);

  // What a run needs in order to start. A run that is not placeable only waits.
  struct Needs {
    Demand demand;
    std::vector<model::LockWish> locks = {};
    bool placeable = true;
  };
  void add(Node& run, const Needs& needs);
  void remove(Node& run);  // it will not start
  // The next run to start (take), or to fail because a lock that it does not wait for is `refused`:
  // held by, or kept for, the run `by`. Null: none.
  struct Next {
    Node* run = nullptr;
    const model::LockWish* refused = nullptr;
    TaskId by = {};
    explicit operator bool() const { return run != nullptr; }
  };
  Next next(Time now);
  void take(Node& run);                        // leaves the queue, holds its capacity
  void hold(Node& run, const Demand& demand);  // after a restart: a running run's capacity
  void give_back(Node& run);                   // its last process is gone
  // Deadlines, and the time that runs have waited, are as long as before. The runs know it already.
  void clock_set(Duration by);
  void released(const std::string& lock);  // who was parked on it is a candidate again

  // Runs whose starting deadline has passed, and the next such deadline (kNever: none).
  std::vector<Node*> expired(Time now) const;
  Time next_deadline() const;

  std::size_t size() const { return waiting_.size(); }
  std::uint32_t running() const { return static_cast<std::uint32_t>(holding_.size()); }
  struct Waiting {
    Node* run = nullptr;
    Group* group = nullptr;
    Time since = kNever;  // never later than anyone younger
  };
  const std::map<TaskId, Waiting>& waiting() const { return waiting_; }  // oldest first
  const std::map<TaskId, Demand>& holding() const { return holding_; }
  const Demand& total() const { return total_; }
  const Demand& free() const { return free_; }
  std::optional<Demand> demand_of(const Node& run) const;
  bool fits_free(const Demand& demand) const;
  bool fits_empty(const Demand& demand) const;
  // The run that goes before everybody because it was overtaken for too long, or null.
  const Node* first_in_turn(Time now) const;
  // The run that the lock goes to before the given one, because it is older and has been overtaken
  // for too long; or null.
  const Node* kept_for(const std::string& lock, TaskId run, Time now) const;
  // Waiting runs that wish for the lock, oldest first.
  std::vector<TaskId> waiters_of(const std::string& lock, std::size_t most) const;
  // Groups looked at so far, which is what placing costs.
  std::uint64_t visits() const { return visits_; }

 private:
  struct Bucket;
  using Key = std::pair<bool, std::vector<model::LockWish>>;  // placeable, and its wishes
  struct KeyLess {
    bool operator()(const Key& a, const Key& b) const;
  };
  struct Group {
    Bucket* bucket = nullptr;
    bool placeable = true;
    const std::vector<model::LockWish>* wishes = nullptr;  // the key it is found by
    std::map<TaskId, Node*> runs;                          // never empty, but in between
    const model::LockWish* parked_on = nullptr;            // one of wishes
    Node& head() const { return *runs.begin()->second; }
  };
  using Heads = std::map<TaskId, Group*>;  // groups by their oldest run
  struct Bucket {
    Demand demand;
    std::map<Key, Group, KeyLess> groups;
    Heads candidates;  // placeable and not parked
  };
  struct Blocked {
    const model::LockWish* wish = nullptr;
    TaskId by = {};
  };

  Group& group_for(const Needs& needs);
  Time wait_since(TaskId run, Time created_at);
  void list(Group& group);    // under its head, wherever groups are listed
  void unlist(Group& group);  // before its head changes
  void leave(Group& group, TaskId run);
  void park(Group& group, const model::LockWish& wish);
  void unpark(Group& group);
  Group* starving(Time now) const;
  Group* oldest_that_fits() const;
  Blocked blocked(const Group& group, Time now) const;
  bool waited_long(TaskId run, Time now) const;

  const Settings& settings_;
  const LockTable& locks_;
  Demand total_;
  Demand free_;
  std::map<TaskId, Waiting> waiting_;
  std::map<TaskId, Demand> holding_;  // of runs that hold capacity
  std::map<Demand, Bucket> buckets_;
  std::map<std::string, Heads> wishing_;            // by lock: every group that wishes for it
  std::map<std::string, std::set<Group*>> parked_;  // by the lock that they are parked on
  std::set<std::pair<Time, TaskId>> deadlines_;     // of waiting runs that have one
  mutable std::uint64_t visits_ = 0;                // counts, no more: see visits()
};

}  // namespace docket::engine
