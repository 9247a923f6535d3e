#pragma once

// An operation: a task that is neither a run of a job nor an attempt. What other programs report
// into the tree, steps of runs, and actions (task.h). The words are those of the Scylla Task
// Manager (reference/scylla-tasks.md section 4).

#include <cstdint>
#include <optional>
#include <string>

#include "core/ids.h"
#include "core/string_pairs.h"
#include "core/time.h"

namespace docket::model {

// The end of a listing whose task is live.
inline constexpr Time kForever = Time::max();

// What is said of an operation. Never changes once made.
struct Operation {
  std::string uuid;    // chosen by its reporter (8-4-4-4-12, lower case); empty: from its number
  std::string module;  // its group: "maintenance", "backups"
  std::string type;    // "backup"
  std::string scope, keyspace, table, entity;  // free labels of every task list; may be empty
  std::string units;                           // of its progress: "bytes"; may be empty
  StringPairs labels;
  std::uint32_t lane = 0;      // Scylla's shard: each lane of a module numbers its trees by itself
  std::uint64_t sequence = 0;  // from 1 in (module, lane) of its root, which all of a tree share
  std::optional<double> expected;  // workload of its whole subtree, when it is known beforehand
  Duration lease{};  // fails unless its reporter is heard from this often; zero: no lease
  bool abortable = false;
  bool internal = false;  // hidden from plain lists, like everything with a parent
  bool cluster = false;   // spreads over nodes; else of one node
  bool user = false;      // asked for by a person: forgotten later by doors that forget
  bool local = false;     // docket's own, in old stores: nothing continues it after a restart
  bool folds = false;     // a step: leaves memory when it ends, not when its run does
  bool operator==(const Operation&) const = default;
};

// How far an operation is, and what its ended children left behind: they are folded into it, so a
// live tree's memory does not grow with what has ended below it.
struct Tally {
  bool counts = false;  // has reported figures of its own, which are these two
  double completed = 0;
  double total = 0;
  std::uint64_t children = 0;     // folded into it
  std::uint64_t failing = 0;      // of these: failed, or with a failure that they keep below them
  double children_completed = 0;  // their progress when they ended
  double children_total = 0;
  std::uint64_t unfolded = 0;  // children that ended before something below them did
  // When it was folded into its parent: the number of the event that ended it, so that siblings are
  // in the order of their ends; 0: not folded.
  std::uint64_t fold = 0;
  bool operator==(const Tally&) const = default;
};

struct Progress {
  double completed = 0;
  double total = 0;
  bool operator==(const Progress&) const = default;
};

// A door that forgets (Scylla's) shows the task. A mark only: the task itself stays without it.
struct Listing {
  TaskId task;
  std::string module;
  std::uint32_t lane = 0;
  bool internal = false;
  Time until = kForever;  // exclusive; kNever: not shown any more
  bool operator==(const Listing&) const = default;
};

// The counter of sequence numbers of one lane. A module exists as long as it has a lane.
struct Lane {
  std::string module;
  std::uint32_t lane = 0;
  std::uint64_t last = 0;
  bool operator==(const Lane&) const = default;
};

}  // namespace docket::model
