#include "cli/completion.h"

#include <boost/json/array.hpp>
#include <memory>
#include <ostream>

#include "cli/client/json_access.h"
#include "cli/client/metronome_calls.h"
#include "cli/client/native_calls.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

std::vector<std::string> spellings(const CLI::Option& option) {
  std::vector<std::string> words;
  for (const std::string& name : option.get_snames()) words.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) words.push_back("--" + name);
  return words;
}

// What the line names so far.
struct Place {
  const CLI::App* app = nullptr;
  std::vector<std::string> arguments;    // of that command
  const CLI::Option* waiting = nullptr;  // a flag whose value comes next
  std::string url;
};

// The command's own flag, or one of the commands above it.
const CLI::Option* find_flag(const CLI::App* app, const std::string& word) {
  for (; app != nullptr; app = app->get_parent()) {
    if (const CLI::Option* option = app->get_option_no_throw(word)) return option;
  }
  return nullptr;
}

const CLI::App* find_command(const CLI::App& app, const std::string& word) {
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (child->check_name(word)) return child;
  }
  return nullptr;
}

void step(Place& place, const std::string& word) {
  if (place.waiting != nullptr) {
    if (place.waiting->get_name() == "--url") place.url = word;
    place.waiting = nullptr;
  } else if (word.starts_with("-")) {
    const CLI::Option* flag = find_flag(place.app, word);
    if (flag != nullptr && flag->get_items_expected_max() > 0) place.waiting = flag;
  } else if (const CLI::App* child = find_command(*place.app, word);
             child != nullptr && place.arguments.empty()) {
    place.app = child;
  } else {
    place.arguments.push_back(word);
  }
}

class Offers {
 public:
  Offers(const CliEnvironment& env, const Place& place, std::string begun)
      : env_(env), place_(place), begun_(std::move(begun)) {}

  void offer(const std::string& word, const std::string& description = {}) {
    if (!word.starts_with(begun_)) return;
    const std::size_t line = std::min(description.find('\n'), description.size());
    env_.out << word << (line > 0 ? "\t" : "") << description.substr(0, line) << '\n';
  }

  void flags() {
    for (const CLI::App* app = place_.app; app != nullptr; app = app->get_parent()) {
      for (const CLI::Option* option :
           app->get_options([](const CLI::Option* o) { return !o->get_positional(); })) {
        if (app != place_.app && option == app->get_help_ptr()) continue;
        for (const std::string& word : spellings(*option)) offer(word, option->get_description());
      }
    }
  }

  void commands() {
    if (!place_.arguments.empty()) return;
    for (const CLI::App* app : place_.app->get_subcommands([](const CLI::App*) { return true; })) {
      offer(app->get_name(), app->get_description());
    }
  }

  void argument() {
    const auto positionals =
        place_.app->get_options([](const CLI::Option* o) { return o->get_positional(); });
    if (place_.arguments.size() < positionals.size()) {
      values(completes(*positionals[place_.arguments.size()]));
    }
  }

  void values(Completes what) {
    switch (what) {
      case Completes::kFile:
        env_.out << ":files\n";
        break;
      case Completes::kStream:
        offer("stdout");
        offer("stderr");
        break;
      case Completes::kJob:
        return jobs();
      case Completes::kJobOrRun:
        jobs();
        return runs();
      case Completes::kRun:
        return runs();
      case Completes::kSchedule:
        return schedules();
      case Completes::kNothing:
        break;
    }
  }

 private:
  // If there is no server, or it refuses, there is nothing to offer.
  template <class Ask>
  void ask(Ask ask) {
    auto settings = load_settings(env_, place_.url);
    if (!settings) return;
    const std::unique_ptr<HttpClient> own = env_.http == nullptr ? make_curl_client() : nullptr;
    ServerApi server(own ? *own : *env_.http, *std::move(settings));
    ask(server);
  }

  void jobs() {
    ask([this](ServerApi& server) {
      const auto list = server.metronome("/v1/jobs");
      if (!list) return;
      for (const json::value& job : array_of(*list)) {
        offer(text_at(job, "id"), text_at(job, "description"));
      }
    });
  }

