// docket task log: the output of a run. Over the native API, which has finished runs too.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/client/command_tree.h"
#include "cli/client/json_access.h"
#include "cli/client/native_calls.h"
#include "cli/event_stream.h"
#include "cli/explanation.h"
#include "core/json.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

// The parsed arguments; shared by the parser, which fills them, and the action, which reads them.
struct LogFlags {
  std::string subject;
  std::string stream;  // empty: both, each to its own stream
  std::uint32_t lines = 10;
  bool all = false;
  bool follow = false;
  bool completed = false;
};

// A log of any length, in one answer.
constexpr const char* kEverything = "?limit=1099511627776";

std::string_view last_lines(std::string_view text, std::size_t lines) {
  if (lines == 0) return {};
  std::size_t at = text.ends_with('\n') ? text.size() - 1 : text.size();
  for (; at > 0; --at) {
    if (text[at - 1] == '\n' && --lines == 0) return text.substr(at);
  }
  return text;
}

bool has_ended(const json::value& run) {
  const std::string state = text_at(run, "state");
  return state == "done" || state == "failed" || state == "aborted";
}

bool waits(const json::value& run) {
  const std::string state = text_at(run, "state");
  return state == "created" || state == "queued";
}

// The log of a run, which consists of those of its attempts; or that of one attempt.
class TaskLog {
 public:
  TaskLog(const CliEnvironment& env, ServerApi& server, const LogFlags& flags, json::value task)
      : env_(env), server_(server), flags_(flags), task_(std::move(task)) {}

  Result<void> print();

 private:
  Result<void> print_end();
  Result<void> print_part(const std::string& stream, std::ostream& out);
  Result<void> print_stderr();
  void print_outcome(const json::value& task);
  Result<void> follow();
  Result<void> follow_stdout();
  Result<void> follow_new_attempts(const json::array& attempts);
  Result<void> stream(const std::string& id, const std::string& query);
  Result<json::value> run() { return server_.native("/runs/" + id()); }
  Error why_none(Error error);
  const std::string& first_stream() const {
    return flags_.stream.empty() ? kStdout : flags_.stream;
  }
  Error never_started(const json::value& run) const;
  void say_why_it_waits();
  Result<void> wait_for_change();

  std::string id() const { return encode_segment(text_at(task_, "id")); }
  std::string name() const { return text_at(task_, "name"); }
  static std::string tail(std::uint32_t lines) {
    return "?tail=" + std::to_string(lines) + "&limit=16777216";
  }

  inline static const std::string kStdout = "stdout";

  const CliEnvironment& env_;
  ServerApi& server_;
  const LogFlags& flags_;
  const json::value task_;
  std::string line_of_docket_;  // received in place of a log
  std::string printed_;         // the newest attempt printed
  std::uint64_t event_ = 0;     // all changes up to this one are known
  bool said_ = false;           // whether it was said why the run waits
};

Result<void> TaskLog::print() {
  if (!flags_.follow) return print_end();
  if (text_at(task_, "kind") == "attempt") {
    return stream(id(), tail(flags_.lines) + "&follow=true");
  }
  return follow();
}

// A run's log is that of its newest attempt.
Result<void> TaskLog::print_end() {
  auto printed = print_part(first_stream(), env_.out);
  if (!printed && printed.error().kind == ErrorKind::kNotFound) {
    return fail(why_none(printed.error()));
  }
  if (printed) printed = print_stderr();
  if (printed) print_outcome(task_);
  return printed;
}

// Besides stdout, unless only one of the two was requested.
Result<void> TaskLog::print_stderr() {
  if (!flags_.stream.empty()) return {};
  auto printed = print_part("stderr", env_.err);
  const bool none = !printed && printed.error().kind == ErrorKind::kNotFound;
  return none ? Result<void>() : printed;
}

// Requesting one line more than is shown tells whether there are more.
Result<void> TaskLog::print_part(const std::string& stream, std::ostream& out) {
  const std::string path = "/tasks/" + id() + "/logs/" + stream;
  const std::string part = flags_.all ? kEverything : tail(flags_.lines + 1);
  const auto text = server_.text({.door = Door::kNative, .path = path + part});
  if (!text) return fail(text.error());
  std::string_view shown = *text;
  if (!flags_.all) shown = last_lines(shown, flags_.lines);
  if (shown.size() < text->size()) {
    env_.err << "docket: the last " << flags_.lines << " lines of " << stream
             << "; --all prints everything\n";
  }
  out << shown << std::flush;
  if (text->starts_with("docket: ")) line_of_docket_ = *text;
  return {};
}

void TaskLog::print_outcome(const json::value& task) {
  const std::string state = text_at(task, "state");
  if (state != "failed" && state != "aborted") return;
  const std::string reason = text_at(task, "message");
  const std::string line = "docket: " + state + (reason.empty() ? "" : ": " + reason) + "\n";
  if (line != line_of_docket_) env_.err << line;
}

Result<void> TaskLog::follow() {
  auto followed = follow_stdout();
  if (!followed || !env_.out.good()) return followed;
  followed = print_stderr();
  if (const auto now = run()) print_outcome(*now);
  return followed;
}

