#pragma once

// One HTTP exchange, blocking. An interface because tests speak to canned answers; the real one is
// libcurl.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace docket::cli {

// Called with each piece of a body as it comes; false ends the exchange, which then counts as done.
using BodySink = std::function<bool(std::string_view)>;

struct HttpRequest {
  std::string method = "GET";
  std::string url = {};
  std::string token = {};         // goes out as `Authorization: token=...`
  std::string content_type = {};  // of `body`; empty: there is no body
  std::string body = {};
  BodySink stream =
      {};  // takes the body of a 2xx answer instead of HttpResponse, without time limit
};

struct HttpResponse {
  int status = 0;
  std::string content_type = {};
  std::string body = {};
  std::string permission = {};  // of a refusal: the one that is missing, if the server says so
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // kUnavailable when nobody is there, kCancelled when the connection ended before the answer did,
  // kTimeout when it did not come in time; any status is an answer.
  virtual Result<HttpResponse> send(const HttpRequest& request) = 0;
};

struct HttpTimeouts {
  long connect_ms = 5'000;
  long answer_ms = 60'000;
};

std::unique_ptr<HttpClient> make_curl_client(HttpTimeouts timeouts = {});

}  // namespace docket::cli
