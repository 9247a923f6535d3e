#pragma once

// The client side of the docket program: every subcommand that talks to a server. Start with
// client/command_tree.h, which says what commands there are; job_commands.cc and its neighbours
// implement them. One thread; run_cli returns when the command is done.

#include <string>
#include <vector>

#include "cli/client/environment.h"

namespace docket::cli {

struct CommandWord {
  std::string name;
  std::string description;
};

// Runs one command line. 0 done; 1 the command failed, with `Error: ...` on err; 2 the command line
// is not valid. `docket tasks` and `docket task run` have exit codes of their own (docs/cli.md).
int run_cli(int argc, const char* const* argv, const CliEnvironment& environment);

// The top-level commands of run_cli, in the order of the help text.
std::vector<CommandWord> command_words();

}  // namespace docket::cli
