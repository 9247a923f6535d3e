#pragma once

// Puts a batch into the tables, inside a transaction that the store opens and commits. Statements
// are prepared once. A task's first put inserts all columns; later ones touch only what may change,
// so that the indexes over what a task is (its name, parent, schedule) are never rewritten.
// Writer's thread only.

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "engine/store.h"
#include "store/sqlite/clock_rows.h"
#include "store/sqlite/database.h"
#include "store/sqlite/operation_writer.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/sweeper.h"

namespace docket::store {

class Writer {
 public:
  static Result<Writer> make(Database& database);
  Result<> put(const engine::Batch& batch);
  void forget_cached();  // after a rollback

 private:
  explicit Writer(Database& database);
  Result<> prepared() const;
  Result<> put_job(const engine::JobRow& row);
  Result<> put_version(const model::Job& job);
  Result<> put_tasks(const std::vector<model::Task>& tasks);
  Result<> put_task(const model::Task& task);
  Result<> put_new_task(const model::Task& task);
  Result<bool> put_old_task(const model::Task& task);  // false: there is none
  Result<> put_uses();
  Result<> put_blocks();
  Result<> put_schedules(const engine::Batch& batch);
  Result<> put_locks(const engine::Batch& batch);
  Result<> put_secrets(const engine::Batch& batch);
  Result<> put_records(const engine::Batch& batch);

  struct Span {  // of creation times
    std::int64_t first;
    std::int64_t last;
  };

  Database* database_;
  Statement upsert_job_, find_version_, insert_version_, supersede_version_, upsert_use_,
      current_use_;
  Statement upsert_schedule_, drop_schedule_;
  Statement insert_task_, update_task_, upsert_block_;
  Statement insert_event_, upsert_lock_, upsert_ledger_, upsert_secret_, drop_secret_, put_epoch_,
      insert_detail_, put_result_;
  Statement put_record_, drop_record_, number_record_;
  ClockWriter clock_;
  OperationWriter operations_;
  Sweeper sweeper_;
  std::uint64_t last_task_ = 0;  // no row has a higher id
  // For the present batch; each is written once, at its end.
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::int64_t> new_uses_;
  std::map<std::uint64_t, Span> new_blocks_;
  std::string buffer_;
  TaskBuffers task_buffers_;
};

}  // namespace docket::store
