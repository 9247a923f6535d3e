#pragma once

// What an attempt may fill: its output files (the newest part is kept) and its working directory
// (counted). Runner thread; bounded work.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "core/result.h"

namespace docket::runner {

// Cuts the head of an output file that holds more than keep_bytes, without moving what follows: a
// hole is punched. Where the file system cannot, the file is emptied and starts again at offset 0,
// and false is returned.
bool trim_log(const std::filesystem::path& file, std::uint64_t keep_bytes);

// Bytes on disk of files and of what is below folders, looking at no more than max_entries. Links
// are counted, not followed.
std::uint64_t disk_usage(const std::vector<std::filesystem::path>& paths, std::size_t max_entries);

}  // namespace docket::runner
