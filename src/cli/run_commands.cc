// docket job run|kill|history|show runs. What each prints: metronome.md section 11.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <ostream>

#include "cli/client/command_tree.h"
#include "cli/client/json_access.h"
#include "cli/client/metronome_calls.h"
#include "cli/client/native_calls.h"
#include "cli/client/table.h"
#include "cli/client/times.h"
#include "cli/job_flags.h"
#include "core/json_writer.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

std::string or_not_available(std::string text) { return text.empty() ? "N/A" : text; }

// The parsed arguments; shared by the parser, which fills them, and the action, which reads them.
struct StartFlags {
  std::string job;
  std::vector<std::string> env;
  std::string description;
  ListFormat format;
};

// The original's servers ignore the body.
Result<void> run_job(const CliEnvironment& env, ServerApi& server, const StartFlags& flags) {
  auto variables = pairs_of("--env", flags.env);
  if (!variables) return fail(variables.error());
  json::object parameters;
  if (!variables->empty()) parameters["env"] = *std::move(variables);
  if (!flags.description.empty()) parameters["description"] = flags.description;
  const json::value body(std::move(parameters));
  const auto run = server.call({.method = "POST", .path = runs_path(flags.job), .body = &body});
  if (!run) return fail(job_error(run.error(), flags.job));
  env.out << (flags.format.json ? to_pretty_json(*run) : text_at(*run, "id")) << '\n';
  return {};
}

Result<void> stop_run(ServerApi& server, const std::string& job, const std::string& run) {
  const json::value nothing = json::object();
  const std::string path = runs_path(job) + "/" + encode_segment(run) + "/actions/stop";
  const auto stopped = server.call({.method = "POST", .path = path, .body = &nothing});
  if (!stopped) return fail(part_error(stopped.error(), job, "run", run));
  return {};
}

// A run that ends between the listing and the stop counts as stopped.
Result<void> stop_all_runs(ServerApi& server, const std::string& job) {
  const auto runs = server.metronome(runs_path(job));
  if (!runs) return fail(job_error(runs.error(), job));
  for (const json::value& run : array_of(*runs)) {
    auto stopped = stop_run(server, job, text_at(run, "id"));
    if (!stopped && stopped.error().kind != ErrorKind::kNotFound) return stopped;
  }
  return {};
}

Result<json::value> active_runs(ServerApi& server, const std::string& job, const std::string& run) {
  if (run.empty()) {
    auto runs = server.metronome(runs_path(job));
    if (!runs) return fail(job_error(runs.error(), job));
    return runs;
  }
  const std::string name = name_of_run(server, run);
  auto one = server.metronome(runs_path(job) + "/" + encode_segment(name));
  if (!one) return fail(part_error(one.error(), job, "run", run));
  return json::value(json::array({*std::move(one)}));
}

Result<void> show_runs(const CliEnvironment& env, ServerApi& server, const std::string& job,
                       const std::string& run, const ListFormat& format) {
  const auto runs = active_runs(server, job, run);
  if (!runs) return fail(runs.error());
  if (format.json && !format.quiet) {
    env.out << to_pretty_json(*runs) << '\n';
    return {};
  }
  Table table(
      {"TASK ID", "JOB ID", "STARTED AT"});  // the first column holds run ids, as in `dcos job`
  for (const json::value& entry : array_of(*runs)) {
    if (format.quiet) env.out << text_at(entry, "id") << '\n';
    table.add({text_at(entry, "id"), text_at(entry, "jobId"),
               table_time(env, text_at(entry, "createdAt"))});
  }
  if (!format.quiet) table.print(env);
  return {};
}

struct HistoryFlags {
  std::string job;
  bool failures = false;
  bool last = false;
  ListFormat format;
};

// One of the two lists of a history, and its column names.
struct Outcomes {
  const char* list;
  const char* count;
  const char* at;
  const char* runs;
  const char* last;
};
constexpr Outcomes kSuccesses{"successfulFinishedRuns", "successCount", "lastSuccessAt",
                              "Successful", "Success"};
constexpr Outcomes kFailures{"failedFinishedRuns", "failureCount", "lastFailureAt", "Failure",
                             "Failure"};

// Lists are newest first, so the last run is the first entry.
void keep_newest(json::object& history) {
  for (const char* name : {kSuccesses.list, kFailures.list}) {
    if (json::value* list = history.if_contains(name); list != nullptr && list->is_array()) {
      json::array& runs = list->get_array();
      if (runs.size() > 1) runs.resize(1);
    }
  }
}

Result<json::value> fetch_history(ServerApi& server, const HistoryFlags& flags) {
  const std::string query = "?embed=activeRuns&embed=schedules&embed=history";
  const auto job = server.metronome(job_path(flags.job) + query);
  if (!job) return fail(job_error(job.error(), flags.job));
  json::value history = member(*job, "history");
  if (flags.last && history.is_object()) keep_newest(history.get_object());
  return history;
}

// Why runs failed, by run name: docket's own addition to the list of runs. Empty for servers other
// than docket.
std::map<std::string, std::string> reasons(ServerApi& server, const HistoryFlags& flags) {
  std::map<std::string, std::string> by_name;
  const auto runs = server.metronome(runs_path(flags.job) + "?all=true&limit=1000");
  if (!runs) return by_name;
  for (const json::value& run : array_of(*runs)) {
    by_name[text_at(run, "id")] = text_at(run, "message");
  }
  return by_name;
}

