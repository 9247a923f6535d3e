// docket import crontab: a crontab becomes jobs with schedules; again, and it updates them.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <memory>
#include <ostream>

#include "cli/command_tree.h"
#include "cli/crontab_jobs.h"
#include "cli/input.h"
#include "cli/json_access.h"
#include "cli/metronome_calls.h"
#include "cli/table.h"
#include "core/json_writer.h"
#include "core/zone.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

// What the leaf parses; shared by the parser, which fills it, and the action, which reads it.
struct ImportFlags {
  std::string file;
  std::string timezone;
  bool user_column = false;
  bool dry_run = false;
  bool skip_refused = false;
  ImportOptions options;
};

void print_remarks(std::ostream& err, const std::string& file, const char* word,
                   const std::vector<CrontabRemark>& remarks) {
  for (const CrontabRemark& remark : remarks) {
    err << file << ':' << remark.line << ": " << word << remark.text << '\n';
  }
}

std::string name_of_source(const std::string& file) {
  if (file == "-") return "standard input";
  std::error_code unresolved;
  const auto path = std::filesystem::weakly_canonical(file, unresolved);
  return unresolved ? file : path.string();
}

Result<Crontab> read_crontab(const CliEnvironment& env, const ImportFlags& flags) {
  const auto text = read_input(env, flags.file);
  if (!text) return fail(text.error());
  Crontab crontab =
      parse_crontab(*text, flags.user_column ? CrontabForm::kSystem : CrontabForm::kUser);
  print_remarks(env.err, flags.file, "note: ", crontab.notes);
  print_remarks(env.err, flags.file, "", crontab.refused);
  return crontab;
}

const json::value& schedule_of(const json::object& job) { return job.at("schedules").at(0); }

void print_plan(const CliEnvironment& env, const std::vector<json::object>& jobs) {
  Table table({"ID", "CRON", "TIME ZONE", "FROM"});
  json::array all;
  for (const json::object& job : jobs) {
    table.add({text_at(job, "id"), text_at(schedule_of(job), "cron"),
               text_at(schedule_of(job), "timezone"), text_at(job, "description")});
    all.emplace_back(job);
  }
  table.print(env);
  env.out << '\n' << to_pretty_json(all) << '\n';
}

// The jobs that are there, by id.
using Present = std::map<std::string, json::value>;

Result<Present> present_jobs(ServerApi& server) {
  const auto list = server.metronome("/v1/jobs");
  if (!list) return fail(list.error());
  Present present;
  for (const json::value& job : array_of(*list)) present.emplace(text_at(job, "id"), job);
  return present;
}

std::string source_of(const json::value& job) {
  return text_at(member(job, "labels"), kImportLabel);
}

// Nobody else's job is overwritten because a command has the same name.
Result<void> check_owners(const Present& present, const std::vector<json::object>& jobs) {
  for (const json::object& job : jobs) {
    const std::string id = text_at(job, "id");
    const auto found = present.find(id);
    if (found == present.end() || source_of(found->second) == source_of(job)) continue;
    const std::string owner = source_of(found->second);
    return fail(ErrorKind::kConflict,
                "job \"" + id + "\" exists already and was not imported from " + source_of(job) +
                    (owner.empty() ? "" : " but from " + owner) +
                    "; nothing was imported, choose other ids with --prefix");
  }
  return {};
}

Result<void> store_job(ServerApi& server, const JobFile& file, bool known) {
  const json::value job = file.job;
  const auto stored = server.call({.method = known ? "PUT" : "POST",
                                   .path = known ? job_path(file.id) : "/v1/jobs",
                                   .body = &job});
  if (!stored) return fail(stored.error());
  return put_schedule(server, file.id, array_of(file.schedules).front());
}

void mention_leftovers(const CliEnvironment& env, const Present& present,
                       const std::vector<json::object>& jobs, const std::string& source) {
  std::map<std::string, bool> wanted;
  for (const json::object& job : jobs) wanted[text_at(job, "id")] = true;
  for (const auto& [id, job] : present) {
    if (source_of(job) == source && !wanted.contains(id)) {
      env.err << "note: job \"" << id << "\" came from " << source
              << ", which no longer has it; `docket job remove " << id << "` removes it\n";
    }
  }
}

