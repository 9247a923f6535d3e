#include "dialects/scylla/scylla.h"

#include <iterator>
#include <utility>

#include "dialects/scylla/openapi.h"
#include "dialects/scylla/routes.h"

namespace docket::scylla {
namespace {

http::Response failure_response(const http::Failure& failure) {
  const bool lost = failure.status == 404 || failure.status == 405;
  http::Response response =
      error_response(lost ? 404 : failure.status, lost ? "Not found" : failure.message);
  if (failure.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

// The original serves its descriptions below /api-doc too.
http::Route document_route() {
  return {.method = "GET",
          .pattern = "/api-doc/openapi.json",
          .handler =
              [](const http::Request&, const http::Reply& reply) {
                reply(json_response(std::string(openapi_document())));
              },
          .is_public = true};
}

}  // namespace

http::Gate gate() {
  return {.resource = "docket:tasks", .read = http::Action::kRead, .write = http::Action::kFull};
}

std::shared_ptr<const http::Door> make_scylla_door(engine::Loop& loop, engine::Archive& archive,
                                                   const ScyllaSettings& settings) {
  const auto context = std::make_shared<const Context>(
      Context{.loop = loop, .archive = archive, .settings = settings});
  auto door = std::make_shared<http::Door>();
  door->name = "scylla";
  door->envelope = failure_response;
  door->wrong_method_is_404 = true;
  door->server_header = "Seastar httpd";
  for (auto routes : {task_routes(context), ttl_routes(context), maintenance_routes(context)}) {
    std::move(routes.begin(), routes.end(), std::back_inserter(door->routes));
  }
  door->routes.push_back(document_route());
  if (!settings.test_api) return door;
  auto routes = test_routes(context);
  std::move(routes.begin(), routes.end(), std::back_inserter(door->routes));
  return door;
}

}  // namespace docket::scylla
