#pragma once

// A schedule: cron in a zone, bound to a job; and its ledger: what became of every due time.

#include <cstdint>
#include <string>

#include "core/cron.h"
#include "core/ids.h"
#include "core/time.h"
#include "core/zone.h"

namespace docket::model {

enum class ConcurrencyPolicy : std::uint8_t {
  kAllow,
  kForbid,
  kReplace
};  // kReplace: native API only
enum class MissedPolicy : std::uint8_t {
  kNone,
  kLast,
  kAll
};  // due times passed while down; native API only
const char* name_of(ConcurrencyPolicy policy);  // "ALLOW", "FORBID", "REPLACE"
const char* name_of(MissedPolicy policy);       // "none", "last", "all"

struct ScheduleDefinition {
  std::string id;  // unique in its job
  Cron cron;
  Zone zone;
  std::int64_t starting_deadline_s = 900;
  ConcurrencyPolicy policy = ConcurrencyPolicy::kAllow;
  bool enabled = true;
  MissedPolicy missed = MissedPolicy::kNone;
  std::uint32_t missed_limit = 10;  // with kAll: at most this many runs for one absence, the newest
};

struct Schedule {
  ScheduleUid uid;
  JobUid job;
  ScheduleDefinition definition;
  Time created_at = kNever;
  Time checked_until = kNever;  // every due time up to here is in the ledger
  // For a clock that runs far ahead and is set back (engine_time.cc). Since watched_from no long
  // stretch of due times was passed over unseen. Due times in (done_from, done_until] were dealt
  // with while the clock was ahead: they are in the ledger and not due again.
  Time watched_from = kNever;
  Time done_from = kNever;
  Time done_until = kNever;

  bool is_done(Time due) const { return due > done_from && due <= done_until; }
};

enum class DueOutcome : std::uint8_t {
  kRan,           // a run was made (run says which)
  kForbidden,     // FORBID and a run was active
  kMissedDown,    // the server was not running
  kMissedLate,    // the server was frozen, or the clock stepped over it
  kPastDeadline,  // a run was made, and failed because nothing could start it in time
};
const char* name_of(
    DueOutcome outcome);  // "ran", "skipped_forbid", "missed_down", "missed_late", "past_deadline"

// One due time, or an unbroken stretch of them with the same outcome (an absence of a year is one
// row).
struct LedgerEntry {
  ScheduleUid schedule;
  Time first_due = kNever;
  Time last_due = kNever;
  std::uint64_t count = 1;
  DueOutcome outcome = DueOutcome::kRan;
  TaskId run;  // with kRan and kPastDeadline
};

}  // namespace docket::model
