// How long ended tasks are shown: scylla-tasks.md section 3, "ttl, user_ttl". Not stored: a server
// starts with the values of its configuration.

#include <utility>

#include "core/json_writer.h"
#include "dialects/scylla/routes.h"

namespace docket::scylla {
namespace {

using engine::Engine;

http::Response seconds_response(Duration ttl) {
  std::string body;
  JsonWriter(body).value(std::chrono::duration_cast<std::chrono::seconds>(ttl).count());
  return json_response(std::move(body));
}

void get_ttl(const ContextPtr& context, http::Request, http::Reply reply) {
  answer(context, reply,
         [](Engine& engine, Time) { return seconds_response(engine.settings().task_ttl); });
}

void get_user_ttl(const ContextPtr& context, http::Request, http::Reply reply) {
  answer(context, reply,
         [](Engine& engine, Time) { return seconds_response(engine.settings().user_task_ttl); });
}

// Both answer with the previous value.
void set_ttl(const ContextPtr& context, http::Request request, http::Reply reply) {
  const auto ttl = mandatory_unsigned(request, "ttl");
  if (!ttl) return reply(ttl.error());
  answer(context, reply, [ttl = std::chrono::seconds{*ttl}](Engine& engine, Time) {
    const Duration before = engine.settings().task_ttl;
    engine.set_task_ttls(ttl, engine.settings().user_task_ttl);
    return seconds_response(before);
  });
}

void set_user_ttl(const ContextPtr& context, http::Request request, http::Reply reply) {
  const auto ttl = mandatory_unsigned(request, "user_ttl");
  if (!ttl) return reply(ttl.error());
  answer(context, reply, [ttl = std::chrono::seconds{*ttl}](Engine& engine, Time) {
    const Duration before = engine.settings().user_task_ttl;
    engine.set_task_ttls(engine.settings().task_ttl, ttl);
    return seconds_response(before);
  });
}

}  // namespace

std::vector<http::Route> ttl_routes(const ContextPtr& context) {
  return {route(context, "GET", "/task_manager/ttl", get_ttl),
          route(context, "POST", "/task_manager/ttl", set_ttl),
          route(context, "GET", "/task_manager/user_ttl", get_user_ttl),
          route(context, "POST", "/task_manager/user_ttl", set_user_ttl)};
}

}  // namespace docket::scylla
