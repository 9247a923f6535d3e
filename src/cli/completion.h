#pragma once

// What the shell may offer for the word at the cursor. It is read from the tree of commands, so a
// new command or flag is offered without any further code; jobs, runs and schedules come from the
// server. The shells' scripts only call `docket __complete WORD...` and show the result.

#include <string>
#include <vector>

#include "cli/client/command_tree.h"

namespace docket::cli {

inline constexpr const char* kCompleteWord = "__complete";

// Prints the completions of the last of `words`, which may be empty, one per line: the word, a tab
// and a description. The line `:files` stands for file names. Silent about servers that do not
// answer.
int complete(const CliEnvironment& env, const CommandTree& tree,
             const std::vector<std::string>& words);

}  // namespace docket::cli
