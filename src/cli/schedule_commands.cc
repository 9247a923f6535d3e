// docket job schedule add|update|remove|show. What each prints: metronome.md section 11.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/client/command_tree.h"
#include "cli/client/input.h"
#include "cli/client/json_access.h"
#include "cli/client/metronome_calls.h"
#include "cli/client/table.h"
#include "cli/client/times.h"
#include "core/json_writer.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

// The parsed arguments; shared by the parser, which fills them, and the actions, which read them.
struct ScheduleFlags {
  std::string job;
  std::string schedule;
  std::string file;
  ListFormat format;
};

// The Python client also accepts a list with one schedule.
Result<json::value> read_schedule(const CliEnvironment& env, const std::string& file) {
  auto value = read_json(env, file);
  if (!value) return value;
  if (value->is_array() && value->get_array().size() == 1) {
    json::value only = value->get_array().front();
    value = std::move(only);
  }
  if (!value->is_object()) {
    return fail(ErrorKind::kInvalid, "schedule JSON must be one object");
  }
  return value;
}

Result<void> add_schedule(const CliEnvironment& env, ServerApi& server,
                          const ScheduleFlags& flags) {
  const auto schedule = read_schedule(env, flags.file);
  if (!schedule) return fail(schedule.error());
  const auto added =
      server.call({.method = "POST", .path = schedules_path(flags.job), .body = &*schedule});
  if (!added) return fail(job_error(added.error(), flags.job));
  return {};
}

Result<void> update_schedule(const CliEnvironment& env, ServerApi& server,
                             const ScheduleFlags& flags) {
  const auto schedule = read_schedule(env, flags.file);
  if (!schedule) return fail(schedule.error());
  const std::string id = text_at(*schedule, "id");
  if (id.empty()) return fail(ErrorKind::kInvalid, "field \"id\" needs to be set in schedule JSON");
  const auto updated =
      server.call({.method = "PUT", .path = schedule_path(flags.job, id), .body = &*schedule});
  if (!updated) return fail(part_error(updated.error(), flags.job, "schedule", id));
  return {};
}

Result<void> remove_schedule(ServerApi& server, const ScheduleFlags& flags) {
  const auto removed =
      server.call({.method = "DELETE", .path = schedule_path(flags.job, flags.schedule)});
  if (!removed) return fail(part_error(removed.error(), flags.job, "schedule", flags.schedule));
  return {};
}

std::string enabled_of(const json::value& schedule) {
  return member(schedule, "enabled") == json::value(false) ? "False" : "True";
}

Result<void> show_schedules(const CliEnvironment& env, ServerApi& server,
                            const ScheduleFlags& flags) {
  const auto schedules = server.metronome(schedules_path(flags.job));
  if (!schedules) return fail(job_error(schedules.error(), flags.job));
  if (flags.format.json && !flags.format.quiet) {
    env.out << to_pretty_json(*schedules) << '\n';
    return {};
  }
  Table table({"ID", "CRON", "ENABLED", "NEXT RUN", "CONCURRENCY POLICY"});
  for (const json::value& schedule : array_of(*schedules)) {
    if (flags.format.quiet) env.out << text_at(schedule, "id") << '\n';
    const bool fires = enabled_of(schedule) == "True";  // the server gives its next time anyway
    const std::string next = fires ? text_at(schedule, "nextRunAt") : "";
    table.add({text_at(schedule, "id"), text_at(schedule, "cron"), enabled_of(schedule),
               next.empty() ? "N/A" : table_time(env, next),
               text_at(schedule, "concurrencyPolicy")});
  }
  if (!flags.format.quiet) table.print(env);
  return {};
}

}  // namespace

void add_schedule_commands(CommandTree& tree, CLI::App& job) {
  const auto flags = std::make_shared<ScheduleFlags>();
  CLI::App& schedule = tree.group(job, "schedule", "Add, change and remove the schedule of a job");

  CLI::App& add = tree.command(schedule, "add", "Add a schedule to a job",
                               [flags](const CliEnvironment& env, ServerApi& server) {
                                 return add_schedule(env, server, *flags);
                               });
  job_id(add, flags->job);
  json_file(add, flags->file);

  CLI::App& update =
      tree.command(schedule, "update", "Replace the schedule with the id in the file",
                   [flags](const CliEnvironment& env, ServerApi& server) {
                     return update_schedule(env, server, *flags);
                   });
  job_id(update, flags->job);
  json_file(update, flags->file);

  CLI::App& remove = tree.command(schedule, "remove", "Remove a schedule of a job",
                                  [flags](const CliEnvironment&, ServerApi& server) {
                                    return remove_schedule(server, *flags);
                                  });
  remove.alias("rm");
  job_id(remove, flags->job);
  named_id(remove, "schedule-id", flags->schedule, "The schedule");

  CLI::App& show = tree.command(schedule, "show", "List the schedules of a job",
                                [flags](const CliEnvironment& env, ServerApi& server) {
                                  return show_schedules(env, server, *flags);
                                });
  job_id(show, flags->job);
  add_format_flags(show, flags->format);
}

}  // namespace docket::cli
