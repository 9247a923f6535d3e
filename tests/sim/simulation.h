#pragma once

// One seed, from an empty disk to the end: a stormy phase with clients and faults, a calm one in
// which every schedule must keep its times, and a last one in which everything that is left must
// end.

#include <cstdint>
#include <string>

namespace docket::sim {

// Deliberate damage, to show that the rules find it.
enum class Mutation {
  kNone,
  kStartsTwice,    // the runner starts a token twice
  kForgetsClaims,  // a runner that dies forgets what runs
  kMisreports,     // the runner reports failures as successes
  kSaysOnce,       // what was lost with a connection is not sent again
  kRestartsLost,   // lost attempts are started again whatever the job says
  kLosesCommits,   // the store acknowledges what it has not written
  kRoomierNode,    // the engine thinks that the node is larger than it is
  kLateRuns,       // the engine fires due times however late they are
  kIgnoresLocks,   // the engine does not know of locks
  kRunsAgain,      // a run that has succeeded is run once more
  kAnywhere,       // the engine does not know of constraints
  kForgetful,      // runs start without their parameters
  kSweepsEarly,    // retention is half of what it should be
  kEndsEarly,      // a kind ends its run before the last step
  kPlansAtWhim,    // a kind remembers how often it was asked
  kOverworks,      // a kind lets too many steps run
  kStepsTogether,  // steps do not wait for their locks
  kBeginsEarly,    // runs with a NOT_BEFORE begin at once
  kForgetsSteps,   // ends of steps are not written
  kRenumbers,      // reports of an executor that repeat have new numbers
  kCaresTogether,  // housekeeping does not wait for its turn
  kPretends,       // failed chores are reported as done
  kBlindClock,     // to the engine, setting the clock looks like time passing
  kOvertakes,      // the engine lets younger runs go first for ever
  // Operations: what their clients do.
  kDeaf,            // renewals of leases are not heard
  kUndying,         // dead reporters go on renewing
  kHasty,           // waiters are called before the end is durable
  kForgetsWaiters,  // now and then a waiter is not called
  kAbandons,        // nobody ends operations without a lease
  // Operations: what is written of them.
  kSameNumbers,        // numbers of a lane stand still
  kCountsTwice,        // one child more is counted than has ended
  kForgetsFigures,     // progress is not written
  kAbortsRootsOnly,    // tasks that end below are done
  kBeginsBelowAborts,  // tasks created below an abort go on
  kSparesTheLost,      // tasks below a lost operation go on
  kForgetsParents,     // parents are not updated when children end
  kForgetsEnds,        // ends are not written
  kForgetsNotes,       // nor are notes of reporters
  kForgetsLanes,       // nor the counters of numbers
  kCountsLanesLate,    // they are written one too low
  kForgetsDrains,      // nor that a list was emptied
  kListsForEver,       // nor the end of a listing
};

struct SeedOptions {
  std::uint64_t seed = 0;
  bool verbose = false;
  Mutation mutation = Mutation::kNone;
};

struct SeedReport {
  std::string violation;  // empty: clean
  std::uint64_t hash = 0;
  std::uint64_t events = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t batches = 0;
  std::uint64_t processes = 0;
  std::size_t crashes = 0;
  bool clean() const { return violation.empty(); }
};

SeedReport run_seed(const SeedOptions& options);

}  // namespace docket::sim
