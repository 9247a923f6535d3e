#include "http/door.h"

#include "http/wire.h"

namespace docket::http {
namespace {

bool has_json_type(const Request& request) {
  return is_json_type(request.header("content-type").value_or(std::string_view()));
}

}  // namespace

int body_refusal(const Route& route, const Request& request, bool has_body) {
  if (route.body == BodyRule::kIgnore) return 0;
  if (!request.identity) return 401;
  const bool wants_json =
      route.body == BodyRule::kJson || (route.body == BodyRule::kOptional && has_body);
  return wants_json && !has_json_type(request) ? 415 : 0;
}

bool keeps_body(const Route& route, const Request& request) {
  if (route.body == BodyRule::kIgnore) return false;
  return route.body != BodyRule::kIfJson || has_json_type(request);
}

}  // namespace docket::http
