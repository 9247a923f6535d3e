#include "cli/command_tree.h"
namespace docket::cli {
void add_import_commands(CommandTree&) {}
}  // namespace docket::cli
