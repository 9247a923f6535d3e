#pragma once

// Everything a store knows as lines of JSON, for other programs: one object a record, with a member
// `record` that says of which kind, in the words of the native API. One snapshot: what is committed
// meanwhile is not in it. Secrets are not in it at all.

#include <string>

#include "core/result.h"
#include "engine/store_care.h"

namespace docket::store {

// `to` must not exist; it appears complete and synced, or not at all.
Result<> export_store(const std::string& file, const std::string& vfs, const std::string& to,
                      engine::CareWatch& watch);

}  // namespace docket::store
