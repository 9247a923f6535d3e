#pragma once

// Why does it not run? What a run, a step, a job, a schedule or a lock waits for: the rules that
// hold it back are asked (Engine::blockers, JobTable::parent_state), and what they say is worded
// here. Reads only; strand only. Costs one walk over the runs that have processes at most
// (settings.running_max), over the steps of the run that is asked about, and over the groups of
// those that wait; never over all that wait.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"
#include "engine/engine.h"

namespace docket::engine {

enum class ReasonKind : std::uint8_t {
  kFinished,           // it has ended; nothing waits
  kRunning,            // it has started; nothing waits
  kBackoff,            // an attempt has failed; the next starts at that time
  kTimeout,            // it has started, and fails at that time if it has not ended
  kCapacity,           // a resource of the node is in use
  kNeverFits,          // it wants more of a resource than the node has, even empty
  kRunningLimit,       // too many runs have processes
  kTurn,               // an older run that was overtaken for too long goes first
  kLock,               // another run holds a lock it needs
  kConstraint,         // no node satisfies a placement constraint
  kStartDeadline,      // it fails at that time if it has not started
  kDependency,         // a parent job has no success that counts for the next start
  kConcurrencyPolicy,  // FORBID, and a run is active
  kScheduleDisabled,   // it never fires until it is enabled
  kPaused,             // the server lets no schedule start anything
  kScheduleOver,       // no due time is left
  kNextDue,            // it fires at that time
  kManual,             // only a person or a client starts it
  kReady,              // nothing is in the way
  kFree,               // of a lock: nobody holds it
  kHeld,               // of a lock: the holder
  kWaiter,             // of a lock: a run that waits for it
  kNotBefore,          // it is for later
};
const char* name_of(ReasonKind kind);  // "finished", "running", "capacity", "never_fits", ...

struct Holder {
  TaskId run;
  std::string run_name = {};
  std::string job_id = {};
  std::optional<double> amount = {};  // of the reason's resource, in its unit
  Time since = kNever;
};

struct Reason {
  ReasonKind kind = ReasonKind::kReady;
  std::string message;                // a sentence for people
  std::string subject = {};           // the resource, lock, attribute, job or schedule it is about
  std::optional<double> needed = {};  // cpus in cores, mem and disk in MiB, gpus and runs in pieces
  std::optional<double> free = {};
  std::optional<double> total = {};
  std::vector<Holder> holders = {};  // who holds most first
  Time at = kNever;

  std::optional<double> missing() const;  // needed - free, when both are known
};

struct Explanation {
  bool waiting = false;  // it could go later, or at all, if something changed
  std::vector<Reason> reasons = {};
  Time earliest = kNever;  // when it can go at the earliest; kNever: now, or not to be known
};

class Explainer {
 public:
  static constexpr std::size_t kHoldersShown = 5;
  static constexpr std::size_t kWaitersShown = 100;
  static constexpr std::size_t kWaitingExplained = 3;  // runs of a job, steps of a run

  Explainer(const Engine& engine, Time now) : engine_(engine), now_(now) {}

  // Of a run, or of a step that waits. kNotFound: not in memory (any more).
  Result<Explanation> run(TaskId id) const;
  Result<Explanation> job(const std::string& id) const;
  Result<Explanation> schedule(ScheduleUid uid) const;
  // Of a lock that nobody ever held too: it is free.
  Explanation lock(const std::string& name) const;

  // Waiting runs that want the lock, oldest first.
  static std::vector<TaskId> waiters_of(const Engine& engine, const std::string& lock,
                                        std::size_t most);

 private:
  void add_waiting(const Node& task, Explanation& out) const;
  Reason reason_of(const Blocker& blocker) const;
  void add_holders(const Resource& resource, Reason& reason) const;
  void add_running(const Node& run, Explanation& out) const;
  void add_waiting_steps(const Node& run, Explanation& out) const;
  Explanation waiting_step(const Node& step) const;
  void add_waiting_runs(const JobEntry& entry, Explanation& out) const;
  void add_dependencies(const JobEntry& entry, Explanation& out) const;
  void add_schedule(const model::Schedule& schedule, Explanation& out) const;
  Reason blocking_runs(const JobEntry& entry, const model::Schedule& schedule) const;
  Holder holder_of(TaskId run) const;

  const Engine& engine_;
  Time now_;
};

}  // namespace docket::engine
