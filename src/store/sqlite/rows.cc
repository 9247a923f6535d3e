#include "store/sqlite/rows.h"

#include "store/sqlite/definition.h"
#include "store/sqlite/operation_rows.h"

namespace docket::store {
tl::unexpected<Error> damaged_row(std::string_view table, std::int64_t number) {
  return fail(ErrorKind::kInternal,
              "damaged row " + std::to_string(number) + " in table " + std::string(table));
}

namespace {

void bind_text(Statement& into, std::string_view text) {
  text.empty() ? into.bind_null() : into.bind(text);
}

}  // namespace

void bind_new_task(Statement& insert, const model::Task& task, TaskBuffers& buffers) {
  insert.bind(task.id.value)
      .bind(task.parent.value)
      .bind(task.root.value)
      .bind(task.job.value)
      .bind(task.job_version)
      .bind(code_of(task.kind))
      .bind(code_of(task.state))
      .bind(code_of(task.trigger))
      .bind(task.stopping)
      .bind(task.name)
      .bind(to_micros(task.created_at))
      .bind(to_micros(task.started_at))
      .bind(to_micros(task.finished_at))
      .bind(task.schedule.value)
      .bind(to_micros(task.due_at))
      .bind(to_micros(task.start_deadline))
      .bind(task.exit_code)
      .bind(task.signal)
      .bind(task.message);
  bind_parameters(insert, task.parameters.get(), buffers.parameters);
  bind_text(insert, task.planned ? std::string_view(task.planned->key) : std::string_view());
  bind_planned(insert, task.planned.get(), buffers.cells);
  bind_text(insert, model::executor_of(task));
  bind_work(insert, task);
}

void bind_work(Statement& into, const model::Task& task) {
  const std::uint64_t seq = model::seq_of(task);
  seq == 0 ? into.bind_null() : into.bind(seq);
  bind_text(into, model::target_of(task));
}

void bind_planned(Statement& into, const model::Planned* planned, std::string& buffer) {
  buffer.clear();
  if (planned && !planned->cells.empty()) write_labels(buffer, planned->cells);
  bind_text(into, planned ? std::string_view(planned->word) : std::string_view());
  bind_text(into, planned ? std::string_view(planned->facts) : std::string_view());
  bind_text(into, buffer);
}

void bind_parameters(Statement& into, const model::RunParameters* parameters, std::string& buffer) {
  if (!parameters) {
    into.bind_null();
    return;
  }
  buffer.clear();
  write_parameters(buffer, *parameters);
  into.bind(buffer);
}

namespace {

Result<> read_parameters_of(RowReader& read, std::shared_ptr<const model::RunParameters>& into) {
  if (read.skip_null()) return {};
  Result<model::RunParameters> parameters = read_parameters(read.text());
  if (!parameters) return fail(parameters.error());
  into = std::make_shared<const model::RunParameters>(std::move(*parameters));
  return {};
}

std::string read_text(RowReader& read) { return read.skip_null() ? std::string() : read.string(); }

Result<> read_planned(RowReader& read, std::shared_ptr<const model::Planned>& into) {
  model::Planned planned{.key = read_text(read), .word = read_text(read), .facts = read_text(read)};
  if (!read.skip_null()) {
    Result<StringPairs> cells = read_labels(read.text());
    if (!cells) return fail(cells.error());
    planned.cells = std::move(*cells);
  }
  if (planned != model::Planned{})
    into = std::make_shared<const model::Planned>(std::move(planned));
  return {};
}

Result<> read_own_columns(RowReader& read, model::Task& task) {
  task.id = read.id<TaskId>();
  task.parent = read.id<TaskId>();
  task.root = read.id<TaskId>();
  task.job = read.id<JobUid>();
  task.job_version = read.integer<std::uint32_t>();
  task.kind = read.coded<model::TaskKind>();
  task.state = read.coded<model::State>();
  task.trigger = read.coded<model::Trigger>();
  task.stopping = read.flag();
  task.name = read.string();
  task.created_at = read.time();
  task.started_at = read.time();
  task.finished_at = read.time();
  task.schedule = read.id<ScheduleUid>();
  task.due_at = read.time();
  task.start_deadline = read.time();
  task.exit_code = read.integer<std::int32_t>();
  task.signal = read.integer<std::int32_t>();
  task.message = read.string();
  if (Result<> parameters = read_parameters_of(read, task.parameters); !parameters) {
    return parameters;
  }
  if (Result<> planned = read_planned(read, task.planned); !planned) return planned;
  model::Work work{.executor = read_text(read)};
  if (!read.skip_null()) work.seq = read.integer<std::uint64_t>();
  work.target = read_text(read);
  if (work != model::Work{}) task.work = std::make_shared<const model::Work>(std::move(work));
  return {};
}

Result<> read_any_task(RowReader& read, model::Task& task) {
  if (Result<> own = read_own_columns(read, task); !own) return own;
  if (task.kind == model::TaskKind::kOperation) return read_operation(read, task);
  read.skip(kOperationColumns);
  return {};
}

}  // namespace

Result<model::Task> read_task(const Statement& row) {
  RowReader read(row);
  model::Task task;
  if (!read_any_task(read, task) || !read.ok()) return damaged_row("task", row.integer(0));
  return task;
}

Result<engine::TaskRow> read_task_row(const Statement& row) {
  RowReader read(row);
  engine::TaskRow found;
  if (!read_any_task(read, found.task)) return damaged_row("task", row.integer(0));
  found.job_id = read.string();
  found.job_kind = read.string();
  if (!read.ok()) return damaged_row("task", row.integer(0));
  return found;
}

void bind_event(Statement& insert, const model::Event& event) {
  insert.bind(event.seq.value)
      .bind(to_micros(event.at))
      .bind(code_of(event.type))
      .bind(event.job.value)
      .bind(event.task.value)
      .bind(event.root.value)
      .bind(code_of(event.before))
      .bind(code_of(event.after))
      .bind(event.job_id)
      .bind(event.message);
  bind_text(insert, event.subtype);
}

void bind_event_detail(Statement& insert, const model::Event& event) {
  insert.bind(event.seq.value).bind(event.root.value);
  bind_text(insert, event.detail->resource);
  insert.bind(event.detail->changes);
  bind_text(insert, event.detail->before);
  bind_text(insert, event.detail->after);
  bind_text(insert, event.detail->traceback);
}

Result<model::EventDetail> read_event_detail(const Statement& row) {
  RowReader read(row);
  model::EventDetail detail;
  detail.resource = read_text(read);
  detail.changes = read.flag();
  detail.before = read_text(read);
  detail.after = read_text(read);
  detail.traceback = read_text(read);
  if (!read.ok()) return damaged_row("event_detail", 0);
  return detail;
}

Result<model::Event> read_event(const Statement& row) {
  RowReader read(row);
  model::Event event;
  event.seq = read.id<EventSeq>();
  event.at = read.time();
  event.type = read.coded<model::EventType>();
  event.job = read.id<JobUid>();
  event.task = read.id<TaskId>();
  event.root = read.id<TaskId>();
  event.before = read.coded<model::State>();
  event.after = read.coded<model::State>();
  event.job_id = read.string();
  event.message = read.string();
  event.subtype = read_text(read);
  if (!read.ok()) return damaged_row("event", row.integer(0));
  return event;
}

void bind_record(Statement& put, const model::Record& record, std::string& buffer) {
  put.bind(record.id.value)
      .bind(record.family)
      .bind(record.parent.value)
      .bind(record.name)
      .bind(record.text);
  buffer.clear();
  if (!record.sealed.empty()) write_labels(buffer, record.sealed);
  bind_text(put, buffer);
  put.bind(to_micros(record.created_at))
      .bind(to_micros(record.modified_at))
      .bind(record.created_by)
      .bind(record.modified_by);
}

Result<model::Record> read_record(const Statement& row) {
  RowReader read(row);
  model::Record record;
  record.id = read.id<RecordId>();
  record.family = read.string();
  record.parent = read.id<RecordId>();
  record.name = read.string();
  record.text = read.string();
  if (!read.skip_null()) {
    Result<StringPairs> sealed = read_labels(read.text());
    if (!sealed) return fail(sealed.error());
    record.sealed = std::move(*sealed);
  }
  record.created_at = read.time();
  record.modified_at = read.time();
  record.created_by = read.string();
  record.modified_by = read.string();
  if (!read.ok()) return damaged_row("record", row.integer(0));
  return record;
}

void bind_schedule(Statement& upsert, const model::Schedule& schedule, std::string& zone_buffer) {
  const model::ScheduleDefinition& definition = schedule.definition;
  zone_buffer = definition.zone.name();
  upsert.bind(schedule.uid.value)
      .bind(schedule.job.value)
      .bind(definition.id)
      .bind(definition.cron.text())
      .bind(zone_buffer)
      .bind(definition.starting_deadline_s)
      .bind(code_of(definition.policy))
      .bind(definition.enabled)
      .bind(code_of(definition.missed))
      .bind(definition.missed_limit)
      .bind(to_micros(schedule.created_at))
      .bind(to_micros(schedule.checked_until))
      .bind(to_micros(schedule.watched_from))
      .bind(to_micros(schedule.done_from))
      .bind(to_micros(schedule.done_until));
}

Result<model::Schedule> read_schedule(const Statement& row) {
  RowReader read(row);
  const ScheduleUid uid = read.id<ScheduleUid>();
  const JobUid job = read.id<JobUid>();
  std::string id = read.string();
  Result<Cron> cron = Cron::parse(read.text());
  Result<Zone> zone = Zone::find(read.text());
  if (!cron) return damaged_row("schedule", row.integer(0));
  if (!zone) {
    return fail(ErrorKind::kInternal,
                "the time zone of schedule " + id + " is not known here: " + zone.error().message);
  }
  model::ScheduleDefinition definition{std::move(id), std::move(*cron), *zone};
  definition.starting_deadline_s = read.integer();
  definition.policy = read.coded<model::ConcurrencyPolicy>();
  definition.enabled = read.flag();
  definition.missed = read.coded<model::MissedPolicy>();
  definition.missed_limit = read.integer<std::uint32_t>();
  const Time created_at = read.time();
  const Time checked_until = read.time();
  const Time watched_from = read.time();
  const Time done_from = read.time();
  const Time done_until = read.time();
  if (!read.ok()) return damaged_row("schedule", row.integer(0));
  return model::Schedule{uid,        job,           std::move(definition),
                         created_at, checked_until, watched_from,
                         done_from,  done_until};
}

void bind_ledger(Statement& upsert, const model::LedgerEntry& entry) {
  upsert.bind(entry.schedule.value)
      .bind(to_micros(entry.first_due))
      .bind(to_micros(entry.last_due))
      .bind(entry.count)
      .bind(code_of(entry.outcome))
      .bind(entry.run.value);
}

Result<model::LedgerEntry> read_ledger(const Statement& row) {
  RowReader read(row);
  model::LedgerEntry entry;
  entry.schedule = read.id<ScheduleUid>();
  entry.first_due = read.time();
  entry.last_due = read.time();
  entry.count = read.integer<std::uint64_t>();
  entry.outcome = read.coded<model::DueOutcome>();
  entry.run = read.id<TaskId>();
  if (!read.ok()) return damaged_row("ledger", row.integer(0));
  return entry;
}

Result<model::JobPtr> read_job_version(RowReader& row, const model::SpecReader* specs) {
  auto job = std::make_shared<model::Job>();
  job->uid = row.id<JobUid>();
  job->version = row.integer<std::uint32_t>();
  job->created_at = row.time();
  job->updated_at = row.time();
  Result<model::JobDefinition> definition = read_definition(row.text(), specs);
  if (!definition) {
    return fail(ErrorKind::kInternal, "job " + std::to_string(job->uid.value) + " version " +
                                          std::to_string(job->version) + ": " +
                                          definition.error().message);
  }
  job->definition = std::move(*definition);
  return job;
}

Result<engine::JobRow> read_job_row(RowReader& row, model::JobPtr job) {
  engine::JobRow read;
  const std::uint64_t uid = job->uid.value;
  read.job = std::move(job);
  read.stats.success_count = row.integer<std::uint64_t>();
  read.stats.failure_count = row.integer<std::uint64_t>();
  read.stats.last_success_at = row.time();
  read.stats.last_failure_at = row.time();
  read.dependency_started_at = row.time();
  read.last_run_state = row.coded<model::State>();
  read.held_back = row.flag();
  if (Result<> handed = read_parameters_of(row, read.handed_on); !handed) {
    return fail(handed.error());
  }
  read.deleted = row.flag();
  if (!row.ok()) return damaged_row("job", static_cast<std::int64_t>(uid));
  return read;
}

}  // namespace docket::store
