#pragma once

// Unpacks an archive into the current directory, trusting nothing in it: no path and no link may
// lead outside, no devices, no setuid bits, and no more than the limits. Blocking; used by the
// fetching process.

#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.h"
#include "exec/runner/runner.h"

namespace docket::runner {

// By its name, as the Mesos fetcher decides: .tar and its compressed forms, .zip, .gz.
bool is_archive_name(std::string_view name);

Result<> extract_archive(const std::string& file, const FetchLimits& limits);

}  // namespace docket::runner
