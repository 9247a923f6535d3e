#include "dialects/native/native.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "dialects/native/answer.h"
#include "dialects/native/routes.h"

namespace docket::native {

namespace {

http::Response failure_response(const http::Failure& failure) {
  http::Response response = problem(failure.status, failure.message);
  if (failure.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace

http::Gate gate() {
  return {.resource = "docket:native", .read = http::Action::kRead, .write = http::Action::kFull};
}

http::Route route(const ContextPtr& context, const char* method, const char* pattern, Action action,
                  http::BodyRule body) {
  return {.method = method,
          .pattern = pattern,
          .handler = [context, action](
                         http::Request request,
                         http::Reply reply) { action(*context, request, std::move(reply)); },
          .body = body};
}

std::shared_ptr<const http::Door> make_native_door(engine::Loop& loop, engine::Archive& archive,
                                                   const NativeSettings& settings) {
  constexpr std::array kTables{job_routes,        schedule_routes, ledger_routes,  run_routes,
                               task_routes,       report_routes,   event_routes,   log_routes,
                               lock_routes,       secret_routes,   explain_routes, status_routes,
                               maintenance_routes};
  const auto context = std::make_shared<const Context>(
      Context{.loop = loop, .archive = archive, .settings = settings});
  auto door = std::make_shared<http::Door>();
  door->name = "native";
  door->body_limit = settings.body_limit;
  door->envelope = failure_response;
  for (const auto& table : kTables) {
    Routes routes = table(context);
    std::move(routes.begin(), routes.end(), std::back_inserter(door->routes));
  }
  return door;
}

}  // namespace docket::native
