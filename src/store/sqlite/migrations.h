#pragma once

// The tables, as a list of numbered steps. A store carries the number of the last step taken
// (user_version) and the mark of docket (application_id); opening takes the steps that are missing,
// each in its own transaction.
//
// A new step goes to the end of the list in migrations.cc; a step that has been released never
// changes.

#include <cstdint>
#include <string>

#include "core/result.h"
#include "store/sqlite/database.h"

namespace docket::store {

std::int64_t newest_schema();

// kInvalid for a store of a newer docket.
Result<> check_version(std::int64_t version, const std::string& store);

// Refuses files that are not docket's and stores of a newer docket. `until`: for tests of single
// steps.
Result<> migrate(Database& database, std::int64_t until = newest_schema());

}  // namespace docket::store
