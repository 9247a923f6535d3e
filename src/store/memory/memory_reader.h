#pragma once

// Queries over a MemoryState that scan everything: the reference that faster stores are compared
// with.

#include <memory>
#include <mutex>

#include "store/memory/memory_state.h"

namespace docket::store {

// The state behind a mutex: what stays when the store object, and the engine above it, die in a
// simulated crash.
struct MemoryDisk {
  std::mutex mutex;
  MemoryState state;
};

class MemoryReader : public engine::Reader {
 public:
  explicit MemoryReader(std::shared_ptr<MemoryDisk> disk) : disk_(std::move(disk)) {}

  Result<std::optional<engine::TaskRow>> task(TaskId id) override;
  Result<std::vector<engine::TaskRow>> tasks(const engine::TaskQuery& query) override;
  Result<std::vector<engine::FinishedRun>> history(const engine::HistoryQuery& query) override;
  Result<std::vector<model::Event>> events(const engine::EventQuery& query) override;
  Result<std::optional<model::Event>> event(EventSeq seq) override;
  Result<std::optional<std::string>> result(TaskId task) override;
  Result<std::vector<model::LedgerEntry>> ledger(ScheduleUid schedule, Time from, Time until,
                                                 std::uint32_t limit) override;
  Result<std::vector<engine::TaskRow>> children(const engine::ChildQuery& query) override;
  Result<std::vector<engine::ListedRow>> listed(const engine::ListedQuery& query) override;
  Result<std::optional<model::Listing>> listing(TaskId task) override;
  Result<std::optional<TaskId>> task_of_uuid(const std::string& uuid) override;
  Result<std::optional<model::JobPtr>> job_version(JobUid job, std::uint32_t version) override;

 private:
  std::shared_ptr<MemoryDisk> disk_;  // shared with the store and its other readers
};

}  // namespace docket::store
