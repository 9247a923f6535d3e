// docket task log, explain: what a run wrote, and why it waits. Over the native API, which knows
// finished runs too.

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/command_tree.h"
#include "cli/json_access.h"
#include "cli/native_calls.h"
#include "core/json_writer.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

// What the leaves parse; shared by the parser, which fills it, and the actions, which read it.
struct TaskFlags {
  std::string subject;
  std::string stream = "stdout";
  std::uint32_t lines = 10;
  bool follow = false;
  bool completed = false;
  bool json = false;
};

bool has_started(const json::value& run) {
  const std::string state = text_at(run, "state");
  return state != "created" && state != "queued";
}

Result<void> print_log(const CliEnvironment& env, ServerApi& server, const TaskFlags& flags) {
  const auto run =
      find_run(server, flags.subject, flags.completed ? RunsOf::kAny : RunsOf::kActive);
  if (!run) return fail(run.error());
  const std::string name = text_at(*run, "name");
  if (!has_started(*run)) {
    return fail(ErrorKind::kNotFound,
                "run \"" + name + "\" has not started; `docket explain " + name + "` says why");
  }
  // A run's log is that of its newest attempt; the limit is the largest that the server takes.
  std::string path = "/tasks/" + encode_segment(text_at(*run, "id")) + "/logs/" + flags.stream +
                     "?tail=" + std::to_string(flags.lines) + "&limit=16777216";
  if (flags.follow) path += "&follow=true";
  return server.stream({.door = Door::kNative, .path = std::move(path)},
                       [&env](std::string_view piece) {
                         env.out << piece << std::flush;
                         return env.out.good();
                       });
}

void print_reason(std::ostream& out, const json::value& reason) {
  out << "  " << text_at(reason, "kind") << ": " << text_at(reason, "message") << '\n';
  for (const json::value& holder : array_at(reason, "holders")) {
    out << "    held by " << text_at(holder, "name") << " of " << text_at(holder, "job");
    if (const std::string amount = text_at(holder, "amount"); !amount.empty())
      out << ": " << amount;
    out << '\n';
  }
}

void print_explanation(std::ostream& out, const std::string& title,
                       const json::value& explanation) {
  const bool waiting = member(explanation, "waiting") == json::value(true);
  out << title << (waiting ? " waits\n" : " does not wait\n");
  for (const json::value& reason : array_at(explanation, "reasons")) print_reason(out, reason);
  if (const std::string at = text_at(explanation, "earliest"); !at.empty()) {
    out << "  earliest: " << at << '\n';
  }
}

// A run's name, else the id of a job.
Result<void> explain(const CliEnvironment& env, ServerApi& server, const TaskFlags& flags) {
  const auto run = find_named_run(server, flags.subject);
  if (!run) return fail(run.error());
  const std::string path = run->is_null()
                               ? "/jobs/" + encode_segment(flags.subject) + "/explain"
                               : "/runs/" + encode_segment(text_at(*run, "id")) + "/explain";
  const auto explanation = server.native(path);
  if (!explanation && explanation.error().kind == ErrorKind::kNotFound) {
    return fail(no_job_or_run(flags.subject));
  }
  if (!explanation) return fail(explanation.error());
  if (flags.json) {
    env.out << to_pretty_json(*explanation) << '\n';
    return {};
  }
  const std::string title = run->is_null() ? "job " + flags.subject
                                           : text_at(*run, "name") + " of " + text_at(*run, "job");
  print_explanation(env.out, title, *explanation);
  return {};
}

std::string valid_stream(const std::string& text) {
  return text == "stdout" || text == "stderr" ? "" : "must be stdout or stderr";
}

}  // namespace

void add_task_commands(CommandTree& tree) {
  const auto flags = std::make_shared<TaskFlags>();
  CLI::App& task = tree.group(tree.root(), "task", "Read what runs write");
  CLI::App& log = tree.command(task, "log", "Print the end of a run's output",
                               [flags](const CliEnvironment& env, ServerApi& server) {
                                 return print_log(env, server, *flags);
                               });
  named_id(log, "job-id", flags->subject, "A job, for its newest run, or a run");
  log.add_option("stream", flags->stream, "stdout (the default) or stderr")
      ->check(CLI::Validator(valid_stream, ""));
  log.add_flag("--follow,-f", flags->follow, "Go on printing until the run ends");
  log.add_flag("--completed", flags->completed, "Finished runs of the job too");
  log.add_option("--lines", flags->lines, "So many lines from the end (10)")
      ->type_name("N")
      ->check(CLI::Range(0, 1'000'000).description(""));
  log.footer("\nExample: docket task log --completed mytestjob stderr");

  CLI::App& why = tree.command(tree.root(), "explain", "Say what a run or a job waits for",
                               [flags](const CliEnvironment& env, ServerApi& server) {
                                 return explain(env, server, *flags);
                               });
  named_id(why, "run-id", flags->subject, "A run, or a job");
  why.add_flag("--json", flags->json, "Print JSON");
}

}  // namespace docket::cli
