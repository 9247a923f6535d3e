#include "cli/command_tree.h"
namespace docket::cli {
void add_task_commands(CommandTree&) {}
}  // namespace docket::cli
