#pragma once

// Input of commands: files, standard input, and the JSON in them.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "cli/client/environment.h"
#include "core/result.h"

namespace docket::cli {

// The whole file, or standard input if the name is empty or "-". At most kMaxInput bytes.
inline constexpr std::size_t kMaxInput = 16U << 20U;
Result<std::string> read_input(const CliEnvironment& environment, const std::string& file);
// Errors name the file.
Result<boost::json::value> read_json(const CliEnvironment& environment, const std::string& file);

}  // namespace docket::cli
