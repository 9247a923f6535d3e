#include "dialects/native/task_filter.h"

#include <array>
#include <utility>

#include "dialects/native/job_filter.h"
#include "dialects/native/lookup.h"
#include "dialects/native/render.h"

namespace docket::native {
namespace {

void read_states(Query& query, engine::TaskQuery& into) {
  for (const std::string& name : query.list("state")) {
    if (const auto state = model::state_of(name)) {
      into.states.push_back(*state);
    } else {
      query.complain("state", "'" + name + "' is not a state: " +
                                  "created, queued, running, paused, done, failed, aborted");
    }
  }
}

std::optional<model::Trigger> read_trigger(Query& query) {
  constexpr std::array kTriggers{model::Trigger::kManual, model::Trigger::kSchedule,
                                 model::Trigger::kDependency};
  const auto name = query.text("trigger");
  if (!name) return std::nullopt;
  for (const model::Trigger trigger : kTriggers) {
    if (*name == model::name_of(trigger)) return trigger;
  }
  query.complain("trigger", "must be manual, schedule or dependency");
  return std::nullopt;
}

bool is_wanted(const TaskFilter& filter, const engine::TaskRow& row) {
  const model::Task& task = row.task;
  if (!filter.group.empty() && !in_group(row.job_id, filter.group)) return false;
  if (filter.jobs && !filter.jobs->contains(row.job_id)) return false;
  if (filter.trigger && (task.operation || task.trigger != *filter.trigger)) return false;
  if (filter.kind && model::kind_name(task) != *filter.kind) return false;
  return !filter.module || *filter.module == engine::module_of(row);
}

}  // namespace

TaskFilter read_task_filter(Query& query) {
  TaskFilter filter;
  filter.query.job_id = query.text("job");
  filter.query.name = query.text("name");
  read_states(query, filter.query);
  filter.query.schedule = query.id<ScheduleUid>("scheduleUid");
  filter.trigger = read_trigger(query);
  filter.query.created_from = query.time("createdFrom");
  filter.query.created_until = query.time("createdUntil");
  filter.query.order = query.order(engine::Order::kNewestFirst);
  filter.query.after = query.id<TaskId>("after");
  filter.query.limit = query.limit();
  return filter;
}

Result<std::string> read_task_page(engine::Reader& reader, const TaskFilter& filter) {
  std::function<bool(const engine::TaskRow&)> keep;
  const bool of_jobs = !filter.group.empty() || filter.jobs;
  if (filter.trigger || filter.kind || filter.module || of_jobs) {
    keep = [&](const engine::TaskRow& row) { return is_wanted(filter, row); };
  }
  auto page = read_tasks(reader, filter.query, keep);
  if (!page) return fail(std::move(page.error()));
  PageWriter out;
  Surroundings surroundings(reader);
  TaskId last;
  for (engine::TaskRow& row : page->rows) {
    if (out.full()) return out.finish(std::to_string(last.value));
    last = row.task.id;
    const auto live = surroundings.of(row.task);
    if (!live) return fail(live.error());
    write_task(out.item(), row.task, row.job_id, *live);
  }
  return out.finish(page->next ? std::to_string(page->next->value) : "");
}

}  // namespace docket::native
