#include "store/sqlite/clock_rows.h"

#include "store/sqlite/rows.h"

namespace docket::store {

ClockWriter::ClockWriter(Database& database)
    : upsert_(database, "INSERT OR REPLACE INTO clock VALUES (1, ?, ?, ?, ?, ?, ?)"),
      drop_steps_(database, "DELETE FROM clock_step"),
      insert_step_(database, "INSERT INTO clock_step VALUES (?, ?)") {}

Result<> ClockWriter::prepared() const {
  for (const Statement* each : {&upsert_, &drop_steps_, &insert_step_}) {
    if (Result<> ready = each->prepared(); !ready) return ready;
  }
  return {};
}

Result<> ClockWriter::put(const model::ClockRecord& record) {
  upsert_.bind(to_micros(record.read.wall))
      .bind(record.read.elapsed.count())
      .bind(record.read.boot)
      .bind(to_micros(record.trusted))
      .bind(to_micros(record.pending))
      .bind(record.agreed.count());
  if (Result<> put = upsert_.run(); !put) return put;
  if (Result<> dropped = drop_steps_.run(); !dropped) return dropped;
  for (const model::ClockStep& step : record.steps) {
    insert_step_.bind(step.newest.value).bind(step.by.count());
    if (Result<> put = insert_step_.run(); !put) return put;
  }
  return {};
}

Result<std::optional<model::ClockRecord>> load_clock(Database& database) {
  Statement row(database, "SELECT wall, elapsed, boot, trusted, pending, agreed FROM clock");
  const Result<bool> there = row.step();
  if (!there) return fail(there.error());
  if (!*there) return std::nullopt;
  RowReader read(row);
  model::ClockRecord record;
  record.read.wall = read.time();
  record.read.elapsed = Duration{read.integer()};
  record.read.boot = read.integer<std::uint64_t>();
  record.trusted = read.time();
  record.pending = read.time();
  record.agreed = Duration{read.integer()};
  Statement steps(database, "SELECT task, shift FROM clock_step ORDER BY task");
  Result<bool> step = true;
  while ((step = steps.step()) && *step) {
    RowReader columns(steps);
    const TaskId newest = columns.id<TaskId>();
    record.steps.push_back({newest, Duration{columns.integer()}});
  }
  if (!step) return fail(step.error());
  return record;
}

}  // namespace docket::store
