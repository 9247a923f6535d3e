#pragma once

// The commands on the machine of the server: `serve`, and `backup`, `restore` and `access`, which
// work on its files.

#include "cli/client/command_tree.h"

namespace docket::app {

// `exit_code` must outlive the tree: what `serve` ends with (70 when its store has failed).
void add_server_commands(cli::CommandTree& tree, int& exit_code);

}  // namespace docket::app
