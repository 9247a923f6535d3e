#pragma once

// The port to durable memory. Implemented by store/memory (tests, simulation) and store/sqlite; one
// conformance suite (tests/conformance) runs over all.
//
// Thread rule: load() and commit() from one thread at a time (the writer's); a Reader from any one
// thread at a time. Calls block.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "engine/batch.h"

namespace docket::engine {

inline constexpr std::uint32_t kMaxPage = 1000;  // rows a query may return, whatever limit it names

// Whether a failed commit wrote nothing and the same batch can be committed later (decision 0006):
// the disk is full, or may not be written for now.
inline bool is_transient(const Error& error) {
  return error.kind == ErrorKind::kExhausted || error.kind == ErrorKind::kDenied;
}

enum class Order { kOldestFirst, kNewestFirst };

// Tasks of the whole history. Absent members do not restrict. Paging: pass the last id seen as
// `after`.
struct TaskQuery {
  std::optional<TaskId> parent;  // TaskId{} selects roots
  std::optional<JobUid> job;
  std::optional<std::string> job_id;  // every life of a job with this id
  std::optional<std::string> name;    // run name, exact
  std::vector<model::State> states;   // empty: any
  std::optional<ScheduleUid> schedule;
  std::optional<Time> created_from, created_until;  // half open
  std::optional<TaskId> after;
  Order order = Order::kNewestFirst;  // by id
  std::uint32_t limit = 100;
};

// Finished runs of one job by their end, newest first: what a job's history page shows.
struct HistoryQuery {
  JobUid job;
  bool succeeded = true;  // kDone runs; else kFailed and kAborted ones
  std::uint32_t limit = kMaxPage;
};

struct FinishedRun {
  model::Task run;
  std::vector<TaskId> attempts;  // oldest first
};

struct EventQuery {
  std::optional<TaskId> root;
  std::optional<TaskId> task;
  std::optional<JobUid> job;
  EventSeq after;             // exclusive
  std::uint32_t limit = 100;  // oldest first
};

// What a Reader returns for a task: the row, and the id and the kind of its job (also when the job
// is deleted; of an action the id is empty). Both are empty for what reporters say.
struct TaskRow {
  model::Task task;
  std::string job_id = {};
  std::string job_kind = {};
};
// Where doors list it: a run and its attempts with their kind.
inline std::string_view module_of(const TaskRow& row) {
  return row.task.operation ? std::string_view(row.task.operation->module) : row.job_kind;
}

struct ListedRow {
  TaskRow row;
  Time until = kNever;
};

// The children of a task as the Scylla Task Manager sees them. Those with nothing left below them
// when they ended are folded into their parent; of a folded parent only the failing ones are kept.
enum class Fold {
  kUnfolded,  // live ones, and those that ended before something below them did; by id
  kFolded,    // by their ends
  kKept,      // folded and failing; by their ends
};
struct ChildQuery {
  TaskId parent;
  Fold which = Fold::kUnfolded;
  std::uint64_t after = 0;  // exclusive: the last child's place_of()
  std::uint32_t limit = kMaxPage;
};
// A child's place in the order of its siblings: those of a run are in the order of their ids.
inline std::uint64_t place_of(const model::Task& child) {
  return child.tally.fold && !child.job ? child.tally.fold : child.id.value;
}

// A child as a list of ids shows it.
struct ChildId {
  TaskId id;
  std::uint64_t place = 0;  // as place_of()
  std::string uuid;         // as its reporter chose it; empty: derived from the id
};

// Tasks that doors that forget still show, in one lane of a module. Runs that have not ended have
// no listing (TaskQuery finds them by state).
struct ListedQuery {
  std::string module;
  std::uint32_t lane = 0;
  bool internal = false;
  Time now = kNever;          // listings that ended before this are not shown
  Time after_until = kNever;  // with `after`: the last row's
  std::optional<TaskId> after;
  std::uint32_t limit = kMaxPage;
};

class Reader {
 public:
  virtual ~Reader() = default;
  virtual Result<std::optional<TaskRow>> task(TaskId id) = 0;
  virtual Result<std::vector<TaskRow>> tasks(const TaskQuery& query) = 0;
  virtual Result<std::vector<FinishedRun>> history(const HistoryQuery& query) = 0;
  virtual Result<std::vector<model::Event>> events(const EventQuery& query) = 0;
  // With its detail.
  virtual Result<std::optional<model::Event>> event(EventSeq seq) = 0;
  // What a run or a step came to, in JSON.
  virtual Result<std::optional<std::string>> result(TaskId task) = 0;
  // Entries that touch [from, until), oldest first.
  virtual Result<std::vector<model::LedgerEntry>> ledger(ScheduleUid schedule, Time from,
                                                         Time until, std::uint32_t limit) = 0;
  virtual Result<std::vector<TaskRow>> children(const ChildQuery& query) = 0;
  // The same children, for stores that can read their ids without their rows.
  virtual Result<std::vector<ChildId>> child_ids(const ChildQuery& query) {
    const auto rows = children(query);
    if (!rows) return fail(rows.error());
    std::vector<ChildId> ids;
    for (const auto& [task, job, kind] : *rows) {
      ids.push_back({task.id, place_of(task), task.operation ? task.operation->uuid : ""});
    }
    return ids;
  }
  // Ordered by (until, id).
  virtual Result<std::vector<ListedRow>> listed(const ListedQuery& query) = 0;
  virtual Result<std::optional<model::Listing>> listing(TaskId task) = 0;
  // The operation whose reporter chose this uuid, the newest of several.
  virtual Result<std::optional<TaskId>> task_of_uuid(const std::string& uuid) = 0;
  // A definition as it was, for runs of older versions and of deleted jobs.
  virtual Result<std::optional<model::JobPtr>> job_version(JobUid job, std::uint32_t version) = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  virtual Result<Snapshot> load() = 0;
  // Durable when it returns success. kExhausted: no room; nothing was written and the same batch
  // may be tried again. Any other error: the store is no longer to be trusted; every later commit
  // fails as well until it is opened anew.
  virtual Result<> commit(const Batch& batch) = 0;
  virtual Result<std::unique_ptr<Reader>> open_reader() = 0;
  // A consistent copy into a new file while commits go on.
  virtual Result<> backup(const std::string& file) = 0;
};

}  // namespace docket::engine
