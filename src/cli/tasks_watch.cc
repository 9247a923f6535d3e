// docket tasks watch: a live tree. On a terminal it is redrawn in place; otherwise each change
// prints a line. It changes no terminal setting that would have to be restored, so an interrupt
// leaves the terminal as it was.

#include <boost/json/array.hpp>
#include <map>
#include <memory>
#include <ostream>
#include <set>

#include "cli/client/command_tree.h"
#include "cli/client/json_access.h"
#include "cli/client/native_calls.h"
#include "cli/watch_view.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kRootsMax = 100;  // without an id, the newest

// The parsed arguments; shared by the parser, which fills them, and the action, which reads them.
struct WatchFlags {
  std::string id;
  std::string module;
  double interval = 1;
};

bool has_ended(const json::value& task) {
  const std::string state = text_at(task, "state");
  return state == "done" || state == "failed" || state == "aborted";
}

class Watch {
 public:
  Watch(const CliEnvironment& env, ServerApi& server, const WatchFlags& flags)
      : env_(env), server_(server), flags_(flags) {}

  int run() {
    for (;;) {
      const auto trees = flags_.id.empty() ? all() : one();
      if (!trees && !seen_) return complain(trees.error());
      if (trees) {
        seen_ = true;
        say_what_ended(*trees);
        show(*trees);
        const bool over = !flags_.id.empty() && has_ended(trees->front());
        if (over) return text_at(trees->front(), "state") == "done" ? 0 : 1;
      } else {
        say_away(trees.error());
      }
      if (!env_.out.good() || !env_.machine) return 0;
      env_.machine->pause(std::chrono::milliseconds{static_cast<long>(flags_.interval * 1000)});
    }
  }

 private:
  Result<json::array> one() {
    auto tree = tree_of(flags_.id);
    if (!tree) return fail(tree.error());
    return json::array{*std::move(tree)};
  }

  Result<json::array> all() {
    std::string path =
        "/tasks?roots=true&state=created,queued,running,paused&limit=" + std::to_string(kRootsMax);
    if (!flags_.module.empty()) path += "&module=" + encode_segment(flags_.module);
    const auto page = server_.native(path);
    if (!page) return fail(page.error());
    json::array trees;
    for (const json::value& root : array_at(*page, "items")) {
      auto tree = tree_of(text_at(root, "id"));
      if (!tree && tree.error().kind == ErrorKind::kNotFound) continue;
      if (!tree) return fail(tree.error());
      trees.push_back(*std::move(tree));
    }
    return trees;
  }

  Result<json::value> tree_of(const std::string& id) {
    return server_.native("/tasks/" + encode_segment(id) + "/tree?live=true");
  }

  int complain(const Error& error) const {
    env_.err << "Error: " << error.message << '\n';
    return 1;
  }

  void show(const json::array& trees) {
    away_ = false;
    env_.is_tty ? draw(picture(trees)) : print_changes(trees);
    env_.out.flush();
  }

  // ---- tasks no longer drawn: each is reported once, above the picture

  void say_what_ended(const json::array& trees) {
    std::set<std::string> live;
    for (const json::value& tree : trees) {
      live.insert(text_at(tree, "id"));
      say_failed_children(tree);
    }
    for (const std::string& id : roots_) {
      if (live.contains(id)) continue;
      const auto task = server_.native("/tasks/" + encode_segment(id));
      if (!task) continue;
      const json::value& operation = member(*task, "operation");
      ended_ += 1 + number_at(operation, "childrenEnded");
      failed_ +=
          (text_at(*task, "state") == "done" ? 0 : 1) + number_at(operation, "childrenFailed");
      say(*task);
    }
    roots_ = std::move(live);
  }

  // Only if there are more than at the last update.
  void say_failed_children(const json::value& tree) {
    const std::string id = text_at(tree, "id");
    const std::size_t failed = number_at(member(tree, "operation"), "childrenFailed");
    std::size_t& known = failed_children_[id];
    if (failed > known) {
      const auto page = server_.native("/tasks?state=failed,aborted&limit=100&parent=" + id);
      if (page) {
        for (const json::value& child : array_at(*page, "items")) {
          if (said_.insert(text_at(child, "id")).second) say(child);
        }
      }
    }
    known = failed;
    for (const json::value& child : array_at(tree, "children")) say_failed_children(child);
  }

  void say(const json::value& task) {
    ViewSize size{.columns = columns(), .rows = 0};
    size.colours = env_.colours;
    std::string line = view_lines({task}, size).front();
    const std::string message = text_at(task, "message");
    if (!message.empty())
      line +=
          "\n  " + fitted(message, std::min<std::size_t>(columns() - 3, display_width(message)));
    above_.push_back(std::move(line));
  }

