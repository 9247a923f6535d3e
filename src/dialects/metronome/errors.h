#pragma once

// Every error body of this API, in one place (metronome.md section 2).

#include <string>
#include <string_view>

#include "core/result.h"
#include "http/door.h"
#include "http/message.h"

namespace docket::metronome {

// What a request's path names; error bodies repeat it.
struct Names {
  std::string path;      // of the request, without mount and query
  std::string job;       // normalised
  std::string schedule;  // "" where the route has none
  std::string run;
};

http::Response json_response(int status, std::string body);

// Statuses and bodies for the errors of the engine and of validation.
http::Response error_response(const Error& error, const Names& names);

// {"message":"...","requestPath":"..."}, the message HTML-escaped: errors of the framework.
http::Response framework_error(int status, std::string_view message, std::string_view path);

// For a caller that the access list does not know, at the API itself; the router in front of it
// answers in HTML (see failure_response).
http::Response unauthenticated();

// For failures of HTTP itself: unknown routes, bodies too large, faults.
http::Response failure_response(const http::Failure& failure);

}  // namespace docket::metronome
