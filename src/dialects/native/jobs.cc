// Jobs: definitions, with their schedules and totals.

#include <fmt/format.h>

#include <algorithm>
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

namespace docket::native {
namespace {

using engine::Engine;
using engine::JobEntry;

std::string job_page(const Engine& engine, const JobFilter& filter, const std::string& after,
                     std::uint32_t limit, Time now) {
  PageWriter page;
  const auto& jobs = engine.jobs();
  // The jobs of a group are nearly contiguous: '-' sorts between a name and its dot.
  auto it = after < filter.group ? jobs.lower_bound(filter.group) : jobs.upper_bound(after);
  std::uint32_t items = 0;
  std::string last;
  for (std::size_t seen = 0; it != jobs.end(); ++it, ++seen) {
    if (items == limit || seen == kScanMax || page.full()) return page.finish(last);
    if (!it->first.starts_with(filter.group)) break;
    last = it->first;
    if (!filter.matches(it->second->job().definition)) continue;
    write_job(page.item(), engine, *it->second, now);
    ++items;
  }
  return page.finish("");
}

std::string render(const Engine& engine, const JobEntry& entry, Time now) {
  std::string body;
  JsonWriter out(body);
  write_job(out, engine, entry, now);
  return body;
}

void list_jobs(const Context& door, const http::Request& request, http::Reply reply) {
  Query query(request);
  JobFilter filter{.labels = query.repeated("label"),
                   .group = query.text("group").value_or(""),
                   .text = query.text("text").value_or("")};
  const auto limit = query.limit();
  if (!query.ok()) return reply(bad_query(query.errors()));
  door.loop.call<std::string>(
      [filter = std::move(filter), after = query.text("after").value_or(""), limit](
          Engine& engine, Time now) -> Result<std::string> {
        return job_page(engine, filter, after, limit, now);
      },
      answer_json(std::move(reply)));
}

void create_job(const Context& door, const http::Request& request, http::Reply reply) {
  auto body = read_job(request.body, std::nullopt, door.loop.kinds());
  if (!body) return reply(bad_body(body.error()));
  door.loop.call<Created>(
      [job = *std::move(body)](Engine& engine, Time now) -> Result<Created> {
        const auto entry = engine.create_job(
            job.definition, job.schedules.value_or(std::vector<model::ScheduleDefinition>()), now);
        if (!entry) return fail(reword_errors(entry.error()));
        return Created{.body = render(engine, **entry, now),
                       .location = "/jobs/" + job.definition.id};
      },
      answer_created(std::move(reply)));
}

void get_job(const Context& door, const http::Request& request, http::Reply reply) {
  door.loop.call<std::string>(
      [id = request.params[0]](Engine& engine, Time now) -> Result<std::string> {
        const auto entry = find_job(engine, id);
        if (!entry) return fail(entry.error());
        return render(engine, **entry, now);
      },
      answer_json(std::move(reply)));
}

void put_job(const Context& door, const http::Request& request, http::Reply reply) {
  auto body = read_job(request.body, request.params[0], door.loop.kinds());
  if (!body) return reply(bad_body(body.error()));
  door.loop.call<std::string>(
      [job = *std::move(body)](Engine& engine, Time now) -> Result<std::string> {
        const std::string& id = job.definition.id;
        if (const auto entry = find_job(engine, id); !entry) return fail(entry.error());
        const auto entry = job.schedules
                               ? engine.update_job(id, job.definition, *job.schedules, now)
                               : engine.update_job(id, job.definition, now);
        if (!entry) return fail(reword_errors(entry.error()));
        return render(engine, **entry, now);
      },
      answer_json(std::move(reply)));
}

void delete_job(const Context& door, const http::Request& request, http::Reply reply) {
  Query query(request);
  const bool stop = query.flag("stopRuns");
  if (!query.ok()) return reply(bad_query(query.errors()));
  door.loop.call<bool>(
      [id = request.params[0], stop](Engine& engine, Time now) -> Result<bool> {
        const auto entry = find_job(engine, id);
        if (!entry) return fail(entry.error());
        if (!stop && !(*entry)->active.empty() && (*entry)->dependents.empty()) {
          return fail(ErrorKind::kConflict,
                      fmt::format("job '{}' has {} active runs; stopRuns=true stops them", id,
                                  (*entry)->active.size()));
        }
        const auto active = stop ? engine::ActiveRuns::kStop : engine::ActiveRuns::kRefuse;
        const auto deleted = engine.delete_job(id, active, now);
        if (!deleted) return fail(deleted.error());
        return true;
      },
      answer_nothing(std::move(reply)));
}

}  // namespace

Routes job_routes(const ContextPtr& door) {
  using enum http::BodyRule;
  return {route(door, "GET", "/jobs", list_jobs), route(door, "POST", "/jobs", create_job, kJson),
          route(door, "GET", "/jobs/{job}", get_job),
          route(door, "PUT", "/jobs/{job}", put_job, kJson),
          route(door, "DELETE", "/jobs/{job}", delete_job)};
}

}  // namespace docket::native
