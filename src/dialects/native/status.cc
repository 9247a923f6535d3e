// The server itself: its status, the node it runs work on, and the description of this API.

#include <utility>

#include "core/json_writer.h"
#include "dialects/native/answer.h"
#include "dialects/native/openapi.h"
#include "dialects/native/render.h"
#include "dialects/native/routes.h"

namespace docket::native {
namespace {

using engine::Engine;

// What the engine does not know about itself.
struct LoopState {
  bool full = false;
  std::string trouble;
  bool failed = false;
  std::size_t waiters = 0;
};

void write_counters(JsonWriter& out, const Engine::Counters& counters) {
  out.begin_object().member("runsStarted", counters.runs_started);
  out.member("runsSucceeded", counters.runs_succeeded).member("runsFailed", counters.runs_failed);
  out.member("dueMissed", counters.due_missed).end_object();
}

void write_clock(JsonWriter& out, const Engine& engine, Time now) {
  out.begin_object().member("held", engine.clock().held());
  write_time(out.key("now"), now);
  write_time(out.key("trusted"), engine.trusted(now));
  out.end_object();
}

std::string render_status(const Engine& engine, const NativeSettings& settings,
                          const LoopState& loop, Time now) {
  std::string body;
  JsonWriter out(body);
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(now - settings.started_at);
  out.begin_object().member("version", settings.version);
  out.member("paused", engine.settings().paused);
  out.member("user", settings.user).member("otherUsers", settings.other_users);
  write_time(out.key("now"), now);
  write_time(out.key("startedAt"), settings.started_at);
  // If the clock was set back, the uptime is 0 and not negative.
  out.member("uptimeSeconds", std::max<std::int64_t>(uptime.count(), 0));
  out.member("jobs", engine.jobs().size());
  out.key("runs").begin_object().member("queued", engine.queue().size());
  out.member("running", engine.queue().running()).end_object();
  write_counters(out.key("counters"), engine.counters());
  out.member("waiters", loop.waiters);
  out.key("store").begin_object().member("full", loop.full).member("failed", loop.failed);
  write_text(out.key("trouble"), loop.trouble);
  out.end_object();
  write_clock(out.key("clock"), engine, now);
  out.end_object();
  return body;
}

void get_status(const Context& door, const http::Request&, http::Reply reply) {
  const LoopState loop{.full = door.loop.full(),
                       .trouble = door.loop.trouble(),
                       .failed = door.loop.failed(),
                       .waiters = door.loop.waiters()};
  door.loop.call<std::string>(
      [settings = door.settings, loop](Engine& engine, Time now) -> Result<std::string> {
        return render_status(engine, settings, loop, now);
      },
      answer_json(std::move(reply)));
}

void accept_clock(const Context& door, const http::Request&, http::Reply reply) {
  door.loop.call<std::string>(
      [](Engine& engine, Time now) -> Result<std::string> {
        engine.accept_clock();
        std::string body;
        JsonWriter out(body);
        write_clock(out, engine, now);
        return body;
      },
      answer_json(std::move(reply)));
}

void write_capacity(JsonWriter& out, const model::Demand& demand) {
  out.begin_object().member("cpus", static_cast<double>(demand.cpus_micro) / 1e6);
  out.member("mem", static_cast<double>(demand.mem_kib) / 1024);
  out.member("disk", static_cast<double>(demand.disk_kib) / 1024);
  out.member("gpus", demand.gpus).end_object();
}

void get_targets(const Context& door, const http::Request&, http::Reply reply) {
  door.loop.call<std::string>(
      [](Engine& engine, Time) -> Result<std::string> {
        const engine::NodeSettings& node = engine.settings().node;
        PageWriter page;
        JsonWriter& out = page.item();
        out.begin_object().member("id", node.hostname).member("kind", "local");
        write_capacity(out.key("capacity"), engine.queue().total());
        write_capacity(out.key("free"), engine.queue().free());
        out.key("attributes").begin_object();
        for (const auto& [name, value] : node.attributes) out.member(name, value);
        out.end_object().member("running", engine.queue().running()).end_object();
        return page.finish("");
      },
      answer_json(std::move(reply)));
}

void get_openapi(const Context&, const http::Request&, http::Reply reply) {
  reply(json_response(std::string(openapi_document())));
}

}  // namespace

Routes status_routes(const ContextPtr& door) {
  http::Route document = route(door, "GET", "/openapi.json", get_openapi);
  document.is_public = true;
  return {route(door, "GET", "/status", get_status),
          route(door, "POST", "/clock/accept", accept_clock),
          route(door, "GET", "/targets", get_targets), std::move(document)};
}

}  // namespace docket::native
