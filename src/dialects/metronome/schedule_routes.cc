// Schedules: metronome.md sections 1 and 4. One per job; the engine could keep more.

#include <boost/json/value.hpp>
#include <utility>

#include "core/json_writer.h"
#include "dialects/metronome/input.h"
#include "dialects/metronome/render.h"
#include "dialects/metronome/routes.h"
#include "dialects/metronome/rules.h"

namespace docket::metronome {
namespace {

Error no_such_schedule() {
  return {.kind = ErrorKind::kNotFound, .message = {}, .fields = {}, .subject = "schedule"};
}

http::Response schedule_response(int status, const model::Schedule& schedule, Time now) {
  std::string body;
  JsonWriter json(body);
  write_schedule(json, schedule, now);
  return json_response(status, std::move(body));
}

void list_schedules(const Context& context, Call call) {
  auto work = [caller = call.request.identity, id = call.names.job](
                  engine::Engine& engine, Time now) -> Result<http::Response> {
    auto entry = find_job(engine, *caller, http::Action::kRead, id);
    if (!entry) return fail(entry.error());
    std::string body;
    JsonWriter json(body);
    write_schedules(json, **entry, engine, now);
    return json_response(200, std::move(body));
  };
  answer(context, std::move(call), std::move(work));
}

void get_schedule(const Context& context, Call call) {
  auto work = [caller = call.request.identity, job = call.names.job, id = call.names.schedule](
                  engine::Engine& engine, Time now) -> Result<http::Response> {
    auto entry = find_job(engine, *caller, http::Action::kRead, job);
    if (!entry) return fail(entry.error());
    const auto found = (*entry)->schedules.find(id);
    if (found == (*entry)->schedules.end()) return fail(no_such_schedule());
    return schedule_response(200, *engine.schedule(found->second), now);
  };
  answer(context, std::move(call), std::move(work));
}

std::optional<model::ScheduleDefinition> schedule_of_body(const Call& call, Purpose purpose) {
  auto body = json_body(call.request);
  if (!body) {
    call.reply(std::move(body.error()));
    return std::nullopt;
  }
  auto schedule = read_schedule(std::move(*body), purpose);
  if (schedule) return std::move(*schedule);
  call.reply(error_response(schedule.error(), call.names));
  return std::nullopt;
}

// A taken id is complained about first, a second schedule next (section 2).
Result<> may_add(const engine::JobEntry& entry, const std::string& schedule_id) {
  if (!entry.job().definition.dependencies.empty()) return fail(dependencies_and_schedules());
  if (entry.schedules.empty() || entry.schedules.contains(schedule_id)) return {};
  return fail(ErrorKind::kConflict,
              "requirement failed: Only one schedule supported at the moment");
}

void add_schedule(const Context& context, Call call) {
  auto schedule = schedule_of_body(call, Purpose::kCreate);
  if (!schedule) return;
  auto work = [caller = call.request.identity, job = call.names.job,
               definition = std::move(*schedule)](engine::Engine& engine,
                                                  Time now) mutable -> Result<http::Response> {
    auto entry = find_job(engine, *caller, http::Action::kUpdate, job);
    if (!entry) return fail(entry.error());
    if (auto allowed = may_add(**entry, definition.id); !allowed) return fail(allowed.error());
    auto added = engine.add_schedule(job, std::move(definition), now);
    if (!added) return fail(added.error());
    return schedule_response(201, **added, now);
  };
  answer(context, std::move(call), std::move(work));
}

// The id of the path wins over the body's.
void update_schedule(const Context& context, Call call) {
  auto schedule = schedule_of_body(call, Purpose::kChange);
  if (!schedule) return;
  schedule->id = call.names.schedule;
  auto work = [caller = call.request.identity, job = call.names.job,
               definition = std::move(*schedule)](engine::Engine& engine,
                                                  Time now) mutable -> Result<http::Response> {
    auto entry = find_job(engine, *caller, http::Action::kUpdate, job);
    if (!entry) return fail(entry.error());
    if (const auto known = (*entry)->schedules.find(definition.id);
        known != (*entry)->schedules.end()) {
      auto kept = preserve_omitted(definition, &engine.schedule(known->second)->definition, "");
      if (!kept) return fail(kept.error());
    }
    auto updated = engine.update_schedule(job, std::move(definition), now);
    if (!updated) return fail(updated.error());
    return schedule_response(200, **updated, now);
  };
  answer(context, std::move(call), std::move(work));
}

void remove_schedule(const Context& context, Call call) {
  auto work = [caller = call.request.identity, job = call.names.job, id = call.names.schedule](
                  engine::Engine& engine, Time now) -> Result<http::Response> {
    auto entry = find_job(engine, *caller, http::Action::kUpdate, job);
    if (!entry) return fail(entry.error());
    if (auto removed = engine.remove_schedule(job, id, now); !removed) {
      return fail(removed.error());
    }
    return http::Response{};  // 200 without a body or content type
  };
  answer(context, std::move(call), std::move(work));
}

}  // namespace

std::vector<http::Route> schedule_routes(const ContextPtr& context) {
  using enum http::BodyRule;
  const auto one = [&context](CallHandler handler) {
    return job_handler(context, handler, Second::kSchedule);
  };
  return {
      {"GET", "/v1/jobs/{job}/schedules", job_handler(context, list_schedules), kIgnore},
      {"POST", "/v1/jobs/{job}/schedules", job_handler(context, add_schedule), kAny},
      {"GET", "/v1/jobs/{job}/schedules/{schedule}", one(get_schedule), kIgnore},
      {"PUT", "/v1/jobs/{job}/schedules/{schedule}", one(update_schedule), kAny},
      {"DELETE", "/v1/jobs/{job}/schedules/{schedule}", one(remove_schedule), kIgnore},
  };
}

}  // namespace docket::metronome
