#pragma once

// The manual page docket(1), made from the tree of commands: what is parsed is what it says.

#include <string>

#include "cli/client/command_tree.h"

namespace docket::cli {

// In roff, with the macros of man(7).
std::string man_page(const CommandTree& tree, const CliEnvironment& env);

}  // namespace docket::cli
