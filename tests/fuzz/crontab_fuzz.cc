// cli/crontab: every line is imported, refused or reported as empty, and what is imported is a job
// that the server accepts.

#include <boost/json/object.hpp>
#include <set>

#include "cli/crontab/crontab.h"
#include "cli/crontab/jobs.h"
#include "core/cron.h"
#include "core/json_writer.h"
#include "core/utf8.h"
#include "core/zone.h"
#include "dialects/native/read_job.h"
#include "fuzz/fuzz.h"
#include "kinds/process/process_kind.h"

namespace docket::fuzz {
namespace {

void check_entry(const cli::CrontabEntry& entry, cli::CrontabForm form) {
  require(!entry.command.empty() && is_utf8(entry.command), "an entry has a command");
  require(!entry.times.empty() && entry.times.size() <= 2, "an entry is due");
  require((form == cli::CrontabForm::kSystem) == !entry.user.empty(), "the user's column",
          entry.source);
  for (const cli::CrontabTime& time : entry.times) {
    const auto cron = Cron::parse(time.cron);
    require(cron && cron->text() == time.cron, "times are in the normal form", time.cron);
  }
  require(entry.timezone.empty() || Zone::find(entry.timezone), "zones are known", entry.timezone);
}

const kinds::ProcessKind kProcess{std::chrono::seconds{3}};
const engine::Kinds kKinds{&kProcess};

void check_jobs(const cli::Crontab& crontab) {
  const cli::ImportOptions options{
      .source = "crontab", .prefix = "imported", .timezone = "Europe/Rome"};
  std::set<std::string> ids;
  std::set<std::string> taken;
  const auto jobs = cli::jobs_of(crontab, options, taken);
  require(jobs.size() == crontab.entries.size(), "a job for each line");
  for (const boost::json::object& job : jobs) {
    const std::string text = to_json(job);
    const auto read = native::read_job(text, std::nullopt, kKinds);
    require(read.has_value(), "the server takes the job",
            read ? "" : text + read.error().message + read.error().fields.front().path);
    model::Flaws flaws;
    model::check(read->definition, flaws);
    kProcess.check(read->definition, flaws);
    for (const FieldError& flaw : flaws.take()) {
      require(false, "and finds no flaw in it", flaw.path + " " + flaw.errors.front() + text);
    }
    require(ids.insert(read->definition.id).second, "ids are unique", read->definition.id);
  }
}

std::size_t lines_of(std::string_view text) {
  std::size_t lines = text.empty() || text.ends_with('\n') ? 0 : 1;
  for (const char c : text) lines += c == '\n' ? 1 : 0;
  return lines;
}

void run(std::string_view bytes) {
  Input input(bytes);
  const auto form = input.flag() ? cli::CrontabForm::kSystem : cli::CrontabForm::kUser;
  const cli::Crontab crontab = cli::parse_crontab(input.rest(), form);
  const std::size_t lines = lines_of(input.rest());
  std::set<std::size_t> seen;
  for (const auto& entry : crontab.entries) {
    check_entry(entry, form);
    require(entry.line >= 1 && entry.line <= lines, "entries have lines");
    require(seen.insert(entry.line).second, "a line is one entry");
  }
  for (const auto& refused : crontab.refused) {
    require(refused.line >= 1 && refused.line <= lines && !refused.text.empty(), "so do refusals");
    require(seen.insert(refused.line).second, "a line is imported or refused");
  }
  check_jobs(crontab);
}

const Target kTarget("crontab", run);

}  // namespace
}  // namespace docket::fuzz
