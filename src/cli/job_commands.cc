// docket job add|update|remove|list|show|queue. What each prints: metronome.md section 11.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/client/command_tree.h"
#include "cli/client/input.h"
#include "cli/client/json_access.h"
#include "cli/client/metronome_calls.h"
#include "cli/client/table.h"
#include "cli/job_flags.h"
#include "core/cron.h"
#include "core/json_writer.h"
#include "core/time.h"
#include "core/zone.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

Result<JobFile> read_job(const CliEnvironment& env, const std::string& file) {
  const auto value = read_json(env, file);
  if (!value) return fail(value.error());
  return split_job(*value);
}

void warn_of_extra_schedules(const CliEnvironment& env, const JobFile& file) {
  const std::size_t count = array_of(file.schedules).size();
  if (count > 1) {
    env.err << "warning: only the first of " << count
            << " schedules is used: a job has at most one\n";
  }
}

// The API takes a schedule in a separate call, after the job. What it would refuse is reported
// before anything is changed.
Result<void> check_times(const JobFile& file) {
  if (array_of(file.schedules).empty()) return {};
  const json::value& schedule = array_of(file.schedules).front();
  Error wrong{.kind = ErrorKind::kInvalid,
              .message = "the schedule is not valid; nothing was changed"};
  const json::value& cron = member(schedule, "cron");
  const auto parsed = Cron::parse(cron.is_string() ? text_of(cron) : "* * * * *");
  if (!parsed) wrong.fields.push_back({"/schedules/0/cron", {parsed.error().message}});
  const json::value& timezone = member(schedule, "timezone");
  const auto zone = Zone::find(timezone.is_string() ? text_of(timezone) : "UTC");
  if (!zone) wrong.fields.push_back({"/schedules/0/timezone", {zone.error().message}});
  if (!wrong.fields.empty()) return fail(std::move(wrong));
  return {};
}

// If not everything was added, nothing is kept.
Result<void> take_back(ServerApi& server, const std::string& job, Error why) {
  const auto removed = server.call({.method = "DELETE", .path = job_path(job)});
  why.message += removed ? "; nothing was added" : "; job \"" + job + "\" was added without it";
  return fail(std::move(why));
}

Result<void> add_job(const CliEnvironment& env, ServerApi& server, const std::string& path) {
  const auto file = read_job(env, path);
  if (!file) return fail(file.error());
  if (auto times = check_times(*file); !times) return times;
  warn_of_extra_schedules(env, *file);
  const json::value job = file->job;
  if (auto added = server.call({.method = "POST", .path = "/v1/jobs", .body = &job}); !added) {
    return fail(added.error());
  }
  if (array_of(file->schedules).empty()) return {};
  const auto scheduled = server.call({.method = "POST",
                                      .path = schedules_path(file->id),
                                      .body = &array_of(file->schedules).front()});
  if (scheduled) return {};
  return take_back(server, file->id, scheduled.error());
}

Result<void> add_job_of_flags(const CliEnvironment& env, ServerApi& server, const std::string& id,
                              const JobOptions& options) {
  if (id.empty())
    return fail(ErrorKind::kInvalid, "--cmd needs an id: docket job add ID --cmd ...");
  auto job = job_of(env, id, options);
  if (!job) return fail(job.error());
  const json::value body(*std::move(job));
  const auto added =
      server.call({.door = Door::kNative, .method = "POST", .path = "/jobs", .body = &body});
  if (!added) return fail(added.error());
  return {};
}

