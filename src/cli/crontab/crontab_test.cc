#include "cli/crontab/crontab.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <cstdio>

#include "cli/crontab/jobs.h"
#include "cli/crontab/time.h"
#include "core/json_writer.h"

namespace docket::cli {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

// "cron", or "cron; dow: cron" for two, or "refused: why".
std::string times(const std::string& line) {
  const Crontab crontab = parse_crontab(line + " true", CrontabForm::kUser);
  if (!crontab.refused.empty()) return "refused: " + crontab.refused.front().text;
  if (crontab.entries.empty()) return "nothing";
  std::string out;
  for (const CrontabTime& time : crontab.entries.front().times) {
    out += (out.empty() ? "" : "; ") + (time.suffix.empty() ? "" : time.suffix + ": ") + time.cron;
  }
  return out;
}

CrontabEntry entry(const std::string& text, CrontabForm form = CrontabForm::kUser) {
  const Crontab crontab = parse_crontab(text, form);
  EXPECT_THAT(crontab.refused, IsEmpty())
      << (crontab.refused.empty() ? "" : crontab.refused[0].text);
  return crontab.entries.empty() ? CrontabEntry{} : crontab.entries.back();
}

std::string refusal(const std::string& text, CrontabForm form = CrontabForm::kUser) {
  const Crontab crontab = parse_crontab(text, form);
  return crontab.refused.empty() ? "accepted" : crontab.refused.front().text;
}

// ---- times

TEST(CrontabTimes, FieldsAsCronReadsThem) {
  EXPECT_EQ(times("*/5 * * * *"), "*/5 * * * *");
  EXPECT_EQ(times("0\t9-17/2 * * mon-fri"), "0 9-17/2 * * 1-5");
  EXPECT_EQ(times("00 09 1,15 JAN,jul *"), "0 9 1,15 1,7 *");
  EXPECT_EQ(times("0 0 * * 7"), "0 0 * * 0");
  EXPECT_EQ(times("0 0 * * Sun"), "0 0 * * 0");
  EXPECT_EQ(times("0 0 * * 5-7"), "0 0 * * 5-7");
  EXPECT_EQ(times("0 0 * * sat-sun"), "0 0 * * 6-7");
  EXPECT_EQ(times("*/1 * * * *"), "* * * * *");
}

// Cron accepts any step; one that reaches no second value leaves only the first.
TEST(CrontabTimes, StepsPastTheEndOfARange) {
  EXPECT_EQ(times("*/60 * * * *"), "0 * * * *");
  EXPECT_EQ(times("0 */24 * * *"), "0 0 * * *");
  EXPECT_EQ(times("0 0 */40 * *"), "0 0 1 * *");
  EXPECT_EQ(times("*/59 * * * *"), "*/59 * * * *");
}

TEST(CrontabTimes, Macros) {
  EXPECT_EQ(times("@hourly"), "0 * * * *");
  EXPECT_EQ(times("@daily"), "0 0 * * *");
  EXPECT_EQ(times("@midnight"), "0 0 * * *");
  EXPECT_EQ(times("@weekly"), "0 0 * * 0");
  EXPECT_EQ(times("@monthly"), "0 0 1 * *");
  EXPECT_EQ(times("@yearly"), "0 0 1 1 *");
  EXPECT_EQ(times("@annually"), "0 0 1 1 *");
  EXPECT_EQ(times("@reboot"), "@reboot");
  EXPECT_EQ(times("@often"), "refused: @often is not a word that cron knows");
}

// Vixie cron ORs the two day fields if neither begins with a star, docket always ANDs them. No day
// is in both, so that nothing runs twice.
TEST(CrontabTimes, BothDayFieldsRestrictedMakeTwoTimes) {
  EXPECT_EQ(times("30 4 1,15 * 5"), "30 4 1,15 * *; dow: 30 4 2-14,16-31 * 5");
  EXPECT_EQ(times("0 0 13 * fri"), "0 0 13 * *; dow: 0 0 1-12,14-31 * 5");
  EXPECT_EQ(times("0 0 1-7 2,3 1"), "0 0 1-7 2,3 *; dow: 0 0 8-31 2,3 1");
}

// A field that begins with a star counts as unrestricted, with or without a step: then cron ANDs
// too.
TEST(CrontabTimes, AStarWithAStepIsAnded) {
  EXPECT_EQ(times("0 0 */2 * 1"), "0 0 */2 * 1");
  EXPECT_EQ(times("0 0 1-7 * */3"), "0 0 1-7 * */3");
}

TEST(CrontabTimes, RefusesWhatCronRefuses) {
  EXPECT_EQ(times("60 * * * *"), "refused: minute \"60\" is not a value that cron knows");
  EXPECT_EQ(times("* 24 * * *"), "refused: hour \"24\" is not a value that cron knows");
  EXPECT_EQ(times("* * 0 * *"), "refused: day-of-month \"0\" is not a value that cron knows");
  EXPECT_EQ(times("* * * 13 *"), "refused: month \"13\" is not a value that cron knows");
  EXPECT_EQ(times("* * * * 8"), "refused: day-of-week \"8\" is not a value that cron knows");
  EXPECT_EQ(times("5/15 * * * *"),
            "refused: minute \"5/15\" has a step without a range, which cron does not accept");
  EXPECT_EQ(times("*/0 * * * *"),
            "refused: minute \"*/0\" has a step that is not a number above 0");
  EXPECT_EQ(times("50-10 * * * *"), "refused: minute \"50-10\" is a range that runs backwards");
  EXPECT_EQ(times("0~59 * * * *"), "refused: minute \"0~59\" asks for a random time: choose one");
  for (const char* line : {"1,,2 * * * *", ", * * * *", "-1 * * * *", "1- * * * *", "a * * * *",
                           "? * * * *", "* * L * *", "* * * january *", "* * * * 1#2", "*/ * * * *",
                           "**/2 * * * *", "99999999999999999999 * * * *", "1.5 * * * *"}) {
    EXPECT_THAT(times(line), HasSubstr("refused: ")) << line;
  }
}

TEST(CrontabTimes, RefusesDaysThatNeverOccur) {
  EXPECT_THAT(times("0 0 31 2 *"), HasSubstr("refused: "));
}

// ---- lines

TEST(Crontab, CommentsAndBlankLinesAreIgnored) {
  const Crontab crontab =
      parse_crontab("# m h dom mon dow command\n\n   \t\n  # x=1\n", CrontabForm::kUser);
  EXPECT_THAT(crontab.entries, IsEmpty());
  EXPECT_THAT(crontab.refused, IsEmpty());
  EXPECT_THAT(parse_crontab("", CrontabForm::kUser).entries, IsEmpty());
}

TEST(Crontab, TheCommandIsTheRestOfTheLine) {
  const CrontabEntry line = entry("  5 4 * * *   echo  \"a  b\" # no comment here  \r\n");
  EXPECT_EQ(line.command, "echo  \"a  b\" # no comment here");
  EXPECT_EQ(line.user, "");
  EXPECT_EQ(line.line, 1U);
  EXPECT_EQ(line.input, std::nullopt);
}

TEST(Crontab, TheSystemFormNamesAUser) {
  const CrontabEntry line = entry("17 * * * *\troot    cd / && run-parts --report /etc/cron.hourly",
                                  CrontabForm::kSystem);
  EXPECT_EQ(line.user, "root");
  EXPECT_EQ(line.command, "cd / && run-parts --report /etc/cron.hourly");
  EXPECT_EQ(entry("@daily alice /bin/true", CrontabForm::kSystem).user, "alice");
  EXPECT_THAT(refusal("* * * * * /bin/true", CrontabForm::kSystem),
              HasSubstr("no command after the user"));
}

TEST(Crontab, VariablesApplyFromTheirLineOn) {
  const Crontab crontab = parse_crontab(
      "PATH=/usr/bin:/bin\n* * * * * one\nA = \" b c \"\n'Q'='x'\nA=2\nE=\n* * * * * two\n",
      CrontabForm::kUser);
  ASSERT_THAT(crontab.entries, SizeIs(2));
  EXPECT_THAT(crontab.entries[0].variables, ElementsAre(Pair("PATH", "/usr/bin:/bin")));
  EXPECT_THAT(
      crontab.entries[1].variables,
      ElementsAre(Pair("PATH", "/usr/bin:/bin"), Pair("A", "2"), Pair("Q", "x"), Pair("E", "")));
}

TEST(Crontab, QuotedValuesKeepTheirSpaces) {
  EXPECT_THAT(entry("A = \" b c \"\n* * * * * x").variables, ElementsAre(Pair("A", " b c ")));
  EXPECT_THAT(entry("A =  b $HOME  \n* * * * * x").variables, ElementsAre(Pair("A", "b $HOME")));
}

TEST(Crontab, ACommandMayBeginWithAnAssignment) {
  EXPECT_EQ(entry("* * * * * A=1 x").command, "A=1 x");
  EXPECT_EQ(entry("@daily A=1 x").command, "A=1 x");
}

TEST(Crontab, ShellAndZoneAreRemembered) {
  const CrontabEntry line = entry("SHELL=/bin/bash\nCRON_TZ=Asia/Tokyo\n* * * * * x");
  EXPECT_EQ(line.shell, "/bin/bash");
  EXPECT_EQ(line.timezone, "Asia/Tokyo");
  EXPECT_EQ(entry("SHELL=/bin/sh\n* * * * * x").shell, "");
  EXPECT_EQ(refusal("CRON_TZ=Mars/X\n"), "CRON_TZ Mars/X is not a known time zone");
}

TEST(Crontab, MailIsNotedAndIgnored) {
  const Crontab crontab = parse_crontab("MAILTO=root\n* * * * * x\n", CrontabForm::kUser);
  ASSERT_THAT(crontab.notes, SizeIs(1));
  EXPECT_EQ(crontab.notes[0].line, 1U);
  EXPECT_THAT(crontab.notes[0].text, HasSubstr("MAILTO is ignored"));
  EXPECT_THAT(crontab.entries[0].variables, IsEmpty());
}

TEST(Crontab, PercentEndsTheCommandAndBeginsItsInput) {
  const CrontabEntry mail =
      entry("0 22 * * 1-5 mail -s \"It's 10pm\" joe%Joe,%%Where are your kids?%");
  EXPECT_EQ(mail.command, "mail -s \"It's 10pm\" joe");
  EXPECT_EQ(mail.input, "Joe,\n\nWhere are your kids?\n");
  EXPECT_EQ(entry("* * * * * date +\\%Y-\\%m").command, "date +%Y-%m");
  EXPECT_EQ(entry("* * * * * date +\\%Y").input, std::nullopt);
  EXPECT_EQ(entry("* * * * * a \\n b").command, "a \\n b");
  EXPECT_EQ(entry("* * * * * a\\\\%b").command, "a\\\\") << "the backslash is hidden, not the %";
  EXPECT_EQ(entry("* * * * * a%b\\%c").input, "b%c");
  EXPECT_EQ(entry("* * * * * a%").input, "");
}

TEST(Crontab, RefusalsNameTheirLineAndKeepTheOthers) {
  const Crontab crontab = parse_crontab(
      "* * * * * one\nnonsense\n0 0 31 2 * x\n* * * * *\n1 * * * * two", CrontabForm::kUser);
  EXPECT_THAT(crontab.entries, SizeIs(2));
  ASSERT_THAT(crontab.refused, SizeIs(3));
  EXPECT_EQ(crontab.refused[0],
            (CrontabRemark{2, "is neither a time with a command nor NAME=value"}));
  EXPECT_EQ(crontab.refused[1].line, 3U);
  EXPECT_EQ(crontab.refused[2], (CrontabRemark{4, "has no command"}));
}

TEST(Crontab, BytesThatAreNotTextAreRefused) {
  EXPECT_EQ(refusal("* * * * * echo \xFF"), "is not UTF-8");
}

// The server would refuse the jobs.
TEST(Crontab, WhatAJobCannotHaveIsRefused) {
  EXPECT_EQ(refusal("* * * * * echo \x07"), "must not contain control characters");
  EXPECT_EQ(refusal(std::string("* * * * * a\0b", 13)), "must not contain NUL characters");
  EXPECT_EQ(refusal("*\t*\t*\t*\t*\techo\t\xC3\xA9"), "accepted");
  for (const char* line : {"\"\"=x", "''=x", "\"A=B\"=x", "\"A\tB\"=x"}) {
    EXPECT_EQ(refusal(line), "has no valid variable name") << line;
  }
}

// ---- names

TEST(CrontabNames, SayWhatIsRun) {
  const std::vector<std::pair<std::string, std::string>> names{
      {"/usr/local/bin/backup.sh --full /srv", "backup"},
      {"if [ -x /etc/a ]; then /etc/cron.daily/a --now; fi", "a"},
      {"for f in a b; do gzip $f; done", "gzip"},
      {"! test -e /x || while true; do :; done", "job"},
      {"cd / && run-parts --report /etc/cron.hourly", "cron-hourly"},
      {"test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }",
       "cron-daily"},
      {"[ -x /usr/bin/certbot ] && perl -e 'sleep 1' && certbot -q renew", "certbot"},
      {"perl -e 'print 1'", "perl"},
      {"timeout -s KILL 10 sync", "sync"},
      {"A=1 B=/x nice -n 10 /opt/My_App/Sync-All.PY", "sync-all-py"},
      {"sudo -u www-data php -f /var/www/cron.php", "cron"},
      {"python3 -m mypackage.tool --x", "mypackage-tool"},
      {"flock -n /run/lock/x /usr/bin/report", "report"},
      {"/usr/bin/timeout 30 curl -fsS https://example.com/ping", "curl"},
      {"'/opt/a tool/go now' x", "go-now"},
      {"cd /tmp", "cd"},
      {"***", "job"},
      {"", "job"},
      {"\xC3\xA9t\xC3\xA9", "t"},
  };
  for (const auto& [command, name] : names) EXPECT_EQ(name_of_command(command), name) << command;
}

TEST(CrontabNames, AreValidIdsWhateverTheCommand) {
  std::string all;
  for (int c = 1; c < 256; ++c) all.push_back(static_cast<char>(c));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string name = name_of_command(all.substr(i) + all.substr(0, i));
    EXPECT_THAT(name, testing::MatchesRegex("[a-z0-9]+(-+[a-z0-9]+)*"));
    EXPECT_LE(name.size(), 40U);
  }
}

