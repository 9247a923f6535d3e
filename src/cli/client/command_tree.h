#pragma once

// The tree of commands: CLI11 parses, and each leaf carries its action. Help, completion and
// suggestions are read from the tree, so they always match what is parsed.

#include <CLI/CLI.hpp>  // every user of App must see all of its inline parts
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/client/environment.h"
#include "cli/client/server_api.h"
#include "core/result.h"

namespace docket::cli {

using LocalAction = std::function<Result<void>(const CliEnvironment&)>;
using ServerAction = std::function<Result<void>(const CliEnvironment&, ServerApi&)>;
// For commands that define their own exit codes and messages: they do everything themselves.
using ExitAction = std::function<int(const CliEnvironment&, ServerApi&)>;
// What to do about an invalid command line below such a group.
using UsageAction = std::function<int(const CliEnvironment&, const std::string& complaint)>;

// What a positional, or the value of a flag, names, so that the shell can complete it. A run or a
// schedule that follows a job is one of that job.
enum class Completes { kNothing, kJob, kRun, kJobOrRun, kSchedule, kFile, kStream };

class CommandTree {
 public:
  explicit CommandTree(const CliEnvironment& environment);

  CLI::App& root() { return root_; }
  const CLI::App& root() const { return root_; }
  const std::string& url_flag() const { return url_; }
  bool utc_flag() const { return utc_; }

  // A command that only holds others.
  CLI::App& group(CLI::App& parent, const std::string& word, const std::string& description);
  CLI::App& local(CLI::App& parent, const std::string& word, const std::string& description,
                  LocalAction action);
  CLI::App& command(CLI::App& parent, const std::string& word, const std::string& description,
                    ServerAction action);

  CLI::App& program(CLI::App& parent, const std::string& word, const std::string& description,
                    ExitAction action);
  void on_misuse(const CLI::App& group, UsageAction action);
  void misuse_exits(const CLI::App& group, int code);

  // What follows `--`, where a command accepts that (`docket task run -- command ...`).
  std::vector<std::string>& rest() { return rest_; }

  const LocalAction* local_action(const CLI::App& app) const;
  const ServerAction* server_action(const CLI::App& app) const;
  const ExitAction* exit_action(const CLI::App& app) const;
  // Its own, or that of a group above.
  const UsageAction* usage_action(const CLI::App& app) const;
  int misuse_code(const CLI::App& app) const;  // 2 unless one is set

 private:
  CLI::App root_;
  std::string url_;
  bool utc_ = false;
  std::map<const CLI::App*, LocalAction> local_;
  std::map<const CLI::App*, ServerAction> server_;
  std::map<const CLI::App*, ExitAction> exit_;
  std::map<const CLI::App*, UsageAction> usage_;
  std::map<const CLI::App*, int> codes_;
  std::vector<std::string> rest_;
};

// Positionals. Ids must not be empty: an empty one would request the list instead of the object.
CLI::Option* job_id(CLI::App& command, std::string& target);
CLI::Option* named_id(CLI::App& command, const std::string& name, std::string& target,
                      const std::string& description);
CLI::Option* json_file(CLI::App& command, std::string& target);
Completes completes(const CLI::Option& option);

// For lists that can be printed as a table, as JSON or as bare ids.
struct ListFormat {
  bool json = false;
  bool quiet = false;
};
void add_format_flags(CLI::App& command, ListFormat& format);

void add_json_flag(CLI::App& command, bool& json);

// The parts of the tree, one function per file.
void add_job_commands(CommandTree& tree);
void add_run_commands(CommandTree& tree, CLI::App& job);
void add_run_list(CommandTree& tree, CLI::App& show);
void add_schedule_commands(CommandTree& tree, CLI::App& job);
void add_job_switches(CommandTree& tree, CLI::App& job);
void add_schedule_switches(CommandTree& tree);
void add_runs_commands(CommandTree& tree);
void add_task_commands(CommandTree& tree);
void add_task_run(CommandTree& tree, CLI::App& task);
void add_tasks_commands(CommandTree& tree);
void add_tasks_watch(CommandTree& tree, CLI::App& tasks);
void add_explain_command(CommandTree& tree);
void add_native_commands(CommandTree& tree);
void add_maintenance_commands(CommandTree& tree);
void add_clock_commands(CommandTree& tree);
void add_event_commands(CommandTree& tree);
void add_secret_commands(CommandTree& tree);
void add_import_commands(CommandTree& tree);
void add_completion_commands(CommandTree& tree);
void add_man_command(CommandTree& tree);

// The deepest command that the parsed line names.
const CLI::App* chosen(const CLI::App& root);

}  // namespace docket::cli