// The run is read after the number of the newest event, so that no change is missed in between.
Result<void> TaskLog::follow_stdout() {
  const auto newest = newest_event(server_);
  if (!newest) return fail(newest.error());
  event_ = *newest;
  for (;;) {
    const auto now = run();
    if (!now) return fail(now.error());
    auto printed = follow_new_attempts(array_at(*now, "attempts"));
    if (!printed || !env_.out.good()) return printed;
    if (has_ended(*now)) return {};
    if (waits(*now)) say_why_it_waits();
    if (auto changed = wait_for_change(); !changed) return changed;
  }
}

// Prints the last lines of the first attempt seen, and all of those that follow.
Result<void> TaskLog::follow_new_attempts(const json::array& attempts) {
  std::size_t next = attempts.size();
  while (next > 0 && text_at(attempts[next - 1], "id") != printed_) --next;
  if (printed_.empty() && !attempts.empty()) next = attempts.size() - 1;
  for (; next < attempts.size() && env_.out.good(); ++next) {
    const std::string query = (printed_.empty() ? tail(flags_.lines) + "&" : "?") + "follow=true";
    printed_ = text_at(attempts[next], "id");
    said_ = false;
    if (auto done = stream(encode_segment(printed_), query); !done) return done;
  }
  return {};
}

Result<void> TaskLog::stream(const std::string& id, const std::string& query) {
  const std::string path = "/tasks/" + id + "/logs/" + first_stream() + query;
  return server_.stream({.door = Door::kNative, .path = path}, [this](std::string_view piece) {
    env_.out << piece << std::flush;
    return env_.out.good();
  });
}

// The server has no log: possibly no attempt was made.
Error TaskLog::why_none(Error error) {
  if (text_at(task_, "kind") == "attempt") return error;
  const auto now = run();
  if (!now || !array_at(*now, "attempts").empty()) return error;
  if (has_ended(*now)) return never_started(*now);
  return {ErrorKind::kNotFound, "run \"" + name() + "\" has not started; `docket explain " +
                                    name() + "` says why, --follow waits"};
}

Error TaskLog::never_started(const json::value& run) const {
  const std::string message = text_at(run, "message");
  return {ErrorKind::kNotFound, "run \"" + name() +
                                    "\" ended without starting: " + text_at(run, "state") +
                                    (message.empty() ? "" : " (" + message + ")")};
}

void TaskLog::say_why_it_waits() {
  if (said_) return;
  const auto explanation = server_.native("/runs/" + id() + "/explain");
  if (!explanation || member(*explanation, "waiting") != json::value(true)) return;
  env_.err << "waiting for run \"" << name() << "\" to start" << (printed_.empty() ? "" : " again")
           << '\n';
  print_reasons(env_, env_.err, *explanation);
  env_.err.flush();
  said_ = true;
}

// Waits until anything happens to the run or one of its attempts.
Result<void> TaskLog::wait_for_change() {
  const std::uint64_t before = event_;
  EventStream events([this](const std::string& data) {
    if (const auto event = parse_json(data)) event_ = number_of(*event).value_or(event_);
  });
  const std::string path = "/events?follow=true&root=" + id() + "&after=" + std::to_string(before);
  auto ended = server_.stream({.door = Door::kNative, .path = path}, [&](std::string_view piece) {
    events.take(piece);
    return event_ == before;
  });
  if (!ended || event_ != before) return ended;
  return fail(ErrorKind::kUnavailable, server_.url() + " has ended the connection");
}

Result<void> print_log(const CliEnvironment& env, ServerApi& server, const LogFlags& flags) {
  auto task = find_run(server, flags.subject, flags.completed ? RunsOf::kAny : RunsOf::kActive);
  if (!task) return fail(task.error());
  return TaskLog(env, server, flags, *std::move(task)).print();
}

std::string valid_stream(const std::string& text) {
  return text == "stdout" || text == "stderr" ? "" : "must be stdout or stderr";
}

}  // namespace

void add_task_commands(CommandTree& tree) {
  const auto flags = std::make_shared<LogFlags>();
  CLI::App& task =
      tree.group(tree.root(), "task", "Read the output of runs; run commands as tasks");
  CLI::App& log = tree.command(task, "log", "Print the end of a run's output",
                               [flags](const CliEnvironment& env, ServerApi& server) {
                                 return print_log(env, server, *flags);
                               });
  log.alias("logs");
  named_id(log, "job-or-run", flags->subject, "A job, for its newest run, or a run");
  log.add_option("stream", flags->stream, "Only stdout or stderr; default: both, each to its own")
      ->check(CLI::Validator(valid_stream, ""));
  log.add_flag("--follow,-f", flags->follow, "Wait for the run to start, and print until it ends");
  log.add_flag("--completed", flags->completed, "Include finished runs of the job");
  log.add_flag("--all", flags->all, "Print everything, not only the last lines");
  log.add_option("--lines,-n", flags->lines, "How many lines from the end (10)")
      ->type_name("N")
      ->check(CLI::Range(0, 1'000'000).description(""));
  log.footer("\nExample: docket task log --completed mytestjob stderr");
  add_task_run(tree, task);
}

}  // namespace docket::cli
