#include "core/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <cmath>
#include <new>
#include <string>

namespace docket {
namespace {

// Most requests fit; a larger one makes the parser allocate its scratch space.
constexpr std::size_t kScratchBytes = 4096;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

using boost::json::error_code;
using boost::json::string_view;

// Builds the value as Boost.JSON's own parser does, except for doubles: that parser may be off in
// the last digit, so that a number written and read back would differ.
struct ValueBuilder {
  // NOLINTBEGIN(readability-identifier-naming): Boost.JSON's names
  static constexpr std::size_t max_object_size = boost::json::object::max_size();
  static constexpr std::size_t max_array_size = boost::json::array::max_size();
  static constexpr std::size_t max_key_size = boost::json::string::max_size();
  static constexpr std::size_t max_string_size = boost::json::string::max_size();
  // NOLINTEND(readability-identifier-naming)

  ValueBuilder(unsigned char* scratch, std::size_t size) : stack({}, scratch, size) {
    stack.reset();
  }

  bool on_double(double estimate, string_view text, error_code&) {
    double number = estimate;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    // Too large, or so small that it is zero: the estimate says which.
    if (read.ec == std::errc::result_out_of_range) number = estimate;
    if (!std::isfinite(number)) return !(number_too_large = true);
    stack.push_double(number);
    return true;
  }
  bool on_int64(std::int64_t number, string_view, error_code&) {
    return stack.push_int64(number), true;
  }
  bool on_uint64(std::uint64_t number, string_view, error_code&) {
    return stack.push_uint64(number), true;
  }
  bool on_key_part(string_view part, std::size_t, error_code&) {
    return stack.push_chars(part), true;
  }
  bool on_key(string_view rest, std::size_t, error_code&) { return stack.push_key(rest), true; }
  bool on_string_part(string_view part, std::size_t, error_code&) {
    return stack.push_chars(part), true;
  }
  bool on_string(string_view rest, std::size_t, error_code&) {
    return stack.push_string(rest), true;
  }
  bool on_array_end(std::size_t size, error_code&) { return stack.push_array(size), true; }
  bool on_object_end(std::size_t size, error_code&) { return stack.push_object(size), true; }
  bool on_bool(bool flag, error_code&) { return stack.push_bool(flag), true; }
  bool on_null(error_code&) { return stack.push_null(), true; }
  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_number_part(string_view, error_code&) { return true; }  // the whole text is given at once
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

  boost::json::value_stack stack;
  bool number_too_large = false;
};

// For people, who think in lines; for a single line the byte is enough.
std::string place_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  if (newline == std::string_view::npos) return fmt::format("byte {}", offset);
  return fmt::format("byte {} (line {}, column {})", offset, 1 + std::ranges::count(before, '\n'),
                     offset - newline);
}

tl::unexpected<Error> not_json(std::string_view text, std::size_t offset, std::string_view reason) {
  return fail(ErrorKind::kInvalid,
              fmt::format("not JSON at {}: {}", place_of(text, offset), reason));
}

Result<boost::json::value> parse_unguarded(std::string_view text) {
  if (std::ranges::all_of(text, is_blank)) {
    return fail(ErrorKind::kInvalid, "not JSON: it is empty");
  }
  boost::json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  std::array<unsigned char, kScratchBytes> scratch;
  boost::json::basic_parser<ValueBuilder> parser(options, scratch.data(), scratch.size());
  error_code error;
  std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (parser.handler().number_too_large) {
    return fail(ErrorKind::kInvalid, "not JSON: a number is too large");
  }
  if (error) return not_json(text, used, error.message());
  while (used < text.size() && is_blank(text[used])) ++used;
  if (used < text.size()) return not_json(text, used, "unexpected text after the value");
  return parser.handler().stack.release();
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
