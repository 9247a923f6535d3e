// Both scripts walk the words before the cursor in the same way: `at` is the command they name
// ("docket/job/run"), `kinds` says what its arguments are, `position` which of them the cursor is
// at.

#include "cli/completion.h"

#include <memory>
#include <ostream>

namespace docket::cli {
namespace {

struct Described {
  std::string word;
  std::string description;
};

struct Node {
  std::string at = {};
  std::vector<Described> children = {};
  std::vector<Described> flags = {};
  std::vector<std::string> value_flags = {};  // those that take a value
  std::vector<std::string> file_flags = {};   // those whose value is a file
  std::string kinds = {};                     // of its arguments: job, file, word,word or none
};

std::vector<std::string> spellings(const CLI::Option& option) {
  std::vector<std::string> words;
  for (const std::string& name : option.get_snames()) words.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) words.push_back("--" + name);
  return words;
}

std::string kind_of(const CLI::Option& positional) {
  switch (completes(positional)) {
    case Completes::kJob:
      return "job";
    case Completes::kFile:
      return "file";
    case Completes::kStream:
      return "stdout,stderr";
    case Completes::kNothing:
      break;
  }
  return "none";
}

void add_option(Node& node, const CLI::Option& option) {
  if (option.get_positional()) {
    node.kinds += (node.kinds.empty() ? "" : " ") + kind_of(option);
    return;
  }
  for (const std::string& word : spellings(option)) {
    node.flags.push_back({word, option.get_description()});
    if (option.get_items_expected_max() == 0) continue;
    node.value_flags.push_back(word);
    if (option.get_type_name() == "FILE") node.file_flags.push_back(word);
  }
}

void collect(const CLI::App& app, const std::string& above, std::vector<Node>& nodes) {
  Node node{.at = above.empty() ? app.get_name() : above + "/" + app.get_name()};
  for (const CLI::Option* option : app.get_options([](const CLI::Option*) { return true; })) {
    add_option(node, *option);
  }
  const auto children = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* child : children) {
    node.children.push_back({child->get_name(), child->get_description()});
  }
  const std::string at = node.at;
  nodes.push_back(std::move(node));
  for (const CLI::App* child : children) collect(*child, at, nodes);
}

std::vector<Node> nodes_of(const CommandTree& tree,
                           const std::vector<CommandWord>& server_commands) {
  std::vector<Node> nodes;
  collect(tree.root(), "", nodes);
  for (const CommandWord& word : server_commands) {
    nodes.front().children.push_back({word.name, word.description});
  }
  return nodes;
}

// Alternatives of a `case`; a pattern that matches nothing when there are none.
std::string pattern(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : "|") + word;
  return out.empty() ? "//" : out;
}

struct Patterns {
  std::string commands;  // docket/job|docket/job/add|...
  std::string values;    // docket/--url|docket/task/log/--lines|...
  std::string files;     // docket/secret/put/--file|...
};

Patterns patterns_of(const std::vector<Node>& nodes) {
  std::vector<std::string> commands;
  std::vector<std::string> values;
  std::vector<std::string> files;
  for (const Node& node : nodes) {
    for (const Described& child : node.children) commands.push_back(node.at + "/" + child.word);
    for (const std::string& flag : node.value_flags) values.push_back(node.at + "/" + flag);
    for (const std::string& flag : node.file_flags) files.push_back(node.at + "/" + flag);
  }
  values.emplace_back("*/--url");  // of the root, taken everywhere
  return {pattern(commands), pattern(values), pattern(files)};
}

std::string joined(const std::vector<Described>& words) {
  std::string out;
  for (const Described& word : words) out += (out.empty() ? "" : " ") + word.word;
  return out;
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) c == '\'' ? out.append("'\\''") : out.append(1, c);
  return out + "'";
}

std::string described(const std::vector<Described>& words) {
  std::string out;
  for (const Described& word : words) {
    out += (out.empty() ? "" : " ") + quoted(word.word + ":" + word.description);
  }
  return out;
}

// `words` holds the words before the cursor, without the program's name. Valid in bash and in zsh.
std::string walk(const Patterns& patterns) {
  return "  for word in \"${words_before[@]}\"; do\n"
         "    if [[ -n $flag ]]; then\n"
         "      [[ $flag == */--url ]] && server=(--url \"$word\")\n"
         "      flag=''\n"
         "      continue\n"
         "    fi\n"
         "    case \"$at/$word\" in\n"
         "      " +
         patterns.commands +
         ")\n"
         "        at=\"$at/$word\" position=0 ;;\n"
         "      " +
         patterns.values +
         ")\n"
         "        flag=\"$at/$word\" ;;\n"
         "      */-?*) ;;\n"
         "      *) position=$((position + 1)) ;;\n"
         "    esac\n"
         "  done\n";
}

