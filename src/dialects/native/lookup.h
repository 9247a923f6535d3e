#pragma once

// Finds things by the ids in a request, with this door's errors for those that do not exist; and
// pages of the store's rows through a filter that the store does not support.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "engine/engine.h"
#include "engine/progress_sums.h"
#include "engine/stop_marks.h"
#include "engine/store.h"

namespace docket::native {

Result<const engine::JobEntry*> find_job(const engine::Engine& engine, const std::string& id);
Result<const model::Schedule*> find_schedule(const engine::Engine& engine,
                                             const std::string& job_id,
                                             const std::string& schedule_id);
Error no_such_task(const std::string& id);

Result<engine::TaskRow> read_task(engine::Reader& reader, TaskId id);
// The task as JSON.
Result<std::string> show_task(engine::Reader& reader, TaskId id);
// What the row of a live task does not say, but those above and below it do: how far it is, and
// whether it was asked to stop.
class Surroundings {
 public:
  explicit Surroundings(engine::Reader& reader) : reader_(reader) {}
  // Also puts into the task that it is to stop.
  Result<std::optional<model::Progress>> of(model::Task& task);

 private:
  engine::Reader& reader_;
  engine::ProgressSums sums_;
  engine::StopMarks stops_;
};

// Oldest first; the newest kMaxPage of them.
Result<std::vector<model::Task>> read_children(engine::Reader& reader, TaskId parent);

// Rows that `keep` accepts, up to query.limit, and where the next page starts. A page may be short
// although more follows: one request examines at most kScanMax rows.
template <class Row, class Position>
struct Page {
  std::vector<Row> rows;
  std::optional<Position> next;  // pass as `after`; none: this was the last
};
inline constexpr std::uint32_t kScanMax = 20'000;

// Looks up runs by id, and remembers the last: adjacent rows are often about the same run.
class Runs {
 public:
  explicit Runs(engine::Reader& reader) : reader_(reader) {}
  // Null for no run, and for one that retention has removed. Valid until the next call.
  Result<const model::Task*> find(TaskId run);
  Result<std::string_view> name_of(TaskId run);  // empty where there is none

 private:
  engine::Reader& reader_;
  TaskId asked_;
  std::optional<engine::TaskRow> row_;
};

using TaskPage = Page<engine::TaskRow, TaskId>;
Result<TaskPage> read_tasks(engine::Reader& reader, engine::TaskQuery query,
                            const std::function<bool(const engine::TaskRow&)>& keep);

using EventPage = Page<model::Event, EventSeq>;
Result<EventPage> read_events(engine::Reader& reader, engine::EventQuery query,
                              const std::function<bool(const model::Event&)>& keep);

// The same from the end of the log, newest first; query.after is the upper bound (none: the end).
Result<EventPage> read_newest_events(engine::Reader& reader, engine::EventQuery query,
                                     const std::function<bool(const model::Event&)>& keep);

}  // namespace docket::native