// The server's PUT keeps the stored schedules; the seed ("Modify a job with a schedule") expects
// the file's schedule to take effect, so it follows in a separate call. An empty list in the file
// removes the schedule. If the server refuses the schedule, the change of the job is undone as
// well.
Result<void> update_job(const CliEnvironment& env, ServerApi& server, const std::string& path) {
  const auto file = read_job(env, path);
  if (!file) return fail(file.error());
  if (auto times = check_times(*file); !times) return times;
  warn_of_extra_schedules(env, *file);
  const json::array& schedules = array_of(file->schedules);
  const auto before =
      schedules.empty() ? Result<json::value>(nullptr) : server.metronome(job_path(file->id));
  if (!before) return fail(job_error(before.error(), file->id));
  const json::value job = file->job;
  const auto updated = server.call({.method = "PUT", .path = job_path(file->id), .body = &job});
  if (!updated) return fail(job_error(updated.error(), file->id));
  if (!file->schedules.is_array()) return {};
  if (schedules.empty()) return remove_schedules(server, file->id);
  auto scheduled = put_schedule(server, file->id, schedules.front());
  if (scheduled) return {};
  const auto restored =
      server.call({.method = "PUT", .path = job_path(file->id), .body = &*before});
  scheduled.error().message +=
      restored ? "; nothing was changed" : "; the job was changed without it";
  return scheduled;
}

enum class ActiveRuns { kRefuse, kStop };

Result<void> remove_job(ServerApi& server, const std::string& job, ActiveRuns active) {
  const std::string query = active == ActiveRuns::kStop ? "?stopCurrentJobRuns=true" : "";
  auto removed = server.call({.method = "DELETE", .path = job_path(job) + query});
  if (removed) return {};
  Error error = job_error(removed.error(), job);
  // The other conflict, dependent jobs, keeps the server's text, because it names them.
  if (error.kind == ErrorKind::kConflict &&
      error.message.find("active job runs") != std::string::npos) {
    error.message = "job \"" + job + "\" is running";
  }
  return fail(std::move(error));
}

std::string status_of(const json::value& job) {
  if (!array_at(job, "activeRuns").empty()) return "Running";
  const json::array& schedules = array_at(job, "schedules");
  if (schedules.empty()) return "Unscheduled";
  const bool fires = std::ranges::any_of(schedules, [](const json::value& schedule) {
    return member(schedule, "enabled") != json::value(false);
  });
  return fires ? "Scheduled" : "Disabled";
}

std::string last_run_of(const json::value& job) {
  const json::value& summary = member(job, "historySummary");
  const auto success = parse_time(text_at(summary, "lastSuccessAt"));
  const auto failure = parse_time(text_at(summary, "lastFailureAt"));
  if (!success && !failure) return "N/A";
  return success.value_or(kNever) >= failure.value_or(kNever) ? "Success" : "Failure";
}

Result<void> list_jobs(const CliEnvironment& env, ServerApi& server, const ListFormat& format) {
  const auto jobs =
      server.metronome("/v1/jobs?embed=activeRuns&embed=schedules&embed=historySummary");
  if (!jobs) return fail(jobs.error());
  if (format.quiet) {
    for (const json::value& job : array_of(*jobs)) env.out << text_at(job, "id") << '\n';
    return {};
  }
  if (format.json) {
    env.out << to_pretty_json(*jobs) << '\n';
    return {};
  }
  Table table({"ID", "STATUS", "LAST RUN"});
  for (const json::value& job : array_of(*jobs)) {
    table.add({text_at(job, "id"), status_of(job), last_run_of(job)});
  }
  table.print(env);
  return {};
}

Result<void> show_job(const CliEnvironment& env, ServerApi& server, const std::string& job) {
  const auto value = server.metronome(job_path(job));
  if (!value) return fail(job_error(value.error(), job));
  env.out << to_pretty_json(*value) << '\n';
  return {};
}

json::array queue_of(const json::value& queue, const std::string& job) {
  json::array chosen;
  for (const json::value& entry : array_of(queue)) {
    if (job.empty() || text_at(entry, "jobId") == job) chosen.push_back(entry);
  }
  return chosen;
}

Result<void> show_queue(const CliEnvironment& env, ServerApi& server, const std::string& job,
                        const ListFormat& format) {
  const auto queue = server.metronome("/v1/queue");
  if (!queue) return fail(queue.error());
  const json::array entries = queue_of(*queue, job);
  if (!job.empty() && entries.empty()) return fail(job_error({ErrorKind::kNotFound, ""}, job));
  if (format.json && !format.quiet) {
    env.out << to_pretty_json(entries) << '\n';
    return {};
  }
  Table table({"JOB ID", "RUN ID"});
  for (const json::value& entry : entries) {
    for (const json::value& run : array_at(entry, "runs")) {
      if (format.quiet) env.out << text_at(run, "runId") << '\n';
      table.add({text_at(entry, "jobId"), text_at(run, "runId")});
    }
  }
  if (!format.quiet) table.print(env);
  return {};
}

