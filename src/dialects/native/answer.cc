#include "dialects/native/answer.h"

#include <utility>

#include "core/json_writer.h"
#include "dialects/native/native.h"
#include "http/envelope.h"

namespace docket::native {
namespace {

// Stable names of problems, for programs. The status alone determines the name.
std::string_view problem_name(int status) {
  switch (status) {
    case 400:
      return "bad-request";
    case 403:
      return "denied";
    case 404:
      return "not-found";
    case 405:
      return "method-not-allowed";
    case 408:
      return "request-timeout";
    case 409:
      return "conflict";
    case 412:
      return "changed-meanwhile";
    case 413:
      return "body-too-large";
    case 415:
      return "unsupported-media-type";
    case 422:
      return "invalid";
    case 503:
      return "unavailable";
    case 504:
      return "timeout";
    case 507:
      return "exhausted";
    default:
      return status < 500 ? "bad-request" : "internal";
  }
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
      return 507;
    case ErrorKind::kUnavailable:
    case ErrorKind::kCancelled:
      return 503;
    case ErrorKind::kTimeout:
      return 504;
    case ErrorKind::kInternal:
      break;
  }
  return 500;
}

void write_errors(JsonWriter& out, const std::vector<FieldError>& errors) {
  out.key("errors").begin_array();
  for (const FieldError& field : errors) {
    for (const std::string& message : field.errors) {
      out.begin_object().member("path", field.path).member("message", message).end_object();
    }
  }
  out.end_array();
}

}  // namespace

http::Response json_response(std::string body, int status) {
  return {.status = status, .content_type = "application/json", .body = std::move(body)};
}

http::Response problem(int status, std::string_view detail, const std::vector<FieldError>& errors) {
  http::Response response{.status = status, .content_type = "application/problem+json"};
  JsonWriter out(response.body);
  out.begin_object().member("type", "urn:docket:problem:" + std::string(problem_name(status)));
  out.member("title", http::reason_phrase(status))
      .member("status", status)
      .member("detail", detail);
  if (!errors.empty()) write_errors(out, errors);
  out.end_object();
  return response;
}

http::Response problem(const Error& error) {
  return problem(status_of(error.kind), error.message, error.fields);
}

http::Response bad_body(const Error& error) {
  const bool not_json = error.kind == ErrorKind::kInvalid && error.fields.empty();
  return not_json ? problem(400, "The body is " + error.message) : problem(error);
}

http::Response bad_query(const std::vector<FieldError>& errors) {
  return problem(400, "The query is not valid", errors);
}

std::function<void(Result<std::string>)> answer_json(http::Reply reply, int status) {
  return [reply = std::move(reply), status](Result<std::string> body) {
    reply(body ? json_response(*std::move(body), status) : problem(body.error()));
  };
}

std::function<void(Result<bool>)> answer_nothing(http::Reply reply) {
  return [reply = std::move(reply)](const Result<bool>& done) {
    reply(done ? http::Response{.status = 204} : problem(done.error()));
  };
}

std::function<void(Result<Created>)> answer_created(http::Reply reply) {
  return [reply = std::move(reply)](Result<Created> made) {
    if (!made) return reply(problem(made.error()));
    http::Response response = json_response(std::move(made->body), 201);
    response.headers.emplace_back("Location", kPrefix + made->location);
    reply(std::move(response));
  };
}

}  // namespace docket::native
