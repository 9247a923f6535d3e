#pragma once

// Checks that a store still holds what was written. First every page of the file is compared with
// its checksum, which finds a flipped bit anywhere, even in pages that nothing reads any more.
// Then SQLite compares the structure: trees of pages, rows with their indexes, the list of free
// pages.
//
// Reads over a connection of its own while commits go on. Of what is only in the log, the second
// half sees the newest form of each row.

#include <string>
#include <vector>

#include "core/result.h"
#include "engine/store_care.h"

namespace docket::store {

// `tables`: whose structure to compare; empty: all, and the list of free pages. kInternal: damage.
Result<> verify_store(const std::string& file, const std::string& vfs,
                      const std::vector<std::string>& tables, engine::CareWatch& watch);

}  // namespace docket::store
