#include "cli/cli.h"

#include <algorithm>
#include <ostream>
#include <sstream>

#include "cli/client/command_tree.h"
#include "cli/command_words.h"
#include "cli/completion.h"
#include "cli/suggestion.h"

namespace docket::cli {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;

bool is_group(const CLI::App& app) {
  return !app.get_subcommands([](const CLI::App*) { return true; }).empty();
}

std::string full_name(const CLI::App& app) {
  const std::string above = app.get_parent() == nullptr ? "" : full_name(*app.get_parent()) + " ";
  return above + app.get_name();
}

std::vector<std::string> known_words(const CLI::App& group) {
  std::vector<std::string> words;
  for (const CLI::App* app : group.get_subcommands([](const CLI::App*) { return true; })) {
    words.push_back(app->get_name());
  }
  return words;
}

std::string help_of(const CLI::App& app) {
  return app.help(app.get_parent() == nullptr ? "" : full_name(*app.get_parent()));
}

void add_all_commands(CommandTree& tree, const CliEnvironment& env) {
  add_job_commands(tree);
  add_runs_commands(tree);
  add_schedule_switches(tree);
  add_task_commands(tree);
  add_tasks_commands(tree);
  add_explain_command(tree);
  add_native_commands(tree);
  add_maintenance_commands(tree);
  add_clock_commands(tree);
  add_event_commands(tree);
  add_secret_commands(tree);
  add_import_commands(tree);
  add_completion_commands(tree);
  add_man_command(tree);
  // `help` followed by a command is that command's --help: command_words.cc.
  tree.group(tree.root(), "help", "Print the help of a command: docket help job run");
  if (env.server_commands) env.server_commands(tree);
}

int usage_error(const CliEnvironment& env, const CommandTree& tree, const CLI::App& app,
                const std::string& message) {
  if (const UsageAction* own = tree.usage_action(app)) return (*own)(env, message);
  env.err << "Error: " << message << "\nSee `" << full_name(app) << " --help`.\n";
  return tree.misuse_code(app);
}

int unknown_word(const CliEnvironment& env, const CommandTree& tree, const CLI::App& group,
                 const std::string& word) {
  std::string message = "unknown command \"" + word + "\"";
  if (group.get_parent() != nullptr) message += " of `" + full_name(group) + "`";
  if (const auto guess = nearest(word, known_words(group))) {
    message += "; did you mean \"" + *guess + "\"?";
  }
  return usage_error(env, tree, group, message);
}

// Words that CLI11 did not accept are a mistyped command, a mistyped flag, or one argument too
// many.
int leftovers(const CliEnvironment& env, const CommandTree& tree) {
  const CLI::App& app = *chosen(tree.root());
  for (const std::string& word : tree.root().remaining(true)) {
    if (word.starts_with("-") && word.size() > 1) {
      return usage_error(env, tree, app, "unknown flag " + word.substr(0, word.find('=')));
    }
    if (is_group(app) &&
        app.get_options([](const CLI::Option* o) { return o->get_positional(); }).empty()) {
      return unknown_word(env, tree, app, word);
    }
    return usage_error(env, tree, app, "unexpected argument \"" + word + "\"");
  }
  return usage_error(env, tree, app, "the command line is not valid");
}

int report(const CliEnvironment& env, const Result<void>& result) {
  env.out.flush();
  if (result) return kDone;
  for (const FieldError& field : result.error().fields) {
    env.err << field.path << ": ";
    for (std::size_t i = 0; i < field.errors.size(); ++i) {
      env.err << (i == 0 ? "" : ",") << field.errors[i];
    }
    env.err << '\n';
  }
  env.err << "Error: " << result.error().message << '\n';
  return kFailed;
}

int run_remote(const CliEnvironment& env, const CommandTree& tree, const ExitAction& action) {
  auto settings = load_settings(env, tree.url_flag());
  if (!settings) return report(env, fail(settings.error()));
  const std::unique_ptr<HttpClient> own = env.http == nullptr ? make_curl_client() : nullptr;
  ServerApi server(own ? *own : *env.http, *std::move(settings));
  return action(env, server);
}

int run_remote(const CliEnvironment& env, const CommandTree& tree, const ServerAction& action) {
  const ExitAction reported = [&action](const CliEnvironment& world, ServerApi& server) {
    return report(world, action(world, server));
  };
  return run_remote(env, tree, reported);
}

// CLI11 passes arguments that a command does not accept to the commands above it: `job show runs a
// b` is not `job show b`.
bool has_misplaced_argument(const CLI::App& app) {
  for (const CLI::App* above = app.get_parent(); above != nullptr; above = above->get_parent()) {
    const auto filled = above->get_options(
        [](const CLI::Option* option) { return option->get_positional() && option->count() > 0; });
    if (!filled.empty()) return true;
  }
  return false;
}

int run_chosen(const CliEnvironment& world, const CommandTree& tree) {
  CliEnvironment env = world;
  env.utc = tree.utc_flag();
  const CLI::App& app = *chosen(tree.root());
  if (has_misplaced_argument(app)) return usage_error(env, tree, app, "too many arguments");
  if (const LocalAction* action = tree.local_action(app)) return report(env, (*action)(env));
  if (const ServerAction* action = tree.server_action(app)) return run_remote(env, tree, *action);
  if (const ExitAction* action = tree.exit_action(app)) return run_remote(env, tree, *action);
  if (const UsageAction* own = tree.usage_action(app)) return (*own)(env, "");
  env.out << help_of(app);
  return kDone;
}

int parse_and_run(const CliEnvironment& env, CommandTree& tree, std::vector<std::string> words) {
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  try {
    tree.root().parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    const CLI::App& app = *chosen(tree.root());
    const auto rest = tree.root().remaining(true);
    if (is_group(app) && !rest.empty() && !rest.front().starts_with("-")) {
      return unknown_word(env, tree, app, rest.front());
    }
    env.out << help_of(app);
    return kDone;
  } catch (const CLI::CallForVersion& version) {
    env.out << version.what() << '\n';
    return kDone;
  } catch (const CLI::ExtrasError&) {
    return leftovers(env, tree);
  } catch (const CLI::ParseError& error) {
    return usage_error(env, tree, *chosen(tree.root()), error.what());
  }
  return run_chosen(env, tree);
}

}  // namespace

int run_cli(int argc, const char* const* argv, const CliEnvironment& environment) {
  CommandTree tree(environment);
  add_all_commands(tree, environment);
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (!words.empty() && words.front() == kCompleteWord) {
    return complete(environment, tree, {words.begin() + 1, words.end()});
  }
  tree.rest() = split_off_command(words);
  expand_habits(words);
  translate_connection_options(words);
  const int code = parse_and_run(environment, tree, std::move(words));
  if (environment.out.flush()) return code;
  environment.err << "Error: cannot write to standard output\n";
  return code == kDone ? kFailed : code;
}

std::vector<CommandWord> command_words() {
  std::istringstream in;
  std::ostringstream out;
  const CliEnvironment env{.in = in, .out = out, .err = out};
  CommandTree tree(env);
  add_all_commands(tree, env);
  std::vector<CommandWord> words;
  for (const CLI::App* app : tree.root().get_subcommands([](const CLI::App*) { return true; })) {
    words.push_back({app->get_name(), app->get_description()});
  }
  return words;
}

}  // namespace docket::cli
