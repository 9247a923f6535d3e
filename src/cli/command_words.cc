#include "cli/command_words.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace docket::cli {
namespace {

constexpr std::string_view kTasks = "tasks";

// Connection options of nodetool, each with a value.
constexpr std::array<std::string_view, 13> kConnection{"-h",
                                                       "--host",
                                                       "-p",
                                                       "--port",
                                                       "-u",
                                                       "--username",
                                                       "-pw",
                                                       "--password",
                                                       "-pwf",
                                                       "--password-file",
                                                       "--rest-api-port",
                                                       "-rp",
                                                       "--logger-log-level"};
constexpr std::array<std::string_view, 2> kConnectionFlags{"-pp", "--print-port"};
constexpr std::array<std::string_view, 10> kCommands{
    kTasks, "modules", "list", "status", "tree", "wait", "abort", "ttl", "user-ttl", "drain"};

template <class Words>
bool contains(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// How many words from here on form a connection option: 0, 1 (--port=1, -p1, -pp) or 2.
std::size_t connection_words(const std::vector<std::string>& words, std::size_t at) {
  const std::string& word = words[at];
  if (contains(kConnectionFlags, word)) return 1;
  if (word.starts_with("--") && contains(kConnection, word.substr(0, word.find('='))) &&
      word.find('=') != std::string::npos) {
    return 1;
  }
  const bool port_with_digits = word.size() > 2 && word.starts_with("-p") &&
                                word.find_first_not_of("0123456789", 2) == std::string::npos;
  if (port_with_digits) return 1;
  if (!contains(kConnection, word) || at + 1 == words.size()) return 0;
  const std::string& value = words[at + 1];
  if (word == "-h" && (value.starts_with("-") || contains(kCommands, value))) return 0;
  return 2;
}

// The position of the first word that is a command; past the end if there is none.
std::size_t first_command(const std::vector<std::string>& words) {
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (const std::size_t taken = connection_words(words, at); taken > 0) {
      at += taken - 1;
    } else if (words[at] == "--url") {
      ++at;
    } else if (!words[at].starts_with("-")) {
      return at;
    }
  }
  return words.size();
}

bool is_tasks_line(const std::vector<std::string>& words) {
  const std::size_t at = first_command(words);
  return at < words.size() && words[at] == kTasks;
}

// Commands that people try first, out of habit.
struct Habit {
  std::string_view word;
  std::array<const char*, 2> meant;
};
constexpr std::array<Habit, 2> kHabits{{{"ls", {"job", "list"}}, {"logs", {"task", "log"}}}};

// The address of a node's API, from nodetool's options.
class Node {
 public:
  // Takes a word like -p, --port=9 or -p9, and the next word if that is its value.
  void take(const std::string& word, std::string value) {
    std::string name = word;
    if (const std::size_t equals = word.find('='); equals != word.npos) {
      name = word.substr(0, equals);
      value = word.substr(equals + 1);
    } else if (word.starts_with("-p") && word.find_first_of("0123456789") == 2) {
      name = "-p";
      value = word.substr(2);
    }
    if (name == "-h" || name == "--host") host_ = value;
    if (name == "-p" || name == "--port") port_ = value;
    if (name == "-rp" || name == "--rest-api-port") rest_port_ = value;
  }
  bool said() const { return !host_.empty() || !port_.empty() || !rest_port_.empty(); }
  std::string url() const {
    const std::string host = host_.empty() ? "127.0.0.1" : host_;
    const std::string port = !rest_port_.empty() ? rest_port_ : !port_.empty() ? port_ : "10000";
    const bool bare_v6 = host.find(':') != host.npos && !host.starts_with('[');
    return "http://" + (bare_v6 ? "[" + host + "]" : host) + ":" + port;
  }

 private:
  std::string host_, port_, rest_port_;
};

}  // namespace

std::vector<std::string> split_off_command(std::vector<std::string>& words) {
  const auto dashes = std::find(words.begin(), words.end(), "--");
  constexpr std::array<std::string_view, 2> kRun{"task", "run"};
  if (dashes == words.end() ||
      std::search(words.begin(), dashes, kRun.begin(), kRun.end()) == dashes) {
    return {};
  }
  std::vector<std::string> command(dashes + 1, words.end());
  words.erase(dashes, words.end());
  return command;
}

void expand_habits(std::vector<std::string>& words) {
  const std::size_t at = first_command(words);
  if (at == words.size()) return;
  const auto place = words.begin() + static_cast<std::ptrdiff_t>(at);
  if (*place == "help") {
    words.erase(place);
    words.emplace_back("--help");
    return;
  }
  for (const Habit& habit : kHabits) {
    if (*place != habit.word) continue;
    words.insert(words.erase(place), habit.meant.begin(), habit.meant.end());
    return;
  }
}

void translate_connection_options(std::vector<std::string>& words) {
  if (!is_tasks_line(words)) return;
  std::vector<std::string> kept;
  Node node;
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (const std::size_t taken = connection_words(words, at); taken > 0) {
      node.take(words[at], taken > 1 ? words[at + 1] : std::string());
      at += taken - 1;
    } else {
      kept.push_back(words[at] == "-ks" ? "--keyspace" : words[at]);
    }
  }
  if (node.said()) kept.insert(kept.begin(), {"--url", node.url()});
  words = std::move(kept);
}

}  // namespace docket::cli
