#include "store/sqlite/record_export.h"

#include <sqlite3.h>

#include <array>
#include <fstream>

#include "model/event.h"
#include "model/schedule.h"
#include "store/sqlite/codes.h"
#include "store/sqlite/database.h"
#include "store/sqlite/new_file.h"

namespace docket::store {
namespace {

constexpr std::int64_t kRecordsAtOnce = 1000;

// ---- what SQL does not know: instants and the words of enumerations

void instant(sqlite3_context* context, int, sqlite3_value** arguments) {
  const std::int64_t micros = sqlite3_value_int64(arguments[0]);
  if (micros == 0) return sqlite3_result_null(context);
  const std::string text = format_rfc3339(from_micros(micros));
  sqlite3_result_text(context, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

void truth(sqlite3_context* context, int, sqlite3_value** arguments) {
  sqlite3_result_text(context, sqlite3_value_int64(arguments[0]) != 0 ? "true" : "false", -1,
                      SQLITE_STATIC);
}

using Name = const char* (*)(std::int64_t);
template <class Enum>
const char* name_as(std::int64_t code) {  // null: there is no such code
  const std::optional<Enum> value = value_of<Enum>(code);
  return value ? model::name_of(*value) : nullptr;
}

struct Words {
  const char* function;
  Name name;
};
constexpr std::array kWords{
    Words{"state_word", name_as<model::State>},
    Words{"kind_word", name_as<model::TaskKind>},
    Words{"trigger_word", name_as<model::Trigger>},
    Words{"event_word", name_as<model::EventType>},
    Words{"outcome_word", name_as<model::DueOutcome>},
    Words{"policy_word", name_as<model::ConcurrencyPolicy>},
    Words{"missed_word", name_as<model::MissedPolicy>},
};

void word(sqlite3_context* context, int, sqlite3_value** arguments) {
  const auto* words = static_cast<const Words*>(sqlite3_user_data(context));
  const char* name = words->name(sqlite3_value_int64(arguments[0]));
  if (!name) {
    return sqlite3_result_error(context, "damaged row: not a value of an enumeration", -1);
  }
  sqlite3_result_text(context, name, -1, SQLITE_STATIC);
}

Result<> add_functions(Database& database) {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
  const auto add = [&](const char* name, const void* data,
                       void (*function)(sqlite3_context*, int, sqlite3_value**)) {
    // SQLite hands the pointer back as it is; word() only reads what it points to.
    return sqlite3_create_function_v2(database.handle(), name, 1, kFlags, const_cast<void*>(data),
                                      function, nullptr, nullptr, nullptr) == SQLITE_OK;
  };
  bool added = add("instant", nullptr, instant) && add("truth", nullptr, truth);
  for (const Words& words : kWords) added = added && add(words.function, &words, word);
  return added ? Result<>{} : fail(ErrorKind::kInternal, "cannot prepare the export");
}

// ---- the records

struct Records {
  const char* table;
  const char* select;  // one column: the object
};

constexpr std::array kRecords{
    Records{"job", R"sql(
SELECT json_object('record', 'job', 'uid', cast(uid AS TEXT), 'id', nullif(id, ''), 'version', version,
  'updatedAt', instant(updated_at), 'succeeded', success_count, 'failed', failure_count,
  'lastSuccessAt', instant(last_success_at), 'lastFailureAt', instant(last_failure_at),
  'handedOn', json(handed_on), 'deleted', json(truth(deleted))) FROM job)sql"},
    Records{"job_version", R"sql(
SELECT json_object('record', 'jobVersion', 'job', cast(job AS TEXT), 'version', version,
  'createdAt', instant(created_at), 'updatedAt', instant(updated_at),
  'definition', json(definition)) FROM job_version)sql"},
    Records{"schedule", R"sql(
SELECT json_object('record', 'schedule', 'uid', cast(uid AS TEXT), 'job', cast(job AS TEXT),
  'id', id, 'cron', cron, 'timezone', zone, 'startingDeadlineSeconds', starting_deadline_s,
  'concurrencyPolicy', policy_word(policy), 'enabled', json(truth(enabled)),
  'missed', missed_word(missed), 'missedLimit', missed_limit, 'createdAt', instant(created_at),
  'checkedUntil', instant(checked_until)) FROM schedule)sql"},
    Records{"task", R"sql(
SELECT json_object('record', 'task', 'id', cast(id AS TEXT),
  'parent', cast(nullif(parent, 0) AS TEXT), 'root', cast(root AS TEXT),
  'jobUid', cast(nullif(job, 0) AS TEXT), 'jobVersion', job_version, 'kind', kind_word(kind),
  'state', state_word(state), 'trigger', trigger_word(trigger),
  'stopping', json(truth(stopping)), 'name', nullif(name, ''), 'createdAt', instant(created_at),
  'startedAt', instant(started_at), 'finishedAt', instant(finished_at),
  'scheduleUid', cast(nullif(schedule, 0) AS TEXT), 'dueAt', instant(due_at),
  'startDeadline', instant(start_deadline), 'exitCode', exit_code, 'signal', signal,
  'message', nullif(message, ''), 'parameters', json(parameters), 'key', key, 'word', word,
  'facts', json(facts), 'executor', executor, 'seq', seq,
  'target', target) FROM task)sql"},
    Records{"operation", R"sql(
SELECT json_object('record', 'operation', 'task', cast(task AS TEXT), 'uuid', nullif(uuid, ''),
  'module', module, 'type', type, 'scope', scope, 'keyspace', keyspace, 'table', tbl,
  'entity', entity, 'units', units, 'labels', json(labels), 'lane', lane, 'sequence', sequence,
  'expected', expected, 'completed', completed, 'total', total, 'children', children,
  'failing', failing) FROM operation)sql"},
    Records{"event", R"sql(
SELECT json_object('record', 'event', 'seq', cast(seq AS TEXT), 'at', instant(at),
  'type', event_word(type), 'jobUid', cast(nullif(job, 0) AS TEXT), 'job', nullif(job_id, ''),
  'task', cast(nullif(task, 0) AS TEXT), 'run', cast(nullif(root, 0) AS TEXT),
  'before', state_word(before), 'after', state_word(after),
  'message', nullif(message, ''), 'subtype', subtype) FROM event)sql"},
    Records{"event_detail", R"sql(
SELECT json_object('record', 'eventDetail', 'seq', cast(seq AS TEXT), 'resource', resource,
  'changes', json(truth(changes)), 'before', json(before), 'after', json(after),
  'traceback', traceback) FROM event_detail)sql"},
    Records{"result", R"sql(
SELECT json_object('record', 'result', 'task', cast(task AS TEXT), 'text', text)
  FROM result)sql"},
    Records{"ledger", R"sql(
SELECT json_object('record', 'ledger', 'scheduleUid', cast(schedule AS TEXT),
  'firstDue', instant(first_due), 'lastDue', instant(last_due), 'count', count,
  'outcome', outcome_word(outcome), 'run', cast(nullif(run, 0) AS TEXT)) FROM ledger)sql"},
    Records{"lock", R"sql(
SELECT json_object('record', 'lock', 'name', name, 'fencing', fencing,
  'holder', cast(nullif(holder, 0) AS TEXT), 'heldSince', instant(held_since)) FROM lock)sql"},
    Records{"record", R"sql(
SELECT json_object('record', 'record', 'id', cast(id AS TEXT), 'family', family,
  'parent', cast(nullif(parent, 0) AS TEXT), 'name', name, 'text', json(text),
  'createdAt', instant(created_at), 'modifiedAt', instant(modified_at),
  'createdBy', nullif(created_by, ''), 'modifiedBy', nullif(modified_by, '')) FROM record)sql"},
};

class Export {
 public:
  Export(Database& database, const std::string& file, engine::CareWatch& watch)
      : database_(database), out_(file, std::ios::binary | std::ios::trunc), watch_(watch) {}

  Result<> write_all() {
    for (const Records& records : kRecords) {
      const std::string count = std::string("SELECT count(*) FROM ") + records.table;
      const Result<std::int64_t> counted = database_.number(count.c_str());
      if (!counted) return fail(counted.error());
      total_ += *counted;
    }
    for (const Records& records : kRecords) {
      if (Result<> written = write(records); !written) return written;
    }
    if (!go_on()) return engine::cancelled();
    return check(out_.flush());
  }

 private:
  Result<> write(const Records& records) {
    Statement rows(database_, records.select);
    Result<bool> row = true;
    while ((row = rows.step()) && *row) {
      out_ << rows.text(0) << '\n';
      if (++written_ % kRecordsAtOnce != 0) continue;
      if (!go_on()) return engine::cancelled();
      if (Result<> fine = check(out_); !fine) return fine;
    }
    if (!row) return fail(row.error());
    return check(out_);
  }
  bool go_on() { return watch_.go_on(static_cast<double>(written_), static_cast<double>(total_)); }
  static Result<> check(const std::ostream& out) {
    if (out) return {};
    return fail(ErrorKind::kExhausted, "cannot write the export: is the disk full?");
  }

  Database& database_;
  std::ofstream out_;
  engine::CareWatch& watch_;
  std::int64_t total_ = 0;
  std::int64_t written_ = 0;
};

Result<> write_records(const std::string& file, const std::string& vfs, const std::string& to,
                       engine::CareWatch& watch) {
  Result<Database> database = Database::open(file, Access::kReadOnly, vfs);
  if (!database) return fail(database.error());
  if (Result<> added = add_functions(*database); !added) return added;
  const Transaction snapshot(*database, Transaction::Mode::kRead);
  if (!snapshot.begun()) return snapshot.begun();
  return Export(*database, to, watch).write_all();
}

}  // namespace

Result<> export_store(const std::string& file, const std::string& vfs, const std::string& to,
                      engine::CareWatch& watch) {
  Result<NewFile> made = NewFile::begin(to);
  if (!made) return fail(made.error());
  Result<> written = write_records(file, vfs, made->partial(), watch);
  return written ? made->publish() : written;
}

}  // namespace docket::store
