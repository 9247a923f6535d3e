#include "dialects/metronome/routes.h"

#include <fmt/format.h>

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "core/json.h"
#include "dialects/metronome/ids.h"
#include "http/wire.h"

namespace docket::metronome {

http::Handler plain_handler(ContextPtr context, CallHandler handler) {
  return [context = std::move(context), handler](http::Request request, http::Reply reply) {
    Names names{.path = request.path, .job = {}, .schedule = {}, .run = {}};
    handler(*context, {std::move(request), std::move(reply), std::move(names)});
  };
}

http::Handler job_handler(ContextPtr context, CallHandler handler, Second second) {
  return [context = std::move(context), handler, second](http::Request request, http::Reply reply) {
    auto job = job_id_of_path(request.params[0]);
    if (!job) {
      return reply(
          framework_error(400, fmt::format("Not a valid id: {}", request.params[0]), request.path));
    }
    Names names{.path = request.path, .job = std::move(*job), .schedule = {}, .run = {}};
    if (second == Second::kSchedule) names.schedule = request.params[1];
    if (second == Second::kRun) names.run = request.params[1];
    handler(*context, {std::move(request), std::move(reply), std::move(names)});
  };
}

bool admit(const Call& call) {
  if (call.request.identity) return true;
  call.reply(unauthenticated());
  return false;
}

void answer(const Context& context, Call call, Work work) {
  if (!admit(call)) return;
  context.loop.call<http::Response>(
      std::move(work), [reply = std::move(call.reply),
                        names = std::move(call.names)](Result<http::Response> response) {
        reply(response ? std::move(*response) : error_response(response.error(), names));
      });
}

tl::expected<boost::json::value, http::Response> json_body(const http::Request& request) {
  if (!http::is_json_type(request.header("content-type").value_or(""))) {
    return tl::unexpected(
        framework_error(415, "Expecting text/json or application/json body", request.path));
  }
  auto body = parse_json(request.body);
  if (body) return std::move(*body);
  return tl::unexpected(
      framework_error(400, fmt::format("Invalid Json: {}", body.error().message), request.path));
}

}  // namespace docket::metronome
