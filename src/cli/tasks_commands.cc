// docket tasks: the commands, tables, messages and exit codes of `nodetool tasks`, over the Scylla
// Task Manager's API (scylla-tasks.md section 8), so that existing scripts keep working.

#include <algorithm>
#include <boost/json/array.hpp>
#include <charconv>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <ostream>

#include "cli/client/command_tree.h"
#include "cli/client/json_access.h"
#include "cli/client/native_calls.h"
#include "cli/tasks_text.h"
#include "core/json.h"
#include "core/json_writer.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

constexpr int kBadArguments = 1;
constexpr int kOther = 2;
constexpr int kRemote = 4;
// Exit code of wait --quiet.
constexpr int kTaskFailed = 123;
constexpr int kTimedOut = 124;
constexpr int kCannotWait = 125;
constexpr std::chrono::milliseconds kBetweenTries{500};

// The parsed arguments; shared by the parser, which fills them, and the actions, which read them.
struct TasksFlags {
  std::string id;
  std::string module;
  std::optional<std::string> keyspace, table, timeout, set;
  std::uint32_t interval = 10;
  std::uint32_t iterations = 0;
  bool internal = false;
  bool quiet = false;
  bool json = false;  // the API's answer, instead of nodetool's tables
};
using FlagsPtr = std::shared_ptr<const TasksFlags>;

using Parameters = std::map<std::string, std::string>;

// A failure as an exit code; its message has been printed already.
struct Failure {
  int code = kOther;
  int status = 0;  // of the answer; 0: no answer
};
template <class T>
using Answer = tl::expected<T, Failure>;

std::string shown(const Parameters& parameters) {
  std::string text = "{";
  for (const auto& [name, value] : parameters) {
    text += (text.size() > 1 ? ", " : "") + std::string("\"") + name + "\": \"" + value + "\"";
  }
  return text + "}";
}

std::string query_of(const Parameters& parameters) {
  std::string query;
  for (const auto& [name, value] : parameters) {
    query += (query.empty() ? "?" : "&") + name + "=" + encode_segment(value);
  }
  return query;
}

// One invocation: sends requests, and reports what went wrong.
class Tasks {
 public:
  Tasks(const CliEnvironment& env, ServerApi& server) : env_(env), server_(server) {}

  // Silent about this status: the caller has a message of its own for it.
  void expect(int status) { expected_ = status; }
  void be_silent() { silent_ = true; }
  // If the server goes away, waits until it is back.
  void outlast_restarts() { outlasts_ = true; }
  bool is_away() const { return away_; }

  Answer<json::value> get(const std::string& path, const Parameters& parameters = {},
                          bool patient = false) {
    return exchange("GET", path, parameters, patient);
  }
  Answer<json::value> post(const std::string& path, const Parameters& parameters = {}) {
    return exchange("POST", path, parameters, false);
  }
  Answer<json::value> task(const std::string& route, const std::string& id,
                           const Parameters& parameters = {}, bool patient = false) {
    return get("/task_manager/" + route + "/" + encode_segment(id), parameters, patient);
  }
  // The UUID for a number or a run's name, which people type; for other servers, the text itself.
  std::string id_of(const std::string& text) {
    const bool number = text.find_first_not_of("0123456789") == std::string::npos;
    if (!number && !is_run_name(text)) return text;
    const auto found = find_task(server_, text);
    const std::string uuid = found ? text_at(*found, "uuid") : std::string();
    return uuid.empty() ? text : uuid;
  }

 private:
  Answer<json::value> exchange(std::string_view method, const std::string& path,
                               const Parameters& parameters, bool patient) {
    Call call{.door = Door::kTasks, .method = method, .path = path + query_of(parameters)};
    const auto response = server_.ask(call, patient);
    if (!response) {
      complain(response.error());
      return tl::unexpected(Failure{kOther, 0});
    }
    away_ = false;
    if (response->status != 200) {
      call.path = path;
      if (response->status != expected_) {
        say("error executing " + std::string(method) + " request to " + server_.url_of(call) +
            " with parameters " + shown(parameters) + ": remote replied with status code " +
            std::to_string(response->status) + ":\n" + message_of(response->body));
      }
      return tl::unexpected(Failure{kRemote, response->status});
    }
    if (response->body.empty()) return json::value(nullptr);
    auto value = parse_json(response->body);
    if (value) return *std::move(value);
    say("error running operation: " + server_.url_of(call) + " answered " + value.error().message);
    return tl::unexpected(Failure{kOther, 200});
  }

