// Schedules of jobs: several per job, with policies only this door has (REPLACE, missed runs).

#include <utility>

#include "core/json_writer.h"
#include "dialects/native/answer.h"
#include "dialects/native/lookup.h"
#include "dialects/native/query.h"
#include "dialects/native/read_job.h"
#include "dialects/native/render.h"
#include "dialects/native/routes.h"

namespace docket::native {
namespace {

using engine::Engine;

std::string render(const Engine& engine, const std::string& job_id, const model::Schedule& schedule,
                   Time now) {
  std::string body;
  JsonWriter out(body);
  write_schedule(out, engine, job_id, schedule, now);
  return body;
}

void list_schedules(const Context& door, const http::Request& request, http::Reply reply) {
  door.loop.call<std::string>(
      [id = request.params[0]](Engine& engine, Time now) -> Result<std::string> {
        const auto entry = find_job(engine, id);
        if (!entry) return fail(entry.error());
        PageWriter page;
        for (const auto& [schedule_id, uid] : (*entry)->schedules) {
          write_schedule(page.item(), engine, id, *engine.schedule(uid), now);
        }
        return page.finish("");
      },
      answer_json(std::move(reply)));
}

// Cursors of the list over all jobs are "job/schedule" (neither part may hold a slash), in that
// order.
struct Place {
  std::string job;
  std::string schedule;
};

Place place_of(const std::string& cursor) {
  const auto slash = cursor.find('/');
  if (slash == std::string::npos) return {.job = cursor, .schedule = {}};
  return {.job = cursor.substr(0, slash), .schedule = cursor.substr(slash + 1)};
}

struct AllSchedules {
  Place after;
  std::optional<bool> enabled;
  std::uint32_t limit;

  std::string page(const Engine& engine, Time now) const;
};

std::string AllSchedules::page(const Engine& engine, Time now) const {
  PageWriter page;
  std::uint32_t items = 0;
  std::size_t seen = 0;
  std::string last;
  const auto& jobs = engine.jobs();
  for (auto job = jobs.lower_bound(after.job); job != jobs.end(); ++job) {
    const auto& schedules = job->second->schedules;
    const bool resumed = job->first == after.job;
    for (auto it = resumed ? schedules.upper_bound(after.schedule) : schedules.begin();
         it != schedules.end(); ++it) {
      if (items == limit || page.full()) return page.finish(last);
      const model::Schedule& schedule = *engine.schedule(it->second);
      last = job->first + "/" + it->first;
      if (enabled && schedule.definition.enabled != *enabled) continue;
      write_schedule(page.item(), engine, job->first, schedule, now);
      ++items;
    }
    if (++seen < kScanMax) continue;
    // A cursor past every schedule of this job: '~' sorts after every character an id may hold.
    return page.finish(job->first + "/~");
  }
  return page.finish("");
}

void list_all_schedules(const Context& door, const http::Request& request, http::Reply reply) {
  Query query(request);
  AllSchedules list{.after = place_of(query.text("after").value_or("")),
                    .enabled = std::nullopt,
                    .limit = query.limit()};
  if (query.text("enabled")) list.enabled = query.flag("enabled");
  if (!query.ok()) return reply(bad_query(query.errors()));
  door.loop.call<std::string>(
      [list](Engine& engine, Time now) -> Result<std::string> { return list.page(engine, now); },
      answer_json(std::move(reply)));
}

void create_schedule(const Context& door, const http::Request& request, http::Reply reply) {
  auto body = read_schedule(request.body, std::nullopt);
  if (!body) return reply(bad_body(body.error()));
  door.loop.call<Created>(
      [job = request.params[0], definition = *std::move(body)](Engine& engine,
                                                               Time now) -> Result<Created> {
        const auto entry = find_job(engine, job);
        if (!entry) return fail(entry.error());
        if ((*entry)->schedules.contains(definition.id)) {
          return fail(ErrorKind::kConflict, "schedule '" + definition.id + "' exists already");
        }
        const auto schedule = engine.add_schedule(job, definition, now);
        if (!schedule) return fail(schedule.error());
        return Created{.body = render(engine, job, **schedule, now),
                       .location = "/jobs/" + job + "/schedules/" + definition.id};
      },
      answer_created(std::move(reply)));
}

void get_schedule(const Context& door, const http::Request& request, http::Reply reply) {
  door.loop.call<std::string>(
      [job = request.params[0], id = request.params[1]](Engine& engine,
                                                        Time now) -> Result<std::string> {
        const auto schedule = find_schedule(engine, job, id);
        if (!schedule) return fail(schedule.error());
        return render(engine, job, **schedule, now);
      },
      answer_json(std::move(reply)));
}

void put_schedule(const Context& door, const http::Request& request, http::Reply reply) {
  auto body = read_schedule(request.body, request.params[1]);
  if (!body) return reply(bad_body(body.error()));
  door.loop.call<std::string>(
      [job = request.params[0], definition = *std::move(body)](Engine& engine,
                                                               Time now) -> Result<std::string> {
        const auto found = find_schedule(engine, job, definition.id);
        if (!found) return fail(found.error());
        const auto schedule = engine.update_schedule(job, definition, now);
        if (!schedule) return fail(schedule.error());
        return render(engine, job, **schedule, now);
      },
      answer_json(std::move(reply)));
}

void delete_schedule(const Context& door, const http::Request& request, http::Reply reply) {
  door.loop.call<bool>(
      [job = request.params[0], id = request.params[1]](Engine& engine, Time now) -> Result<bool> {
        const auto found = find_schedule(engine, job, id);
        if (!found) return fail(found.error());
        const auto removed = engine.remove_schedule(job, id, now);
        if (!removed) return fail(removed.error());
        return true;
      },
      answer_nothing(std::move(reply)));
}

}  // namespace

Routes schedule_routes(const ContextPtr& door) {
  using enum http::BodyRule;
  return {route(door, "GET", "/schedules", list_all_schedules),
          route(door, "GET", "/jobs/{job}/schedules", list_schedules),
          route(door, "POST", "/jobs/{job}/schedules", create_schedule, kJson),
          route(door, "GET", "/jobs/{job}/schedules/{schedule}", get_schedule),
          route(door, "PUT", "/jobs/{job}/schedules/{schedule}", put_schedule, kJson),
          route(door, "DELETE", "/jobs/{job}/schedules/{schedule}", delete_schedule)};
}

}  // namespace docket::native
