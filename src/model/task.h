#pragma once

// A node of the one durable tree. The root of a tree is a run (of a job, or an action), whose
// children are its attempts and steps, or an operation of a reporter, whose children are
// operations. Steps have attempts and steps below them. State changes go through move() only, a
// compare-and-set.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"
#include "model/operation.h"

namespace docket::model {

enum class State : std::uint8_t { kCreated, kQueued, kRunning, kPaused, kDone, kFailed, kAborted };
inline constexpr int kStateCount = 7;

const char* name_of(State state);  // "created", "queued", ...: in SQL, JSON and CLI alike
std::optional<State> state_of(std::string_view name);
bool is_final(State state);
bool may_move(State from, State to);

enum class TaskKind : std::uint8_t { kRun, kAttempt, kOperation };
const char* name_of(TaskKind kind);

// Why a run exists.
enum class Trigger : std::uint8_t { kManual, kSchedule, kDependency };
const char* name_of(Trigger trigger);

// The run whose end started a dependent run, by names that outlive it.
struct Starter {
  TaskId run;
  std::string name;
  std::string job_id;
  bool operator==(const Starter&) const = default;
};

// What a run was started with beyond its job: POST /runs with an object body, or the native API;
// and what a dependent run takes over from the run whose end started it.
struct RunParameters {
  StringPairs env;  // added to the spec's env, and overrides it
  std::string description;
  std::optional<Starter> started_by = {};
  bool operator==(const RunParameters&) const = default;
};

// What the kind of a run says of the run or of one of its steps.
struct Planned {
  std::string key;    // of a step: its name within the run; never changes
  std::string word;   // its state in the kind's own words, for doors
  std::string facts;  // a JSON object, for plans and doors; empty: none
  StringPairs cells;  // the kind's own memory of it, by name
  bool operator==(const Planned&) const = default;
};

// Kept for an attempt whose executor is not the server's first, or numbers its reports; and for a
// task placed on another target than this machine.
struct Work {
  std::string executor;     // by name; empty: the first
  std::uint64_t seq = 0;    // of the newest report that was taken
  std::string target = {};  // by name; empty: this machine
  bool operator==(const Work&) const = default;
};

struct Task {
  TaskId id;
  TaskId parent;  // none for a run
  TaskId root;    // itself for a run
  JobUid job;
  std::uint32_t job_version = 0;
  TaskKind kind = TaskKind::kRun;
  State state = State::kCreated;
  Trigger trigger = Trigger::kManual;
  bool stopping = false;  // asked to stop; the state says whether it has ended
  std::string name;       // a run's: 20190307204634kC8Rs, unique in its job; an attempt's: empty
  Time created_at = kNever;
  Time started_at = kNever;      // entered kRunning
  Time finished_at = kNever;     // entered a final state
  ScheduleUid schedule;          // of a scheduled run
  Time due_at = kNever;          // the due time that it was made for
  Time start_deadline = kNever;  // fails if still waiting then; kNever: waits for ever
  std::int32_t exit_code = 0;    // of an ended attempt
  std::int32_t signal = 0;
  std::string message;  // why it failed or waits; empty when there is nothing to say
  std::shared_ptr<const RunParameters>
      parameters;  // null: none; shared with batches on their way to the store
  std::shared_ptr<const Operation> operation;  // null unless it is one; shared likewise
  Tally tally;                                 // of an operation
  std::shared_ptr<const Planned> planned;      // null: nothing to say; shared likewise
  std::shared_ptr<const Work> work;            // null: nothing to say; shared likewise
};

inline std::string_view executor_of(const Task& task) {
  return task.work ? std::string_view(task.work->executor) : std::string_view();
}
inline std::string_view target_of(const Task& task) {
  return task.work ? std::string_view(task.work->target) : std::string_view();
}
inline std::uint64_t seq_of(const Task& task) { return task.work ? task.work->seq : 0; }

// A step is an operation that the kind of a run planned. Its module is the kind's name, its entity
// the key, and it belongs to the run's job.
inline bool is_step(const Task& task) {
  return task.kind == TaskKind::kOperation && task.job && task.parent;
}
// An action is a run that no job has: it is shown as an operation, and its definition, which has no
// id, is its own and goes with it.
inline bool is_action(const Task& task) {
  return task.kind == TaskKind::kOperation && task.job && !task.parent;
}
// For people and programs: "run", "step", "attempt", "operation".
inline const char* kind_name(const Task& task) {
  return is_step(task) ? "step" : name_of(task.kind);
}

// The compare-and-set: changes state and its instants if task is in `expected` and the table allows
// the move; otherwise kConflict and nothing changes.
Result<> move(Task& task, State expected, State to, Time now);

// Why it failed, was aborted or waits, in one phrase for people: its message, or how its process
// ended. Empty when there is nothing to say.
std::string reason_of(const Task& task);
// The state with the reason: "done", "failed: exit code 3", "aborted: Stopped".
std::string outcome_of(const Task& task);

// It failed itself, or a failure of something that ended below it is kept.
bool is_failing(const Task& task);

// Its own figures; absent ones stay as they are. Nothing happens to a run of a job or an attempt,
// which have none.
void put_figures(Task& task, std::optional<double> completed, std::optional<double> total);

// How far a task is: its own figures if it has reported any. Else the sum of its children, live
// ones (`live`, all of them together) and ended ones, out of the expected workload where that is
// known and the task goes on. A leaf is all or nothing: 0 or 1 of 1 (Scylla 6.2); so are runs.
Progress progress_of(const Task& task, const std::optional<Progress>& live);

// A stable UUID for a task (8-4-4-4-12, lower case) made from its number, and back. Clients see
// these as opaque. A task whose reporter chose one has that.
std::string uuid_of(TaskId id);
std::string uuid_of(const Task& task);
std::optional<TaskId> task_of_uuid(std::string_view uuid);

}  // namespace docket::model