Result<void> store_jobs(const CliEnvironment& env, ServerApi& server,
                        const std::vector<json::object>& jobs, const std::string& source) {
  const auto present = present_jobs(server);
  if (!present) return fail(present.error());
  if (auto owners = check_owners(*present, jobs); !owners) return owners;
  Table table({"ID", "CRON", "IMPORT"});
  Result<void> outcome;
  for (const json::object& job : jobs) {
    const auto file = split_job(job);
    const bool known = present->contains(file->id);
    outcome = store_job(server, *file, known);
    if (!outcome) {
      outcome.error().message = "job \"" + file->id + "\": " + outcome.error().message;
      break;
    }
    table.add({file->id, text_at(schedule_of(job), "cron"), known ? "updated" : "added"});
  }
  table.print(env);
  if (outcome) mention_leftovers(env, *present, jobs, source);
  return outcome;
}

Result<void> import_crontab(const CliEnvironment& env, ServerApi& server,
                            const ImportFlags& flags) {
  ImportOptions options = flags.options;
  options.source = name_of_source(flags.file);
  options.timezone = flags.timezone.empty() ? env.timezone : flags.timezone;
  if (!Zone::find(options.timezone)) {
    return fail(ErrorKind::kInvalid, options.timezone + " is not a known time zone");
  }
  const auto crontab = read_crontab(env, flags);
  if (!crontab) return fail(crontab.error());
  const std::vector<json::object> jobs = jobs_of(*crontab, options);
  if (flags.dry_run) print_plan(env, jobs);
  if (!crontab->refused.empty() && !flags.skip_refused) {
    return fail(ErrorKind::kInvalid, std::to_string(crontab->refused.size()) +
                                         " lines cannot be imported; correct them, or leave them "
                                         "out with --skip-refused. Nothing was imported");
  }
  return flags.dry_run ? Result<void>() : store_jobs(env, server, jobs, options.source);
}

std::string valid_prefix(const std::string& text) {
  bool start = true;  // of a segment, or behind a dash
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!letter && (start || (c != '-' && c != '.'))) return "must be like the id of a job";
    start = c == '.' || (start && !letter);
  }
  return text.empty() || text.ends_with('.') || text.ends_with('-') ? "must be like the id of a job"
                                                                    : "";
}

}  // namespace

void add_import_commands(CommandTree& tree) {
  const auto flags = std::make_shared<ImportFlags>();
  CLI::App& import = tree.group(tree.root(), "import", "Turn other schedulers' files into jobs");
  CLI::App& crontab =
      tree.command(import, "crontab", "Make a job with a schedule of every line of a crontab",
                   [flags](const CliEnvironment& env, ServerApi& server) {
                     return import_crontab(env, server, *flags);
                   });
  crontab.add_option("file", flags->file, "The crontab; - is standard input")->required();
  crontab.add_flag("--user-column", flags->user_column,
                   "Lines name a user before the command, as in /etc/crontab");
  crontab.add_flag("--dry-run", flags->dry_run, "Only print the jobs, as a table and as JSON");
  crontab.add_flag("--skip-refused", flags->skip_refused,
                   "Import the other lines if some are refused");
  crontab
      .add_option("--prefix", flags->options.prefix, "Put the jobs into this group: prefix.name")
      ->type_name("GROUP")
      ->check(CLI::Validator(valid_prefix, ""));
  crontab.add_option("--timezone", flags->timezone, "The zone of the times; else this machine's")
      ->type_name("ZONE");
  crontab.add_option("--cpus", flags->options.cpus, "For each job")
      ->type_name("N")
      ->capture_default_str();
  crontab.add_option("--mem", flags->options.mem, "For each job")
      ->type_name("MIB")
      ->capture_default_str();
  crontab.footer("\nExample: crontab -l | docket import crontab --dry-run -");
}

}  // namespace docket::cli
