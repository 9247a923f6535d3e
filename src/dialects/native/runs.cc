// Runs: start, list (live and finished alike) and stop.

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "core/json_writer.h"
#include "dialects/native/answer.h"
#include "dialects/native/body.h"
#include "dialects/native/job_filter.h"
#include "dialects/native/lookup.h"
#include "dialects/native/query.h"
#include "dialects/native/read_job.h"
#include "dialects/native/render.h"
#include "dialects/native/routes.h"
#include "dialects/native/task_filter.h"

namespace docket::native {
namespace {

using engine::Engine;

std::string render(const model::Task& run, const std::string& job_id,
                   const std::vector<model::Task>& attempts) {
  std::string body;
  JsonWriter out(body);
  write_run(out, run, job_id, attempts);
  return body;
}

void start_run(const Context& door, const http::Request& request, http::Reply reply) {
  auto parameters = read_run_parameters(request.body);
  if (!parameters) return reply(bad_body(parameters.error()));
  door.loop.call<Created>(
      [job = request.params[0], parameters = *std::move(parameters)](Engine& engine,
                                                                     Time now) -> Result<Created> {
        if (const auto entry = find_job(engine, job); !entry) return fail(entry.error());
        const auto run = engine.start_run(job, parameters, now);
        if (!run) return fail(reword_errors(run.error()));
        const model::Task& task = (*run)->task;
        return Created{.body = render(task, job, {}),
                       .location = "/runs/" + std::to_string(task.id.value)};
      },
      answer_created(std::move(reply)));
}

std::set<std::string> jobs_with(const Engine& engine, const JobFilter& filter) {
  std::set<std::string> ids;
  for (const auto& [id, entry] : engine.jobs()) {
    if (filter.matches(entry->job().definition)) ids.insert(id);
  }
  return ids;
}

// Resolves what only the engine knows: the labels of jobs, and the current number of a schedule,
// whose id is unique only within its job.
Result<TaskFilter> resolve(const Engine& engine, TaskFilter filter) {
  if (!filter.labels.empty()) filter.jobs = jobs_with(engine, {.labels = filter.labels});
  if (filter.schedule_id.empty()) return filter;
  const auto schedule = find_schedule(engine, filter.query.job_id.value_or(""), filter.schedule_id);
  if (!schedule) return fail(schedule.error());
  filter.query.schedule = (*schedule)->uid;
  return filter;
}

std::function<void(Result<TaskFilter>)> answer_page(const Context& door, http::Reply reply) {
  return [&archive = door.archive, reply = std::move(reply)](Result<TaskFilter> filter) {
    if (!filter) return reply(problem(filter.error()));
    archive.read([filter = *std::move(filter), reply](engine::Reader& reader) {
      answer_json(reply)(read_task_page(reader, filter));
    });
  };
}

void list_runs(const Context& door, const http::Request& request, http::Reply reply) {
  Query query(request);
  TaskFilter filter = read_task_filter(query);
  filter.query.parent = TaskId{};
  filter.kind = "run";
  filter.group = query.text("group").value_or("");
  filter.labels = query.repeated("label");
  filter.schedule_id = query.text("schedule").value_or("");
  if (!filter.schedule_id.empty() && !filter.query.job_id) {
    query.complain("schedule", "needs job: schedule ids are unique only within a job");
  }
  if (!query.ok()) return reply(bad_query(query.errors()));
  door.loop.call<TaskFilter>(
      [filter = std::move(filter)](Engine& engine, Time) { return resolve(engine, filter); },
      answer_page(door, std::move(reply)));
}

void list_runs_of_job(const Context& door, const http::Request& request, http::Reply reply) {
  Query query(request);
  TaskFilter filter = read_task_filter(query);
  filter.query.parent = TaskId{};
  filter.query.job_id = request.params[0];
  filter.schedule_id = query.text("schedule").value_or("");
  if (!query.ok()) return reply(bad_query(query.errors()));
  door.loop.call<TaskFilter>(
      [filter = std::move(filter)](Engine& engine, Time) -> Result<TaskFilter> {
        const auto entry = find_job(engine, *filter.query.job_id);
        if (!entry) return fail(entry.error());
        return resolve(engine, filter);
      },
      answer_page(door, std::move(reply)));
}

Error no_such_run(const std::string& id) {
  return {.kind = ErrorKind::kNotFound, .message = "run '" + id + "' does not exist"};
}

Result<engine::TaskRow> read_run(engine::Reader& reader, TaskId id) {
  auto row = reader.task(id);
  if (!row) return fail(std::move(row.error()));
  if (!*row || (*row)->task.kind != model::TaskKind::kRun) {
    return fail(no_such_run(std::to_string(id.value)));
  }
  return **std::move(row);
}

Result<std::string> show_run(engine::Reader& reader, TaskId id) {
  const auto run = read_run(reader, id);
  if (!run) return fail(run.error());
  auto attempts = read_children(reader, id);
  if (!attempts) return fail(attempts.error());
  std::erase_if(*attempts, [](const model::Task& child) { return model::is_step(child); });
  return render(run->task, run->job_id, *attempts);
}

void get_run(const Context& door, const http::Request& request, http::Reply reply) {
  const auto id = parse_task_id(request.params[0]);
  if (!id) return reply(problem(no_such_run(request.params[0])));
  door.archive.read([id = *id, reply = std::move(reply)](engine::Reader& reader) {
    answer_json(reply)(show_run(reader, id));
  });
}

// A run that is not in the engine has ended, or never existed.
void answer_stop_of_ended(engine::Archive& archive, TaskId id, const http::Reply& reply) {
  archive.read([id, reply](engine::Reader& reader) {
    const auto run = read_run(reader, id);
    if (!run) return reply(problem(run.error()));
    reply(problem(409, "run '" + std::to_string(id.value) + "' has ended: it is " +
                           model::name_of(run->task.state)));
  });
}

void stop_run(const Context& door, const http::Request& request, http::Reply reply) {
  const auto id = parse_task_id(request.params[0]);
  if (!id) return reply(problem(no_such_run(request.params[0])));
  door.loop.call<std::string>(
      [id = *id](Engine& engine, Time now) -> Result<std::string> {
        const auto stopped = engine.stop_run(id, now);
        if (!stopped) return fail(stopped.error());
        return render(stopped->run, stopped->job->id(), stopped->attempts);
      },
      [id = *id, &archive = door.archive, reply = std::move(reply)](Result<std::string> body) {
        const bool unknown = !body && body.error().kind == ErrorKind::kNotFound;
        if (unknown) return answer_stop_of_ended(archive, id, reply);
        answer_json(reply)(std::move(body));
      });
}

}  // namespace

Routes run_routes(const ContextPtr& door) {
  using enum http::BodyRule;
  return {route(door, "GET", "/runs", list_runs), route(door, "GET", "/runs/{run}", get_run),
          route(door, "POST", "/runs/{run}/stop", stop_run),
          route(door, "GET", "/jobs/{job}/runs", list_runs_of_job),
          route(door, "POST", "/jobs/{job}/runs", start_run, kOptional)};
}

}  // namespace docket::native
