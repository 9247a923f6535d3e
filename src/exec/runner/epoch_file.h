#pragma once

// The newest epoch of a server that a runner directory has seen, in DIR/epoch: a store that was
// restored from a backup knows an older one, and the runner would not obey its server. Any thread;
// one writer, the runner.

#include <cstdint>
#include <filesystem>

#include "core/result.h"

namespace docket::runner {

std::uint64_t epoch_seen(const std::filesystem::path& dir);  // 0: none, or not a number
Result<> note_epoch(const std::filesystem::path& dir, std::uint64_t epoch);

}  // namespace docket::runner
