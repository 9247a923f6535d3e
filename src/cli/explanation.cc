// docket explain: what a run or a job waits for.

#include "cli/explanation.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cctype>
#include <memory>
#include <ostream>

#include "cli/client/command_tree.h"
#include "cli/client/json_access.h"
#include "cli/client/native_calls.h"
#include "cli/client/times.h"
#include "core/json_writer.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

struct ExplainFlags {
  std::string subject;
  bool json = false;
};

// The server's messages refer to runs by number; this replaces the numbers by the holders' names.
std::string message_of(const json::value& reason) {
  std::string text = text_at(reason, "message");
  for (const json::value& holder : array_at(reason, "holders")) {
    const std::string number = text_at(holder, "run");
    const std::string name = text_at(holder, "name");
    const std::size_t at = text.rfind("run " + number);
    if (at == std::string::npos || number.empty() || name.empty()) continue;
    const std::size_t end = at + 4 + number.size();
    const bool whole = end == text.size() || !std::isdigit(static_cast<unsigned char>(text[end]));
    if (whole) text.replace(at + 4, number.size(), name);
  }
  return text;
}

void print_reason(const CliEnvironment& env, std::ostream& out, const json::value& reason) {
  out << "  " << text_at(reason, "kind") << ": " << message_of(reason);
  if (const std::string at = text_at(reason, "at"); !at.empty())
    out << " (" << shown_time(env, at) << ')';
  out << '\n';
  for (const json::value& holder : array_at(reason, "holders")) {
    out << "    held by " << text_at(holder, "name") << " of " << text_at(holder, "job");
    if (const std::string amount = text_at(holder, "amount"); !amount.empty())
      out << ": " << amount;
    out << '\n';
  }
}

void print_explanation(const CliEnvironment& env, const std::string& title,
                       const json::value& explanation) {
  std::ostream& out = env.out;
  const bool waiting = member(explanation, "waiting") == json::value(true);
  out << title << (waiting ? " waits\n" : " does not wait\n");
  print_reasons(env, out, explanation);
  if (const std::string at = text_at(explanation, "earliest"); !at.empty()) {
    out << "  earliest: " << shown_time(env, at) << '\n';
  }
}

// The run that is meant; null: a job, if anything. A job whose id is a number takes precedence over
// the run with that number.
Result<json::value> explained_run(ServerApi& server, const std::string& subject) {
  auto task = find_task(server, subject);
  if (!task || task->is_null()) return task;
  if (!is_run_name(subject) && server.native("/jobs/" + encode_segment(subject))) {
    return json::value(nullptr);
  }
  return run_of(server, *task);
}

Result<void> explain(const CliEnvironment& env, ServerApi& server, const ExplainFlags& flags) {
  const auto run = explained_run(server, flags.subject);
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
  print_explanation(env, title, *explanation);
  return {};
}

}  // namespace

void print_reasons(const CliEnvironment& env, std::ostream& out, const json::value& explanation) {
  for (const json::value& reason : array_at(explanation, "reasons")) print_reason(env, out, reason);
}

void add_explain_command(CommandTree& tree) {
  const auto flags = std::make_shared<ExplainFlags>();
  CLI::App& why = tree.command(tree.root(), "explain", "Show what a run or a job is waiting for",
                               [flags](const CliEnvironment& env, ServerApi& server) {
                                 return explain(env, server, *flags);
                               });
  named_id(why, "run-or-job", flags->subject, "A run, or a job");
  why.add_flag("--json", flags->json, "Print JSON");
}

}  // namespace docket::cli
