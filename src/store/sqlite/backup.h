#pragma once

// A consistent copy of a store while it is written to. Reads one snapshot over a connection of its
// own, so it neither stops the writer nor starts over when something is committed; the log only
// cannot shrink until the copy is done.

#include <string>

#include "core/result.h"
#include "engine/store_care.h"

namespace docket::store {

// `to` must not exist; it appears complete and synced, or not at all. `vfs` must be one of
// checksum_vfs(): pages that are still in the log have no checksum yet, and get it when they are
// written into the copy. `watch` may be null. Any thread.
Result<> copy_store(const std::string& from, const std::string& to, const std::string& vfs,
                    engine::CareWatch* watch = nullptr);

}  // namespace docket::store
