#pragma once

// The manual page docket(1), generated from the tree of commands, so it matches what is parsed.

#include <string>

#include "cli/client/command_tree.h"

namespace docket::cli {

// In roff, with the macros of man(7).
std::string man_page(const CommandTree& tree, const CliEnvironment& env);

}  // namespace docket::cli
