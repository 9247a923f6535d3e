#pragma once

// Completion scripts, made from the tree of commands as it is parsed: a new command or flag is
// completed without another line of code. Job ids come from `docket job list -q` at the time of
// completion.

#include <string>

#include "cli/command_tree.h"

namespace docket::cli {

std::string bash_completion(const CommandTree& tree,
                            const std::vector<CommandWord>& server_commands);
std::string zsh_completion(const CommandTree& tree,
                           const std::vector<CommandWord>& server_commands);

}  // namespace docket::cli
