#pragma once

// What one engine tick wants on disk, and what the engine needs back after a restart: plain rows,
// no behaviour.

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/clock.h"
#include "model/event.h"
#include "model/job.h"
#include "model/lock.h"
#include "model/record.h"
#include "model/schedule.h"
#include "model/task.h"

namespace docket::engine {

struct JobRow {
  model::JobPtr job;
  model::JobStats stats;
  // A dependent job starts once per round of parent successes (reference/metronome.md section 8):
  // the instant of its last start by that path; kNever when none.
  Time dependency_started_at = kNever;
  // How the job's newest run ended, for its dependents: kCreated when it never ran.
  model::State last_run_state = model::State::kCreated;
  // A dependent that should have started but found no room for a run: it starts when there is
  // some.
  bool held_back = false;
  // What the job's newest success hands on to the runs it starts; null: nothing, or no dependents.
  std::shared_ptr<const model::RunParameters> handed_on = nullptr;
  bool deleted = false;  // the row stays, for the history of its runs; its id is free again
};

// Removes what finished long ago, oldest first: roots with nothing live below them, and everything
// below. Two limits keep its transactions short. A tree that is larger than the second limit goes
// in slices: its events first, then its leaves, its root last.
struct Sweep {
  Time finished_before = kNever;
  std::uint32_t max_roots = 0;
  Time listed_until = kNever;  // listings that ended at or before this go too
  std::uint32_t max_rows = std::numeric_limits<std::uint32_t>::max();  // tasks and events
  // Live tasks. What has folded into them and finished before goes, with all below it; so do
  // attempts that finished before, except the newest kAttemptsKept children; of those that are
  // roots, events from before go too. So what lives for a year does not grow for a year.
  std::vector<TaskId> growing = {};
};

// The listings of everything in a module that has ended go.
struct Drain {
  std::string module;
};

// What a run or a step came to, in JSON; replaces what was there.
struct TaskResult {
  TaskId task;
  std::string text;
};

// All or nothing, in this order. Every put is an upsert by key with the full row.
struct Batch {
  std::vector<JobRow> jobs;  // key: job->uid; a new (uid, version) also stores the definition
  std::vector<model::Schedule> schedules;
  std::vector<ScheduleUid> dropped_schedules;
  std::vector<model::Task> tasks;
  std::vector<model::Event> events;  // append only
  std::vector<TaskResult> results = {};
  std::vector<model::Lock> locks;          // key: name
  std::vector<model::LedgerEntry> ledger;  // key: (schedule, first_due)
  std::vector<model::SealedSecret> secrets;
  std::vector<std::string> dropped_secrets;
  std::vector<model::Record> records = {};
  std::vector<RecordId> dropped_records = {};
  // First listings that were there before this batch go, then those of the batch are put.
  std::vector<Drain> drains;
  std::vector<std::string> dropped_modules;  // with their lanes and all their listings
  std::vector<model::Listing> listings;      // key: task; until kNever removes it
  std::vector<model::Lane> lanes;            // key: (module, lane)
  std::vector<Sweep> sweeps;
  std::optional<model::ClockRecord> clock;  // there is only one
  std::optional<std::uint64_t> epoch;       // of the server, with its first batch

  bool empty() const {
    return jobs.empty() && schedules.empty() && dropped_schedules.empty() && tasks.empty() &&
           events.empty() && results.empty() && locks.empty() && ledger.empty() &&
           secrets.empty() && dropped_secrets.empty() && records.empty() &&
           dropped_records.empty() && drains.empty() && listings.empty() &&
           dropped_modules.empty() && lanes.empty() && sweeps.empty() && !clock && !epoch;
  }
};

// The newest attempts that a live run keeps in memory, with all that have not ended among them, so
// that a run that restarts for ever stays small. Older ones are in the store, as long as retention
// keeps them.
inline constexpr std::size_t kAttemptsKept = 100;

// What the engine keeps in memory: definitions and live work. Its size does not depend on the
// length of history.
struct Snapshot {
  std::vector<JobRow> jobs;           // not deleted ones, and deleted ones with live runs
  std::vector<model::JobPtr> frozen;  // older versions that live runs were started with
  std::vector<model::Schedule> schedules;
  // Tasks that are not final, and all above them; of each of these that belongs to a job, also the
  // newest kAttemptsKept children, and all steps that are not folded.
  std::vector<model::Task> tasks;
  std::vector<model::Lock> locks;
  std::vector<model::SealedSecret> secrets;
  std::vector<model::Record> records;
  std::vector<model::Lane> lanes;
  std::optional<model::ClockRecord> clock;
  std::uint64_t epoch = 0;  // of the last server
  // Highest numbers ever given out.
  JobUid last_job;
  ScheduleUid last_schedule;
  TaskId last_task;
  EventSeq last_event;
  RecordId last_record;
};

}  // namespace docket::engine