  std::size_t columns() const {
    if (!env_.is_tty) return 120;
    const auto now = env_.machine ? env_.machine->terminal().first : 0U;
    return now > 0 ? now : 80;
  }

  static std::size_t number_at(const json::value& object, std::string_view name) {
    const json::value& number = member(object, name);
    return number.is_number() ? number.to_number<std::size_t>() : 0;
  }

  std::vector<std::string> picture(const json::array& trees) {
    const auto now = env_.machine ? env_.machine->terminal() : std::pair{0U, 0U};
    ViewSize size{.columns = columns(), .rows = now.second ? now.second : 24};
    size.colours = env_.colours;
    size.ended = ended_;
    size.failed = failed_;
    return lines_ = view_lines(trees, size);
  }

  // Overwrites the previous lines, and clears what is left of them. One write, so that an interrupt
  // leaves nothing half drawn.
  void draw(const std::vector<std::string>& lines) {
    const auto now = env_.machine ? env_.machine->terminal() : std::pair{0U, 0U};
    std::string frame;
    if (drawn_ > 0 && now != terminal_) {
      frame = "\x1b[2J\x1b[H";  // a resized terminal has moved the lines
    } else if (drawn_ > 0) {
      frame = "\r\x1b[" + std::to_string(drawn_) + "A";
    }
    for (const std::string& said : above_) {
      for (const char c : said) frame += c == '\n' ? std::string("\x1b[K\n") : std::string(1, c);
      frame += "\x1b[K\n";
    }
    above_.clear();
    for (const std::string& line : lines) frame += line + "\x1b[K\n";
    env_.out << frame << "\x1b[J";
    drawn_ = lines.size();
    terminal_ = now;
  }

  // Output that is not a terminal gets all columns, and every change once.
  void print_changes(const json::array& trees) {
    for (const std::string& said : above_) env_.out << said << '\n';
    above_.clear();
    std::map<std::string, std::string> shown;
    for (const json::value& tree : trees) print_changes(tree, 0, shown);
    shown_ = std::move(shown);
  }
  void print_changes(const json::value& task, std::size_t depth,
                     std::map<std::string, std::string>& shown) {
    json::object alone(task.get_object());
    alone.erase("children");
    std::string line =
        view_lines({json::value(std::move(alone))}, {.columns = 120, .rows = 0}).front();
    const std::string id = text_at(task, "id");
    const auto before = shown_.find(id);
    if (before == shown_.end() || before->second != line) {
      env_.out << std::string(2 * std::min<std::size_t>(depth, 10), ' ') << line << '\n';
    }
    shown.emplace(id, std::move(line));
    for (const json::value& child : array_at(task, "children")) {
      print_changes(child, depth + 1, shown);
    }
  }

  void say_away(const Error& error) {
    if (std::exchange(away_, true)) return;
    const std::string text = error.message + "; trying again";
    if (!env_.is_tty) {
      env_.err << text << '\n';
      return;
    }
    // Part of the picture, so that the next one takes its place.
    auto lines = lines_;
    const std::size_t width = std::min(columns() - 1, display_width(text));
    lines.push_back(fitted(text, width));
    draw(lines);
    env_.out.flush();
  }

  const CliEnvironment& env_;
  ServerApi& server_;
  const WatchFlags& flags_;
  bool seen_ = false;
  bool away_ = false;
  std::size_t drawn_ = 0;  // our lines above the cursor
  std::pair<unsigned, unsigned> terminal_;
  std::map<std::string, std::string> shown_;
  std::vector<std::string> lines_;                      // the last picture
  std::vector<std::string> above_;                      // to be printed above the next one
  std::set<std::string> roots_;                         // live at the last update
  std::map<std::string, std::size_t> failed_children_;  // counts, by parent
  std::set<std::string> said_;
  std::size_t ended_ = 0, failed_ = 0;  // of roots no longer live
};

}  // namespace

void add_tasks_watch(CommandTree& tree, CLI::App& tasks) {
  const auto flags = std::make_shared<WatchFlags>();
  CLI::App& watch =
      tree.program(tasks, "watch", "Follow a task and everything below it, or all tasks",
                   [flags](const CliEnvironment& env, ServerApi& server) {
                     return Watch(env, server, *flags).run();
                   });
  watch.add_option("id", flags->id, "The task's number or UUID; default: all live tasks");
  watch.add_option("--module", flags->module, "Only of this module")->type_name("M");
  watch.add_option("--interval", flags->interval, "Seconds between updates (1)")
      ->type_name("S")
      ->check(CLI::Range(0.05, 3600.0));
}

}  // namespace docket::cli
