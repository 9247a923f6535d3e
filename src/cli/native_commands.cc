// docket status|ledger, over the native API.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/client/command_tree.h"
#include "cli/client/json_access.h"
#include "cli/client/metronome_calls.h"
#include "cli/client/native_calls.h"
#include "cli/client/table.h"
#include "cli/client/times.h"
#include "core/json_writer.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

// The parsed arguments; shared by the parser, which fills them, and the actions, which read them.
struct NativeFlags {
  std::string job;
  std::string schedule;
  std::string from;
  std::string until;
  bool json = false;
};

// Memory and disk of a node are seldom whole MiB, and the fraction is of no use to anyone.
std::string whole_mib(const json::value& number) {
  const std::string text = text_of(number);
  return text.substr(0, text.find('.'));
}

void print_resources(Table& table, const json::value& target) {
  const json::value& total = member(target, "capacity");
  const json::value& free = member(target, "free");
  for (const char* name : {"cpus", "gpus"}) {
    table.add({std::string(name), text_at(free, name) + " of " + text_at(total, name) + " free"});
  }
  for (const char* name : {"mem", "disk"}) {
    table.add({std::string(name), whole_mib(member(free, name)) + " of " +
                                      whole_mib(member(total, name)) + " MiB free"});
  }
}

std::string store_state(const json::value& store) {
  if (member(store, "failed") == json::value(true)) return "failed: restart the server";
  if (member(store, "full") != json::value(true)) return "ok";
  const json::value& trouble = member(store, "trouble");
  const bool told = trouble.is_string();
  return "full: new work is refused" + (told ? " (" + text_of(trouble) + ")" : std::string());
}

Result<void> show_status(const CliEnvironment& env, ServerApi& server, const NativeFlags& flags) {
  const auto status = server.native("/status");
  if (!status) return fail(status.error());
  if (flags.json) {
    env.out << to_pretty_json(*status) << '\n';
    return {};
  }
  const auto targets = server.native("/targets");
  if (!targets) return fail(targets.error());
  const json::value& runs = member(*status, "runs");
  Table table({"WHAT", "STATE"});
  table.add({"server", server.url()});
  table.add({"version", text_at(*status, "version")});
  table.add({"started", shown_time(env, text_at(*status, "startedAt"))});
  if (member(*status, "paused") == json::value(true)) {
    table.add({"schedules", "paused: none starts a run"});
  }
  table.add({"store", store_state(member(*status, "store"))});
  table.add({"jobs", text_at(*status, "jobs")});
  table.add(
      {"runs", text_at(runs, "running") + " running, " + text_at(runs, "queued") + " queued"});
  for (const json::value& target : array_at(*targets, "items")) print_resources(table, target);
  table.print(env);
  return {};
}

// Due times missed in an old absence are one row if the schedule has changed since.
std::string due_of(const CliEnvironment& env, const json::value& entry) {
  const std::string first = shown_time(env, text_at(entry, "firstDue"));
  const std::string last = shown_time(env, text_at(entry, "lastDue"));
  return first == last || last.empty() ? first : first + " .. " + last;
}

std::string local_time_of(const json::value& entry) {
  const std::string fold = text_at(entry, "fold");
  return text_at(entry, "localTime") + (fold.empty() ? "" : " (" + fold + ")");
}

// For a run that retention has removed, only its number is left.
std::string run_name_of(const json::value& entry) {
  const std::string name = text_at(entry, "runName");
  return name.empty() ? text_at(entry, "run") : name;
}

// With oldest first, the server's default is the last seven days.
Result<std::string> ledger_path(const CliEnvironment& env, const NativeFlags& flags) {
  std::string path = "/jobs/" + encode_segment(flags.job) + "/schedules/" +
                     encode_segment(flags.schedule) + "/ledger?order=oldest&limit=500";
  for (const auto& [name, text] : {std::pair{"from", &flags.from}, {"until", &flags.until}}) {
    if (text->empty()) continue;
    const auto time = read_time(env, std::string("--") + name, *text);
    if (!time) return fail(time.error());
    path += std::string("&") + name + "=" + encode_segment(*time);
  }
  return path;
}

Result<void> show_ledger(const CliEnvironment& env, ServerApi& server, const NativeFlags& flags) {
  const auto path = ledger_path(env, flags);
  if (!path) return fail(path.error());
  const auto ledger = all_items(server, *path);
  if (!ledger) return fail(part_error(ledger.error(), flags.job, "schedule", flags.schedule));
  if (flags.json) {
    env.out << to_pretty_json(*ledger) << '\n';
    return {};
  }
  Table table({"DUE", "LOCAL TIME", "TIMES", "OUTCOME", "RUN"});
  for (const json::value& entry : *ledger) {
    table.add({due_of(env, entry), local_time_of(entry), text_at(entry, "count"),
               text_at(entry, "outcome"), run_name_of(entry)});
  }
  table.print(env);
  return {};
}

}  // namespace

void add_native_commands(CommandTree& tree) {
  const auto flags = std::make_shared<NativeFlags>();
  CLI::App& status = tree.command(tree.root(), "status", "Show the server's state and what is free",
                                  [flags](const CliEnvironment& env, ServerApi& server) {
                                    return show_status(env, server, *flags);
                                  });
  status.add_flag("--json", flags->json, "Print JSON");

  CLI::App& ledger =
      tree.command(tree.root(), "ledger", "Show what became of every due time of a schedule",
                   [flags](const CliEnvironment& env, ServerApi& server) {
                     return show_ledger(env, server, *flags);
                   });
  job_id(ledger, flags->job);
  named_id(ledger, "schedule-id", flags->schedule, "The schedule");
  ledger.add_option("--from", flags->from, "The first time to show; default: seven days ago")
      ->type_name("TIME");
  ledger.add_option("--until", flags->until, "The last time to show; default: now")
      ->type_name("TIME");
  ledger.add_flag("--json", flags->json, "Print JSON");
  ledger.footer("\nExample: docket ledger mytestjob nightly --from 2026-03-29T00:00:00Z");
}

}  // namespace docket::cli
