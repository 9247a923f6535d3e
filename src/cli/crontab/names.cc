// Names for jobs that run a shell command. A guess that reads well; uniqueness is ensured
// elsewhere.

#include <algorithm>
#include <array>
#include <cctype>

#include "cli/crontab/jobs.h"

namespace docket::cli {
namespace {

constexpr std::size_t kLongestName = 40;

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Commands that only prepare for the main one.
constexpr std::array<std::string_view, 13> kPreparations{
    "cd",     "test",  "[",      "[[",   "export", "set",  ".",
    "source", "umask", "ulimit", "true", ":",      "sleep"};
// Shell keywords that begin a condition or end something; the commands after them are not the main
// one.
constexpr std::array<std::string_view, 12> kConditions{
    "if", "elif", "while", "until", "for", "case", "fi", "done", "esac", "}", ")", "!"};
// Commands that wrap another; their own options, numbers and lock files are skipped with them.
constexpr std::array<std::string_view, 17> kWrappers{
    "sudo",    "nice",   "ionice",  "nohup", "time", "env",  "exec", "flock", "timeout",
    "chronic", "setsid", "command", "{",     "(",    "then", "do",   "else"};
// The argument of these says more than they do.
constexpr std::array<std::string_view, 13> kInterpreters{
    "sh",   "bash", "dash", "zsh",  "python",    "python3", "perl",
    "ruby", "php",  "node", "java", "run-parts", "xargs"};
constexpr std::array<std::string_view, 8> kExtensions{".sh", ".bash", ".py", ".pl",
                                                      ".rb", ".php",  ".js", ".jar"};

using Words = std::vector<std::string>;

bool ends_command(char c) { return c == ';' || c == '&' || c == '|' || c == '\n'; }

// The simple commands of a shell line, split into words. Quotes protect spaces and operators;
// nothing is expanded.
std::vector<Words> simple_commands(std::string_view text) {
  std::vector<Words> commands(1);
  std::string word;
  char quote = '\0';
  const auto finish_word = [&] {
    if (!word.empty()) commands.back().push_back(std::move(word));
    word.clear();
  };
  for (const char c : text) {
    if (quote != '\0') {
      c == quote ? quote = '\0' : (word.push_back(c), '\0');
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == ' ' || c == '\t' || ends_command(c)) {
      finish_word();
      if (ends_command(c)) commands.emplace_back();
    } else {
      word.push_back(c);
    }
  }
  finish_word();
  std::erase_if(commands, [](const Words& words) { return words.empty(); });
  return commands;
}

std::string_view base_name(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  return slash == path.npos ? path : path.substr(slash + 1);
}

bool is_assignment(std::string_view word) {
  const std::size_t equals = word.find('=');
  return equals != word.npos && equals > 0 && word.find('/') > equals;
}

bool is_number(std::string_view word) {
  return std::isdigit(static_cast<unsigned char>(word.front())) != 0;
}

// Options of wrappers whose value is a separate word: sudo -u, timeout -s.
constexpr std::array<std::string_view, 4> kOptionsWithWord{"-u", "-g", "-s", "-U"};

// A word that belongs to the wrapper before it, not to the wrapped command.
bool is_of_wrapper(std::string_view wrapper, std::string_view before, std::string_view word) {
  if (wrapper.empty()) return false;
  return word.starts_with('-') || is_number(word) || is_one_of(kOptionsWithWord, before);
}

// The first significant word: not a wrapper, its options, or an assignment.
Words::const_iterator skip_wrappers(const Words& words) {
  std::string_view wrapper;
  for (auto at = words.begin(); at != words.end(); ++at) {
    const std::string_view name = base_name(*at);
    const std::string_view before = at == words.begin() ? std::string_view() : *(at - 1);
    if (is_one_of(kWrappers, name)) {
      wrapper = name;
    } else if (wrapper == "flock" && at->starts_with('/')) {
      wrapper = "flock and its file";
    } else if (!is_assignment(*at) && !is_of_wrapper(wrapper, before, *at)) {
      return at;
    }
  }
  return words.end();
}

// perl -e '...': an inline script has no name.
bool is_inline_script(const Words& words, Words::const_iterator at) {
  return is_one_of(kInterpreters, base_name(*at)) && at + 1 != words.end() &&
         (*(at + 1) == "-e" || *(at + 1) == "-c");
}

std::string_view telling_word(const Words& words) {
  const auto at = skip_wrappers(words);
  if (at == words.end()) return base_name(words.front());
  if (!is_one_of(kInterpreters, base_name(*at)) || is_inline_script(words, at)) {
    return base_name(*at);
  }
  const auto script = std::find_if(at + 1, words.end(),
                                   [](const std::string& word) { return !word.starts_with('-'); });
  return base_name(script == words.end() ? *at : *script);
}

std::string slug(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kLongestName)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte) != 0) {
      out.push_back(static_cast<char>(std::tolower(byte)));
    } else if (!out.empty() && out.back() != '-') {
      out.push_back('-');
    }
  }
  while (out.ends_with('-')) out.pop_back();
  return out;
}

}  // namespace

std::string name_of_command(std::string_view command) {
  const std::vector<Words> commands = simple_commands(command);
  std::string_view word;
  for (const Words& words : commands) {
    const auto first = skip_wrappers(words);
    if (first == words.end() || is_one_of(kPreparations, base_name(*first)) ||
        is_one_of(kConditions, *first) || is_inline_script(words, first)) {
      continue;
    }
    word = telling_word(words);
    break;
  }
  if (word.empty() && !commands.empty()) word = telling_word(commands.front());
  if (is_one_of(kConditions, word)) word = {};
  for (const std::string_view extension : kExtensions) {
    if (word.size() > extension.size() && word.ends_with(extension)) {
      word.remove_suffix(extension.size());
      break;
    }
  }
  std::string name = slug(word);
  return name.empty() ? "job" : name;
}

}  // namespace docket::cli
