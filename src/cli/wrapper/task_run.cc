// docket task run: a command of any kind as a task in the server's tree.

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <ostream>
#include <tuple>

#include "cli/client/command_tree.h"
#include "cli/client/json_access.h"
#include "cli/wrapper/child_process.h"
#include "cli/wrapper/task_reporter.h"
#include "core/exit_words.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kNotExecutable = 126;
constexpr int kNoSuchCommand = 127;
constexpr std::chrono::hours kPatienceBehind{24};
constexpr std::size_t kErrorMax = 8192;               // bytes, the server's limit
constexpr std::chrono::milliseconds kRenewal{2'000};  // at the latest: delays aborts by as much

// The parsed arguments; shared by the parser, which fills them, and the action, which reads them.
struct RunFlags {
  std::string module, type, scope, keyspace, table, entity, units, parent, progress;
  std::vector<std::string> labels;
  std::optional<double> expected;
  std::uint32_t lease = 30;
  std::uint32_t finish_timeout = 60;
  std::uint32_t grace = 10;
  bool user = true;
};

// RFC 9562, version 4: random except for the version and variant bits.
std::string new_uuid(Machine& machine) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string uuid;
  for (int half = 0; half < 2; ++half) {
    std::uint64_t bits = machine.random();
    for (int digit = 0; digit < 16; ++digit, bits >>= 4U) uuid.push_back(kHex[bits & 15U]);
  }
  uuid[12] = '4';
  uuid[16] = "89ab"[kHex.find(uuid[16]) & 3U];
  for (const std::size_t at : {8U, 13U, 18U, 23U}) uuid.insert(at, 1, '-');
  return uuid;
}

class TaskRun {
 public:
  TaskRun(const CliEnvironment& env, const RunFlags& flags, std::vector<std::string> command)
      : env_(env), flags_(flags), command_{.words = std::move(command)} {}

  int run(ServerApi& server) {
    if (auto ready = prepare(); !ready) return complain(ready.error(), kUsage);
    TaskReporter reporter(server, *env_.machine, plan());
    if (auto made = reporter.start(); !made) return complain(made.error(), kFailed);
    if (pattern_) watch_output(reporter);
    command_.more_environment = {"DOCKET_TASK=" + uuid_};
    const auto end = process_.run(command_);
    const std::string error = end ? words_of(*end, stopped_) : end.error().message;
    const auto told =
        reporter.finish(error.substr(0, kErrorMax), std::chrono::seconds{flags_.finish_timeout});
    if (!end) env_.err << "Error: " << error << '\n';
    if (!told) tell_later(reporter, told.error());
    return exit_code(end);
  }

 private:
  Result<> prepare() {
    if (!env_.machine) return fail(ErrorKind::kInternal, "this program cannot run commands");
    if (command_.words.empty()) {
      return fail(ErrorKind::kInvalid, "no command: docket task run FLAGS -- command arguments...");
    }
    if (parent().empty() && flags_.module.empty()) {
      return fail(ErrorKind::kInvalid, "--module is needed, unless there is a --parent");
    }
    for (const std::string& label : flags_.labels) {
      if (label.find('=') == std::string::npos || label.front() == '=') {
        return fail(ErrorKind::kInvalid, "--label " + label + ": must be NAME=VALUE");
      }
    }
    if (!flags_.progress.empty()) {
      auto pattern = ProgressPattern::parse(flags_.progress);
      if (!pattern) return fail(ErrorKind::kInvalid, "--progress " + pattern.error().message);
      pattern_ = *std::move(pattern);
    }
    uuid_ = new_uuid(*env_.machine);
    command_.grace_ms = 1000L * flags_.grace;
    return {};
  }

  const std::string& parent() const { return flags_.parent.empty() ? env_.task : flags_.parent; }

  TaskReporter::Plan plan() {
    json::object task{{"uuid", uuid_}, {"abortable", true}, {"leaseSeconds", flags_.lease}};
    const std::string type = flags_.type.empty() ? command_.words.front() : flags_.type;
    const bool percent = pattern_ && pattern_->is_percentage();
    const std::string units = flags_.units.empty() && percent ? "%" : flags_.units;
    for (const auto& [name, text] :
         {std::pair<const char*, const std::string&>{"module", flags_.module},
          {"parent", parent()},
          {"type", type},
          {"scope", flags_.scope},
          {"keyspace", flags_.keyspace},
          {"table", flags_.table},
          {"entity", flags_.entity},
          {"units", units}}) {
      if (!text.empty()) task[name] = text;
    }
    if (flags_.user) task["user"] = true;
    if (flags_.expected) task["expected"] = *flags_.expected;
    if (!flags_.labels.empty()) {
      json::object& labels = (task["labels"] = json::object()).get_object();
      for (const std::string& label : flags_.labels) {
        const std::size_t equals = label.find('=');
        labels[label.substr(0, equals)] = label.substr(equals + 1);
      }
    }
    return {.task = std::move(task),
            .uuid = uuid_,
            .parent_is_a_guess = flags_.parent.empty() && !flags_.module.empty(),
            .renewal = std::min(kRenewal, std::chrono::milliseconds{flags_.lease * 1000L / 3}),
            .on_abort = [this] {
              stopped_ = true;
              process_.stop();
            }};
  }