void print_head(std::ostream& out, const HistoryFlags& flags, const Outcomes& which,
                const json::value& history) {
  out << '"' << flags.job << "\"  " << which.runs << " runs: " << text_at(history, which.count)
      << " Last " << which.last << ": " << or_not_available(text_at(history, which.at)) << '\n';
}

void print_successes(const CliEnvironment& env, const HistoryFlags& flags,
                     const json::value& history) {
  print_head(env.out, flags, kSuccesses, history);
  Table table({"RUN ID", "STARTED", "FINISHED"});
  for (const json::value& run : array_at(history, kSuccesses.list)) {
    table.add({text_at(run, "id"), text_at(run, "createdAt"),
               or_not_available(text_at(run, "finishedAt"))});
  }
  table.print(env);
}

void print_failures(const CliEnvironment& env, ServerApi& server, const HistoryFlags& flags,
                    const json::value& history) {
  print_head(env.out, flags, kFailures, history);
  const auto why = reasons(server, flags);
  Table table({"RUN ID", "STARTED", "FINISHED", "REASON"});
  for (const json::value& run : array_at(history, kFailures.list)) {
    const std::string id = text_at(run, "id");
    const auto reason = why.find(id);
    table.add({id, text_at(run, "createdAt"), or_not_available(text_at(run, "finishedAt")),
               reason == why.end() ? "" : reason->second});
  }
  table.print(env);
}

Result<void> show_history(const CliEnvironment& env, ServerApi& server, const HistoryFlags& flags) {
  const auto history = fetch_history(server, flags);
  if (!history) return fail(history.error());
  if (flags.format.quiet) {
    const Outcomes& which = flags.failures ? kFailures : kSuccesses;
    for (const json::value& run : array_at(*history, which.list)) {
      env.out << text_at(run, "id") << '\n';
    }
    return {};
  }
  if (flags.format.json) {
    env.out << to_pretty_json(*history) << '\n';
    return {};
  }
  if (!flags.failures) print_successes(env, flags, *history);
  if (flags.failures || !array_at(*history, kFailures.list).empty()) {
    print_failures(env, server, flags, *history);
  }
  return {};
}

// The parsed arguments; shared by the parser, which fills them, and the action, which reads them.
struct RunFlags {
  std::string job;
  std::string run;
  bool all = false;
  ListFormat format;
};

Result<void> kill_runs(ServerApi& server, const RunFlags& flags) {
  if (flags.all && !flags.run.empty()) {
    return fail(ErrorKind::kInvalid, "either a run or --all, not both");
  }
  if (flags.all) return stop_all_runs(server, flags.job);
  if (flags.run.empty())
    return fail(ErrorKind::kInvalid, "name a run, or stop every run with --all");
  return stop_run(server, flags.job, name_of_run(server, flags.run));
}

void add_history_command(CommandTree& tree, CLI::App& job) {
  const auto flags = std::make_shared<HistoryFlags>();
  CLI::App& history = tree.command(job, "history", "List the finished runs of a job, newest first",
                                   [flags](const CliEnvironment& env, ServerApi& server) {
                                     return show_history(env, server, *flags);
                                   });
  job_id(history, flags->job);
  history.add_flag("--failures,--show-failures", flags->failures, "Only the failed runs");
  history.add_flag("--last", flags->last, "Only the newest one");
  add_format_flags(history, flags->format);
}

}  // namespace

void add_run_list(CommandTree& tree, CLI::App& show) {
  const auto flags = std::make_shared<RunFlags>();
  CLI::App& runs =
      tree.command(show, "runs", "List the active runs of a job",
                   [flags](const CliEnvironment& env, ServerApi& server) {
                     return show_runs(env, server, flags->job, flags->run, flags->format);
                   });
  job_id(runs, flags->job);
  runs.add_option("--run-id", flags->run, "Only this run")->type_name("RUN");
  add_format_flags(runs, flags->format);
}

void add_run_commands(CommandTree& tree, CLI::App& job) {
  const auto start = std::make_shared<StartFlags>();
  CLI::App& run = tree.command(job, "run", "Run a job now and print the run's id",
                               [start](const CliEnvironment& env, ServerApi& server) {
                                 return run_job(env, server, *start);
                               });
  job_id(run, start->job);
  run.add_flag("--json", start->format.json, "Print the run as JSON");
  run.add_option("--env", start->env,
                 "A variable of this run, and of the runs that its end starts; repeatable")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  run.add_option("--description", start->description, "What this run is for")->type_name("TEXT");

  const auto flags = std::make_shared<RunFlags>();

  CLI::App& kill = tree.command(
      job, "kill", "Stop a run, or all runs of a job",
      [flags](const CliEnvironment&, ServerApi& server) { return kill_runs(server, *flags); });
  job_id(kill, flags->job);
  named_id(kill, "run-id", flags->run, "The run")->required(false);
  kill.add_flag("--all", flags->all, "Stop every run of the job");
  add_history_command(tree, job);
}

}  // namespace docket::cli
