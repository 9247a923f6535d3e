#pragma once

// Live operations that no kind plans: those of reporters. A small engine part with rules of its
// own: modules and sequence numbers (which actions have too), inherited aborts, leases. What has
// ended is in the store, folded into its parent (reference/scylla-tasks.md section 4). Strand
// only.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "engine/batch.h"
#include "engine/settings.h"
#include "engine/task_tree.h"

namespace docket::engine {

// The longest that a reporter pauses between two tries while it finds no server. When reporters
// can be heard again, each is given at least this long, whatever its lease.
inline constexpr Duration kReporterPauseMax = std::chrono::seconds{15};

// What a reporter says; absent members stay as they are.
struct Report {
  std::optional<double> completed, total;
};

class Operations {
 public:
  // What the engine lends beyond what the tree needs: numbers, the open tick's batch.
  class Journal : public TaskTree::Journal {
   public:
    virtual TaskId new_task() = 0;
    virtual const std::string& refusal() const = 0;  // of new work; empty: none
    virtual Batch& batch() = 0;
    // What lists that forget count by: not the wall clock where that one was set (clock_watch.h).
    virtual Time trusted(Time now) const = 0;
  };

  Operations(const Settings& settings, TaskTree& tree, Journal& journal);

  // Operations of the snapshot that have not ended or have a live one below them, and the
  // counters. Leases begin anew: reporters could not be heard while the server was down. docket's
  // own operations fail.
  void restore(const Snapshot& snapshot, Time now);

  // A module of operations exists from its first task on, or from here, until drop_module. Those of
  // runs are the engine's matter.
  void add_module(const std::string& name);
  bool has_module(const std::string& name) const;
  std::vector<std::string> modules() const;                           // by name
  std::vector<std::uint32_t> lanes(const std::string& module) const;  // ascending
  // Stops what runs in the module, and forgets what has ended and its numbers: a new module of
  // this name begins at 1 again. kNotFound.
  Result<> drop_module(const std::string& name, Time now);
  // Makes doors that forget forget what has ended in it; there may be runs in it, too.
  void drain(const std::string& name);

  // For a root that a kind plans: gives it its sequence and its module. kInvalid: it makes no
  // sense.
  Result<> number(model::Operation& what);
  // Lists show it from its creation, and after its end for as long as its ttl says.
  void list_live(const Node& node) { list(node, model::kForever); }
  void list_ended(const Node& node, Time now);

  // Created, and begun when `begins`. The operation's module and lane are its parent's if it has
  // one; its sequence is set here. Below a parent that was asked to stop it fails at once.
  // kNotFound: no such live parent (subject "parent"). kInvalid: the operation makes no sense.
  // kConflict: a live operation has this uuid. kExhausted: too many live ones. `began_ago`: the
  // work began this much earlier, while its reporter could not be heard.
  Result<const Node*> create(model::Operation what, TaskId parent, bool begins, Time now,
                             Duration began_ago = {});
  Result<const Node*> begin(TaskId id, Time now);
  // Also renews the lease; an empty report does only that. kNotFound: it does not exist, or has
  // ended. kInvalid: a figure below zero or not finite.
  Result<const Node*> report(TaskId id, const Report& report, Time now);
  Result<> note(TaskId id, const std::string& message, Time now);
  // Done; failed when there is an error; aborted when it was asked to stop. `ended_ago`: the work
  // ended this much earlier, though not before it began.
  Result<> finish(TaskId id, const std::string& error, Time now, Duration ended_ago = {});
  // Asks it, and with it everything below it, to stop (is_stopping); its reporter sees that.
  // kDenied: it cannot be aborted.
  Result<> abort(TaskId id, Time now);

  // For a request that finds everything as it asks. While the store is full that may not be on disk
  // yet, so the answer has to wait as if something had changed.
  void confirm(Node& node);

  const Node* find(TaskId id) const;                               // null: unknown, or ended
  std::optional<TaskId> find_uuid(const std::string& uuid) const;  // of live ones
  std::size_t live() const { return live_; }

  // Fails operations whose leases have run out. If that is seen late, all leases begin anew:
  // nobody was listening, since the machine slept.
  void expire(Time now);
  // Reporters can be heard from here on. Between a restore and this call no lease runs.
  void begin_leases(Time now);
  void clock_set(Duration by);  // leases are as long as before
  Time next_wake() const;       // kNever: nothing to wait for

 private:
  Result<> check(const model::Operation& what) const;
  void add_lane(const std::string& module, std::uint32_t lane);
  void put_lane(const model::Lane& lane);
  Result<> number(model::Operation& what, const Node* above);
  std::uint64_t number_for(const model::Operation& what, const Node* above);
  std::uint64_t next_number(const std::string& module, std::uint32_t lane);
  Node* live(TaskId id);
  Node& insert(model::Task task);
  void renew(Node& node, Time now, Duration at_least = {});
  void end(Node& node, model::State to, std::string message, Time now);
  void list(const Node& node, Time until);
  void end_all(std::vector<TaskId> tasks, model::State to, const std::string& message, Time now);
  static std::vector<TaskId> below_of_its_lease(const Node& node);

  const Settings& settings_;
  TaskTree& tree_;
  Journal& journal_;
  std::size_t live_ = 0;
  std::unordered_map<std::string, TaskId> by_uuid_;
  std::map<std::string, std::map<std::uint32_t, std::uint64_t>> modules_;  // lane to last number
  std::set<std::pair<Time, TaskId>> leases_;
};

}  // namespace docket::engine
