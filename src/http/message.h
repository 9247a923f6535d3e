#pragma once

// Plain requests and responses: what a door sees of HTTP. No Beast here, so that doors compile
// quickly.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/access.h"

namespace docket::http {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // upper case; HEAD arrives as GET (the server drops the body again)
  // As routed: the mount's prefix removed, slashes collapsed where the door says so, still
  // percent-encoded.
  std::string path;
  std::vector<std::string> params;  // the route's {captures}, percent-decoded, in order
  Fields query;                     // percent-decoded, '+' is a blank, in order, repeats kept
  Fields headers;                   // names in lower case
  std::string body;
  std::string remote;               // peer address
  IdentityPtr identity = anyone();  // who asks; null: nobody the access list knows

  // The last value of a query parameter or header; nullopt when absent.
  std::optional<std::string_view> query_value(std::string_view name) const;
  std::optional<std::string_view> header(std::string_view lower_case_name) const;
};

// A body that is produced piece by piece (SSE, log following, long lists): the connection pulls, so
// a slow client slows the source and never grows memory. Destroyed when the client goes away.
class BodyStream {
 public:
  using Next = std::function<void(std::optional<std::string> chunk)>;  // nullopt: the end
  virtual ~BodyStream() = default;
  // Gives one chunk, now or later, from any thread, exactly once per call. Never called again
  // before it has.
  virtual void next(Next done) = 0;
  // What to send when the stream has been silent for Limits::heartbeat, so that proxies and the
  // kernel notice dead clients. A stream with a heartbeat is live (it has no end of its own):
  // Server::stop ends it at once, others may run until the deadline.
  virtual std::string heartbeat() const { return {}; }
};

struct Response {
  int status = 200;
  std::string content_type = {};  // empty: no Content-Type header
  std::string body = {};
  Fields headers = {};
  // When set, sent chunked after the headers instead of body; shared with its source.
  std::shared_ptr<BodyStream> stream = {};
};

// Answers one request. Callable once, from any thread; dropping it unanswered sends the door's 500.
using Reply = std::function<void(Response)>;
using Handler = std::function<void(Request, Reply)>;

}  // namespace docket::http
