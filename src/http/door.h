#pragma once

// A door: one API as data. Routes, and the quirks in which APIs differ, so that the server has no
// special case of any.

#include <cstddef>
#include <string>
#include <vector>

#include "http/message.h"

namespace docket::http {

// Pages of strangers can send a body of any other type than JSON without asking, so that a handler
// must not take for JSON what is not called so.
enum class BodyRule {
  kIgnore,    // read and dropped (within the limit); the handler sees an empty body
  kJson,      // Content-Type must be application/json or text/json, else the door's 415
  kOptional,  // may be absent; what is there must be as for kJson
  kIfJson,    // likewise, but of another type it is dropped
  kAny,       // handed over as it came: the handler looks at its type
};

struct Route {
  std::string method;  // GET routes answer HEAD too
  // "/v1/jobs/{job}/runs": literal segments and one-segment captures. The last may be {rest...}:
  // everything below, also nothing; never a path with "." or ".." segments.
  std::string pattern;
  Handler handler;
  BodyRule body = BodyRule::kIgnore;
  // A document that says nothing but what is in the program or means no harm: pages of any origin,
  // and users that are not served otherwise, may read it. A gate is still asked.
  bool is_public = false;
};

// A failure that HTTP itself found, before or without a handler; the door renders it in its own
// shape.
struct Failure {
  int status = 500;          // 400, 401, 403, 404, 405, 408, 413, 414, 415, 421, 431, 500, 503
  std::string message = {};  // a plain text; doors with their own words choose by status
  std::string path = {};     // the request's path as the client sent it (without query)
  bool at_gate = false;      // 401 and 403: the mount's gate refuses, not the server itself
};

struct Door {
  std::string name;  // "metronome": the flag and config key of its port
  std::vector<Route> routes;
  std::function<Response(const Failure&)> envelope;  // none: {"message":"..."}
  std::size_t body_limit = 1 << 20;                  // bytes; more is 413
  bool collapse_slashes = true;      // "//" is "/", and one trailing slash is dropped
  bool wrong_method_is_404 = false;  // else 405 with Allow
  // As in the original: pages of other origins may ask with a token of the access list.
  bool tokens_cross_origins = false;
  std::string server_header = "docket";
  // Of a 503 by the server itself, in Retry-After; zero leaves the header out, for clients that
  // cannot bear it.
  int retry_after_s = 1;
};

// What a route's rule says of a request with or without a body: 0, 415, or 401 where a caller that
// nobody knows would send one.
int body_refusal(const Route& route, const Request& request, bool has_body);
// Whether its handler gets to see it.
bool keeps_body(const Route& route, const Request& request);

}  // namespace docket::http
