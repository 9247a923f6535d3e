#pragma once

// One seed, from an empty disk to the end: a stormy phase with clients and faults, a calm one in
// which every schedule must keep its times, and a last one in which everything that is left must
// end.

#include <cstdint>
#include <string>

namespace docket::sim {

// Deliberate damage, to show that the rules can tell.
enum class Mutation {
  kNone,
  kStartsTwice,    // the runner starts a token twice
  kForgetsClaims,  // a runner that dies forgets what runs
  kMisreports,     // the runner tells of failures as of successes
  kSaysOnce,       // what a connection took with it is not said again
  kRestartsLost,   // what is lost is started again whatever the job says
  kLosesCommits,   // the store acknowledges what it has not written
  kRoomierNode,    // the engine thinks that the node is larger than it is
  kLateRuns,       // the engine fires due times however late they are
  kIgnoresLocks,   // the engine does not know of locks
  kRunsAgain,      // what has succeeded is run once more
  kAnywhere,       // the engine does not know of constraints
  kForgetful,      // runs start without their parameters
  kSweepsEarly,    // retention is half of what it should be
  kEndsEarly,      // a kind ends its run before the last step
  kPlansAtWhim,    // a kind remembers how often it was asked
  kOverworks,      // a kind lets more steps work than may
  kStepsTogether,  // steps do not wait for their locks
  kBeginsEarly,    // what is for later begins at once
  kForgetsSteps,   // ends of steps are not written
  kRenumbers,      // reports of an executor that repeat have new numbers
  kCaresTogether,  // housekeeping does not wait for its turn
  kPretends,       // chores that fail are told as done
  kBlindClock,     // the engine cannot tell a clock that is set from time that passes
  kOvertakes,      // the engine lets younger runs go first for ever
  // Of operations: what their clients do.
  kDeaf,            // nobody hears that leases are renewed
  kUndying,         // dead reporters go on renewing
  kHasty,           // waiters are told what is not durable yet
  kForgetsWaiters,  // now and then a waiter is not told
  kAbandons,        // nobody ends what has no lease
  // Of operations: what is written of them.
  kSameNumbers,        // numbers of a lane stand still
  kCountsTwice,        // one more child than have ended
  kForgetsFigures,     // progress is not written
  kAbortsRootsOnly,    // what ends below is done
  kBeginsBelowAborts,  // what is made below an abort goes on
  kSparesTheLost,      // what hangs on a lost operation goes on
  kForgetsParents,     // parents are not told of their children's ends
  kForgetsEnds,        // ends are not written
  kForgetsNotes,       // nor is what a reporter says
  kForgetsLanes,       // nor the counters of numbers
  kCountsLanesLate,    // these are written one too low
  kForgetsDrains,      // nor that a list was emptied
  kListsForEver,       // nor until when something is listed
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
