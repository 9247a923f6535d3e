#pragma once

// Looks at the first bytes of a database file before SQLite opens it, to tell a file of another
// program from a damaged one of docket's.

#include <cstdint>
#include <string>

#include "core/result.h"

namespace docket::store {

inline constexpr std::int64_t kApplicationId = 0x646f636b;  // "dock", PRAGMA application_id

// Fine when the file is missing or empty. kInvalid: not made by docket.
Result<> check_header(const std::string& file);

}  // namespace docket::store
