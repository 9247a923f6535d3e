#pragma once

// The port's queries over a read-only connection of their own: readers see what is committed and
// never make the writer wait. Each call is one transaction. One thread at a time.

#include <memory>
#include <string>

#include "engine/store.h"
#include "store/sqlite/database.h"
#include "store/sqlite/task_pages.h"
#include "store/sqlite/tree_pages.h"

namespace docket::store {

class SqliteReader : public engine::Reader {
 public:
  static Result<std::unique_ptr<SqliteReader>> open(const std::string& file, const std::string& vfs,
                                                    std::uint32_t cache_kib,
                                                    const model::SpecReader* specs);

  Result<std::optional<engine::TaskRow>> task(TaskId id) override;
  Result<std::vector<engine::TaskRow>> tasks(const engine::TaskQuery& query) override;
  Result<std::vector<engine::FinishedRun>> history(const engine::HistoryQuery& query) override;
  Result<std::vector<model::Event>> events(const engine::EventQuery& query) override;
  Result<std::optional<model::Event>> event(EventSeq seq) override;
  Result<std::optional<std::string>> result(TaskId task) override;
  Result<std::vector<model::LedgerEntry>> ledger(ScheduleUid schedule, Time from, Time until,
                                                 std::uint32_t limit) override;
  Result<std::vector<engine::TaskRow>> children(const engine::ChildQuery& query) override;
  Result<std::vector<engine::ChildId>> child_ids(const engine::ChildQuery& query) override;
  Result<std::vector<engine::ListedRow>> listed(const engine::ListedQuery& query) override;
  Result<std::optional<model::Listing>> listing(TaskId task) override;
  Result<std::optional<TaskId>> task_of_uuid(const std::string& uuid) override;
  Result<std::optional<model::JobPtr>> job_version(JobUid job, std::uint32_t version) override;

 private:
  SqliteReader(Database database, const model::SpecReader* specs);
  Result<std::vector<TaskId>> attempts_of(TaskId run);
  Result<TaskId> root_of(TaskId task);

  Database database_;
  const model::SpecReader* specs_;
  TaskPages pages_;
  TreePages tree_;
  Statement ended_, children_, root_, events_, events_of_root_, events_of_job_, event_, detail_,
      result_;
  Statement ledger_start_, ledger_, version_;
};

}  // namespace docket::store
