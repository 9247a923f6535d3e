#include "core/json.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/parser.hpp>
#include <cmath>
#include <new>
#include <string>

namespace docket {
namespace {

// Most requests fit; a larger one makes the parser allocate its scratch space.
constexpr std::size_t kScratchBytes = 4096;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Boost.JSON turns an overflowing number into an infinity. Depth is bounded by kMaxJsonDepth.
bool all_finite(const boost::json::value& value) {
  if (const double* number = value.if_double()) return std::isfinite(*number);
  if (const auto* array = value.if_array()) {
    for (const auto& element : *array) {
      if (!all_finite(element)) return false;
    }
  }
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) {
      if (!all_finite(member.value())) return false;
    }
  }
  return true;
}

tl::unexpected<Error> not_json(std::size_t offset, std::string_view reason) {
  return fail(ErrorKind::kInvalid, fmt::format("not JSON at byte {}: {}", offset, reason));
}

Result<boost::json::value> parse_unguarded(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  std::array<unsigned char, kScratchBytes> scratch;
  boost::json::parser parser({}, options, scratch.data(), scratch.size());
  boost::json::error_code error;
  std::size_t used = parser.write_some(text.data(), text.size(), error);
  if (error) return not_json(used, error.message());
  while (used < text.size() && is_blank(text[used])) ++used;
  if (used < text.size()) return not_json(used, "unexpected text after the value");
  boost::json::value value = parser.release();
  if (!all_finite(value)) return fail(ErrorKind::kInvalid, "not JSON: a number is too large");
  return value;
}

}  // namespace

Result<boost::json::value> parse_json(std::string_view text) {
  try {
    return parse_unguarded(text);
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::kExhausted, "not enough memory for this JSON");
  }
}

}  // namespace docket
