// "Why does it not run?": the engine's reasons (engine/explain.h) for runs, jobs, schedules and
// locks.

#include "engine/explain.h"

#include <utility>

#include "core/json_writer.h"
#include "dialects/native/answer.h"
#include "dialects/native/lookup.h"
#include "dialects/native/query.h"
#include "dialects/native/render.h"
#include "dialects/native/routes.h"

namespace docket::native {
namespace {

using engine::Engine;
using engine::Explainer;
using engine::Explanation;

std::string render(const Explanation& explanation) {
  std::string body;
  JsonWriter out(body);
  write_explanation(out, explanation);
  return body;
}

Result<std::string> rendered(const Result<Explanation>& explanation) {
  if (!explanation) return fail(explanation.error());
  return render(*explanation);
}

// For a run that is not in the engine: it has ended, or never existed.
Result<std::string> explain_ended(engine::Reader& reader, TaskId id) {
  const auto row = read_task(reader, id);
  if (!row) return fail(row.error());
  Explanation explanation;
  explanation.reasons.push_back({.kind = engine::ReasonKind::kFinished,
                                 .message = "it has ended: " + model::outcome_of(row->task),
                                 .at = row->task.finished_at});
  return render(explanation);
}

void explain_run(const Context& door, const http::Request& request, http::Reply reply) {
  const auto id = parse_task_id(request.params[0]);
  if (!id) return reply(problem(no_such_task(request.params[0])));
  door.loop.call<std::string>(
      [id = *id](Engine& engine, Time now) { return rendered(Explainer(engine, now).run(id)); },
      [id = *id, &archive = door.archive, reply = std::move(reply)](Result<std::string> body) {
        const bool unknown = !body && body.error().kind == ErrorKind::kNotFound;
        if (!unknown) return answer_json(reply)(std::move(body));
        archive.read(
            [id, reply](engine::Reader& reader) { answer_json(reply)(explain_ended(reader, id)); });
      });
}

void explain_job(const Context& door, const http::Request& request, http::Reply reply) {
  door.loop.call<std::string>(
      [id = request.params[0]](Engine& engine, Time now) -> Result<std::string> {
        if (const auto entry = find_job(engine, id); !entry) return fail(entry.error());
        return rendered(Explainer(engine, now).job(id));
      },
      answer_json(std::move(reply)));
}

void explain_schedule(const Context& door, const http::Request& request, http::Reply reply) {
  door.loop.call<std::string>(
      [job = request.params[0], id = request.params[1]](Engine& engine,
                                                        Time now) -> Result<std::string> {
        const auto schedule = find_schedule(engine, job, id);
        if (!schedule) return fail(schedule.error());
        return rendered(Explainer(engine, now).schedule((*schedule)->uid));
      },
      answer_json(std::move(reply)));
}

void explain_lock(const Context& door, const http::Request& request, http::Reply reply) {
  door.loop.call<std::string>(
      [name = request.params[0]](Engine& engine, Time now) -> Result<std::string> {
        return render(Explainer(engine, now).lock(name));
      },
      answer_json(std::move(reply)));
}

}  // namespace

Routes explain_routes(const ContextPtr& door) {
  return {route(door, "GET", "/runs/{run}/explain", explain_run),
          route(door, "GET", "/jobs/{job}/explain", explain_job),
          route(door, "GET", "/jobs/{job}/schedules/{schedule}/explain", explain_schedule),
          route(door, "GET", "/locks/{lock}/explain", explain_lock)};
}

}  // namespace docket::native