// ---- jobs

ImportOptions options() {
  return {.source = "/etc/crontab", .prefix = "", .timezone = "Europe/Rome"};
}

std::vector<json::object> jobs(const std::string& text, CrontabForm form = CrontabForm::kUser) {
  std::set<std::string> taken;
  return jobs_of(parse_crontab(text, form), options(), taken);
}

std::vector<std::string> ids(const std::string& text, const std::string& prefix = "") {
  ImportOptions with = options();
  with.prefix = prefix;
  std::vector<std::string> out;
  std::set<std::string> taken;
  for (const auto& job : jobs_of(parse_crontab(text, CrontabForm::kUser), with, taken)) {
    out.emplace_back(job.at("id").as_string());
  }
  return out;
}

TEST(CrontabJobs, AJobAsItIsPosted) {
  const auto made = jobs("A=b\n5 4 * * * alice /usr/bin/backup.sh", CrontabForm::kSystem);
  ASSERT_THAT(made, SizeIs(1));
  EXPECT_EQ(to_pretty_json(made[0], 2), R"({
  "id": "backup",
  "description": "from /etc/crontab: 5 4 * * * alice /usr/bin/backup.sh",
  "labels": {
    "docket-import": "/etc/crontab"
  },
  "run": {
    "cpus": 0.1,
    "mem": 32,
    "limits": "none",
    "cmd": "cd \"${HOME:-/}\"\n/usr/bin/backup.sh",
    "user": "alice",
    "env": {
      "A": "b"
    }
  },
  "schedules": [
    {
      "id": "crontab",
      "cron": "5 4 * * *",
      "timezone": "Europe/Rome",
      "concurrencyPolicy": "ALLOW",
      "enabled": true
    }
  ]
})");
}

