#include "cli/client/command_tree.h"

#include <array>

namespace docket::cli {
namespace {

constexpr std::size_t kHelpColumn = 32;

std::string not_empty(const std::string& text) { return text.empty() ? "must not be empty" : ""; }

}  // namespace

CommandTree::CommandTree(const CliEnvironment& environment)
    : root_("docket runs jobs: now, on a schedule, and after each other.", "docket") {
  // One subcommand per level: otherwise a job called `list` would be taken for the command `list`.
  root_.require_subcommand(0, 1);
  root_.fallthrough();
  root_.get_formatter()->column_width(kHelpColumn);
  root_.get_formatter()->label("REQUIRED", "");
  root_.get_formatter()->label("TEXT", "");
  root_.get_formatter()->label("SUBCOMMAND", "COMMAND");
  root_.get_formatter()->label("Positionals", "Arguments");
  root_.set_help_flag("-h,--help", "Print this help and exit");
  root_
      .add_option("--url", url_,
                  "The server; default: DOCKET_URL, `url` in ~/.config/docket/config.toml, or " +
                      std::string(kDefaultUrl))
      ->type_name("URL");
  root_.add_flag("--utc", utc_, "Show and read times in UTC, not in this machine's zone");
  if (!environment.version.empty()) {
    root_.set_version_flag("--version", environment.version, "Print the version and exit");
  }
}

CLI::App& CommandTree::group(CLI::App& parent, const std::string& word,
                             const std::string& description) {
  CLI::App& app = *parent.add_subcommand(word, description);
  app.group("Commands");
  return app;
}

CLI::App& CommandTree::local(CLI::App& parent, const std::string& word,
                             const std::string& description, LocalAction action) {
  CLI::App& app = group(parent, word, description);
  local_.emplace(&app, std::move(action));
  return app;
}

CLI::App& CommandTree::command(CLI::App& parent, const std::string& word,
                               const std::string& description, ServerAction action) {
  CLI::App& app = group(parent, word, description);
  server_.emplace(&app, std::move(action));
  return app;
}

CLI::App& CommandTree::program(CLI::App& parent, const std::string& word,
                               const std::string& description, ExitAction action) {
  CLI::App& app = group(parent, word, description);
  exit_.emplace(&app, std::move(action));
  return app;
}

void CommandTree::on_misuse(const CLI::App& group, UsageAction action) {
  usage_.emplace(&group, std::move(action));
}

void CommandTree::misuse_exits(const CLI::App& group, int code) { codes_.emplace(&group, code); }

int CommandTree::misuse_code(const CLI::App& app) const {
  constexpr int kUsual = 2;
  for (const CLI::App* at = &app; at != nullptr; at = at->get_parent()) {
    if (const auto found = codes_.find(at); found != codes_.end()) return found->second;
  }
  return kUsual;
}

const ExitAction* CommandTree::exit_action(const CLI::App& app) const {
  const auto found = exit_.find(&app);
  return found == exit_.end() ? nullptr : &found->second;
}

const UsageAction* CommandTree::usage_action(const CLI::App& app) const {
  for (const CLI::App* at = &app; at != nullptr; at = at->get_parent()) {
    if (const auto found = usage_.find(at); found != usage_.end()) return &found->second;
  }
  return nullptr;
}

const LocalAction* CommandTree::local_action(const CLI::App& app) const {
  const auto found = local_.find(&app);
  return found == local_.end() ? nullptr : &found->second;
}

const ServerAction* CommandTree::server_action(const CLI::App& app) const {
  const auto found = server_.find(&app);
  return found == server_.end() ? nullptr : &found->second;
}

CLI::Option* named_id(CLI::App& command, const std::string& name, std::string& target,
                      const std::string& description) {
  return command.add_option(name, target, description)
      ->required()
      ->check(CLI::Validator(not_empty, ""));
}

CLI::Option* job_id(CLI::App& command, std::string& target) {
  return named_id(command, "job-id", target, "The job");
}

CLI::Option* json_file(CLI::App& command, std::string& target) {
  return command.add_option("file", target, "The JSON file; without it, or with -, standard input");
}

Completes completes(const CLI::Option& option) {
  const std::string name = option.get_positional() ? option.get_name(true) : option.get_type_name();
  constexpr std::array<std::pair<std::string_view, Completes>, 10> kNames{
      {{"job-id", Completes::kJob},
       {"JOB", Completes::kJob},
       {"run-id", Completes::kRun},
       {"RUN", Completes::kRun},
       {"run-or-job", Completes::kJobOrRun},
       {"job-or-run", Completes::kJobOrRun},
       {"schedule-id", Completes::kSchedule},
       {"file", Completes::kFile},
       {"FILE", Completes::kFile},
       {"stream", Completes::kStream}}};
  for (const auto& [known, what] : kNames) {
    if (known == name) return what;
  }
  return Completes::kNothing;
}

void add_format_flags(CLI::App& command, ListFormat& format) {
  add_json_flag(command, format.json);
  command.add_flag("-q,--quiet", format.quiet, "Print ids only, one per line");
}

void add_json_flag(CLI::App& command, bool& json) {
  command.add_flag("--json", json, "Print JSON");
}

const CLI::App* chosen(const CLI::App& root) {
  const CLI::App* app = &root;
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return app;
}

}  // namespace docket::cli
