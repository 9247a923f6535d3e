#pragma once

// Why a run waits, as the native API tells it, in lines for people.

#include <boost/json/value.hpp>
#include <iosfwd>

#include "cli/client/environment.h"

namespace docket::cli {

// One line a reason, with who holds what is missing, indented by two blanks.
void print_reasons(const CliEnvironment& env, std::ostream& out,
                   const boost::json::value& explanation);

}  // namespace docket::cli
