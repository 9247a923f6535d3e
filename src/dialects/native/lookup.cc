#include "dialects/native/lookup.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/json_writer.h"
#include "dialects/native/render.h"

namespace docket::native {
namespace {

using engine::Reader;

Error no_such(const char* what, const std::string& id) {
  return {.kind = ErrorKind::kNotFound,
          .message = fmt::format("{} '{}' does not exist", what, id),
          .subject = what};
}

TaskId position_of(const engine::TaskRow& row) { return row.task.id; }
EventSeq position_of(const model::Event& event) { return event.seq; }

// Reads until the page is full and it is known whether another row follows, the rows end, or enough
// rows have been examined.
template <class Row, class Position, class Query, class Read>
Result<Page<Row, Position>> read_page(Query query, Read read,
                                      const std::function<bool(const Row&)>& keep) {
  Page<Row, Position> page;
  const std::uint32_t wanted = query.limit;
  query.limit = keep ? engine::kMaxPage : std::min(wanted + 1, engine::kMaxPage);
  for (std::uint32_t seen = 0; seen < kScanMax; seen += query.limit) {
    auto rows = read(query);
    if (!rows) return fail(std::move(rows.error()));
    for (Row& row : *rows) {
      if (keep && !keep(row)) {
        query.after = position_of(row);
        continue;
      }
      if (page.rows.size() == wanted) {
        page.next = position_of(page.rows.back());
        return page;
      }
      query.after = position_of(row);
      page.rows.push_back(std::move(row));
    }
    if (rows->size() < query.limit) return page;
  }
  page.next = query.after;
  return page;
}

// The newest event's number. Numbers rise without gaps, so it is found by binary search on "is
// there an event after n?", at the cost of some sixty index lookups.
Result<EventSeq> newest_event(Reader& reader) {
  std::uint64_t none_after = INT64_MAX;
  std::uint64_t some_after = 0;  // or none at all
  engine::EventQuery query;
  query.limit = 1;
  while (some_after + 1 < none_after) {
    query.after = EventSeq{some_after + (none_after - some_after) / 2};
    const auto events = reader.events(query);
    if (!events) return fail(events.error());
    (events->empty() ? none_after : some_after) = query.after.value;
  }
  return EventSeq{none_after};
}

}  // namespace

Result<const engine::JobEntry*> find_job(const engine::Engine& engine, const std::string& id) {
  const engine::JobEntry* entry = engine.job(id);
  if (!entry) return fail(no_such("job", id));
  return entry;
}

Result<const model::Schedule*> find_schedule(const engine::Engine& engine,
                                             const std::string& job_id,
                                             const std::string& schedule_id) {
  const auto entry = find_job(engine, job_id);
  if (!entry) return fail(entry.error());
  const auto it = (*entry)->schedules.find(schedule_id);
  if (it == (*entry)->schedules.end()) return fail(no_such("schedule", schedule_id));
  return engine.schedule(it->second);
}

Error no_such_task(const std::string& id) { return no_such("task", id); }

Result<engine::TaskRow> read_task(Reader& reader, TaskId id) {
  auto row = reader.task(id);
  if (!row) return fail(std::move(row.error()));
  if (!*row) return fail(no_such_task(std::to_string(id.value)));
  return **std::move(row);
}

Result<std::optional<model::Progress>> Surroundings::of(model::Task& task) {
  const auto stopping = stops_.of(reader_, task);
  if (!stopping) return fail(stopping.error());
  task.stopping = *stopping;
  return sums_.of(reader_, task);
}

Result<std::string> show_task(Reader& reader, TaskId id) {
  auto row = read_task(reader, id);
  if (!row) return fail(row.error());
  const auto live = Surroundings(reader).of(row->task);
  if (!live) return fail(live.error());
  std::string body;
  JsonWriter out(body);
  write_task(out, row->task, row->job_id, *live);
  return body;
}

Result<std::vector<model::Task>> read_children(Reader& reader, TaskId parent) {
  engine::TaskQuery query;
  query.parent = parent;
  query.limit = engine::kMaxPage;
  auto rows = reader.tasks(query);
  if (!rows) return fail(std::move(rows.error()));
  std::vector<model::Task> children;
  children.reserve(rows->size());
  for (engine::TaskRow& row : *rows) children.push_back(std::move(row.task));
  std::reverse(children.begin(), children.end());
  return children;
}

Result<const model::Task*> Runs::find(TaskId run) {
  if (!run) return nullptr;
  if (run != asked_) {
    auto row = reader_.task(run);
    if (!row) return fail(std::move(row.error()));
    asked_ = run;
    row_ = *std::move(row);
  }
  return row_ ? &row_->task : nullptr;
}

Result<std::string_view> Runs::name_of(TaskId run) {
  const auto task = find(run);
  if (!task) return fail(task.error());
  return *task ? std::string_view((*task)->name) : std::string_view();
}

Result<TaskPage> read_tasks(Reader& reader, engine::TaskQuery query,
                            const std::function<bool(const engine::TaskRow&)>& keep) {
  const auto read = [&](const engine::TaskQuery& next) { return reader.tasks(next); };
  return read_page<engine::TaskRow, TaskId>(std::move(query), read, keep);
}

Result<EventPage> read_events(Reader& reader, engine::EventQuery query,
                              const std::function<bool(const model::Event&)>& keep) {
  const auto read = [&](const engine::EventQuery& next) { return reader.events(next); };
  return read_page<model::Event, EventSeq>(query, read, keep);
}

// Reads ranges of numbers small enough for one query each, from the newest to the oldest.
Result<EventPage> read_newest_events(Reader& reader, engine::EventQuery query,
                                     const std::function<bool(const model::Event&)>& keep) {
  EventPage page;
  const std::uint32_t wanted = query.limit;
  const auto newest = newest_event(reader);
  if (!newest) return fail(newest.error());
  EventSeq end{query.after ? std::min(query.after.value, newest->value + 1) : newest->value + 1};
  query.limit = engine::kMaxPage;
  for (std::uint32_t seen = 0; end.value > 1 && seen < kScanMax; seen += query.limit) {
    query.after = EventSeq{end.value - std::min<std::uint64_t>(end.value, query.limit)};
    auto events = reader.events(query);
    if (!events) return fail(std::move(events.error()));
    for (auto event = events->rbegin(); event != events->rend(); ++event) {
      if (event->seq >= end || (keep && !keep(*event))) continue;
      if (page.rows.size() == wanted) {
        page.next = page.rows.back().seq;
        return page;
      }
      page.rows.push_back(std::move(*event));
    }
    end = EventSeq{query.after.value + 1};
  }
  if (end.value > 1) page.next = end;
  return page;
}

}  // namespace docket::native
