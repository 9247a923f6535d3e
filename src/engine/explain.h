#pragma once

// Why does it not run? What a run, a step, a job, a schedule or a lock waits for. The rules that
// hold it back are asked (Engine::blockers, JobTable::parent_state), and their answers are worded
// here. Read-only; strand only. Costs at most one walk over the runs that have processes
// (settings.running_max), over the steps of the run in question, and over the groups of waiting
// steps; never over all that wait.

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
  kNotBefore,          // it may not begin before that time
};
const char* name_of(ReasonKind kind);  // "finished", "running", "capacity", "never_fits", ...

struct Holder {
  TaskId run;
  std::string run_name = {};
  std::string job_id = {};
  std::optional<double> amount = {};  // of the resource of the reason, in its unit
  Time since = kNever;
};

struct Reason {
  ReasonKind kind = ReasonKind::kReady;
  std::string message;                // a sentence for people
  std::string subject = {};           // the resource, lock, attribute, job or schedule it is about
  std::optional<double> needed = {};  // cpus in cores, mem and disk in MiB, gpus and runs in pieces
  std::optional<double> free = {};
  std::optional<double> total = {};
  std::vector<Holder> holders = {};  // the biggest holder first
  Time at = kNever;

  std::optional<double> missing() const;  // needed - free, when both are known
};

struct Explanation {
  bool waiting = false;  // it could start later, or at all, if something changed
  std::vector<Reason> reasons = {};
  Time earliest = kNever;  // the earliest it can start; kNever: now, or unknown
};

class Explainer {
 public:
  static constexpr std::size_t kHoldersShown = 5;
  static constexpr std::size_t kWaitersShown = 100;
  static constexpr std::size_t kWaitingExplained = 3;  // runs of a job, steps of a run

  Explainer(const Engine& engine, Time now) : engine_(engine), now_(now) {}

  // For a run, or a step that waits. kNotFound: not in memory (any more).
  Result<Explanation> run(TaskId id) const;
  Result<Explanation> job(const std::string& id) const;
  Result<Explanation> schedule(ScheduleUid uid) const;
  // A lock that nobody has ever held is free.
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