TEST(CrontabJobs, ALineOfTwoTimesIsOneJobWithTwoSchedules) {
  const auto made = jobs("5 0 1 * 1 x");
  ASSERT_THAT(made, SizeIs(1));
  const json::array& schedules = made[0].at("schedules").as_array();
  ASSERT_THAT(schedules, SizeIs(2));
  EXPECT_EQ(schedules[0].at("id").as_string(), "crontab");
  EXPECT_EQ(schedules[1].at("id").as_string(), "crontab-dow");
}

TEST(CrontabJobs, OnlyRequestedLimitsAreSet) {
  ImportOptions limited = options();
  limited.mem = 512;
  std::set<std::string> taken;
  const auto made = jobs_of(parse_crontab("* * * * * x", CrontabForm::kUser), limited, taken);
  EXPECT_EQ(to_json(made[0].at("run").at("mem")), "512");
  EXPECT_EQ(made[0].at("run").at("limits").as_string(), "mem");
}

TEST(CrontabJobs, IdsAreUniqueAndStable) {
  const std::string text =
      "1 * * * * x a\n2 * * * * x b\n3 * * * * x-2\n4 * * * * x c\n5 0 1 * 1 x\n";
  EXPECT_THAT(ids(text), ElementsAre("x", "x-2", "x-2-2", "x-3", "x-4"));
  EXPECT_EQ(ids(text), ids(text));
  EXPECT_THAT(ids("* * * * * x", "ops.cron"), ElementsAre("ops.cron.x"));
}