  void complain(const Error& error) {
    const bool was_away = away_;
    away_ = outlasts_ && (away_ || error.kind == ErrorKind::kCancelled);
    if (!away_) say("error running operation: " + error.message);
    if (away_ && !was_away) say(error.message + "; trying again");
  }

  static std::string message_of(const std::string& body) {
    const auto value = parse_json(body);
    const std::string message = value ? text_at(*value, "message") : std::string();
    return message.empty() ? body : message;
  }

  void say(const std::string& text) const {
    if (!silent_) env_.err << text << '\n';
  }

  const CliEnvironment& env_;
  ServerApi& server_;
  int expected_ = 0;
  bool silent_ = false;
  bool outlasts_ = false;
  bool away_ = false;
};

int bad_arguments(const CliEnvironment& env, const std::string& complaint) {
  env.err << "error processing arguments: " << complaint << '\n';
  return kBadArguments;
}

// In the wording of boost::program_options.
std::string in_words_of_nodetool(const std::string& complaint) {
  constexpr std::string_view kFlag = "unknown flag ";
  if (complaint.starts_with(kFlag)) {
    return "unrecognised option '" + complaint.substr(kFlag.size()) + "'";
  }
  if (complaint.starts_with("unexpected argument")) {
    return "too many positional options have been specified on the command line";
  }
  return complaint;
}

int missing(const CliEnvironment& env, const char* name) {
  return bad_arguments(env, std::string("required parameter is missing: ") + name);
}

int print_json(const CliEnvironment& env, const json::value& answer) {
  env.out << to_pretty_json(answer) << '\n' << std::flush;
  return 0;
}

int list_modules(const CliEnvironment& env, ServerApi& server, const TasksFlags& flags) {
  const auto modules = Tasks(env, server).get("/task_manager/list_modules");
  if (!modules) return modules.error().code;
  if (flags.json) return print_json(env, *modules);
  for (const json::value& name : array_of(*modules)) env.out << text_of(name) << '\n';
  return 0;
}

// ---- list

int print_list(const CliEnvironment& env, Tasks& tasks, const TasksFlags& flags) {
  Parameters parameters;
  if (flags.internal) parameters["internal"] = "true";
  if (flags.keyspace) parameters["keyspace"] = *flags.keyspace;
  if (flags.table) parameters["table"] = *flags.table;
  const auto listed = tasks.task("list_module_tasks", flags.module, parameters);
  if (!listed) return listed.error().code;
  if (flags.json) return print_json(env, *listed);
  PlainTable table = list_table();
  for (const json::value& stats : array_of(*listed)) table.add(list_row(stats));
  table.print(env.out);
  env.out.flush();
  return 0;
}

int list(const CliEnvironment& env, ServerApi& server, const TasksFlags& flags) {
  if (flags.module.empty()) return missing(env, "module");
  Tasks tasks(env, server);
  for (std::uint32_t left = flags.iterations;; --left) {
    if (const int code = print_list(env, tasks, flags); code != 0) return code;
    if (left == 0 || !env.out.good()) return 0;
    if (env.machine) env.machine->pause(std::chrono::seconds{flags.interval});
    env.out << "\n\n";
  }
}

// ---- tree

Answer<json::array> statuses_below(Tasks& tasks, const std::string& id) {
  auto tree = tasks.task("task_status_recursive", id, {}, true);
  if (!tree) return tl::unexpected(tree.error());
  return array_of(*tree);
}

// A task may be forgotten between the list and the request: 400, which is not a failure.
int add_module_trees(Tasks& tasks, const std::string& module, json::array& statuses) {
  const auto listed = tasks.task("list_module_tasks", module);
  if (!listed) return listed.error().code;
  for (const json::value& stats : array_of(*listed)) {
    tasks.expect(400);
    const auto below = statuses_below(tasks, text_at(stats, "task_id"));
    tasks.expect(0);
    if (!below && below.error().status == 400) continue;
    if (!below) return below.error().code;
    statuses.insert(statuses.end(), below->begin(), below->end());
  }
  return 0;
}

Answer<json::array> all_statuses(Tasks& tasks) {
  const auto modules = tasks.get("/task_manager/list_modules");
  if (!modules) return tl::unexpected(modules.error());
  json::array statuses;
  for (const json::value& module : array_of(*modules)) {
    if (const int code = add_module_trees(tasks, text_of(module), statuses); code != 0)
      return tl::unexpected(Failure{code});
  }
  return statuses;
}

