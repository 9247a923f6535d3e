// docket schedule list|pause|resume and docket job enable|disable, over the native API: it has
// every member of a schedule, so nothing else changes.

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
#include "core/cron.h"
#include "core/json_writer.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

// The parsed arguments; shared by the parser, which fills them, and the actions, which read them.
struct SwitchFlags {
  std::string job;
  std::string schedule;  // empty: all schedules of the job
  ListFormat format;
};

std::string native_schedules(const std::string& job) {
  return "/jobs/" + encode_segment(job) + "/schedules";
}

Result<json::array> schedules_of(ServerApi& server, const SwitchFlags& flags) {
  auto all = all_items(server, native_schedules(flags.job) + "?limit=500");
  if (!all) return fail(job_error(all.error(), flags.job));
  if (flags.schedule.empty()) return all;
  json::array chosen;
  for (json::value& schedule : *all) {
    if (text_at(schedule, "id") == flags.schedule) chosen.push_back(std::move(schedule));
  }
  if (!chosen.empty()) return chosen;
  return fail(part_error({ErrorKind::kNotFound, ""}, flags.job, "schedule", flags.schedule));
}

std::string next_run(const CliEnvironment& env, const json::value& schedule) {
  const std::string next = text_at(schedule, "nextRunAt");
  if (member(schedule, "enabled") == json::value(false)) return "paused";
  if (text_at(schedule, "cron") == Cron::kReboot) return "after a boot";
  return next.empty() ? "never" : shown_time(env, next);
}

// Prints what was changed, and its effect: the next run.
Result<void> turn(const CliEnvironment& env, ServerApi& server, const SwitchFlags& flags, bool on) {
  auto schedules = schedules_of(server, flags);
  if (!schedules) return fail(schedules.error());
  if (schedules->empty()) {
    return fail(ErrorKind::kInvalid, "job \"" + flags.job + "\" has no schedule");
  }
  json::array turned;
  for (json::value& schedule : *schedules) {
    schedule.as_object()["enabled"] = on;
    const std::string id = text_at(schedule, "id");
    const auto stored = server.call({.door = Door::kNative,
                                     .method = "PUT",
                                     .path = native_schedules(flags.job) + "/" + encode_segment(id),
                                     .body = &schedule});
    if (!stored) return fail(part_error(stored.error(), flags.job, "schedule", id));
    turned.push_back(*stored);
    if (flags.format.json) continue;
    const std::string next = next_run(env, *stored);
    env.out << flags.job << "  " << id << (on ? "  next run: " : "  ") << next << '\n';
  }
  if (flags.format.json) env.out << to_pretty_json(turned) << '\n';
  return {};
}

Result<void> list(const CliEnvironment& env, ServerApi& server, const SwitchFlags& flags) {
  const auto schedules =
      flags.job.empty() ? all_items(server, "/schedules?limit=500") : schedules_of(server, flags);
  if (!schedules) return fail(schedules.error());
  if (flags.format.json && !flags.format.quiet) {
    env.out << to_pretty_json(*schedules) << '\n';
    return {};
  }
  Table table({"JOB", "SCHEDULE", "CRON", "TIME ZONE", "NEXT RUN"});
  for (const json::value& schedule : *schedules) {
    if (flags.format.quiet) env.out << text_at(schedule, "id") << '\n';
    table.add({text_at(schedule, "job"), text_at(schedule, "id"), text_at(schedule, "cron"),
               text_at(schedule, "timezone"), next_run(env, schedule)});
  }
  if (!flags.format.quiet) table.print(env);
  return {};
}

class Group {
 public:
  explicit Group(CommandTree& tree) : tree_(tree) {}

  CLI::App& turning(CLI::App& parent, const char* word, const char* description, bool on) {
    CLI::App& app = tree_.command(parent, word, description,
                                  [flags = flags_, on](const CliEnvironment& env, ServerApi& s) {
                                    return turn(env, s, *flags, on);
                                  });
    job_id(app, flags_->job);
    add_json_flag(app, flags_->format.json);
    return app;
  }
  CLI::Option* schedule(CLI::App& app) {
    return named_id(app, "schedule-id", flags_->schedule, "The schedule; else all of the job")
        ->required(false);
  }
  std::shared_ptr<SwitchFlags> flags() { return flags_; }

 private:
  CommandTree& tree_;
  std::shared_ptr<SwitchFlags> flags_ = std::make_shared<SwitchFlags>();
};

}  // namespace

void add_job_switches(CommandTree& tree, CLI::App& job) {
  Group group(tree);
  group.turning(job, "enable", "Let the schedules of a job start runs again", true);
  group.turning(job, "disable", "Keep the schedules of a job from starting runs", false);
}

void add_schedule_switches(CommandTree& tree) {
  Group group(tree);
  CLI::App& schedule = tree.group(tree.root(), "schedule", "List, pause and resume schedules");
  CLI::App& all = tree.command(schedule, "list", "List the schedules, with their next runs",
                               [flags = group.flags()](const CliEnvironment& env, ServerApi& s) {
                                 return list(env, s, *flags);
                               });
  all.alias("ls");
  job_id(all, group.flags()->job)->required(false);
  add_format_flags(all, group.flags()->format);
  group.schedule(group.turning(schedule, "pause", "Keep a schedule from starting runs", false));
  group.schedule(group.turning(schedule, "resume", "Let a schedule start runs again", true));
  schedule.footer("\n`docket job schedule` adds, changes and removes them.");
}

}  // namespace docket::cli
