// docket import crontab: makes jobs with schedules from a crontab; run again, it updates them.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <sstream>

#include "cli/client/command_tree.h"
#include "cli/client/input.h"
#include "cli/client/json_access.h"
#include "cli/client/native_calls.h"
#include "cli/client/table.h"
#include "cli/crontab/jobs.h"
#include "cli/crontab/merge.h"
#include "core/json_writer.h"
#include "core/zone.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

// The parsed arguments; shared by the parser, which fills them, and the action, which reads them.
struct ImportFlags {
  std::vector<std::string> files;
  std::string timezone;
  int user_column = 0;  // 1: yes, -1: no, 0: not given
  bool dry_run = false;
  bool skip_refused = false;
  bool force = false;
  bool json = false;
  ImportOptions options;
};

// The contents of the files.
struct Plan {
  std::vector<json::object> jobs;
  std::set<std::string> sources;
  std::size_t refused = 0;
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

std::vector<std::string> users_of_machine(const CliEnvironment& env) {
  std::vector<std::string> users{"root"};
  std::istringstream lines(read_input(env, "/etc/passwd").value_or(""));
  for (std::string line; std::getline(lines, line);)
    users.push_back(line.substr(0, line.find(':')));
  return users;
}

CrontabForm form_of(const ImportFlags& flags) {
  if (flags.user_column > 0) return CrontabForm::kSystem;
  return flags.user_column < 0 ? CrontabForm::kUser : CrontabForm::kGuess;
}

Result<Plan> read_files(const CliEnvironment& env, const ImportFlags& flags) {
  ImportOptions options = flags.options;
  options.timezone = flags.timezone.empty() ? env.timezone : flags.timezone;
  if (!Zone::find(options.timezone)) {
    return fail(ErrorKind::kInvalid, options.timezone + " is not a known time zone");
  }
  const std::vector<std::string> users = users_of_machine(env);
  Plan plan;
  std::set<std::string> taken;
  for (const std::string& file : flags.files) {
    const auto text = read_input(env, file);
    if (!text) return fail(text.error());
    const Crontab crontab = parse_crontab(*text, form_of(flags), users);
    print_remarks(env.err, file, "note: ", crontab.notes);
    print_remarks(env.err, file, "", crontab.refused);
    options.source = name_of_source(file);
    plan.sources.insert(options.source);
    plan.refused += crontab.refused.size();
    for (json::object& job : jobs_of(crontab, options, taken)) plan.jobs.push_back(std::move(job));
  }
  return plan;
}

std::string crons_of(const json::object& job) {
  std::string text;
  for (const json::value& schedule : job.at("schedules").as_array()) {
    text += (text.empty() ? "" : "; ") + text_at(schedule, "cron");
  }
  return text;
}

void print_plan(const CliEnvironment& env, const Plan& plan, bool only_json) {
  Table table({"ID", "CRON", "TIME ZONE", "FROM"});
  json::array all;
  for (const json::object& job : plan.jobs) {
    table.add({text_at(job, "id"), crons_of(job), text_at(job.at("schedules").at(0), "timezone"),
               text_at(job, "description")});
    all.emplace_back(job);
  }
  if (!only_json) table.print(env);
  env.out << (only_json ? "" : "\n") << to_pretty_json(all) << '\n';
}

// The existing jobs, by id.
using Present = std::map<std::string, json::value>;

Result<Present> present_jobs(ServerApi& server) {
  const auto list = all_items(server, "/jobs?limit=500");
  if (!list) return fail(list.error());
  Present present;
  for (const json::value& job : *list) present.emplace(text_at(job, "id"), job);
  return present;
}

std::string label_of(const json::value& job, std::string_view name) {
  return text_at(member(job, "labels"), name);
}

// A job from elsewhere is not overwritten because a command has the same name.
Result<void> check_owners(const Present& present, const Plan& plan) {
  for (const json::object& job : plan.jobs) {
    const std::string id = text_at(job, "id");
    const auto found = present.find(id);
    const std::string source = label_of(job, kImportLabel);
    if (found == present.end() || label_of(found->second, kImportLabel) == source) continue;
    const std::string owner = label_of(found->second, kImportLabel);
    return fail(ErrorKind::kConflict, "job \"" + id +
                                          "\" exists already and was not imported from " + source +
                                          (owner.empty() ? "" : " but from " + owner) +
                                          "; nothing was imported, choose other ids with --prefix");
  }
  return {};
}

// With another --prefix every line would run twice.
Result<void> check_twins(const Present& present, const Plan& plan) {
  std::map<std::string, std::string> lines;  // new lines, by mark
  for (const json::object& job : plan.jobs) {
    if (!present.contains(text_at(job, "id"))) lines[mark_of(job)] = text_at(job, "id");
  }
  for (const auto& [id, job] : present) {
    if (!plan.sources.contains(label_of(job, kImportLabel))) continue;
    const auto twin = lines.find(label_of(job, kMarkLabel));
    if (twin == lines.end()) continue;
    return fail(ErrorKind::kConflict,
                "the line of \"" + twin->second + "\" was imported before, as \"" + id +
                    "\", and would run twice; use the same --prefix as then, `docket job remove " +
                    id + "`, or --force. Nothing was imported");
  }
  return {};
}

Result<void> store_job(ServerApi& server, const Present& present, const json::object& job) {
  const std::string id = text_at(job, "id");
  const auto found = present.find(id);
  const bool known = found != present.end();
  const json::value body(known ? merged(found->second, job) : marked(job));
  const auto stored = server.call({.door = Door::kNative,
                                   .method = known ? "PUT" : "POST",
                                   .path = known ? "/jobs/" + encode_segment(id) : "/jobs",
                                   .body = &body});
  if (stored) return {};
  Error error = stored.error();
  error.message = "job \"" + id + "\": " + error.message;
  return fail(std::move(error));
}

void mention_leftovers(const CliEnvironment& env, const Present& present, const Plan& plan) {
  std::set<std::string> wanted;
  for (const json::object& job : plan.jobs) wanted.insert(text_at(job, "id"));
  for (const auto& [id, job] : present) {
    const std::string source = label_of(job, kImportLabel);
    if (plan.sources.contains(source) && !wanted.contains(id)) {
      env.err << "note: job \"" << id << "\" came from " << source
              << ", which no longer has it; `docket job remove " << id << "` removes it\n";
    }
  }
}

// Only a server run by root can start processes as other users.
void mention_users(const CliEnvironment& env, ServerApi& server, const Plan& plan) {
  const auto status = server.native("/status");
  if (!status || member(*status, "otherUsers") != json::value(false)) return;
  const std::string own = text_at(*status, "user");
  for (const json::object& job : plan.jobs) {
    const std::string user = text_at(job.at("run"), "user");
    if (user.empty() || user == own) continue;
    env.err << "warning: job \"" << text_at(job, "id") << "\" is to run as " << user
            << ", which only a server run by root can do; this one runs as " << own
            << ": its runs will fail\n";
  }
}

class Results {
 public:
  void add(const json::object& job, Verdict verdict) {
    table_.add({text_at(job, "id"), crons_of(job), words_of(verdict)});
    list_.push_back(json::object({{"id", job.at("id")}, {"import", words_of(verdict)}}));
    conflicts_ += verdict == Verdict::kConflict ? 1 : 0;
  }
  void print(const CliEnvironment& env, bool json) const {
    if (json) {
      env.out << to_pretty_json(list_) << '\n';
    } else {
      table_.print(env);
    }
  }
  std::size_t conflicts() const { return conflicts_; }

