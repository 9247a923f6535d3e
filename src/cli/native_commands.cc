#include "cli/command_tree.h"
namespace docket::cli {
void add_native_commands(CommandTree&) {}
}  // namespace docket::cli
