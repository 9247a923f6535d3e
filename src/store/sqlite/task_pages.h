#pragma once

// Pages of tasks for any combination of filters, in milliseconds however long the history is.
//
// Idea: the filters that an index covers (parent, name, schedule, job, state) split the tasks into
// disjoint streams of ids, each already in order in its index; for "failed or aborted runs of job
// 7" these are (7, failed) and (7, aborted). The page is the merge of the streams. A range of
// creation times becomes a range of ids first (task_blocks.h). What is left of the query is
// checked on each row. Streams are read in growing chunks, so the cost follows the size of the
// page. Tested by tests/conformance and, for time, by benchmarks/store_bench.cc.

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/store.h"
#include "store/sqlite/database.h"

namespace docket::store {

class TaskPages {
 public:
  explicit TaskPages(Database& database);

  // Both within the caller's transaction, so that a page is of one instant.
  Result<std::optional<engine::TaskRow>> task(TaskId id);
  Result<std::vector<engine::TaskRow>> page(const engine::TaskQuery& query);

 private:
  enum class Source {
    kAll,
    kChildrenOfTask,
    kNamed,
    kOfSchedule,
    kRunsOfJob,
    kChildrenOfJob,
    kRunsInState,
    kChildrenInState,
  };
  static constexpr std::size_t kSources = 8;

  struct Range {  // of ids, inclusive
    std::int64_t first = 0;
    std::int64_t last = INT64_MAX;
    bool empty() const { return first > last; }
  };

  // Ids of one source in the order of the query.
  struct Stream {
    Source source = Source::kAll;
    std::vector<std::int64_t> keys;  // values of the index's columns
    std::string name;                // the key of kNamed
    Range range;                     // what is still to be read
    std::vector<std::int64_t> ids;   // read and not yet used, the next one last
    std::uint32_t chunk = 16;
  };

  Result<Range> range_of(const engine::TaskQuery& query);
  Result<> narrow_by_creation(const engine::TaskQuery& query, Range& range);
  Result<std::vector<Stream>> streams_of(const engine::TaskQuery& query);
  Result<std::vector<std::int64_t>> jobs_of(const engine::TaskQuery& query);
  Result<> refill(Stream& stream, engine::Order order);
  Statement& ids_of(Source source, engine::Order order);
  Result<std::vector<engine::TaskRow>> merge(std::vector<Stream>& streams,
                                             const engine::TaskQuery& query);
  Result<> append_if_wanted(std::int64_t id, const engine::TaskQuery& query,
                            std::vector<engine::TaskRow>& page);

  Database* database_;
  Statement task_by_id_, jobs_by_id_, first_block_, last_block_;
  std::array<std::array<Statement, 2>, kSources> ids_;  // prepared when first used
  std::array<std::array<bool, 2>, kSources> ids_ready_{};
};

}  // namespace docket::store