int tree(const CliEnvironment& env, ServerApi& server, const TasksFlags& flags) {
  Tasks tasks(env, server);
  const auto statuses =
      flags.id.empty() ? all_statuses(tasks) : statuses_below(tasks, tasks.id_of(flags.id));
  if (!statuses) return statuses.error().code;
  if (flags.json) return print_json(env, *statuses);
  PlainTable table = tree_table();
  for (const json::value& status : *statuses) table.add(tree_row(status));
  table.print(env.out);
  return 0;
}

// ---- one task

int status(const CliEnvironment& env, ServerApi& server, const TasksFlags& flags) {
  if (flags.id.empty()) return missing(env, "id");
  Tasks tasks(env, server);
  const auto status = tasks.task("task_status", tasks.id_of(flags.id));
  if (!status) return status.error().code;
  if (flags.json) return print_json(env, *status);
  print_status(env.out, *status);
  return 0;
}

int quiet_outcome(const Answer<json::value>& waited) {
  if (!waited) return waited.error().status == 408 ? kTimedOut : kCannotWait;
  return text_at(*waited, "state") == "done" ? 0 : kTaskFailed;
}

// What remains of a number of seconds; anything else is left for the server to refuse.
std::string left_of(const std::string& timeout, std::chrono::milliseconds passed) {
  std::int64_t seconds = 0;
  const auto [end, error] =
      std::from_chars(timeout.data(), timeout.data() + timeout.size(), seconds);
  if (error != std::errc{} || end != timeout.data() + timeout.size()) return timeout;
  return std::to_string(std::max<std::int64_t>(0, seconds - passed.count() / 1000));
}

// The task continues while the server is away, and so does the wait.
Answer<json::value> wait_through_restarts(const CliEnvironment& env, Tasks& tasks,
                                          const TasksFlags& flags) {
  if (env.machine) tasks.outlast_restarts();
  const auto begun = env.machine ? env.machine->elapsed() : std::chrono::milliseconds{};
  std::optional<std::string> timeout = flags.timeout;
  const std::string id = tasks.id_of(flags.id);
  for (;;) {
    Parameters parameters;
    if (timeout) parameters["timeout"] = *timeout;
    auto waited = tasks.task("wait_task", id, parameters, true);
    if (waited || !tasks.is_away()) return waited;
    if (timeout == "0") return tl::unexpected(Failure{kRemote, 408});
    env.machine->pause(kBetweenTries);
    if (timeout) timeout = left_of(*flags.timeout, env.machine->elapsed() - begun);
  }
}

int wait(const CliEnvironment& env, ServerApi& server, const TasksFlags& flags) {
  if (flags.id.empty()) return missing(env, "id");
  Tasks tasks(env, server);
  tasks.expect(408);
  if (flags.quiet) tasks.be_silent();
  const auto waited = wait_through_restarts(env, tasks, flags);
  if (flags.quiet) return quiet_outcome(waited);
  if (!waited && waited.error().status != 408) return waited.error().code;
  if (waited && flags.json) return print_json(env, *waited);
  if (waited) {
    print_status(env.out, *waited);
  } else {
    env.out << "Operation timed out\n";
  }
  return 0;
}

int abort(const CliEnvironment& env, ServerApi& server, const TasksFlags& flags) {
  if (flags.id.empty()) return missing(env, "id");
  Tasks tasks(env, server);
  tasks.expect(403);
  const auto aborted =
      tasks.post("/task_manager/abort_task/" + encode_segment(tasks.id_of(flags.id)));
  if (aborted) return 0;
  if (aborted.error().status != 403) return aborted.error().code;
  env.out << "Task with id " << flags.id << " is not abortable\n";
  return 0;
}

// ---- how long ended tasks are shown

// `name` is that of the route and of its parameter.
int time_to_live(const CliEnvironment& env, ServerApi& server, const TasksFlags& flags,
                 const std::string& name, const char* words) {
  Tasks tasks(env, server);
  const std::string path = "/task_manager/" + name;
  const auto answer = flags.set ? tasks.post(path, {{name, *flags.set}}) : tasks.get(path);
  if (!answer) return answer.error().code;
  if (!flags.set) env.out << "Current " << words << ": " << text_of(*answer) << '\n';
  return 0;
}

