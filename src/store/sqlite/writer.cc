#include "store/sqlite/writer.h"

#include <algorithm>

#include "store/sqlite/definition.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/task_blocks.h"

namespace docket::store {

Writer::Writer(Database& database)
    : database_(&database),
      upsert_job_(database,
                  "INSERT INTO job (uid, id, version, updated_at, success_count, failure_count, "
                  "last_success_at, last_failure_at, dependency_started_at, last_run_state, "
                  "held_back, handed_on, deleted, kind) "
                  "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                  "ON CONFLICT (uid) DO UPDATE SET version = excluded.version, "
                  "updated_at = excluded.updated_at, success_count = excluded.success_count, "
                  "failure_count = excluded.failure_count, "
                  "last_success_at = excluded.last_success_at, "
                  "last_failure_at = excluded.last_failure_at, "
                  "dependency_started_at = excluded.dependency_started_at, "
                  "last_run_state = excluded.last_run_state, "
                  "held_back = excluded.held_back, handed_on = excluded.handed_on, "
                  "deleted = excluded.deleted"),
      find_version_(database, "SELECT 1 FROM job_version WHERE job = ? AND version = ?"),
      insert_version_(database, "INSERT INTO job_version VALUES (?, ?, ?, ?, ?)"),
      supersede_version_(database,
                         "UPDATE job_version_use SET superseded = 1 "
                         "WHERE job = ? AND version <> ? AND superseded = 0"),
      upsert_use_(database,
                  "INSERT INTO job_version_use VALUES (?, ?, ?, 1) "
                  "ON CONFLICT DO UPDATE SET tasks = tasks + excluded.tasks"),
      current_use_(database,
                   "INSERT INTO job_version_use VALUES (?, ?, 0, 0) "
                   "ON CONFLICT DO UPDATE SET superseded = 0"),
      upsert_schedule_(
          database,
          "INSERT OR REPLACE INTO schedule VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      drop_schedule_(database, "DELETE FROM schedule WHERE uid = ?"),
      insert_task_(
          database,
          "INSERT INTO task VALUES "
          "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      update_task_(
          database,
          "UPDATE task SET state = ?, stopping = ?, started_at = ?, finished_at = ?, "
          "start_deadline = ?, exit_code = ?, signal = ?, message = ?, word = ?, facts = ?, "
          "cells = ?, seq = ?, target = ? WHERE id = ?"),
      upsert_block_(database,
                    "INSERT INTO task_block VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET "
                    "first_created = min(first_created, excluded.first_created), "
                    "last_created = max(last_created, excluded.last_created)"),
      insert_event_(database, "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      upsert_lock_(database, "INSERT OR REPLACE INTO lock VALUES (?, ?, ?, ?)"),
      upsert_ledger_(database, "INSERT OR REPLACE INTO ledger VALUES (?, ?, ?, ?, ?, ?)"),
      upsert_secret_(database, "INSERT OR REPLACE INTO secret VALUES (?, ?, ?)"),
      drop_secret_(database, "DELETE FROM secret WHERE path = ?"),
      put_epoch_(database,
                 "INSERT INTO meta VALUES ('epoch', ?) "
                 "ON CONFLICT DO UPDATE SET value = excluded.value"),
      insert_detail_(database, "INSERT INTO event_detail VALUES (?, ?, ?, ?, ?, ?, ?)"),
      put_result_(database, "INSERT OR REPLACE INTO result VALUES (?, ?)"),
      put_record_(database, "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      drop_record_(database, "DELETE FROM record WHERE id = ?"),
      number_record_(database,
                     "INSERT INTO meta VALUES ('last_record', ?) "
                     "ON CONFLICT DO UPDATE SET value = max(value, excluded.value)"),
      clock_(database),
      operations_(database),
      sweeper_(database) {}

Result<> Writer::prepared() const {
  for (const Statement* each :
       {&upsert_job_,   &find_version_,    &insert_version_, &supersede_version_, &upsert_use_,
        &current_use_,  &upsert_schedule_, &drop_schedule_,  &insert_task_,       &update_task_,
        &upsert_block_, &insert_event_,    &upsert_lock_,    &upsert_ledger_,     &upsert_secret_,
        &drop_secret_,  &put_epoch_,       &insert_detail_,  &put_result_,        &put_record_,
        &drop_record_,  &number_record_}) {
    if (Result<> ready = each->prepared(); !ready) return ready;
  }
  if (Result<> ready = clock_.prepared(); !ready) return ready;
  if (Result<> ready = operations_.prepared(); !ready) return ready;
  return sweeper_.prepared();
}

Result<Writer> Writer::make(Database& database) {
  Writer writer(database);
  if (Result<> ready = writer.prepared(); !ready) return fail(ready.error());
  const Result<std::int64_t> last = database.number("SELECT max(id) FROM task");
  if (!last) return fail(last.error());
  writer.last_task_ = static_cast<std::uint64_t>(*last);
  return writer;
}

void Writer::forget_cached() {
  new_uses_.clear();
  new_blocks_.clear();
  operations_.forget_cached();
  sweeper_.forget_cached();
}

Result<> Writer::put(const engine::Batch& batch) {
  for (const engine::JobRow& row : batch.jobs) {
    if (Result<> put = put_job(row); !put) return put;
  }
  if (Result<> put = put_schedules(batch); !put) return put;
  if (Result<> put = put_tasks(batch.tasks); !put) return put;
  for (const model::Event& event : batch.events) {
    bind_event(insert_event_, event);
    if (Result<> put = insert_event_.run(); !put) return put;
    if (!event.detail) continue;
    bind_event_detail(insert_detail_, event);
    if (Result<> put = insert_detail_.run(); !put) return put;
  }
  for (const engine::TaskResult& each : batch.results) {
    if (Result<> put = put_result_.bind(each.task.value).bind(each.text).run(); !put) return put;
  }
  if (Result<> put = put_locks(batch); !put) return put;
  for (const model::LedgerEntry& entry : batch.ledger) {
    bind_ledger(upsert_ledger_, entry);
    if (Result<> put = upsert_ledger_.run(); !put) return put;
  }
  if (Result<> put = put_secrets(batch); !put) return put;
  if (Result<> put = put_records(batch); !put) return put;
  if (Result<> put = operations_.put_listings(batch); !put) return put;
  for (const engine::Sweep& sweep : batch.sweeps) {
    if (Result<> swept = sweeper_.sweep(sweep); !swept) return swept;
  }
  if (batch.epoch) {
    if (Result<> put = put_epoch_.bind(*batch.epoch).run(); !put) return put;
  }
  return batch.clock ? clock_.put(*batch.clock) : Result<>{};
}

Result<> Writer::put_job(const engine::JobRow& row) {
  const model::Job& job = *row.job;
  upsert_job_.bind(job.uid.value)
      .bind(job.id())
      .bind(job.version)
      .bind(to_micros(job.updated_at))
      .bind(row.stats.success_count)
      .bind(row.stats.failure_count)
      .bind(to_micros(row.stats.last_success_at))
      .bind(to_micros(row.stats.last_failure_at))
      .bind(to_micros(row.dependency_started_at))
      .bind(code_of(row.last_run_state))
      .bind(row.held_back);
  bind_parameters(upsert_job_, row.handed_on.get(), buffer_);
  upsert_job_.bind(row.deleted).bind(job.definition.spec.kind);  // which never changes
  if (Result<> put = upsert_job_.run(); !put) return put;
  const Result<bool> known = find_version_.bind(job.uid.value).bind(job.version).step();
  find_version_.reset();
  if (!known) return fail(known.error());
  return *known ? Result<>{} : put_version(job);
}

Result<> Writer::put_version(const model::Job& job) {
  buffer_.clear();
  write_definition(buffer_, job.definition);
  insert_version_.bind(job.uid.value)
      .bind(job.version)
      .bind(to_micros(job.created_at))
      .bind(to_micros(job.updated_at))
      .bind(buffer_);
  if (Result<> put = insert_version_.run(); !put) return put;
  if (Result<> put = current_use_.bind(job.uid.value).bind(job.version).run(); !put) return put;
  return supersede_version_.bind(job.uid.value).bind(job.version).run();
}

Result<> Writer::put_schedules(const engine::Batch& batch) {
  for (const model::Schedule& schedule : batch.schedules) {
    bind_schedule(upsert_schedule_, schedule, buffer_);
    if (Result<> put = upsert_schedule_.run(); !put) return put;
  }
  if (batch.dropped_schedules.empty()) return {};
  if (Result<> kept = sweeper_.remember_last_numbers(); !kept) return kept;
  for (ScheduleUid uid : batch.dropped_schedules) {
    if (Result<> dropped = drop_schedule_.bind(uid.value).run(); !dropped) return dropped;
  }
  return {};
}

Result<> Writer::put_tasks(const std::vector<model::Task>& tasks) {
  for (const model::Task& task : tasks) {
    if (Result<> put = put_task(task); !put) return put;
  }
  if (Result<> put = put_uses(); !put) return put;
  return put_blocks();
}

Result<> Writer::put_task(const model::Task& task) {
  const bool operation = task.kind == model::TaskKind::kOperation;
  if (operation && operations_.only_progress(task)) return operations_.put_progress(task);
  Result<bool> known = false;
  if (task.id.value <= last_task_) known = put_old_task(task);
  if (!known) return fail(known.error());
  if (*known) return operation ? operations_.put_old(task) : Result<>{};
  if (Result<> put = put_new_task(task); !put) return put;
  return operation ? operations_.put_new(task) : Result<>{};
}

Result<bool> Writer::put_old_task(const model::Task& task) {
  update_task_.bind(code_of(task.state))
      .bind(task.stopping)
      .bind(to_micros(task.started_at))
      .bind(to_micros(task.finished_at))
      .bind(to_micros(task.start_deadline))
      .bind(task.exit_code)
      .bind(task.signal)
      .bind(task.message);
  bind_planned(update_task_, task.planned.get(), task_buffers_.cells);
  bind_work(update_task_, task);
  update_task_.bind(task.id.value);
  if (Result<> put = update_task_.run(); !put) return fail(put.error());
  return database_->changes() > 0;
}

Result<> Writer::put_new_task(const model::Task& task) {
  bind_new_task(insert_task_, task, task_buffers_);
  if (Result<> put = insert_task_.run(); !put) return put;
  last_task_ = std::max(last_task_, task.id.value);
  if (task.job) ++new_uses_[{task.job.value, task.job_version}];
  const std::int64_t created = to_micros(task.created_at);
  const auto [block, is_new] = new_blocks_.try_emplace(block_of(task.id), Span{created, created});
  block->second.first = std::min(block->second.first, created);
  block->second.last = std::max(block->second.last, created);
  return {};
}

Result<> Writer::put_uses() {
  for (const auto& [version, count] : new_uses_) {
    if (Result<> put = upsert_use_.bind(version.first).bind(version.second).bind(count).run();
        !put) {
      return put;
    }
  }
  new_uses_.clear();
  return {};
}

Result<> Writer::put_blocks() {
  for (const auto& [block, span] : new_blocks_) {
    if (Result<> put = upsert_block_.bind(block).bind(span.first).bind(span.last).run(); !put) {
      return put;
    }
  }
  new_blocks_.clear();
  return {};
}

Result<> Writer::put_locks(const engine::Batch& batch) {
  for (const model::Lock& lock : batch.locks) {
    upsert_lock_.bind(lock.name)
        .bind(lock.fencing)
        .bind(lock.holder.value)
        .bind(to_micros(lock.held_since));
    if (Result<> put = upsert_lock_.run(); !put) return put;
  }
  return {};
}

Result<> Writer::put_secrets(const engine::Batch& batch) {
  for (const model::SealedSecret& secret : batch.secrets) {
    upsert_secret_.bind(secret.path).bind(secret.sealed).bind(to_micros(secret.updated_at));
    if (Result<> put = upsert_secret_.run(); !put) return put;
  }
  for (const std::string& path : batch.dropped_secrets) {
    if (Result<> dropped = drop_secret_.bind(path).run(); !dropped) return dropped;
  }
  return {};
}

Result<> Writer::put_records(const engine::Batch& batch) {
  for (const model::Record& record : batch.records) {
    bind_record(put_record_, record, buffer_);
    if (Result<> put = put_record_.run(); !put) return put;
    if (Result<> put = number_record_.bind(record.id.value).run(); !put) return put;
  }
  for (const RecordId id : batch.dropped_records) {
    if (Result<> dropped = drop_record_.bind(id.value).run(); !dropped) return dropped;
  }
  return {};
}

}  // namespace docket::store
