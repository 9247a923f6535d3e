// docket maintenance: orders the server's housekeeping over the native API, waits for its end, and
// prints the result as nodetool prints that of its backups (scylla-tasks.md section 8).

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/client/command_tree.h"
#include "cli/client/json_access.h"
#include "cli/watch_view.h"
#include "core/json_writer.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

// How long the server may hold back an answer: short enough for a line that moves, and for the time
// limit of requests.
constexpr const char* kLookEvery = "500ms";
constexpr const char* kAskEvery = "30s";

// The parsed arguments; shared by the parser, which fills them, and the actions, which read them.
struct MaintenanceFlags {
  std::string file;
  std::vector<std::string> families;
  bool no_wait = false;
  bool json = false;
};

bool has_ended(const json::value& task) {
  const std::string state = text_at(task, "state");
  return state == "done" || state == "failed" || state == "aborted";
}

Result<json::value> order(ServerApi& server, const std::string& operation,
                          const MaintenanceFlags& flags) {
  json::object body;
  if (!flags.file.empty()) body["file"] = flags.file;
  if (!flags.families.empty()) {
    body["families"] = json::array(flags.families.begin(), flags.families.end());
  }
  const json::value value(std::move(body));
  return server.call({.door = Door::kNative,
                      .method = "POST",
                      .path = "/maintenance/" + operation,
                      .body = &value});
}

// One line of a terminal, redrawn each time; cleared when this is destroyed.
class ProgressLine {
 public:
  explicit ProgressLine(const CliEnvironment& env) : env_(env) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() {
    if (drawn_) env_.out << "\r\x1b[K" << std::flush;
  }

  void draw(const json::value& task) {
    if (!env_.is_tty) return;
    drawn_ = true;
    const ViewSize size{.columns = env_.columns > 0 ? env_.columns : 80, .rows = 0};
    env_.out << '\r' << view_lines({task}, size).front() << "\x1b[K" << std::flush;
  }

 private:
  const CliEnvironment& env_;
  bool drawn_ = false;
};

Result<json::value> await_end(const CliEnvironment& env, ServerApi& server, json::value task) {
  const std::string path = "/tasks/" + encode_segment(text_at(task, "uuid")) +
                           "?wait=" + (env.is_tty ? kLookEvery : kAskEvery);
  ProgressLine line(env);
  while (!has_ended(task)) {
    line.draw(task);
    auto now = server.native(path);
    if (!now) return now;
    task = *std::move(now);
  }
  return task;
}

Result<void> not_done(const std::string& operation) {
  return fail(ErrorKind::kInternal, "the " + operation + " was not done");
}

Result<void> carry_out(const CliEnvironment& env, ServerApi& server, const std::string& operation,
                       const MaintenanceFlags& flags) {
  const auto ordered = order(server, operation, flags);
  if (!ordered) return fail(ordered.error());
  if (flags.no_wait) {
    env.out << (flags.json ? to_pretty_json(*ordered) : text_at(*ordered, "uuid")) << '\n';
    return {};
  }
  const auto task = await_end(env, server, *ordered);
  if (!task) return fail(task.error());
  const std::string state = text_at(*task, "state");
  if (flags.json) {
    env.out << to_pretty_json(*task) << '\n';
    if (state != "done") return not_done(operation);
    return {};
  }
  const std::string error = text_at(*task, "message");
  env.out << state << (error.empty() ? "" : ": " + error)
          << "\nstart: " << text_at(*task, "startedAt") << "\nend: " << text_at(*task, "finishedAt")
          << '\n';
  const std::string file = text_at(member(*task, "operation"), "entity");
  if (state != "done") return not_done(operation);
  if (!file.empty()) env.out << "file: " << file << '\n';
  return {};
}

// The subcommands, in the order of the help.
class Group {
 public:
  explicit Group(CommandTree& tree)
      : tree_(tree),
        app_(tree.group(tree.root(), "maintenance",
                        "The server's housekeeping: backups, checks, disk space")) {}

  CLI::App& add(const std::string& word, const std::string& description) {
    CLI::App& app =
        tree_.command(app_, word, description,
                      [flags = flags_, word](const CliEnvironment& env, ServerApi& server) {
                        return carry_out(env, server, word, *flags);
                      });
    add_json_flag(app, flags_->json);
    app.add_flag("--no-wait,--nowait", flags_->no_wait, "Print the task's id and do not wait");
    return app;
  }
  MaintenanceFlags& flags() { return *flags_; }

 private:
  CommandTree& tree_;
  CLI::App& app_;
  std::shared_ptr<MaintenanceFlags> flags_ = std::make_shared<MaintenanceFlags>();
};

}  // namespace

void add_maintenance_commands(CommandTree& tree) {
  Group group(tree);
  const char* name = "Its name in the server's backup directory; default: one with the time";
  CLI::App& backup = group.add("backup", "Copy the store into a file on the server's machine");
  backup.add_option("name", group.flags().file, name);
  backup.footer("\nExample: docket maintenance backup before-upgrade.db");
  CLI::App& exported = group.add("export", "Write every record as a line of JSON into such a file");
  exported.add_option("name", group.flags().file, name);
  CLI::App& verify = group.add("verify", "Look for damage in the whole store");
  verify
      .add_option("--family", group.flags().families,
                  "Only records of this kind, repeatable: job, task, ...")
      ->allow_extra_args(false)
      ->type_name("NAME");
  group.add("vacuum", "Return space that the store does not need to the disk");
  group.add("checkpoint", "Copy the store's log into its file");
  group.add("retention", "Remove now what has passed its retention");
  group.add("upgrade", "Check that the store has the form of the server's version");
}

}  // namespace docket::cli