int drain(const CliEnvironment& env, ServerApi& server, const TasksFlags& flags) {
  Tasks tasks(env, server);
  std::vector<std::string> names{flags.module};
  if (flags.module.empty()) {
    const auto modules = tasks.get("/task_manager/list_modules");
    if (!modules) return modules.error().code;
    names.clear();
    for (const json::value& name : array_of(*modules)) names.push_back(text_of(name));
  }
  for (const std::string& name : names) {
    const auto drained = tasks.post("/task_manager/drain/" + encode_segment(name));
    if (!drained) return drained.error().code;
  }
  return 0;
}

// ---- the commands

class Group {
 public:
  explicit Group(CommandTree& tree)
      : tree_(tree),
        app_(tree.group(tree.root(), "tasks", "Tasks of every kind, as nodetool does")) {
    tree.on_misuse(app_, [](const CliEnvironment& env, const std::string& complaint) {
      if (!complaint.empty() && !complaint.starts_with("unknown command")) {
        return bad_arguments(env, in_words_of_nodetool(complaint));
      }
      env.err << "error: unrecognized operation argument: expected one of (modules, list, status, "
                 "tree, wait, abort, ttl, user-ttl, drain, watch)"
              << (complaint.empty() ? "" : ": ") << complaint << '\n';
      return kBadArguments;
    });
  }

  using Action = int (*)(const CliEnvironment&, ServerApi&, const TasksFlags&);
  CLI::App& add(const char* word, const char* description, Action action) {
    return tree_.program(app_, word, description,
                         [flags = flags_, action](const CliEnvironment& env, ServerApi& server) {
                           return action(env, server, *flags);
                         });
  }
  CLI::App& add_for_task(const char* word, const char* description, Action action) {
    CLI::App& app = add(word, description, action);
    app.add_option("id", flags_->id, "The task's UUID");
    return app;
  }
  CLI::App& app() { return app_; }
  TasksFlags& flags() { return *flags_; }

 private:
  CommandTree& tree_;
  CLI::App& app_;
  std::shared_ptr<TasksFlags> flags_ = std::make_shared<TasksFlags>();
};

CLI::App& add_list(Group& group) {
  TasksFlags& flags = group.flags();
  CLI::App& app = group.add("list", "List the tasks of a module", list);
  app.add_option("module", flags.module, "The module");
  app.add_flag("--internal", flags.internal, "Include internal tasks");
  app.add_option("--keyspace", flags.keyspace, "Only of this keyspace; also -ks")->type_name("K");
  app.add_option("-t,--table", flags.table, "Only of this table")->type_name("T");
  app.add_option("--interval", flags.interval, "Seconds between repetitions (10)")->type_name("S");
  app.add_option("-i,--iterations", flags.iterations, "Repetitions (0)")->type_name("N");
  return app;
}

void add_ttls(Group& group) {
  TasksFlags& flags = group.flags();
  CLI::App& ttl = group.add("ttl", "Show or set how long ended tasks are shown",
                            [](const CliEnvironment& env, ServerApi& server, const TasksFlags& f) {
                              return time_to_live(env, server, f, "ttl", "ttl");
                            });
  CLI::App& user_ttl =
      group.add("user-ttl", "The same for tasks that a user asked for",
                [](const CliEnvironment& env, ServerApi& server, const TasksFlags& f) {
                  return time_to_live(env, server, f, "user_ttl", "user ttl");
                });
  for (CLI::App* app : {&ttl, &user_ttl}) {
    app->add_option("--set", flags.set, "The new value, in seconds")->type_name("S");
  }
}

}  // namespace

void add_tasks_commands(CommandTree& tree_of_commands) {
  Group group(tree_of_commands);
  TasksFlags& flags = group.flags();
  CLI::App& modules = group.add("modules", "List the modules", list_modules);
  CLI::App& listing = add_list(group);
  CLI::App& one = group.add_for_task("status", "Show a task", status);
  CLI::App& all =
      group.add_for_task("tree", "Show a task and everything below it, or all tasks", tree);
  CLI::App& waiting = group.add_for_task("wait", "Wait until a task has ended", wait);
  waiting.add_flag("-q,--quiet", flags.quiet, "Say nothing; exit with 0, 123, 124 or 125");
  waiting.add_option("--timeout", flags.timeout, "Give up after this many seconds")->type_name("S");
  for (CLI::App* app : {&modules, &listing, &one, &all, &waiting}) add_json_flag(*app, flags.json);
  group.add_for_task("abort", "Ask a task to stop", abort);
  add_ttls(group);
  CLI::App& draining = group.add("drain", "Forget tasks that have ended", drain);
  draining.add_option("--module", flags.module, "Only of this module")->type_name("M");
  add_tasks_watch(tree_of_commands, group.app());
}

}  // namespace docket::cli
