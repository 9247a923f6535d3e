// docket runs and docket run show: runs of all jobs, live and finished, over the native API.

#include <fmt/format.h>

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
struct RunsFlags {
  std::string run;
  std::string job, group, schedule, since, until;
  std::vector<std::string> labels, states;
  std::uint32_t lines = 20;
  bool failed = false;
  bool active = false;
  ListFormat format;
};

constexpr std::uint32_t kPage = 500;  // the most that the server gives at a time

Result<std::string> query_of(const CliEnvironment& env, const RunsFlags& flags) {
  std::string query;
  const auto add = [&query](const char* name, const std::string& value) {
    if (!value.empty()) query += std::string("&") + name + "=" + encode_segment(value);
  };
  for (const auto& [flag, name, text] : {std::tuple{"--since", "createdFrom", &flags.since},
                                         {"--until", "createdUntil", &flags.until}}) {
    if (text->empty()) continue;
    const auto time = read_time(env, flag, *text);
    if (!time) return time;
    add(name, *time);
  }
  add("job", flags.job);
  add("group", flags.group);
  add("schedule", flags.schedule);
  for (const std::string& label : flags.labels) add("label", label);
  for (const std::string& state : flags.states) add("state", state);
  if (flags.failed) add("state", "failed");
  if (flags.active) query += "&state=created,queued,running,paused";
  return query;
}

// A filtered page may be short although there are more.
Result<json::array> newest(ServerApi& server, const std::string& query, std::size_t wanted) {
  json::array runs;
  std::string after;
  for (int pages = 0; runs.size() < wanted && pages < kMaxPages; ++pages) {
    const auto limit = std::min<std::size_t>(wanted - runs.size(), kPage);
    const auto page = server.native("/runs?limit=" + std::to_string(limit) + query +
                                    (after.empty() ? "" : "&after=" + encode_segment(after)));
    if (!page) return fail(page.error());
    const json::array& more = array_at(*page, "items");
    runs.insert(runs.end(), more.begin(), more.end());
    after = text_at(*page, "next");
    if (after.empty()) break;
  }
  return runs;
}

std::string time_at(const CliEnvironment& env, const json::value& task, const char* name) {
  return shown_time(env, text_at(task, name));
}

std::string took(const CliEnvironment& env, const json::value& task) {
  return shown_span(env, text_at(task, "startedAt"), text_at(task, "finishedAt"));
}

Result<void> list(const CliEnvironment& env, ServerApi& server, const RunsFlags& flags) {
  const auto query = query_of(env, flags);
  if (!query) return fail(query.error());
  const auto runs = newest(server, *query, flags.lines);
  if (!runs) return fail(runs.error());
  if (flags.format.quiet) {
    for (const json::value& run : *runs) env.out << text_at(run, "name") << '\n';
    return {};
  }
  if (flags.format.json) {
    env.out << to_pretty_json(*runs) << '\n';
    return {};
  }
  Table table({"RUN", "JOB", "STATE", "CREATED", "TOOK", "REASON"});
  for (const json::value& run : *runs) {
    table.add({text_at(run, "name"), text_at(run, "job"), text_at(run, "state"),
               time_at(env, run, "createdAt"), took(env, run), text_at(run, "message")});
  }
  table.print(env);
  return {};
}

// ---- one run

// A run has its schedule's number, which people never see. The schedule may be gone.
std::string schedule_id(ServerApi& server, const json::value& run) {
  const auto schedules =
      server.native("/jobs/" + encode_segment(text_at(run, "job")) + "/schedules");
  if (!schedules) return {};
  for (const json::value& schedule : array_at(*schedules, "items")) {
    if (text_at(schedule, "uid") == text_at(run, "scheduleUid")) return text_at(schedule, "id");
  }
  return {};
}

std::string why_it_runs(const CliEnvironment& env, ServerApi& server, const json::value& run) {
  const std::string trigger = text_at(run, "trigger");
  if (trigger == "schedule") {
    const std::string id = schedule_id(server, run);
    return (id.empty() ? "a deleted schedule" : "schedule " + id) + ", due " +
           time_at(env, run, "dueAt");
  }
  if (trigger != "dependency") return "a request";
  const json::value& starter = member(run, "startedBy");
  const std::string name = text_at(starter, "name");
  if (name.empty()) return "a job that it depends on";
  return "the end of " + name + " of " + text_at(starter, "job") + ", which it depends on";
}

class Facts {
 public:
  explicit Facts(std::ostream& out) : out_(out) {}
  void add(std::string_view name, const std::string& text) {
    if (!text.empty()) out_ << fmt::format("{:<12}{}\n", name, text);
  }

