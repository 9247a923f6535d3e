#pragma once

// A door: one API as data. Its routes and its peculiarities are described here, so that the server
// has no special case for any API.

#include <cstddef>
#include <string>
#include <vector>

#include "http/message.h"

namespace docket::http {

// Foreign web pages can send a body of any type but JSON without a preflight, so a handler must not
// treat a body as JSON unless it is declared as such.
enum class BodyRule {
  kIgnore,    // read and dropped (within the limit); the handler sees an empty body
  kJson,      // Content-Type must be application/json or text/json, else the door's 415
  kOptional,  // may be absent; otherwise as kJson
  kIfJson,    // as kOptional, but a body of another type is dropped
  kAny,       // passed on unchanged: the handler checks its type
};

struct Route {
  std::string method;  // GET routes answer HEAD too
  // "/v1/jobs/{job}/runs": literal segments and one-segment captures. The last may be {rest...},
  // which matches everything below, even nothing, but never a path with "." or ".." segments.
  std::string pattern;
  Handler handler;
  BodyRule body = BodyRule::kIgnore;
  // A document that reveals nothing beyond the program itself, or is harmless: pages of any origin
  // may read it, and users who are not served otherwise. A gate still applies.
  bool is_public = false;
};

// A failure that HTTP itself found, before or without a handler; the door renders it in its own
// format.
struct Failure {
  int status = 500;          // 400, 401, 403, 404, 405, 408, 413, 414, 415, 421, 431, 500, 503
  std::string message = {};  // plain text; doors with their own messages go by status
  std::string path = {};     // the request's path as the client sent it (without query)
  bool at_gate = false;      // 401 and 403: the mount's gate refused, not the server
};

struct Door {
  std::string name;  // "metronome": the flag and config key of its port
  std::vector<Route> routes;
  std::function<Response(const Failure&)> envelope;  // none: {"message":"..."}
  std::size_t body_limit = 1 << 20;                  // bytes; more is 413
  bool collapse_slashes = true;      // "//" is "/", and one trailing slash is dropped
  bool wrong_method_is_404 = false;  // else 405 with Allow
  // As in the original: pages of other origins may send requests with a token of the access list.
  bool tokens_cross_origins = false;
  std::string server_header = "docket";
  // Retry-After in a 503 by the server itself; zero omits the header, for clients that cannot
  // handle it.
  int retry_after_s = 1;
};

// What a route's rule says about a request with or without a body: 0, 415, or 401 if an unknown
// caller would send one.
int body_refusal(const Route& route, const Request& request, bool has_body);
// Whether the handler gets the body.
bool keeps_body(const Route& route, const Request& request);

}  // namespace docket::http
