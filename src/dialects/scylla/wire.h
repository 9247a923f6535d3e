#pragma once

// How seastar's httpd and this API's handlers treat parameters and errors (scylla-tasks.md section
// 1): one error body everywhere, and texts of C++ exceptions that clients match.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "http/message.h"

namespace docket::scylla {

template <class T>
using Wire = tl::expected<T, http::Response>;

// {"message":"...","code":N}
http::Response error_response(int status, std::string_view message);
http::Response json_response(std::string body);
http::Response void_response();  // 200 without a body

http::Response task_not_found(std::string_view uuid);  // 400
http::Response module_not_found(std::string_view name, int status = 400);
http::Response missing_parameter(std::string_view name);  // 400

// A uuid as clients write it, with or without dashes, as 8-4-4-4-12 in lower case; else 500 with
// the text of the exception.
Wire<std::string> parse_uuid(std::string_view text);
// An unsigned 32-bit number; "-1" wraps, as in the original's cast. Else `status`.
Wire<std::uint32_t> parse_unsigned(std::string_view text, int status);
// Absent or empty gives `otherwise`; a value that is not a boolean is 400.
Wire<bool> bool_parameter(const http::Request& request, std::string_view name, bool otherwise);
// Missing or empty is 400; otherwise as parse_unsigned with 400.
Wire<std::uint32_t> mandatory_unsigned(const http::Request& request, std::string_view name);

}  // namespace docket::scylla