 private:
  Table table_{{"ID", "CRON", "IMPORT"}};
  json::array list_;
  std::size_t conflicts_ = 0;
};

std::string counted(std::size_t count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

Result<void> store_jobs(const CliEnvironment& env, ServerApi& server, const ImportFlags& flags,
                        const Plan& plan) {
  const auto present = present_jobs(server);
  if (!present) return fail(present.error());
  if (auto owners = check_owners(*present, plan); !owners) return owners;
  if (auto twins = check_twins(*present, plan); !twins && !flags.force) return twins;
  Results results;
  Result<void> outcome;
  for (const json::object& job : plan.jobs) {
    const auto found = present->find(text_at(job, "id"));
    Verdict verdict = judge(found == present->end() ? json::value(nullptr) : found->second, job);
    const bool kept = verdict == Verdict::kKeep || verdict == Verdict::kConflict;
    if (kept && flags.force) verdict = Verdict::kUpdate;
    const bool changes = verdict == Verdict::kAdd || verdict == Verdict::kUpdate;
    if (changes) outcome = store_job(server, *present, job);
    if (!outcome) break;
    results.add(job, verdict);
  }
  results.print(env, flags.json);
  if (!outcome) return outcome;
  mention_leftovers(env, *present, plan);
  mention_users(env, server, plan);
  if (results.conflicts() == 0) return {};
  return fail(ErrorKind::kConflict,
              counted(results.conflicts(), "job was", "jobs were") +
                  " changed here and in the crontab, and kept; --force takes the crontab's");
}

Result<void> import_crontab(const CliEnvironment& env, ServerApi& server,
                            const ImportFlags& flags) {
  const auto plan = read_files(env, flags);
  if (!plan) return fail(plan.error());
  if (flags.dry_run) print_plan(env, *plan, flags.json);
  if (plan->refused > 0 && !flags.skip_refused) {
    return fail(ErrorKind::kInvalid,
                counted(plan->refused, "line", "lines") + " cannot be imported; correct " +
                    (plan->refused == 1 ? "it, or leave it" : "them, or leave them") +
                    " out with --skip-refused. Nothing was imported");
  }
  return flags.dry_run ? Result<void>() : store_jobs(env, server, flags, *plan);
}

std::string valid_prefix(const std::string& text) {
  bool start = true;  // at the start of a segment, or after a dash
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
      tree.command(import, "crontab", "Turn every line of a crontab into a job with a schedule",
                   [flags](const CliEnvironment& env, ServerApi& server) {
                     return import_crontab(env, server, *flags);
                   });
  crontab.add_option("file", flags->files, "The crontabs; - is standard input")->required();
  crontab.add_flag("--user-column{1},--no-user-column{-1}", flags->user_column,
                   "Lines have a user before the command, as in /etc/crontab; or none has");
  crontab.add_flag("--dry-run", flags->dry_run, "Only print the jobs, as a table and as JSON");
  crontab.add_flag("--skip-refused", flags->skip_refused,
                   "Import the other lines even if some are refused");
  crontab
      .add_option("--prefix", flags->options.prefix, "Put the jobs into this group: prefix.name")
      ->type_name("GROUP")
      ->check(CLI::Validator(valid_prefix, ""));
  crontab
      .add_option("--timezone", flags->timezone, "The zone of the times; default: this machine's")
      ->type_name("ZONE");
  crontab.add_flag("--force", flags->force, "Overwrite jobs that were changed here");
  crontab.add_option("--cpus", flags->options.cpus, "The most that each job gets; else no limit")
      ->type_name("N");
  crontab.add_option("--mem", flags->options.mem, "The most that each job gets; else no limit")
      ->type_name("MIB");
  add_json_flag(crontab, flags->json);
  crontab.footer(
      "\nExamples: crontab -l | docket import crontab --dry-run -\n"
      "          docket import crontab --user-column --prefix cron /etc/crontab /etc/cron.d/*");
}

}  // namespace docket::cli
