#pragma once

// Why a run waits, from the native API, as lines for people.

#include <boost/json/value.hpp>
#include <iosfwd>

#include "cli/client/environment.h"

namespace docket::cli {

// One line per reason, with the holders of what is missing, indented by two spaces.
void print_reasons(const CliEnvironment& env, std::ostream& out,
                   const boost::json::value& explanation);

}  // namespace docket::cli
