#pragma once

// The commands that run on the server's machine: `serve`, and `backup`, `restore` and `access`,
// which work on its files.

#include "cli/client/command_tree.h"

namespace docket::app {

// `exit_code` must outlive the tree; it receives the exit code of `serve` (70 if its store has
// failed).
void add_server_commands(cli::CommandTree& tree, int& exit_code);

}  // namespace docket::app