  // The newest runs, of the preceding job if there is one.
  void runs() {
    ask([this](ServerApi& server) {
      const bool of_job = !place_.arguments.empty();
      const auto page = server.native(
          "/runs?limit=100" + (of_job ? "&job=" + encode_segment(place_.arguments.front()) : ""));
      if (!page) return;
      for (const json::value& run : array_at(*page, "items")) {
        offer(text_at(run, "name"), text_at(run, "job") + ", " + text_at(run, "state"));
      }
    });
  }

  void schedules() {
    if (place_.arguments.empty()) return;
    ask([this](ServerApi& server) {
      const auto list = server.metronome(schedules_path(place_.arguments.front()));
      if (!list) return;
      for (const json::value& schedule : array_of(*list)) {
        offer(text_at(schedule, "id"), text_at(schedule, "cron"));
      }
    });
  }

  const CliEnvironment& env_;
  const Place& place_;
  const std::string begun_;
};

// ---- the scripts

// The line is split here, because bash would also split at the colons of a URL.
constexpr const char* kBash = R"sh(# bash completion of docket, made by `docket completion bash`
_docket() {
  local line="${COMP_LINE:0:COMP_POINT}" words=() offers=()
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  mapfile -t offers < <(docket __complete "${words[@]:1}" 2>/dev/null)
  if [[ ${offers[0]} == :files ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "${words[-1]}")
  else
    COMPREPLY=("${offers[@]%%$'\t'*}")
  fi
}
complete -F _docket docket
)sh";

constexpr const char* kZsh = R"sh(#compdef docket
# zsh completion of docket, made by `docket completion zsh`
_docket() {
  local -a offers
  offers=("${(@f)$(docket __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  offers=("${(@)offers:#}")
  if [[ $offers[1] == :files ]]; then
    _files
    return
  fi
  offers=("${(@)offers//:/\\:}")
  offers=("${(@)offers/$'\t'/:}")
  (( $#offers )) && _describe docket offers
}
if [[ $funcstack[1] == _docket ]]; then _docket "$@"; else compdef _docket docket; fi
)sh";

constexpr const char* kFish = R"sh(# fish completion of docket, made by `docket completion fish`
function __docket_offers
    set -l words (commandline -opc) (commandline -ct)
    docket __complete $words[2..] 2>/dev/null
end
complete -c docket -f -a '(__docket_offers | string match -v :files)'
complete -c docket -F -n '__docket_offers | string match -q :files'
)sh";

}  // namespace

int complete(const CliEnvironment& env, const CommandTree& tree,
             const std::vector<std::string>& words) {
  Place place{.app = &tree.root(), .arguments = {}, .waiting = nullptr, .url = {}};
  for (std::size_t i = 0; i + 1 < words.size(); ++i) step(place, words[i]);
  const std::string begun = words.empty() ? std::string() : words.back();
  Offers offers(env, place, begun);
  if (place.waiting != nullptr) {
    offers.values(completes(*place.waiting));
  } else if (begun.starts_with("-")) {
    offers.flags();
  } else {
    offers.commands();
    offers.argument();
  }
  return 0;
}

void add_completion_commands(CommandTree& tree) {
  CLI::App& completion =
      tree.group(tree.root(), "completion", "Print a completion script for a shell");
  const auto add = [&](const char* shell, const char* script, const char* always) {
    CLI::App& app = tree.local(completion, shell, std::string("For ") + shell,
                               [script](const CliEnvironment& env) -> Result<void> {
                                 env.out << script;
                                 return {};
                               });
    app.footer(std::string("\nAlways:  docket completion ") + shell + " > " + always);
  };
  add("bash", kBash, "~/.local/share/bash-completion/completions/docket");
  add("zsh", kZsh, "a directory of $fpath/_docket");
  add("fish", kFish, "~/.config/fish/completions/docket.fish");
}

}  // namespace docket::cli