// clang-format off: it takes parts of the scripts for C++
constexpr const char* kBashEnd = R"sh(  local kind="${kinds[position]}"
  if [[ -n $flag ]]; then
    case "$flag" in
      @FILES@) kind=file ;;
      *) kind=none ;;
    esac
    choices=''
  elif [[ $cur == -* ]]; then
    kind=none choices="$flags"
  fi
  case "$kind" in
    job) choices="$choices $(docket "${server[@]}" job list -q 2>/dev/null)" ;;
    file) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")); return ;;
    *,*) choices="$choices ${kind//,/ }" ;;
  esac
  COMPREPLY=($(compgen -W "$choices" -- "$cur"))
}
complete -F _docket docket
)sh";

constexpr const char* kZshEnd = R"sh(  local kind="${kinds[position + 1]}"
  if [[ -n $flag ]]; then
    case "$flag" in
      @FILES@) _files ;;
    esac
    return
  elif [[ $PREFIX == -* ]]; then
    _describe -o flag flags
    return
  fi
  (( $#choices )) && _describe command choices
  case "$kind" in
    job) compadd -- ${(f)"$(docket $server job list -q 2>/dev/null)"} ;;
    file) _files ;;
    *,*) compadd -- ${(s:,:)kind} ;;
  esac
}
if [[ $funcstack[1] == _docket ]]; then _docket "$@"; else compdef _docket docket; fi
)sh";
// clang-format on

std::string with_files(std::string text, const std::string& files) {
  constexpr std::string_view kPlace = "@FILES@";
  return text.replace(text.find(kPlace), kPlace.size(), files);
}

}  // namespace

std::string bash_completion(const CommandTree& tree,
                            const std::vector<CommandWord>& server_commands) {
  const std::vector<Node> nodes = nodes_of(tree, server_commands);
  const Patterns patterns = patterns_of(nodes);
  // The line is split here: bash would also split at the colons of a URL.
  std::string out =
      "# bash completion of docket, made by `docket completion bash`\n"
      "_docket() {\n"
      "  local line=\"${COMP_LINE:0:COMP_POINT}\" cur='' at=docket word flag='' choices='' "
      "flags=''\n"
      "  local position=0 words_before=() server=() kinds=()\n"
      "  read -ra words_before <<<\"$line\"\n"
      "  if [[ $line != *[[:space:]] ]]; then\n"
      "    cur=\"${words_before[${#words_before[@]} - 1]}\"\n"
      "    words_before=(\"${words_before[@]:0:${#words_before[@]} - 1}\")\n"
      "  fi\n"
      "  words_before=(\"${words_before[@]:1}\")\n";
  out += walk(patterns) + "  case \"$at\" in\n";
  for (const Node& node : nodes) {
    out += "    " + node.at + ") choices=" + quoted(joined(node.children)) +
           " flags=" + quoted(joined(node.flags)) + " kinds=(" + node.kinds + ") ;;\n";
  }
  return out + "  esac\n" + with_files(kBashEnd, patterns.files);
}

std::string zsh_completion(const CommandTree& tree,
                           const std::vector<CommandWord>& server_commands) {
  const std::vector<Node> nodes = nodes_of(tree, server_commands);
  const Patterns patterns = patterns_of(nodes);
  std::string out =
      "#compdef docket\n# zsh completion of docket, made by `docket completion zsh`\n"
      "_docket() {\n"
      "  local at=docket word flag=''\n"
      "  integer position=0\n"
      "  local -a words_before server choices flags kinds\n"
      "  words_before=(\"${(@)words[2,CURRENT-1]}\")\n";
  out += walk(patterns) + "  case \"$at\" in\n";
  for (const Node& node : nodes) {
    out += "    " + node.at + ")\n      choices=(" + described(node.children) + ")\n      flags=(" +
           described(node.flags) + ")\n      kinds=(" + node.kinds + ") ;;\n";
  }
  return out + "  esac\n" + with_files(kZshEnd, patterns.files);
}

void add_completion_commands(CommandTree& tree) {
  CLI::App& completion =
      tree.group(tree.root(), "completion", "Print a completion script for a shell");
  CLI::App& bash = tree.local(completion, "bash", "For bash",
                              [&tree](const CliEnvironment& env) -> Result<void> {
                                env.out << bash_completion(tree, env.server_commands);
                                return {};
                              });
  bash.footer(
      "\nNow:     eval \"$(docket completion bash)\"\n"
      "Always:  docket completion bash > ~/.local/share/bash-completion/completions/docket");
  CLI::App& zsh =
      tree.local(completion, "zsh", "For zsh", [&tree](const CliEnvironment& env) -> Result<void> {
        env.out << zsh_completion(tree, env.server_commands);
        return {};
      });
  zsh.footer(
      "\nNow:     eval \"$(docket completion zsh)\"\n"
      "Always:  docket completion zsh > a directory of $fpath/_docket");
}

}  // namespace docket::cli
