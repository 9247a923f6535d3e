// Runs and the queue: metronome.md section 7, and the additions `?all=true` and run parameters.

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "core/json.h"
#include "core/json_writer.h"
#include "dialects/metronome/pieces.h"
#include "dialects/metronome/query.h"
#include "dialects/metronome/queue_writer.h"
#include "dialects/metronome/render.h"
#include "dialects/metronome/routes.h"
#include "dialects/metronome/run_parameters.h"
#include "dialects/metronome/stored_runs.h"

namespace docket::metronome {
namespace {

Error no_such_run() {
  return {.kind = ErrorKind::kNotFound, .message = {}, .fields = {}, .subject = "run"};
}

http::Response run_response(int status, const engine::Node& run) {
  std::string body;
  JsonWriter json(body);
  write_run(json, run);
  return json_response(status, std::move(body));
}

// Each run as it is when written. They go by age, so runs that start or end meanwhile do not
// matter.
void list_active_runs(const Context& context, Call call) {
  auto write = [caller = call.request.identity, id = call.names.job, begun = false,
                after = TaskId{}](engine::Engine& engine, JsonWriter& json,
                                  const std::string& text) mutable -> Result<bool> {
    const engine::JobEntry* entry = shown_job(engine, id);
    if (!entry && !begun) return fail(no_such_job());
    if (!std::exchange(begun, true)) json.begin_array();
    if (entry && may(*caller, http::Action::kRead, id)) {
      const auto& active = entry->active;
      for (auto run = active.upper_bound(after); run != active.end(); ++run) {
        if (text.size() >= kTurnBytes) return true;
        write_run(json, *run->second);
        after = run->first;
      }
    }
    json.end_array();
    return false;
  };
  answer_list(context, std::move(call), std::move(write));
}

// Finished runs too, newest first, a page at a time. Read off the strand.
void list_all_runs(const Context& context, Call call) {
  const auto paging = parse_paging(call.request);
  if (!paging) return call.reply(framework_error(400, paging.error().message, call.names.path));
  if (!admit(call)) return;
  auto find_readable = [caller = call.request.identity, id = call.names.job](
                           engine::Engine& engine, Time) -> Result<JobUid> {
    const engine::JobEntry* entry = shown_job(engine, id);
    if (!entry) return fail(no_such_job());
    return may(*caller, http::Action::kRead, id) ? entry->job().uid : JobUid{};
  };
  context.loop.call<JobUid>(
      find_readable, [&archive = context.archive, reply = std::move(call.reply),
                      names = std::move(call.names), paging = *paging](const Result<JobUid>& job) {
        if (!job) return reply(error_response(job.error(), names));
        if (*job == JobUid{}) return reply(json_response(200, "[]"));
        archive.read([reply, names, paging, uid = *job](engine::Reader& reader) {
          reply(stored_runs_page(reader, uid, paging, names));
        });
      });
}

// The original does not have the parameter, so a value other than yes means nothing.
void list_runs(const Context& context, Call call) {
  if (parse_flag(call.request, "all").value_or(false)) {
    return list_all_runs(context, std::move(call));
  }
  list_active_runs(context, std::move(call));
}

void start_run(const Context& context, Call call) {
  auto work = [caller = call.request.identity, job = call.names.job,
               parameters = read_run_parameters(call.request.body)](
                  engine::Engine& engine, Time now) -> Result<http::Response> {
    auto entry = find_job(engine, *caller, http::Action::kUpdate, job);
    if (!entry) return fail(entry.error());
    auto run = engine.start_run(job, parameters, now);
    if (!run) return fail(run.error());
    return run_response(201, **run);  // rendered before it can start: INITIAL, no tasks
  };
  answer(context, std::move(call), std::move(work));
}

// An unknown job answers like an unknown run here, unlike in `stop` (section 1).
void get_run(const Context& context, Call call) {
  auto work = [caller = call.request.identity, job = call.names.job, name = call.names.run](
                  engine::Engine& engine, Time) -> Result<http::Response> {
    const engine::Node* run = shown_run(engine, job, name);
    if (!run) return fail(no_such_run());
    if (auto allowed = demand(*caller, http::Action::kRead, job); !allowed) {
      return fail(allowed.error());
    }
    return run_response(200, *run);
  };
  answer(context, std::move(call), std::move(work));
}

void stop_run(const Context& context, Call call) {
  auto work = [caller = call.request.identity, job = call.names.job, name = call.names.run](
                  engine::Engine& engine, Time now) -> Result<http::Response> {
    const bool there = shown_run(engine, job, name) != nullptr;
    if (auto allowed = demand(*caller, http::Action::kUpdate, job); there && !allowed) {
      return fail(allowed.error());
    }
    if (engine.job(job) && !shown_job(engine, job)) return fail(no_such_job());
    auto stopped = engine.stop_run(job, name, now);
    if (!stopped) return fail(stopped.error());
    std::vector<const model::Task*> attempts;
    for (const model::Task& attempt : stopped->attempts) attempts.push_back(&attempt);
    std::string body;
    JsonWriter json(body);
    write_run(json, job, stopped->run, RunStatus::kFailed, attempts);
    return json_response(200, std::move(body));
  };
  answer(context, std::move(call), std::move(work));
}

void show_queue(const Context& context, Call call) {
  QueueWriter queue(call.request.identity);
  answer_list(context, std::move(call), std::move(queue));
}

}  // namespace

std::vector<http::Route> run_routes(const ContextPtr& context) {
  using enum http::BodyRule;
  const std::string one = "/v1/jobs/{job}/runs/{run}";
  return {
      {"GET", "/v1/jobs/{job}/runs", job_handler(context, list_runs), kIgnore},
      {"POST", "/v1/jobs/{job}/runs", job_handler(context, start_run), kIfJson},
      {"GET", one, job_handler(context, get_run, Second::kRun), kIgnore},
      {"POST", one + "/actions/stop", job_handler(context, stop_run, Second::kRun), kIgnore},
      {"GET", "/v1/queue", plain_handler(context, show_queue), kIgnore},
  };
}

}  // namespace docket::metronome
