// Information about the server: metronome.md sections 1 and 10.

#include <algorithm>
#include <utility>

#include "core/json_writer.h"
#include "dialects/metronome/metrics.h"
#include "dialects/metronome/routes.h"

namespace docket::metronome {
namespace {

void ping(const Context&, Call call) {
  call.reply({.status = 200, .content_type = "text/plain; charset=utf-8", .body = "pong"});
}

void show_info(const Context& context, Call call) {
  const MetronomeSettings& settings = context.settings;
  std::string body;
  JsonWriter json(body);
  json.begin_object().member("version", settings.version);
  json.member("libVersion", settings.library_version).key("config").begin_object();
  for (const auto& [key, value] : settings.config) json.member(key, value);
  json.end_object().end_object();
  call.reply(json_response(200, std::move(body)));
}

void show_leader(const Context& context, Call call) {
  const std::string& leader = context.settings.leader;
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  if (leader.empty()) {
    json.member("message", "There is no leader");
  } else {
    json.member("leader", leader);
  }
  json.end_object();
  call.reply(json_response(leader.empty() ? 404 : 200, std::move(body)));
}

MetricsReading read_engine(const engine::Engine& engine, Time started_at, Time now) {
  MetricsReading reading;
  for (const auto& [id, entry] : engine.jobs()) {
    if (is_shown(entry->job())) reading.active_runs += entry->active.size();
  }
  reading.started_runs = engine.counters().runs_started;
  reading.failed_runs = engine.counters().runs_failed;
  reading.uptime_seconds = std::max(0.0, std::chrono::duration<double>(now - started_at).count());
  return reading;
}

// The meters live as long as the route, on the strand.
http::Handler metrics_handler(ContextPtr context) {
  auto meters = std::make_shared<std::array<RateMeter, 5>>();  // shared by the handler's copies
  return [context = std::move(context), meters](http::Request request, http::Reply reply) {
    auto work = [context, meters](engine::Engine& engine, Time now) -> Result<http::Response> {
      const MetronomeSettings& settings = context->settings;
      MetricsReading reading = read_engine(engine, settings.started_at, now);
      reading.counts_responses = settings.http_responses != nullptr;
      if (reading.counts_responses) {
        const auto counts = settings.http_responses();
        for (std::size_t i = 0; i < counts.size(); ++i) (*meters)[i].read(counts[i], now);
      }
      return json_response(200, metrics_body(reading, *meters));
    };
    Names names{.path = request.path, .job = {}, .schedule = {}, .run = {}};
    request.identity = http::anyone();  // needs no permission (section 9)
    answer(*context, {std::move(request), std::move(reply), std::move(names)}, std::move(work));
  };
}

}  // namespace

std::vector<http::Route> info_routes(const ContextPtr& context) {
  using enum http::BodyRule;
  constexpr bool kPublic = true;  // these need no permission (section 9)
  return {
      {"GET", "/ping", plain_handler(context, ping), kIgnore, kPublic},
      {"GET", "/info", plain_handler(context, show_info), kIgnore, kPublic},
      {"GET", "/leader", plain_handler(context, show_leader), kIgnore, kPublic},
      {"GET", "/v1/metrics", metrics_handler(context), kIgnore, kPublic},
  };
}

}  // namespace docket::metronome
