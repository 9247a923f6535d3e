#include "cli/command_tree.h"
namespace docket::cli {
void add_completion_commands(CommandTree&) {}
}  // namespace docket::cli