 private:
  std::ostream& out_;
};

std::string outcome_of(const json::value& task) {
  const std::string reason = text_at(task, "message");
  return text_at(task, "state") + (reason.empty() ? "" : ": " + reason);
}

void print_attempts(const CliEnvironment& env, const json::array& attempts) {
  if (attempts.empty()) return;
  env.out << '\n';
  Table table({"ATTEMPT", "STATE", "STARTED", "TOOK", "EXIT CODE", "SIGNAL", "REASON"});
  for (const json::value& attempt : attempts) {
    table.add({text_at(attempt, "id"), text_at(attempt, "state"),
               time_at(env, attempt, "startedAt"), took(env, attempt), text_at(attempt, "exitCode"),
               text_at(attempt, "signal"), text_at(attempt, "message")});
  }
  table.print(env);
}

void print_run(const CliEnvironment& env, ServerApi& server, const json::value& run) {
  Facts facts(env.out);
  facts.add("run", text_at(run, "name"));
  facts.add("job", text_at(run, "job") + ", version " + text_at(run, "jobVersion"));
  facts.add("state", outcome_of(run));
  facts.add("started by", why_it_runs(env, server, run));
  facts.add("description", text_at(run, "description"));
  facts.add("created", time_at(env, run, "createdAt"));
  facts.add("started", time_at(env, run, "startedAt"));
  facts.add("finished", time_at(env, run, "finishedAt"));
  facts.add("took", took(env, run));
  if (const json::object* variables = member(run, "env").if_object()) {
    for (const auto& [name, value] : *variables) {
      facts.add("env", std::string(name) + "=" + text_of(value));
    }
  }
  print_attempts(env, array_at(run, "attempts"));
}

Result<void> show(const CliEnvironment& env, ServerApi& server, const RunsFlags& flags) {
  const auto task = find_task(server, flags.run);
  if (!task) return fail(task.error());
  if (task->is_null()) {
    return fail(ErrorKind::kNotFound, "run \"" + flags.run + "\" does not exist");
  }
  const std::string root = text_at(*task, "root");
  const auto run =
      server.native("/runs/" + encode_segment(root.empty() ? text_at(*task, "id") : root));
  if (!run) return fail(run.error());
  if (flags.format.json) {
    env.out << to_pretty_json(*run) << '\n';
  } else {
    print_run(env, server, *run);
  }
  return {};
}

void add_filters(CLI::App& runs, RunsFlags& flags) {
  const auto add = [&runs](const char* name, auto& into, const char* description,
                           const char* type) {
    return runs.add_option(name, into, description)->type_name(type);
  };
  runs.add_flag("--failed", flags.failed, "Only those that failed");
  runs.add_flag("--active", flags.active, "Only those that are waiting or running");
  add("--state", flags.states, "Only in this state, repeatable: queued, running, done, ...",
      "STATE")
      ->allow_extra_args(false);
  add("--since", flags.since, "Created since then: 24h, 2026-03-07, 2026-03-07T21:46:34Z", "TIME");
  add("--until", flags.until, "Created before then", "TIME");
  CLI::Option* job = add("--job", flags.job, "Only of this job", "JOB");
  add("--schedule", flags.schedule, "Only of this schedule of the job", "SCHEDULE")->needs(job);
  add("--group", flags.group, "Only of this job and those below it", "JOB");
  add("--label", flags.labels, "Only of jobs with this label, repeatable", "NAME[=VALUE]")
      ->allow_extra_args(false);
  add("--lines,-n", flags.lines, "How many (20)", "N")
      ->check(CLI::Range(1, 50'000).description(""));
}

}  // namespace

void add_runs_commands(CommandTree& tree) {
  const auto flags = std::make_shared<RunsFlags>();
  CLI::App& runs = tree.command(
      tree.root(), "runs", "List runs of all jobs, newest first",
      [flags](const CliEnvironment& env, ServerApi& server) { return list(env, server, *flags); });
  add_filters(runs, *flags);
  add_format_flags(runs, flags->format);
  runs.footer("\nExample: docket runs --failed --since 24h --group prod");

  CLI::App& run = tree.group(tree.root(), "run", "Show one run");
  CLI::App& one = tree.command(
      run, "show", "Show what a run did, when, and why",
      [flags](const CliEnvironment& env, ServerApi& server) { return show(env, server, *flags); });
  named_id(one, "run-id", flags->run, "The run");
  add_json_flag(one, flags->format.json);
  run.footer("\n`docket job run` starts a run, `docket runs` lists runs.");
}

}  // namespace docket::cli
