#include "dialects/lcm/lcm.h"

#include "dialects/lcm/routes.h"
#include "dialects/lcm/wire.h"

namespace docket::lcm {
namespace {

std::string_view type_of(int status) {
  switch (status) {
    case 401:
      return "NotAuthenticated";
    case 403:
      return "NotAuthorized";
    case 404:
      return "NotFound";
    case 405:
      return "MethodNotAllowed";
    default:
      return status >= 500 ? "ServerError" : "ValidationError";
  }
}

http::Response failure_response(const http::Failure& failure) {
  const bool old = failure.path.find("/api/v1/") != std::string::npos;
  return error_response(old ? Version::kV1 : Version::kV2,
                        {failure.status, type_of(failure.status), failure.message});
}

}  // namespace

std::shared_ptr<const http::Door> make_lcm_door(engine::Loop& loop) {
  auto door = std::make_shared<http::Door>();
  door->name = "lcm";
  door->envelope = failure_response;
  door->retry_after_s = 0;  // a client's retry adapter breaks on it
  door->routes = model_routes(loop);
  return door;
}

}  // namespace docket::lcm
