// Jobs: metronome.md sections 1 and 3.

#include <fmt/format.h>

#include <boost/json/value.hpp>
#include <utility>

#include "core/json_writer.h"
#include "dialects/metronome/input.h"
#include "dialects/metronome/job_pieces.h"
#include "dialects/metronome/query.h"
#include "dialects/metronome/render.h"
#include "dialects/metronome/routes.h"
#include "dialects/metronome/rules.h"

namespace docket::metronome {
namespace {

// Most jobs render into this many bytes: one allocation instead of several.
constexpr std::size_t kTypicalJob = 1024;

http::Response job_spec_response(int status, const engine::JobEntry& entry,
                                 const engine::Engine& engine, Time now) {
  std::string body;
  body.reserve(kTypicalJob);
  JsonWriter json(body);
  write_job_spec(json, entry, engine, now);
  return json_response(status, std::move(body));
}

// ---- reading

void answer_in_pieces(const Context& context, Call call, Embeds embeds,
                      std::optional<std::string> only) {
  if (!admit(call)) return;
  auto pieces =
      std::make_shared<JobPieces>(context, call.request.identity, embeds, std::move(only));
  answer_in_pieces(std::move(pieces), std::move(call));
}

void list_jobs(const Context& context, Call call) {
  const auto embeds = parse_embeds(call.request);
  if (!embeds) {
    return call.reply(framework_error(400, embeds.error().message, call.names.path));
  }
  answer_in_pieces(context, std::move(call), *embeds, std::nullopt);
}

// In one turn, unless its runs are wanted: there may be many.
void get_job(const Context& context, Call call) {
  const auto embeds = parse_embeds(call.request);
  if (!embeds) {
    return call.reply(framework_error(400, embeds.error().message, call.names.path));
  }
  std::string id = call.names.job;
  if (embeds->active_runs || embeds->history) {
    return answer_in_pieces(context, std::move(call), *embeds, std::move(id));
  }
  auto work = [caller = call.request.identity, id = std::move(id),
               with_summary = embeds->history_summary](engine::Engine& engine,
                                                       Time now) -> Result<http::Response> {
    auto entry = find_job(engine, *caller, http::Action::kRead, id);
    // A job that the caller may not see does not exist for it (section 9).
    if (!entry) return fail(no_such_job());
    std::string body;
    body.reserve(kTypicalJob);
    JsonWriter json(body);
    write_plain_job(json, **entry, engine, with_summary, now);
    return json_response(200, std::move(body));
  };
  answer(context, std::move(call), std::move(work));
}

// ---- writing

// The body as a job; nothing if the call has already been answered.
std::optional<JobInput> job_of_body(const Call& call, ApiVersion version, Purpose purpose) {
  auto body = json_body(call.request);
  if (!body) {
    call.reply(std::move(body.error()));
    return std::nullopt;
  }
  auto job = read_job(std::move(*body), version, purpose);
  if (job) return std::move(*job);
  call.reply(error_response(job.error(), call.names));
  return std::nullopt;
}

void create_job(const Context& context, Call call, ApiVersion version) {
  auto input = job_of_body(call, version, Purpose::kCreate);
  if (!input) return;
  auto work = [caller = call.request.identity, input = std::move(*input)](
                  engine::Engine& engine, Time now) mutable -> Result<http::Response> {
    auto allowed = demand(*caller, http::Action::kCreate, input.definition.id);
    if (!allowed) return fail(allowed.error());
    auto entry = engine.create_job(std::move(input.definition), std::move(input.schedules), now);
    if (!entry) return fail(entry.error());
    return job_spec_response(201, **entry, engine, now);
  };
  answer(context, std::move(call), std::move(work));
}

void create_job_v0(const Context& context, Call call) {
  create_job(context, std::move(call), ApiVersion::kV0);
}

void create_job_v1(const Context& context, Call call) {
  create_job(context, std::move(call), ApiVersion::kV1);
}

Result<> keep_unsaid_of_schedules(JobInput& input, const engine::JobEntry& entry,
                                  const engine::Engine& engine) {
  for (std::size_t i = 0; i < input.schedules.size(); ++i) {
    const auto known = entry.schedules.find(input.schedules[i].id);
    const auto* before =
        known == entry.schedules.end() ? nullptr : &engine.schedule(known->second)->definition;
    auto kept = preserve_omitted(input.schedules[i], before, fmt::format("/schedules/{}", i));
    if (!kept) return kept;
  }
  return {};
}

// The id of the path wins over the body's.
void update_job_v0(const Context& context, Call call) {
  auto input = job_of_body(call, ApiVersion::kV0, Purpose::kChange);
  if (!input) return;
  auto work = [caller = call.request.identity, id = call.names.job, input = std::move(*input)](
                  engine::Engine& engine, Time now) mutable -> Result<http::Response> {
    auto found = find_job(engine, *caller, http::Action::kUpdate, id);
    if (!found) return fail(found.error());
    preserve_omitted(input, (*found)->job().definition);
    if (auto kept = keep_unsaid_of_schedules(input, **found, engine); !kept)
      return fail(kept.error());
    auto entry =
        engine.update_job(id, std::move(input.definition), std::move(input.schedules), now);
    if (!entry) return fail(entry.error());
    return job_spec_response(200, **entry, engine, now);
  };
  answer(context, std::move(call), std::move(work));
}

// Keeps the stored schedules, whatever the body has.
void update_job_v1(const Context& context, Call call) {
  auto input = job_of_body(call, ApiVersion::kV1, Purpose::kChange);
  if (!input) return;
  auto work = [caller = call.request.identity, id = call.names.job, input = std::move(*input)](
                  engine::Engine& engine, Time now) mutable -> Result<http::Response> {
    auto found = find_job(engine, *caller, http::Action::kUpdate, id);
    if (!found) return fail(found.error());
    preserve_omitted(input, (*found)->job().definition);
    auto entry = engine.update_job(id, std::move(input.definition), now);
    if (!entry) return fail(entry.error());
    return job_spec_response(200, **entry, engine, now);
  };
  answer(context, std::move(call), std::move(work));
}

void delete_job(const Context& context, Call call) {
  const auto stop = parse_flag(call.request, "stopCurrentJobRuns");
  if (!stop) return call.reply(framework_error(400, stop.error().message, call.names.path));
  auto work = [caller = call.request.identity, id = call.names.job, stop = *stop](
                  engine::Engine& engine, Time now) -> Result<http::Response> {
    auto entry = find_job(engine, *caller, http::Action::kDelete, id);
    if (!entry) return fail(entry.error());
    // Rendered first, because afterwards its schedules are gone.
    http::Response response = job_spec_response(200, **entry, engine, now);
    const auto active = stop ? engine::ActiveRuns::kStop : engine::ActiveRuns::kRefuse;
    if (auto deleted = engine.delete_job(id, active, now); !deleted) return fail(deleted.error());
    return response;
  };
  answer(context, std::move(call), std::move(work));
}

}  // namespace

std::vector<http::Route> job_routes(const ContextPtr& context) {
  // Bodies are accepted as they are: their content type is checked after the path (section 0).
  using enum http::BodyRule;
  return {
      {"GET", "/v1/jobs", plain_handler(context, list_jobs), kIgnore},
      {"POST", "/v1/jobs", plain_handler(context, create_job_v1), kAny},
      {"GET", "/v1/jobs/{job}", job_handler(context, get_job), kIgnore},
      {"PUT", "/v1/jobs/{job}", job_handler(context, update_job_v1), kAny},
      {"DELETE", "/v1/jobs/{job}", job_handler(context, delete_job), kIgnore},
      {"POST", "/v0/scheduled-jobs", plain_handler(context, create_job_v0), kAny},
      {"PUT", "/v0/scheduled-jobs/{job}", job_handler(context, update_job_v0), kAny},
  };
}

}  // namespace docket::metronome
