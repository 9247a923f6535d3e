#pragma once

// JSON input. Strict RFC 8259: one value, UTF-8, no comments, no trailing commas, nothing after
// the value but white space. Of members with the same name the last one counts. Callers include
// <boost/json/object.hpp> and the like themselves.

#include <boost/json/value.hpp>
#include <cstddef>
#include <string_view>

#include "core/result.h"

namespace docket {

// How deep arrays and objects may nest. Deeper text is refused, so that walking a value
// recursively is always safe.
inline constexpr std::size_t kMaxJsonDepth = 32;

// kInvalid with the place: "not JSON at byte 17: expected comma". Numbers that no double holds
// (1e400) are refused.
Result<boost::json::value> parse_json(std::string_view text);

}  // namespace docket
