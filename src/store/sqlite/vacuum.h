#pragma once

// Gives free pages back to the file system while the store is in use, and empties its log.
//
// Idea: a store is made so that SQLite can move pages from the end of the file into the gaps
// (auto_vacuum = incremental). That is done here a few pages at a time, each slice a short
// transaction, with a rest after it in which commits go first. The file gets shorter when a
// checkpoint has copied the slices from the log. This does not work for stores of older dockets:
// SQLite would have to rewrite the whole file while commits wait. Their free pages are used again
// but stay in the file.

#include <string>

#include "core/result.h"
#include "engine/store_care.h"

namespace docket::store {

Result<> vacuum_store(const std::string& file, const std::string& vfs, engine::CareWatch& watch);
// The log alone: copied into the database, and emptied if nobody reads it.
Result<> checkpoint_store(const std::string& file, const std::string& vfs,
                          engine::CareWatch& watch);

}  // namespace docket::store
