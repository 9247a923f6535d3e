#include "store/sqlite/task_pages.h"

#include <algorithm>
#include <queue>

#include "store/sqlite/rows.h"
#include "store/sqlite/task_blocks.h"

namespace docket::store {
namespace {

using engine::Order;
using engine::TaskQuery;

constexpr std::uint32_t kMaxChunk = 256;

// What each source reads, by the number of the enumeration. The first condition repeats that of
// the partial index: SQLite uses such an index only for a query that has it.
constexpr std::array<const char*, 8> kSourceSql{
    "FROM task WHERE ",
    "FROM task INDEXED BY child_by_parent WHERE parent <> 0 AND parent = ? AND ",
    "FROM task INDEXED BY task_by_name WHERE name <> '' AND name = ? AND ",
    "FROM task INDEXED BY task_by_schedule WHERE schedule <> 0 AND schedule = ? AND state = ? AND ",
    "FROM task INDEXED BY run_by_job WHERE parent = 0 AND job = ? AND state = ? AND ",
    "FROM task INDEXED BY child_by_job WHERE parent <> 0 AND job = ? AND state = ? AND ",
    "FROM task INDEXED BY run_by_state WHERE parent = 0 AND state = ? AND ",
    "FROM task INDEXED BY child_by_state WHERE parent <> 0 AND state = ? AND ",
};

template <class T>
bool admits(const std::optional<T>& wanted, const T& value) {
  return !wanted || *wanted == value;
}

bool has_state(const TaskQuery& query, model::State state) {
  return query.states.empty() ||
         std::find(query.states.begin(), query.states.end(), state) != query.states.end();
}

bool matches(const TaskQuery& query, const model::Task& task) {
  return has_state(query, task.state) && admits(query.parent, task.parent) &&
         admits(query.job, task.job) && admits(query.name, task.name) &&
         admits(query.schedule, task.schedule) &&
         (!query.created_from || task.created_at >= *query.created_from) &&
         (!query.created_until || task.created_at < *query.created_until);
}

std::vector<std::int64_t> states_of(const TaskQuery& query) {
  std::vector<std::int64_t> states;
  for (const auto& [code, state] : CodesOf<model::State>::kTable) {
    if (has_state(query, state)) states.push_back(code);
  }
  return states;
}

}  // namespace

TaskPages::TaskPages(Database& database)
    : database_(&database),
      task_by_id_(database, "SELECT " DOCKET_TASK_ROW_COLUMNS
                            " FROM task" DOCKET_JOIN_OPERATION DOCKET_JOIN_JOB "WHERE task.id = ?"),
      jobs_by_id_(database, "SELECT uid FROM job WHERE id = ?"),
      first_block_(database,
                   "SELECT block FROM task_block WHERE last_created >= ? ORDER BY block LIMIT 1"),
      last_block_(database,
                  "SELECT block FROM task_block WHERE first_created < ? "
                  "ORDER BY block DESC LIMIT 1") {}

Result<std::optional<engine::TaskRow>> TaskPages::task(TaskId id) {
  const Result<bool> row = task_by_id_.bind(id.value).step();
  if (!row) return fail(row.error());
  if (!*row) return std::nullopt;
  Result<engine::TaskRow> found = read_task_row(task_by_id_);
  task_by_id_.reset();
  if (!found) return fail(found.error());
  return std::optional(std::move(*found));
}

Result<std::vector<engine::TaskRow>> TaskPages::page(const TaskQuery& query) {
  if (query.limit == 0) return std::vector<engine::TaskRow>{};
  Result<Range> range = range_of(query);
  if (!range) return fail(range.error());
  if (range->empty()) return std::vector<engine::TaskRow>{};
  Result<std::vector<Stream>> streams = streams_of(query);
  if (!streams) return fail(streams.error());
  for (Stream& stream : *streams) {
    stream.range = *range;
    if (Result<> filled = refill(stream, query.order); !filled) return fail(filled.error());
  }
  return merge(*streams, query);
}

Result<TaskPages::Range> TaskPages::range_of(const TaskQuery& query) {
  Range range;
  if (query.after) {
    const auto after = static_cast<std::int64_t>(query.after->value);
    if (query.order == Order::kNewestFirst) {
      range.last = after - 1;
    } else if (after == range.last) {
      range.first = range.last--;  // nothing is above the highest number
    } else {
      range.first = after + 1;
    }
  }
  if (Result<> narrowed = narrow_by_creation(query, range); !narrowed)
    return fail(narrowed.error());
  return range;
}

Result<> TaskPages::narrow_by_creation(const TaskQuery& query, Range& range) {
  constexpr auto kBlock = static_cast<std::int64_t>(kTasksPerBlock);
  if (query.created_from) {
    const Result<bool> row = first_block_.bind(to_micros(*query.created_from)).step();
    if (!row) return fail(row.error());
    range.first = std::max(range.first, *row ? first_block_.integer(0) * kBlock : INT64_MAX);
    first_block_.reset();
  }
  if (query.created_until) {
    const Result<bool> row = last_block_.bind(to_micros(*query.created_until)).step();
    if (!row) return fail(row.error());
    range.last = std::min(range.last, *row ? last_block_.integer(0) * kBlock + (kBlock - 1) : -1);
    last_block_.reset();
  }
  return {};
}

Result<std::vector<TaskPages::Stream>> TaskPages::streams_of(const TaskQuery& query) {
  const bool runs = !query.parent || !*query.parent;
  const bool children = !query.parent || *query.parent;
  std::vector<Stream> streams;
  const auto add = [&streams](Source source, std::vector<std::int64_t> keys) {
    streams.push_back({.source = source, .keys = std::move(keys)});
  };
  if (query.parent && *query.parent) {
    add(Source::kChildrenOfTask, {static_cast<std::int64_t>(query.parent->value)});
  } else if (query.name && !query.name->empty()) {
    streams.push_back({.source = Source::kNamed, .keys = {}, .name = *query.name});
  } else if (query.schedule && *query.schedule) {
    for (std::int64_t state : states_of(query)) {
      add(Source::kOfSchedule, {static_cast<std::int64_t>(query.schedule->value), state});
    }
  } else if (query.job || query.job_id) {
    Result<std::vector<std::int64_t>> jobs = jobs_of(query);
    if (!jobs) return fail(jobs.error());
    for (std::int64_t job : *jobs) {
      for (std::int64_t state : states_of(query)) {
        if (runs) add(Source::kRunsOfJob, {job, state});
        if (children) add(Source::kChildrenOfJob, {job, state});
      }
    }
  } else if (!query.states.empty() || query.parent) {
    for (std::int64_t state : states_of(query)) {
      if (runs) add(Source::kRunsInState, {state});
      if (children) add(Source::kChildrenInState, {state});
    }
  } else {
    add(Source::kAll, {});
  }
  return streams;
}

Result<std::vector<std::int64_t>> TaskPages::jobs_of(const TaskQuery& query) {
  if (query.job) return std::vector{static_cast<std::int64_t>(query.job->value)};
  std::vector<std::int64_t> jobs;
  jobs_by_id_.bind(*query.job_id);
  Result<bool> row = true;
  while ((row = jobs_by_id_.step()) && *row) jobs.push_back(jobs_by_id_.integer(0));
  jobs_by_id_.reset();
  if (!row) return fail(row.error());
  return jobs;
}

Statement& TaskPages::ids_of(Source source, Order order) {
  const auto at = static_cast<std::size_t>(source);
  const auto direction = static_cast<std::size_t>(order);
  if (!ids_ready_[at][direction]) {
    const std::string sql = std::string("SELECT id ") + kSourceSql[at] +
                            "id BETWEEN ? AND ? ORDER BY id " +
                            (order == Order::kNewestFirst ? "DESC" : "ASC") + " LIMIT ?";
    ids_[at][direction] = Statement(*database_, sql);
    ids_ready_[at][direction] = true;
  }
  return ids_[at][direction];
}

Result<> TaskPages::refill(Stream& stream, Order order) {
  if (stream.range.empty()) return {};
  Statement& read = ids_of(stream.source, order);
  if (stream.source == Source::kNamed) read.bind(stream.name);
  for (std::int64_t key : stream.keys) read.bind(key);
  read.bind(stream.range.first).bind(stream.range.last).bind(stream.chunk);
  Result<bool> row = true;
  while ((row = read.step()) && *row) stream.ids.push_back(read.integer(0));
  read.reset();
  if (!row) return fail(row.error());
  if (stream.ids.size() < stream.chunk) {
    stream.range = {1, 0};  // that was all
  } else if (order == Order::kNewestFirst) {
    stream.range.last = stream.ids.back() - 1;
  } else {
    stream.range.first = stream.ids.back() + 1;
  }
  std::reverse(stream.ids.begin(), stream.ids.end());
  stream.chunk = std::min(stream.chunk * 2, kMaxChunk);
  return {};
}

Result<std::vector<engine::TaskRow>> TaskPages::merge(std::vector<Stream>& streams,
                                                      const TaskQuery& query) {
  const auto later = [&query](const Stream* one, const Stream* other) {
    return query.order == Order::kNewestFirst ? one->ids.back() < other->ids.back()
                                              : one->ids.back() > other->ids.back();
  };
  std::priority_queue<Stream*, std::vector<Stream*>, decltype(later)> heads(later);
  for (Stream& stream : streams) {
    if (!stream.ids.empty()) heads.push(&stream);
  }
  const std::uint32_t limit = std::min(query.limit, engine::kMaxPage);
  std::vector<engine::TaskRow> page;
  while (!heads.empty() && page.size() < limit) {
    Stream* head = heads.top();
    heads.pop();
    const std::int64_t id = head->ids.back();
    head->ids.pop_back();
    if (Result<> appended = append_if_wanted(id, query, page); !appended) {
      return fail(appended.error());
    }
    if (head->ids.empty()) {
      if (Result<> filled = refill(*head, query.order); !filled) return fail(filled.error());
    }
    if (!head->ids.empty()) heads.push(head);
  }
  return page;
}

Result<> TaskPages::append_if_wanted(std::int64_t id, const TaskQuery& query,
                                     std::vector<engine::TaskRow>& page) {
  Result<std::optional<engine::TaskRow>> found = task(TaskId{static_cast<std::uint64_t>(id)});
  if (!found) return fail(found.error());
  if (!*found) {
    return fail(ErrorKind::kInternal, "an index names task " + std::to_string(id) +
                                          ", which does not exist: the store is damaged");
  }
  engine::TaskRow& row = **found;
  if (matches(query, row.task) && admits(query.job_id, row.job_id)) page.push_back(std::move(row));
  return {};
}

}  // namespace docket::store
