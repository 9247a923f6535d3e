#pragma once

// One HTTP exchange, blocking. An interface because tests use canned answers; the real one is
// libcurl.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace docket::cli {

// Called with each piece of a body as it arrives; false ends the exchange, which then counts as
// complete.
using BodySink = std::function<bool(std::string_view)>;

struct HttpRequest {
  std::string method = "GET";
  std::string url = {};
  std::string token = {};         // sent as `Authorization: token=...`
  std::string content_type = {};  // of `body`; empty: no body
  std::string body = {};
  BodySink stream =
      {};  // receives the body of a 2xx answer instead of HttpResponse, without a time limit
};

struct HttpResponse {
  int status = 0;
  std::string content_type = {};
  std::string body = {};
  std::string permission = {};  // of a refusal: the missing permission, if the server says so
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // kUnavailable if no server is reachable, kCancelled if the connection ended before the answer
  // did, kTimeout if it did not arrive in time; any status is an answer.
  virtual Result<HttpResponse> send(const HttpRequest& request) = 0;
};

struct HttpTimeouts {
  long connect_ms = 5'000;
  long answer_ms = 60'000;
};

std::unique_ptr<HttpClient> make_curl_client(HttpTimeouts timeouts = {});

}  // namespace docket::cli
