#pragma once

// Answers of this door: JSON bodies, and problems (RFC 9457) for everything that goes wrong.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "http/message.h"

namespace docket::native {

http::Response json_response(std::string body, int status = 200);

// {"type","title","status","detail","errors":[{"path","message"}]}; errors only when there are any.
http::Response problem(int status, std::string_view detail,
                       const std::vector<FieldError>& errors = {});
// The one table from kinds of errors to statuses. kInvalid is 422: the body is JSON, but not valid.
http::Response problem(const Error& error);
// The error of a reader in read_job.h: 400 when the body is not JSON at all, else 422.
http::Response bad_body(const Error& error);
// 400: the query string or a path parameter is wrong.
http::Response bad_query(const std::vector<FieldError>& errors);

// Makes the `done` callback of Loop::call: answers the result's body with this status, or its
// problem.
std::function<void(Result<std::string>)> answer_json(http::Reply reply, int status = 200);
// The same for calls that have no result to show: 204.
std::function<void(Result<bool>)> answer_nothing(http::Reply reply);

// A body, and the location of the thing created.
struct Created {
  std::string body;
  std::string location;  // below the prefix: "/jobs/prod.email"
};
std::function<void(Result<Created>)> answer_created(http::Reply reply);

}  // namespace docket::native
