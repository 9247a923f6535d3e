#pragma once

// Rows of the tables as the model's structs, and back. One list of columns for each table, in one
// order, used by the statement that writes it and by the one that reads it. Whatever comes from
// the file is checked: a number that no enumeration has, or JSON that does not parse, is kInternal
// "damaged row", never an invented value.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/store.h"
#include "store/sqlite/codes.h"
#include "store/sqlite/database.h"

namespace docket::store {

// Reads the columns of a row one after the other; ok() tells afterwards whether all of them made
// sense.
class RowReader {
 public:
  explicit RowReader(const Statement& row) : row_(row) {}

  template <std::integral T = std::int64_t>
  T integer() {
    return static_cast<T>(row_.integer(column_++));
  }
  template <class Id>
  Id id() {
    return Id{integer<std::uint64_t>()};
  }
  double real() { return row_.real(column_++); }
  Time time() { return from_micros(integer()); }
  bool flag() { return pick<bool>(2); }
  template <class Number>
  Number pick(std::int64_t count) {  // of `count` values from 0
    const std::int64_t value = integer();
    ok_ = ok_ && value >= 0 && value < count;
    return static_cast<Number>(ok_ ? value : 0);
  }
  template <class Enum>
  Enum coded() {
    const std::optional<Enum> value = value_of<Enum>(integer());
    ok_ = ok_ && value;
    return value.value_or(Enum{});
  }
  std::string_view text() { return row_.text(column_++); }
  std::string string() { return std::string(text()); }
  bool skip_null() { return at_null() && ++column_ > 0; }
  bool at_null() const { return row_.is_null(column_); }
  void skip(int columns) { column_ += columns; }
  bool ok() const { return ok_; }

 private:
  const Statement& row_;
  int column_ = 0;
  bool ok_ = true;
};

// Columns of the table task alone, for statements that read the columns of operations separately.
#define DOCKET_OWN_TASK_COLUMNS                                                                  \
  "task.id, task.parent, task.root, task.job, task.job_version, task.kind, task.state, "         \
  "task.trigger, task.stopping, task.name, task.created_at, task.started_at, task.finished_at, " \
  "task.schedule, task.due_at, task.start_deadline, task.exit_code, task.signal, task.message, " \
  "task.parameters, task.key, task.word, task.facts, task.cells, task.executor, task.seq, "      \
  "task.target"
// What an operation is, then how far it is; read by operation_rows.h.
#define DOCKET_OPERATION_COLUMNS                                                                 \
  "operation.uuid, operation.module, operation.type, operation.scope, operation.keyspace, "      \
  "operation.tbl, operation.entity, operation.units, operation.labels, operation.lane, "         \
  "operation.sequence, operation.expected, operation.lease, operation.flags, operation.counts, " \
  "operation.completed, operation.total, operation.children, operation.failing, "                \
  "operation.children_completed, operation.children_total, operation.unfolded, "                 \
  "operation.fold"
inline constexpr int kOwnTaskColumns = 27;
inline constexpr int kOperationColumns = 23;
inline constexpr int kTaskRowColumns = kOwnTaskColumns + kOperationColumns + 2;
// A task of any kind: the columns, and the join that belongs to them, right after the table task.
#define DOCKET_TASK_COLUMNS DOCKET_OWN_TASK_COLUMNS ", " DOCKET_OPERATION_COLUMNS
#define DOCKET_JOIN_OPERATION \
  " LEFT JOIN operation ON task." DOCKET_IS_OPERATION " AND operation.task = task.id "
// With the id and the kind of its job, after these.
#define DOCKET_TASK_ROW_COLUMNS DOCKET_TASK_COLUMNS ", job.id, job.kind"
#define DOCKET_JOIN_JOB " LEFT JOIN job ON task.job <> 0 AND job.uid = task.job "
#define DOCKET_EVENT_COLUMNS \
  "seq, at, type, job, task, root, before, after, job_id, message, subtype"

// The columns word, facts and cells; NULL for what is empty.
void bind_planned(Statement& into, const model::Planned* planned, std::string& buffer);
// The columns seq and target, which change; NULL for none.
void bind_work(Statement& into, const model::Task& task);
// NULL for none.
void bind_parameters(Statement& into, const model::RunParameters* parameters, std::string& buffer);
struct TaskBuffers {  // must live as long as the bound statement
  std::string parameters, cells;
};
void bind_new_task(Statement& insert, const model::Task& task, TaskBuffers& buffers);
Result<model::Task> read_task(const Statement& row);          // DOCKET_TASK_COLUMNS
Result<engine::TaskRow> read_task_row(const Statement& row);  // DOCKET_TASK_ROW_COLUMNS

void bind_event(Statement& insert, const model::Event& event);
void bind_event_detail(Statement& insert, const model::Event& event);
Result<model::Event> read_event(const Statement& row);
// Columns: resource, changes, before, after, traceback.
Result<model::EventDetail> read_event_detail(const Statement& row);

// All columns of the table, in its order.
void bind_record(Statement& put, const model::Record& record, std::string& buffer);
Result<model::Record> read_record(const Statement& row);

void bind_schedule(Statement& upsert, const model::Schedule& schedule, std::string& zone_buffer);
Result<model::Schedule> read_schedule(const Statement& row);

void bind_ledger(Statement& upsert, const model::LedgerEntry& entry);
Result<model::LedgerEntry> read_ledger(const Statement& row);

// Columns: job, version, created_at, updated_at, definition.
Result<model::JobPtr> read_job_version(RowReader& row, const model::SpecReader* specs);
// Columns of the table job from success_count on; the job itself is the caller's.
Result<engine::JobRow> read_job_row(RowReader& row, model::JobPtr job);

tl::unexpected<Error> damaged_row(std::string_view table, std::int64_t number);

// Steps a bound statement to its end and makes a value of every row.
template <class T>
Result<std::vector<T>> collect(Statement& statement, Result<T> (*read)(const Statement&)) {
  std::vector<T> rows;
  Result<bool> row = true;
  while ((row = statement.step()) && *row) {
    Result<T> value = read(statement);
    if (!value) {
      statement.reset();
      return fail(value.error());
    }
    rows.push_back(std::move(*value));
  }
  statement.reset();
  if (!row) return fail(row.error());
  return rows;
}

}  // namespace docket::store
