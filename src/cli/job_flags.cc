#include "cli/job_flags.h"

#include <boost/json/array.hpp>

namespace docket::cli {
namespace {

namespace json = boost::json;

void set(json::object& object, const char* name, const std::string& text) {
  if (!text.empty()) object[name] = text;
}
void set(json::object& object, const char* name, const std::optional<double>& number) {
  if (number) object[name] = *number;
}

json::object run_of(const JobOptions& options) {
  json::object run{{"cmd", options.cmd}};
  set(run, "cpus", options.cpus);
  set(run, "mem", options.mem);
  set(run, "disk", options.disk);
  set(run, "user", options.user);
  return run;
}

json::object schedule_of(const CliEnvironment& env, const JobOptions& options) {
  json::object schedule{{"id", "cron"}, {"cron", options.cron}};
  schedule["timezone"] = !options.timezone.empty() ? options.timezone
                         : env.utc                 ? "UTC"
                                                   : env.timezone;
  set(schedule, "concurrencyPolicy", options.concurrency);
  set(schedule, "missed", options.missed);
  return schedule;
}

}  // namespace

Result<json::object> pairs_of(const std::string& flag, const std::vector<std::string>& words) {
  json::object pairs;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == word.npos || equals == 0) {
      return fail(ErrorKind::kInvalid, flag + ": \"" + word + "\" is not NAME=VALUE");
    }
    pairs[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return pairs;
}

Result<json::object> job_of(const CliEnvironment& env, const std::string& id,
                            const JobOptions& options) {
  auto variables = pairs_of("--env", options.env);
  if (!variables) return variables;
  auto labels = pairs_of("--label", options.labels);
  if (!labels) return labels;
  json::object job{{"id", id}};
  set(job, "description", options.description);
  if (!labels->empty()) job["labels"] = *std::move(labels);
  json::object run = run_of(options);
  if (!variables->empty()) run["env"] = *std::move(variables);
  job["run"] = std::move(run);
  if (!options.after.empty()) {
    job["dependencies"] = json::array(options.after.begin(), options.after.end());
  }
  if (!options.cron.empty()) job["schedules"] = json::array({schedule_of(env, options)});
  return job;
}

void add_job_flags(CLI::App& command, JobOptions& options) {
  CLI::Option* cmd =
      command.add_option("--cmd", options.cmd, "A command for the shell, instead of a file")
          ->type_name("COMMAND");
  const auto add = [&](const char* name, auto& into, const char* description, const char* type) {
    return command.add_option(name, into, description)->type_name(type)->needs(cmd);
  };
  add("--description", options.description, "What it is for", "TEXT");
  CLI::Option* cron =
      add("--cron", options.cron, "When to run: five fields, as in a crontab", "CRON");
  add("--timezone", options.timezone, "The zone of the times; default: this machine's", "ZONE")
      ->needs(cron);
  add("--concurrency", options.concurrency,
      "What to do while a run is active: ALLOW, FORBID or REPLACE", "POLICY")
      ->needs(cron);
  add("--missed", options.missed,
      "Which times that passed while the server was down to run: none, last or all", "POLICY")
      ->needs(cron);
  add("--env", options.env, "A variable, repeatable", "NAME=VALUE")->allow_extra_args(false);
  add("--label", options.labels, "A label, repeatable", "NAME=VALUE")->allow_extra_args(false);
  add("--after", options.after, "Start it when this job has succeeded, repeatable", "JOB")
      ->allow_extra_args(false);
  add("--user", options.user, "Run it as this user", "USER");
  add("--cpus", options.cpus, "Cores that it needs, and the most it gets", "N");
  add("--mem", options.mem, "Memory that it needs, and the most it gets", "MIB");
  add("--disk", options.disk, "Disk that it needs", "MIB");
}

}  // namespace docket::cli
