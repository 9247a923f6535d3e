#pragma once

// What is answered when HTTP itself fails a request: the door's envelope, or a plain one if it has
// none.

#include <string>
#include <string_view>

#include "http/door.h"

namespace docket::http {

// "Not Found" for 404 and so on; "Unknown" for codes that are not in the registry.
std::string_view reason_phrase(int status);

// {"message":"..."} as application/json: an envelope for doors without one.
Response json_envelope(const Failure& failure);

// The door's rendering of a failure, with a default message if it has none. Falls back to
// json_envelope if the door's envelope is missing or throws.
Response render_failure(const Door& door, Failure failure);

}  // namespace docket::http
