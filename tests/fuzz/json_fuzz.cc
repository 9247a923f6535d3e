// core/json and core/json_writer: what is read can be written and read again, and what is written
// is always JSON.

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/json.h"
#include "core/json_writer.h"
#include "core/utf8.h"
#include "fuzz/fuzz.h"

namespace docket::fuzz {
namespace {

namespace json = boost::json;

std::size_t depth_of(const json::value& value) {
  std::size_t below = 0;
  if (const auto* array = value.if_array()) {
    for (const json::value& item : *array) below = std::max(below, depth_of(item));
    return below + 1;
  }
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) below = std::max(below, depth_of(member.value()));
    return below + 1;
  }
  return 0;
}

void check_value(const json::value& value) {
  require(depth_of(value) <= kMaxJsonDepth, "no deeper than kMaxJsonDepth");
  const std::string line = to_json(value);
  const auto again = parse_json(line);
  require(again.has_value(), "what to_json wrote is JSON", line);
  // Numbers may change their kind (1.0 is written as 1), so the texts are compared.
  require(to_json(*again) == line, "written, read and written again is the same",
          line + "\n" + to_json(*again));
  const auto pretty = parse_json(to_pretty_json(value));
  require(pretty && to_json(*pretty) == line, "to_pretty_json differs in its blanks only", line);
}

void check_text(std::string_view bytes) {
  std::string out;
  append_json_string(out, bytes);
  const auto read = parse_json(out);
  require(read && read->is_string(), "any bytes make a JSON string", out);
  require(std::string_view(read->get_string()) == to_utf8(bytes),
          "a JSON string holds the bytes, what is not UTF-8 replaced", out);
  require(is_utf8(out), "output is UTF-8", out);
}

void run(std::string_view input) {
  check_text(input);
  const auto value = parse_json(input);
  if (!value) {
    require(value.error().kind == ErrorKind::kInvalid, "text that is not JSON is kInvalid");
    return;
  }
  require(is_utf8(input), "JSON is UTF-8");
  check_value(*value);
}

const Target kTarget("json", run);

}  // namespace
}  // namespace docket::fuzz
