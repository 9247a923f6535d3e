// docket events: the newest ones, those after a given one, and live ones.

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <optional>
#include <ostream>

#include "cli/client/command_tree.h"
#include "cli/client/json_access.h"
#include "cli/client/native_calls.h"
#include "cli/client/times.h"
#include "cli/event_stream.h"
#include "core/json.h"
#include "core/json_writer.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

constexpr std::uint32_t kLines = 20;
constexpr std::uint32_t kPage = 500;  // the most that the server gives at a time

// The parsed arguments; shared by the parser, which fills them, and the action, which reads them.
struct EventFlags {
  std::string job;
  std::string after;
  std::optional<std::uint32_t> lines;
  bool follow = false;
  bool json = false;
};

// Tasks of other programs and of the server itself have no job: their names come from the task.
class TaskNames {
 public:
  explicit TaskNames(ServerApi& server) : server_(server) {}

  std::string of(const json::value& event) {
    const std::string id = text_at(event, "task");
    if (id.empty()) return {};
    if (names_.size() > kKept) names_.clear();
    const auto [known, is_new] = names_.try_emplace(id);
    if (is_new) known->second = ask(id);
    return known->second;
  }

 private:
  std::string ask(const std::string& id) {
    const auto task = server_.native("/tasks/" + encode_segment(id));
    std::string name = "task " + id;
    if (!task) return name;
    const json::value& operation = member(*task, "operation");
    for (const char* word : {"module", "type", "keyspace", "table", "entity"}) {
      const std::string text = text_at(operation, word);
      if (!text.empty()) name += " " + text;
    }
    return name;
  }

  static constexpr std::size_t kKept = 1000;
  ServerApi& server_;
  std::map<std::string, std::string> names_;
};

class Printer {
 public:
  Printer(const CliEnvironment& env, ServerApi& server, bool json)
      : env_(env), names_(server), json_(json) {}

  void print(const json::value& event) {
    env_.out << (json_ ? to_json(event) : line_of(event)) << '\n' << std::flush;
  }

 private:
  std::string line_of(const json::value& event) {
    const std::string job = text_at(event, "job");
    std::string line = text_at(event, "seq") + "  " + shown_time(env_, text_at(event, "at")) +
                       "  " + text_at(event, "type") + "  " +
                       (job.empty() ? names_.of(event) : job);
    const auto add = [&line](const std::string& text) { line += text.empty() ? "" : "  " + text; };
    add(text_at(event, "runName"));
    const std::string before = text_at(event, "before");
    const std::string after = text_at(event, "after");
    if (!after.empty() && before != after) add(before + " -> " + after);
    add(text_at(event, "message"));
    return line;
  }

  const CliEnvironment& env_;
  TaskNames names_;
  const bool json_;
};

std::string job_filter(const EventFlags& flags) {
  return flags.job.empty() ? "" : "&job=" + encode_segment(flags.job);
}

// One page; `after` may be empty.
Result<json::value> page_of(ServerApi& server, const EventFlags& flags, const std::string& order,
                            std::size_t limit, const std::string& after) {
  return server.native("/events?order=" + order +
                       "&limit=" + std::to_string(std::min<std::size_t>(limit, kPage)) +
                       job_filter(flags) + (after.empty() ? "" : "&after=" + after));
}

// The newest `lines` events before the one with that number (none: of all), oldest first. A page of
// one job may be empty although there are older events, so only the last page ends the search.
Result<json::array> newest_before(ServerApi& server, const EventFlags& flags, std::string before) {
  const std::size_t wanted = flags.lines.value_or(kLines);
  json::array items;
  while (items.size() < wanted) {
    const auto page = page_of(server, flags, "newest", wanted - items.size(), before);
    if (!page) return fail(page.error());
    const json::array& more = array_at(*page, "items");
    items.insert(items.end(), more.begin(), more.end());
    before = text_at(*page, "next");
    if (before.empty()) break;
  }
  std::reverse(items.begin(), items.end());
  return items;
}

Result<void> print_newest(Printer& printer, ServerApi& server, const EventFlags& flags,
                          const std::string& before) {
  const auto events = newest_before(server, flags, before);
  if (!events) return fail(events.error());
  for (const json::value& event : *events) printer.print(event);
  return {};
}

Result<void> print_behind(const CliEnvironment& env, Printer& printer, ServerApi& server,
                          const EventFlags& flags) {
  std::string after = encode_segment(flags.after);
  for (std::size_t left = flags.lines.value_or(kLines); left > 0 && !after.empty();) {
    const auto page = page_of(server, flags, "oldest", left, after);
    if (!page) return fail(page.error());
    const json::array& events = array_at(*page, "items");
    for (const json::value& event : events) printer.print(event);
    left -= std::min(left, events.size());
    after = text_at(*page, "next");
  }
  if (!after.empty()) env.err << "there are more: --after " << after << '\n';
  return {};
}

// After the event with that number, or from now on if it is empty.
Result<void> print_live(const CliEnvironment& env, Printer& printer, ServerApi& server,
                        const EventFlags& flags, const std::string& after) {
  EventStream events([&](const std::string& data) {
    if (const auto event = parse_json(data)) printer.print(*event);
  });
  const std::string path = "/events?follow=true" + job_filter(flags) +
                           (after.empty() ? "" : "&after=" + encode_segment(after));
  return server.stream({.door = Door::kNative, .path = path}, [&](std::string_view piece) {
    events.take(piece);
    return env.out.good();
  });
}

// The printed log ends and the live events begin at the same event, so that none is missed and none
// is repeated.
Result<void> print_newest_and_live(const CliEnvironment& env, Printer& printer, ServerApi& server,
                                   const EventFlags& flags) {
  if (flags.lines == 0U) return print_live(env, printer, server, flags, {});
  const auto meeting = newest_event(server);
  if (!meeting) return fail(meeting.error());
  auto printed = print_newest(printer, server, flags, std::to_string(*meeting + 1));
  if (!printed) return printed;
  return print_live(env, printer, server, flags, std::to_string(*meeting));
}

Result<void> show_events(const CliEnvironment& env, ServerApi& server, const EventFlags& flags) {
  Printer printer(env, server, flags.json);
  if (flags.after.empty()) {
    return flags.follow ? print_newest_and_live(env, printer, server, flags)
                        : print_newest(printer, server, flags, {});
  }
  if (!flags.follow) return print_behind(env, printer, server, flags);
  if (!flags.lines) return print_live(env, printer, server, flags, flags.after);
  return fail(ErrorKind::kInvalid,
              "--follow with --after prints everything from there on: omit --lines");
}

}  // namespace

void add_event_commands(CommandTree& tree) {
  const auto flags = std::make_shared<EventFlags>();
  CLI::App& events = tree.command(tree.root(), "events", "Print the newest events",
                                  [flags](const CliEnvironment& env, ServerApi& server) {
                                    return show_events(env, server, *flags);
                                  });
  events.add_flag("--follow,-f", flags->follow, "Print new events as they happen");
  events.add_option("--lines,-n", flags->lines, "How many, oldest first (20)")
      ->type_name("N")
      ->check(CLI::Range(0, 1'000'000).description(""));
  events.add_option("--job", flags->job, "Only events of this job")->type_name("JOB");
  events.add_option("--after", flags->after, "Print the events after this one, not the newest")
      ->type_name("SEQ");
  events.add_flag("--json", flags->json, "Print JSON, one event per line");
  events.footer("\nExample: docket events --follow --lines 100 --job mytestjob");
}

}  // namespace docket::cli
