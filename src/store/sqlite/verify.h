#pragma once

// Whether what a store keeps is what was written. First every page of the file is compared with its
// checksum, which finds a flipped bit anywhere, also in pages that nothing reads any more. Then
// SQLite compares the structure: trees of pages, rows with their indexes, the list of free pages.
//
// Reads over a connection of its own while commits go on. What is in the log only is seen by the
// second half as far as it is a row's newest form.

#include <string>
#include <vector>

#include "core/result.h"
#include "engine/store_care.h"

namespace docket::store {

// `tables`: whose structure to compare; empty: all, and the list of free pages. kInternal: damage.
Result<> verify_store(const std::string& file, const std::string& vfs,
                      const std::vector<std::string>& tables, engine::CareWatch& watch);

}  // namespace docket::store
