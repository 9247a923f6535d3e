#pragma once

// Reads an output file of an attempt, which may have lost its head to the size limit (log_files.h).
// Blocking but short; any thread; no state, so a follower keeps the offset and asks again.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "core/result.h"

namespace docket::runner {

struct LogChunk {
  std::uint64_t first_available = 0;  // smallest offset that still has its bytes
  std::uint64_t offset =
      0;  // where data begins: the offset asked for, or first_available if that is later
  std::uint64_t size = 0;  // of the file: the next byte written goes here
  std::string data;        // at most max bytes; empty at the end
};

// A missing file is kNotFound. An offset past the end gives an empty chunk.
Result<LogChunk> read_log(const std::filesystem::path& path, std::uint64_t offset, std::size_t max);

}  // namespace docket::runner
