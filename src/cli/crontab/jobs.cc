#include "cli/crontab/jobs.h"

#include <boost/json/array.hpp>

namespace docket::cli {
namespace {

namespace json = boost::json;

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) c == '\'' ? out.append("'\\''") : out.append(1, c);
  return out + "'";
}

// A here-document's end mark must not be a line of the text.
std::string end_mark(const std::string& text) {
  std::string mark = "INPUT";
  while (("\n" + text + "\n").find("\n" + mark + "\n") != std::string::npos) mark += "_";
  return mark;
}

std::string with_input(const CrontabEntry& entry) {
  if (!entry.input) return entry.command;
  const std::string mark = end_mark(*entry.input);
  // Newlines around the command, because it may end in a comment or an ampersand.
  return "{\n" + entry.command + "\n} <<'" + mark + "'\n" + *entry.input +
         (entry.input->ends_with('\n') ? "" : "\n") + mark;
}

// Cron starts commands in the home directory, docket in a directory of the run.
std::string command_line(const CrontabEntry& entry) {
  const std::string command = with_input(entry);
  const std::string run =
      entry.shell.empty() ? command
                          : "exec " + shell_quoted(entry.shell) + " -c " + shell_quoted(command);
  return "cd \"${HOME:-/}\"\n" + run;
}

// What a job without limits needs, for queueing: next to nothing, as under cron.
constexpr double kCpus = 0.1;
constexpr double kMem = 32;

const char* limits_of(const ImportOptions& options) {
  if (options.cpus) return options.mem ? "all" : "cpus";
  return options.mem ? "mem" : "none";
}

json::object run_of(const CrontabEntry& entry, const ImportOptions& options) {
  json::object run{{"cpus", options.cpus.value_or(kCpus)}, {"mem", options.mem.value_or(kMem)}};
  run["limits"] = limits_of(options);
  run["cmd"] = command_line(entry);
  if (!entry.user.empty()) run["user"] = entry.user;
  if (!entry.variables.empty()) {
    json::object env;
    for (const auto& [name, value] : entry.variables) env[name] = value;
    run["env"] = std::move(env);
  }
  return run;
}

json::object schedule_of(const CrontabTime& time, const std::string& zone) {
  const std::string suffix = time.suffix.empty() ? "" : "-" + time.suffix;
  return {{"id", std::string(kImportSchedule) + suffix},
          {"cron", time.cron},
          {"timezone", zone},
          {"concurrencyPolicy", "ALLOW"},
          {"enabled", true}};
}

json::object job_of(const CrontabEntry& entry, std::string_view id, const ImportOptions& options) {
  const std::string& zone = entry.timezone.empty() ? options.timezone : entry.timezone;
  json::object job;
  job["id"] = id;
  job["description"] = "from " + options.source + ": " + entry.source;
  job["labels"] = {{kImportLabel, options.source}};
  job["run"] = run_of(entry, options);
  json::array schedules;
  for (const CrontabTime& time : entry.times) schedules.push_back(schedule_of(time, zone));
  job["schedules"] = std::move(schedules);
  return job;
}

std::string unique_id(const std::string& base, std::set<std::string>& taken) {
  std::string id = base;
  for (int number = 2; !taken.insert(id).second; ++number) id = base + "-" + std::to_string(number);
  return id;
}

}  // namespace

std::vector<json::object> jobs_of(const Crontab& crontab, const ImportOptions& options,
                                  std::set<std::string>& taken) {
  std::vector<json::object> jobs;
  const std::string group = options.prefix.empty() ? "" : options.prefix + ".";
  for (const CrontabEntry& entry : crontab.entries) {
    const std::string id = unique_id(group + name_of_command(entry.command), taken);
    jobs.push_back(job_of(entry, id, options));
  }
  return jobs;
}

}  // namespace docket::cli
