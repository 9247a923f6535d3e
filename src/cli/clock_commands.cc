// docket clock show|accept: whether the server trusts its machine's clock, and telling it to.

#include <fmt/format.h>

#include <boost/json/value.hpp>
#include <memory>
#include <ostream>

#include "cli/client/command_tree.h"
#include "cli/client/json_access.h"
#include "cli/client/times.h"
#include "core/json_writer.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

Result<void> print(const CliEnvironment& env, const json::value& clock, bool json) {
  if (json) {
    env.out << to_pretty_json(clock) << '\n';
    return {};
  }
  env.out << "held: " << text_at(clock, "held")
          << "\nnow: " << shown_time(env, text_at(clock, "now"))
          << "\ntrusted: " << shown_time(env, text_at(clock, "trusted")) << '\n';
  return {};
}

Result<void> show_clock(const CliEnvironment& env, ServerApi& server, bool json) {
  const auto status = server.native("/status");
  if (!status) return fail(status.error());
  return print(env, member(*status, "clock"), json);
}

Result<void> accept_clock(const CliEnvironment& env, ServerApi& server, bool json) {
  const auto clock =
      server.call({.door = Door::kNative, .method = "POST", .path = "/clock/accept"});
  if (!clock) return fail(clock.error());
  return print(env, *clock, json);
}

}  // namespace

void add_clock_commands(CommandTree& tree) {
  CLI::App& clock = tree.group(tree.root(), "clock", "Whether the server trusts its clock");
  const auto json = std::make_shared<bool>(false);
  CLI::App& show =
      tree.command(clock, "show", "Show the clock, and the time that retention counts by",
                   [json](const CliEnvironment& env, ServerApi& server) {
                     return show_clock(env, server, *json);
                   });
  CLI::App& accept = tree.command(clock, "accept",
                                  "Confirm that the clock is right: retention uses it from now on",
                                  [json](const CliEnvironment& env, ServerApi& server) {
                                    return accept_clock(env, server, *json);
                                  });
  for (CLI::App* app : {&show, &accept}) add_json_flag(*app, *json);
}

}  // namespace docket::cli