// The parsed arguments; shared by the parser, which fills them, and the action, which reads them.
struct JobFlags {
  std::string job;
  std::string file;
  bool stop_runs = false;
  ListFormat format;
};

void add_file_commands(CommandTree& tree, CLI::App& job) {
  const auto flags = std::make_shared<JobFlags>();
  const auto options = std::make_shared<JobOptions>();
  CLI::App& add = tree.command(job, "add", "Add a job with a schedule, from a file or from flags",
                               [flags, options](const CliEnvironment& env, ServerApi& server) {
                                 return options->cmd.empty()
                                            ? add_job(env, server, flags->file)
                                            : add_job_of_flags(env, server, flags->file, *options);
                               });
  json_file(add, flags->file)
      ->description(
          "The JSON file; without it, or with -, standard input. With --cmd, the job's id");
  add_job_flags(add, *options);
  add.footer(
      "\nExamples: docket job add mysleepjob.json\n"
      "          docket job add prod.report --cmd 'make report' --cron '30 2 * * *'");

  CLI::App& update =
      tree.command(job, "update", "Replace a job, and its schedule if the file has one",
                   [flags](const CliEnvironment& env, ServerApi& server) {
                     return update_job(env, server, flags->file);
                   });
  json_file(update, flags->file);
  update.footer("\nA file without `schedules` keeps the schedule; `\"schedules\": []` removes it.");
}

void add_id_commands(CommandTree& tree, CLI::App& job) {
  const auto flags = std::make_shared<JobFlags>();
  CLI::App& remove =
      tree.command(job, "remove", "Remove a job with its schedule and history",
                   [flags](const CliEnvironment&, ServerApi& server) {
                     return remove_job(server, flags->job,
                                       flags->stop_runs ? ActiveRuns::kStop : ActiveRuns::kRefuse);
                   });
  remove.alias("rm");
  job_id(remove, flags->job);
  remove.add_flag("--stop-current-job-runs", flags->stop_runs, "Stop its runs first");
}

void add_list_commands(CommandTree& tree, CLI::App& job) {
  const auto flags = std::make_shared<JobFlags>();
  CLI::App& list = tree.command(job, "list", "List the jobs",
                                [flags](const CliEnvironment& env, ServerApi& server) {
                                  return list_jobs(env, server, flags->format);
                                });
  list.alias("ls");
  add_format_flags(list, flags->format);

  CLI::App& queue = tree.command(job, "queue", "List the runs that wait for resources",
                                 [flags](const CliEnvironment& env, ServerApi& server) {
                                   return show_queue(env, server, flags->job, flags->format);
                                 });
  job_id(queue, flags->job)->required(false);
  add_format_flags(queue, flags->format);
}

void add_show_commands(CommandTree& tree, CLI::App& job) {
  const auto flags = std::make_shared<JobFlags>();
  CLI::App& show =
      tree.command(job, "show", "Print a job as JSON; `show runs` lists its active runs",
                   [flags](const CliEnvironment& env, ServerApi& server) -> Result<void> {
                     if (flags->job.empty()) {
                       return fail(ErrorKind::kInvalid, "job-id is required");
                     }
                     return show_job(env, server, flags->job);
                   });
  job_id(show, flags->job)->required(false);  // `show runs` has its own job
  add_json_flag(show, flags->format.json);    // the default here
  add_run_list(tree, show);
}

}  // namespace

void add_job_commands(CommandTree& tree) {
  CLI::App& job = tree.group(tree.root(), "job", "Add, change, run and watch jobs");
  tree.misuse_exits(job, 1);  // as the original's
  add_file_commands(tree, job);
  add_id_commands(tree, job);
  add_list_commands(tree, job);
  add_show_commands(tree, job);
  add_run_commands(tree, job);
  add_job_switches(tree, job);
  add_schedule_commands(tree, job);
}

}  // namespace docket::cli
