#pragma once

// Request bodies: read as core/json_reader.h describes, and refused in this door's terms, each
// complaint with a JSON pointer such as /schedules/0/cron. Unknown members are refused.

#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/json_reader.h"
#include "core/result.h"

namespace docket::native {

// The error of a body with these complaints: kInvalid.
Error invalid_body(const JsonComplaints& complaints);
Error invalid_body(std::vector<FieldError> errors);

// Rewords the engine's complaints about a body for this door; other errors are returned unchanged.
Error reword_errors(Error error);

// The value that read(reader) makes of the body.
template <class Read>
auto read_body(std::string_view text, Read read)
    -> Result<decltype(read(std::declval<JsonReader&>()))> {
  const auto value = parse_json(text);
  if (!value) return fail(value.error());
  JsonComplaints complaints;
  JsonReader in(*value, complaints);
  auto made = read(in);
  in.finish();
  if (!complaints.list.empty()) return fail(invalid_body(complaints));
  return made;
}

}  // namespace docket::native
