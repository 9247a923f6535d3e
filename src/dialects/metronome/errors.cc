#include "dialects/metronome/errors.h"

#include <fmt/format.h>

#include <utility>

#include "core/json_writer.h"

namespace docket::metronome {
namespace {

// The path under which a cluster's front router publishes this API. The original never sees the
// prefix, so its error bodies do not have it.
constexpr std::string_view kRouterPrefix = "/service/metronome";

// The scheme of a cluster whose jobs have permissions.
constexpr std::pair<const char*, const char*> kChallenge{"WWW-Authenticate", "acsjwt"};

std::string html_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#x27;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::string not_found_body(const Error& error, const Names& names) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  if (error.subject == "run") {
    json.member("jobSpec", names.job).member("id", names.run);
    json.member("message", "Job Run not found");
  } else if (error.subject == "schedule") {
    json.member("id", names.schedule).member("message", "Schedule not found");
  } else {
    json.member("id", names.job).member("message", "Job not found");
  }
  json.end_object();
  return body;
}

std::string message_body(const Error& error) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().member("message", error.message);
  if (!error.fields.empty()) {
    json.key("details").begin_array();
    for (const FieldError& field : error.fields) {
      json.begin_object().member("path", field.path).key("errors").begin_array();
      for (const std::string& text : field.errors) json.value(text);
      json.end_array().end_object();
    }
    json.end_array();
  }
  json.end_object();
  return body;
}

std::string fault_body(std::string_view path) {
  std::string body;
  JsonWriter(body).begin_object().member("requestPath", path).end_object();
  return body;
}

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kNotFound:
      return 404;
    case ErrorKind::kConflict:
      return 409;
    case ErrorKind::kInvalid:
      return 422;
    case ErrorKind::kDenied:
      return 403;
    case ErrorKind::kExhausted:
      return 507;  // the disk is full, or the queue
    case ErrorKind::kUnavailable:
    case ErrorKind::kTimeout:
    case ErrorKind::kCancelled:
      return 503;
    case ErrorKind::kInternal:
      break;
  }
  return 500;
}

std::string_view framework_text(const http::Failure& failure) {
  switch (failure.status) {
    case 404:
    case 405:
      return "Unknown route.";
    case 413:
      return "Request Entity Too Large";
    case 415:
      return "Expecting text/json or application/json body";
    default:
      return failure.message;
  }
}

// Here the router in front of the API refuses callers, not the API itself. Its page is HTML:
// command lines tell their user to log in only if the answer is not JSON (section 9).
http::Response router_refusal(int status) {
  const std::string_view title = status == 401 ? "401 Authorization Required" : "403 Forbidden";
  http::Response response{.status = status, .content_type = "text/html"};
  response.body = fmt::format(
      "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>",
      title);
  if (status == 401) response.headers.emplace_back(kChallenge.first, kChallenge.second);
  return response;
}

}  // namespace

http::Response json_response(int status, std::string body) {
  return {.status = status, .content_type = "application/json", .body = std::move(body)};
}

http::Response error_response(const Error& error, const Names& names) {
  const int status = status_of(error.kind);
  if (status == 404) return json_response(404, not_found_body(error, names));
  if (status == 500) return json_response(500, fault_body(names.path));
  http::Response response = json_response(status, message_body(error));
  if (status == 403 && !error.subject.empty()) {
    response.headers.emplace_back(http::kPermissionHeader, error.subject);
  }
  return response;
}

http::Response framework_error(int status, std::string_view message, std::string_view path) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().member("message", html_escaped(message)).member("requestPath", path);
  json.end_object();
  return json_response(status, std::move(body));
}

http::Response unauthenticated() {
  http::Response response = json_response(401, R"({"message":"Invalid username or password."})");
  response.headers.emplace_back(kChallenge.first, kChallenge.second);
  return response;
}

http::Response failure_response(const http::Failure& failure) {
  std::string_view path = failure.path;
  if (path.starts_with(kRouterPrefix)) path.remove_prefix(kRouterPrefix.size());
  if (failure.at_gate) return router_refusal(failure.status);
  if (failure.status == 401) return unauthenticated();
  if (failure.status == 403) return json_response(403, message_body({.message = failure.message}));
  if (failure.status == 500) return json_response(500, fault_body(path));
  return framework_error(failure.status, framework_text(failure), path);
}

}  // namespace docket::metronome
