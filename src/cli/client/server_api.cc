#include "cli/client/server_api.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "cli/client/json_access.h"
#include "core/json.h"
#include "core/json_writer.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kUnknownRoute = "Unknown route.";

ErrorKind kind_of(int status) {
  switch (status) {
    case 401:
    case 403:
      return ErrorKind::kDenied;
    case 404:
      return ErrorKind::kNotFound;
    case 409:
      return ErrorKind::kConflict;
    case 503:
      return ErrorKind::kUnavailable;
    case 507:
      return ErrorKind::kExhausted;
    default:
      return status / 100 == 4 ? ErrorKind::kInvalid : ErrorKind::kInternal;
  }
}

// Metronome uses `message`, the native API (RFC 9457) `detail` or at least `title`.
std::string message_of(const json::value& body) {
  for (const char* name : {"message", "detail", "title"}) {
    if (std::string text = text_at(body, name); !text.empty()) return text;
  }
  return {};
}

std::vector<FieldError> details_of(const json::value& body) {
  std::vector<FieldError> fields;
  for (const json::value& detail : array_at(body, "details")) {
    FieldError& field = fields.emplace_back(FieldError{text_at(detail, "path"), {}});
    for (const json::value& text : array_at(detail, "errors")) {
      if (text.is_string()) field.errors.emplace_back(text.get_string());
    }
  }
  for (const json::value& error : array_at(body, "errors")) {  // the native API
    fields.push_back({text_at(error, "path"), {text_at(error, "message")}});
  }
  return fields;
}

// The permission to ask for, unless the message names it already.
std::string missing_permission(const HttpResponse& response, const std::string& said) {
  const std::string& permission = response.permission;
  if (permission.empty() || said.find(permission) != std::string::npos) return {};
  return "; this needs the permission " + permission;
}

// Refusals by a proxy or by the cluster's front router, which do not answer in JSON.
Error foreign_refusal(const HttpResponse& response) {
  if (response.status == 401) {
    return {ErrorKind::kDenied,
            "authentication failed, please set DOCKET_TOKEN, or `token` in "
            "~/.config/docket/config.toml"};
  }
  if (response.status == 403) {
    return {ErrorKind::kDenied,
            "you are not authorized to perform this operation" + missing_permission(response, {})};
  }
  const ErrorKind kind = response.status == 404 ? ErrorKind::kInternal : kind_of(response.status);
  return {kind, std::to_string(response.status) + " - the answer is not that of a docket server"};
}

Error refusal(const HttpResponse& response) {
  const auto body = parse_json(response.body);
  if (!body || !body->is_object()) return foreign_refusal(response);
  const std::string message = message_of(*body);
  Error error{
      kind_of(response.status),
      std::to_string(response.status) + " - " + message + missing_permission(response, message),
      details_of(*body)};
  // A missing route says nothing about the requested job.
  if (response.status == 404 && message == kUnknownRoute) error.kind = ErrorKind::kInternal;
  return error;
}

bool lacks_route(const HttpResponse& response) {
  if (response.status != 404) return false;
  const auto body = parse_json(response.body);
  return body && text_at(*body, "message") == kUnknownRoute;
}

Error unreachable(const std::string& url, const Error& cause) {
  std::string text = "cannot reach " + url + ": " + cause.message;
  if (cause.kind == ErrorKind::kUnavailable) text += " (is `docket serve` running there?)";
  return {cause.kind, std::move(text)};
}

}  // namespace

std::string ServerApi::url_of(const Call& call) const {
  if (call.door == Door::kNative) return settings_.url + "/docket/v1" + call.path;
  if (call.door == Door::kTasks) return settings_.url + call.path;
  // A base URL that includes the door already, as `job.url` of the dcos configuration does.
  if (settings_.url.ends_with("/service/metronome")) return settings_.url + call.path;
  return settings_.url + metronome_prefix_ + call.path;
}

Result<HttpResponse> ServerApi::send(const Call& call, const BodySink& sink) {
  HttpRequest request{.method = std::string(call.method), .url = url_of(call)};
  request.token = settings_.token;
  request.stream = sink;
  if (call.body != nullptr) {
    request.content_type = "application/json";
    request.body = to_json(*call.body);
  }
  auto response = http_.send(request);
  if (!response) return fail(unreachable(settings_.url, response.error()));
  return response;
}

Result<HttpResponse> ServerApi::exchange(const Call& call, BodySink sink) {
  auto response = send(call, sink);
  if (response && call.door == Door::kMetronome && !metronome_prefix_.empty() &&
      lacks_route(*response)) {
    metronome_prefix_.clear();
    response = send(call, sink);
  }
  if (response && response->status / 100 != 2) return fail(refusal(*response));
  return response;
}

Result<HttpResponse> ServerApi::ask(const Call& call, bool patient) {
  if (!patient) return send(call, {});
  std::string body;
  auto response = send(call, [&body](std::string_view piece) {
    body.append(piece);
    return true;
  });
  if (response && !body.empty()) response->body = std::move(body);
  return response;
}

Result<json::value> ServerApi::call(const Call& call) {
  auto body = text(call);
  if (!body) return fail(body.error());
  if (body->empty()) return json::value(nullptr);
  auto value = parse_json(*body);
  if (!value)
    return fail(ErrorKind::kInternal, settings_.url + " answered " + value.error().message);
  return value;
}

Result<std::string> ServerApi::text(const Call& call) {
  auto response = exchange(call, {});
  if (!response) return fail(response.error());
  return std::move(response->body);
}

Result<void> ServerApi::stream(const Call& call, BodySink sink) {
  auto response = exchange(call, std::move(sink));
  if (!response) return fail(response.error());
  return {};
}

}  // namespace docket::cli