TEST(CrontabJobs, CronTzOverridesTheMachinesZone) {
  EXPECT_EQ(
      jobs("CRON_TZ=Asia/Tokyo\n* * * * * x")[0].at("schedules").at(0).at("timezone").as_string(),
      "Asia/Tokyo");
}

std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "no pipe";
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe))
    out.push_back(static_cast<char>(c));
  pclose(pipe);
  return out;
}

// The output of the job's cmd when /bin/sh runs it, as the runner does.
std::string output_of_line(const std::string& text) {
  const auto made = jobs(text);
  return made.empty() ? "no job"
                      : output_of(std::string(made.back().at("run").at("cmd").as_string()));
}

TEST(CrontabJobs, CommandsRunInTheShellAsTheyDidUnderCron) {
  EXPECT_EQ(output_of_line("* * * * * echo a\\%b"), "a%b\n");
  EXPECT_EQ(output_of_line("* * * * * cat%one%two"), "one\ntwo\n");
  EXPECT_EQ(output_of_line("* * * * * cat; echo end # comment%$HOME `x`"), "$HOME `x`\nend\n");
  EXPECT_EQ(output_of_line("* * * * * cat%INPUT%x"), "INPUT\nx\n");
  EXPECT_EQ(output_of_line("* * * * * cat%"), "\n");
  EXPECT_EQ(output_of_line("SHELL=/bin/bash\n* * * * * [[ a == a* ]] && echo \"it's $BASH\""),
            "it's /bin/bash\n");
  EXPECT_EQ(output_of_line("SHELL=/bin/bash\n* * * * * cat%it's"), "it's\n");
  EXPECT_EQ(output_of_line("* * * * * test \"$(pwd)\" = \"$(cd \"$HOME\"; pwd)\" && echo home"),
            "home\n");
}

}  // namespace
}  // namespace docket::cli
