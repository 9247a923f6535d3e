#pragma once

// What the shell may offer for the word at the cursor. It is read from the tree of commands as it
// is parsed, so a new command or flag is offered without another line of code; jobs, runs and
// schedules come from the server. The scripts of the shells only ask (`docket __complete WORD...`)
// and show.

#include <string>
#include <vector>

#include "cli/client/command_tree.h"

namespace docket::cli {

inline constexpr const char* kCompleteWord = "__complete";

// Prints what the last of `words`, which may be empty, can become: a line each, the word, a tab and
// a description. The line `:files` stands for the names of files. Quiet about servers that do not
// answer.
int complete(const CliEnvironment& env, const CommandTree& tree,
             const std::vector<std::string>& words);

}  // namespace docket::cli
