// docket clock show|accept: whether the server trusts its machine's clock, and a word that it may.

#include <fmt/format.h>

#include <boost/json/value.hpp>
#include <ostream>

#include "cli/command_tree.h"
#include "cli/json_access.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

void print(const CliEnvironment& env, const json::value& clock) {
  env.out << "held: " << text_at(clock, "held") << "\nnow: " << text_at(clock, "now")
          << "\ntrusted: " << text_at(clock, "trusted") << '\n';
}

Result<void> show_clock(const CliEnvironment& env, ServerApi& server) {
  const auto status = server.native("/status");
  if (!status) return fail(status.error());
  print(env, member(*status, "clock"));
  return {};
}

Result<void> accept_clock(const CliEnvironment& env, ServerApi& server) {
  const auto clock =
      server.call({.door = Door::kNative, .method = "POST", .path = "/clock/accept"});
  if (!clock) return fail(clock.error());
  print(env, *clock);
  return {};
}

}  // namespace

void add_clock_commands(CommandTree& tree) {
  CLI::App& clock = tree.group(tree.root(), "clock", "Whether the server trusts its clock");
  tree.command(clock, "show", "What the clock shows, and what retention counts by", show_clock);
  tree.command(clock, "accept", "The clock is right: retention goes by it from now on",
               accept_clock);
}

}  // namespace docket::cli