  void watch_output(TaskReporter& reporter) {
    command_.look = [this, &reporter](int stream, std::string_view piece) {
      cutters_[stream == 1 ? 0 : 1].add(piece, [&](std::string_view line) {
        if (const auto figures = pattern_->find(line)) reporter.progress(*figures);
      });
    };
  }

  // Work that was done must not count as lost because the server was away for long.
  void tell_later(TaskReporter& reporter, const Error& why) {
    env_.err << "docket: task " << uuid_ << " could not be reported: " << why.message << '\n';
    if (!reporter.may_go_on()) return;
    env_.err << "docket: its end will be reported in the background, for a day\n" << std::flush;
    if (env_.machine->fork_detached()) {
      std::ignore = reporter.go_on(kPatienceBehind);
      std::_Exit(0);
    }
  }

  // A command that was asked to stop and obeyed the signal has nothing to add; a shell reports that
  // as 128 plus the signal number.
  static std::string words_of(const ChildEnd& end, bool stopped) {
    const int signal = end.signal != 0 ? end.signal : end.exit_code - 128;
    if (stopped && (signal == SIGTERM || signal == SIGKILL)) return {};
    const bool well = end.signal == 0 && end.exit_code == 0;
    return well ? "" : words_of_exit(end.exit_code, end.signal);
  }

  static int exit_code(const Result<ChildEnd>& end) {
    if (!end) return end.error().kind == ErrorKind::kNotFound ? kNoSuchCommand : kNotExecutable;
    return end->signal != 0 ? 128 + end->signal : end->exit_code;
  }

  int complain(const Error& error, int code) const {
    for (const FieldError& field : error.fields) {
      for (const std::string& text : field.errors) env_.err << field.path << ": " << text << '\n';
    }
    env_.err << "Error: " << error.message << '\n';
    return code;
  }

  const CliEnvironment& env_;
  const RunFlags& flags_;
  ChildCommand command_;
  std::string uuid_;
  std::optional<ProgressPattern> pattern_;
  std::array<LineCutter, 2> cutters_;
  ChildProcess process_;
  std::atomic<bool> stopped_ = false;  // set by the reporter's thread
};

// A single request that hangs must not cost the lease.
HttpTimeouts timeouts_within(std::uint32_t lease_s) {
  const long third = 1000L * lease_s / 3;
  return {.connect_ms = std::min(2'000L, third), .answer_ms = std::min(10'000L, third)};
}

int run_task(const CliEnvironment& env, const ServerApi& server, const RunFlags& flags,
             const std::vector<std::string>& command) {
  const auto own = env.http == nullptr ? make_curl_client(timeouts_within(flags.lease)) : nullptr;
  ServerApi quick(own ? *own : *env.http, server.settings());
  return TaskRun(env, flags, command).run(quick);
}

void add_labels(CLI::App& app, RunFlags& flags) {
  app.add_option("--module", flags.module, "The module it is shown in; default: the parent's")
      ->type_name("M");
  app.add_option("--type", flags.type, "What it does; default: the command's name")->type_name("T");
  app.add_option("--scope", flags.scope, "How far it reaches")->type_name("S");
  app.add_option("--keyspace", flags.keyspace, "What it works on, as the Scylla API names it")
      ->type_name("K");
  app.add_option("--table", flags.table, "What it works on")->type_name("T");
  app.add_option("--entity", flags.entity, "What it works on, in any words")->type_name("E");
  app.add_option("--label", flags.labels, "NAME=VALUE, repeatable")
      ->allow_extra_args(false)
      ->type_name("LABEL");
  app.add_flag("--user,!--no-user", flags.user,
               "A user asked for it, so the Scylla API shows it for longer after its end (yes)");
}

}  // namespace

void add_task_run(CommandTree& tree, CLI::App& task) {
  const auto flags = std::make_shared<RunFlags>();
  CLI::App& run =
      tree.program(task, "run", "Run a command here, as a task that everybody can follow",
                   [flags, &tree](const CliEnvironment& env, ServerApi& server) {
                     return run_task(env, server, *flags, tree.rest());
                   });
  add_labels(run, *flags);
  run.add_option("--parent", flags->parent, "The parent's number or UUID; default: DOCKET_TASK")
      ->type_name("ID");
  run.add_option("--units", flags->units, "What its figures count, such as bytes")->type_name("U");
  run.add_option("--expected", flags->expected, "Its workload, including that of tasks below it")
      ->type_name("N");
  run.add_option("--progress", flags->progress,
                 "Finds figures in its output: (\\d+)%, (?<completed>\\d+)/(?<total>\\d+)")
      ->type_name("REGEX");
  run.add_option("--lease", flags->lease, "It counts as lost after this long without a report (30)")
      ->type_name("S")
      ->check(CLI::Range(1, 31'622'400));
  run.add_option("--grace", flags->grace, "Time from SIGTERM to SIGKILL when it is aborted (10)")
      ->type_name("S");
  run.add_option("--finish-timeout", flags->finish_timeout,
                 "How long to try to report the end if the server is away (60)")
      ->type_name("S");
  run.footer(
      "\nExits with the command's exit code, or 128 plus its signal.\n"
      "Example: docket task run --module backups --entity db1 -- pg_dump db1");
}

}  // namespace docket::cli
