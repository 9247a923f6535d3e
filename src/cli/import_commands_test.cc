// `docket import crontab` from the file to the requests.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/json.h"
#include "core/json_writer.h"
#include "support/fake_server.h"

namespace docket::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace json = boost::json;

constexpr const char* kList = "GET /docket/v1/jobs?limit=500";
constexpr const char* kCreate = "POST /docket/v1/jobs";
constexpr const char* kReplace = "PUT /docket/v1/jobs/backup";
constexpr const char* kStatus = "GET /docket/v1/status";
constexpr const char* kNone = R"({"items":[],"next":null})";

class ImportCrontab : public testing::Test {
 protected:
  Outcome import(std::vector<std::string> flags, std::string text) {
    std::vector<std::string> words{"import", "crontab", "-"};
    words.insert(words.end(), flags.begin(), flags.end());
    return run(server_, {.words = std::move(words), .input = std::move(text)});
  }
  FakeServer server_;
};

TEST_F(ImportCrontab, DryRunPrintsATableAndJsonAndSendsNothing) {
  const Outcome done = import({"--dry-run", "--prefix", "ops"}, "0 3 * * * /bin/backup.sh\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(
      done.out,
      HasSubstr(
          "ops.backup  0 3 * * *  Europe/Rome  from standard input: 0 3 * * * /bin/backup.sh"));
  EXPECT_THAT(done.out, HasSubstr("\n\n[\n    {\n        \"id\": \"ops.backup\",\n"));
  EXPECT_THAT(server_.requests, IsEmpty());
}

TEST_F(ImportCrontab, AddsJobsWithSchedulesInOneCallEach) {
  server_.answer(kList, 200, kNone);
  server_.answer(kCreate, 201, "{}");
  const Outcome done = import({"--timezone", "Asia/Tokyo"}, "0 3 * * * /bin/backup.sh\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out,
            "  ID      CRON     IMPORT  \n"
            "backup  0 3 * * *  added   \n");
  EXPECT_THAT(
      server_.bodies[1],
      HasSubstr(
          R"({"id":"crontab","cron":"0 3 * * *","timezone":"Asia/Tokyo","concurrencyPolicy":"ALLOW","enabled":true})"));
  EXPECT_THAT(server_.bodies[1], HasSubstr("docket-import-mark"));
}

// ---- again

constexpr const char* kLine = "0 3 * * * /bin/backup.sh\n";
constexpr const char* kEdited = "0 4 * * * /bin/backup.sh\n";

class ImportAgain : public ImportCrontab {
 protected:
  // The job as the first import left it.
  json::object first(const std::string& line = kLine) {
    server_.answer(kList, 200, kNone);
    server_.answer(kCreate, 201, "{}");
    EXPECT_EQ(import({}, line).code, 0);
    const std::string body = server_.bodies[1];
    server_ = {};
    return parse_json(body)->as_object();
  }
  void present(const json::array& jobs) {
    server_.answer(kList, 200, to_json(json::object({{"items", jobs}, {"next", nullptr}})));
    server_.answer(kReplace, 200, "{}");
    server_.answer(kCreate, 201, "{}");
  }
  json::value sent() { return *parse_json(server_.bodies.at(1)); }
};

TEST_F(ImportAgain, ChangesNothingIfNothingHasChanged) {
  present({first()});
  EXPECT_THAT(import({}, kLine).out, HasSubstr("unchanged"));
  EXPECT_THAT(server_.requests, ElementsAre(kList, kStatus));
}

TEST_F(ImportAgain, FollowsALineThatWasEdited) {
  json::object job = first();
  job["labels"].as_object()["team"] = "ops";
  job["run"].as_object()["locks"] = json::array({json::object({{"name", "db"}})});
  job["schedules"].at(0).as_object()["missed"] = "last";
  present({job});
  const Outcome done = import({}, kEdited);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("updated"));
  EXPECT_EQ(sent().at("schedules").at(0).at("cron").as_string(), "0 4 * * *");
  EXPECT_EQ(sent().at("schedules").at(0).at("missed").as_string(), "last");
  EXPECT_EQ(sent().at("labels").at("team").as_string(), "ops")
      << "what the line does not say stays";
  EXPECT_EQ(sent().at("run").at("locks").as_array().size(), 1U);
}

TEST_F(ImportAgain, KeepsAScheduleThatWasPaused) {
  json::object job = first();
  job["schedules"].at(0).as_object()["enabled"] = false;
  present({job});
  const Outcome done = import({}, kLine);
  EXPECT_EQ(done.code, 0);
  EXPECT_THAT(done.out, HasSubstr("kept: changed here  \n")) << done.out;
  EXPECT_THAT(server_.requests, ElementsAre(kList, kStatus));
}

TEST_F(ImportAgain, ReportsWhatChangedOnBothSidesAndOverwritesWithForceOnly) {
  json::object job = first();
  job["run"].as_object()["cmd"] = "mine";
  present({job});
  const Outcome done = import({}, kEdited);
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.out, HasSubstr("kept: changed here and in the crontab"));
  EXPECT_EQ(done.err,
            "Error: 1 job was changed here and in the crontab, and kept; --force takes the "
            "crontab's\n");
  EXPECT_THAT(server_.requests, ElementsAre(kList, kStatus));
  server_.requests.clear();
  server_.bodies.clear();
  EXPECT_THAT(import({"--force"}, kEdited).out, HasSubstr("updated"));
  EXPECT_THAT(std::string(sent().at("run").at("cmd").as_string()), HasSubstr("/bin/backup.sh"));
}

TEST_F(ImportAgain, WithAnotherPrefixWouldRunEveryLineTwice) {
  present({first()});
  const Outcome done = import({"--prefix", "cron"}, kLine);
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err, HasSubstr("was imported before, as \"backup\", and would run twice"));
  EXPECT_THAT(server_.requests, ElementsAre(kList));
  EXPECT_EQ(import({"--prefix", "cron", "--force"}, kLine).code, 0);
}

TEST_F(ImportAgain, NamesJobsWhoseLineIsGone) {
  json::object old = first("0 5 * * * /bin/old.sh\n");
  present({first(), old});
  EXPECT_EQ(import({}, kLine).err,
            "note: job \"old\" came from standard input, which no longer has it; `docket job "
            "remove old` removes it\n");
}

TEST_F(ImportCrontab, JobsFromElsewhereAreNotOverwritten) {
  server_.answer(kList, 200, R"({"items":[{"id":"backup","labels":{}}],"next":null})");
  const Outcome done = import({}, "0 3 * * * /bin/first.sh\n0 3 * * * /bin/backup.sh\n");
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err,
              HasSubstr("job \"backup\" exists already and was not imported from standard input"));
  EXPECT_THAT(server_.requests, ElementsAre(kList));
}

TEST_F(ImportCrontab, ARefusedLineStopsEverything) {
  const Outcome done = import({}, "MAILTO=me\n@often x\n0 3 * * * y\n");
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err, HasSubstr("-:1: note: MAILTO is ignored"));
  EXPECT_THAT(done.err, HasSubstr("-:2: @often is not a word that cron knows"));
  EXPECT_THAT(done.err, HasSubstr("1 line cannot be imported; correct it, or leave it out with "
                                  "--skip-refused. Nothing was imported\n"));
  EXPECT_THAT(server_.requests, IsEmpty());
  EXPECT_EQ(import({"--dry-run"}, "@often x\n").code, 1);
}

TEST_F(ImportCrontab, RefusedLinesCanBeLeftOut) {
  server_.answer(kList, 200, kNone);
  server_.answer(kCreate, 201, "{}");
  EXPECT_EQ(import({"--skip-refused"}, "@often x\n0 3 * * * y\n").code, 0);
}

TEST_F(ImportCrontab, AnUnannouncedUserColumnIsRefused) {
  const Outcome done = import({}, "0 3 * * * root /bin/backup.sh\n");
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err, HasSubstr("-:1: begins with the user \"root\": use --user-column"));
  EXPECT_THAT(import({"--dry-run", "--user-column"}, "0 3 * * * root /bin/b.sh\n").out,
              HasSubstr("\"user\": \"root\""));
  EXPECT_EQ(import({"--dry-run", "--no-user-column"}, "0 3 * * * root x\n").code, 0);
  EXPECT_EQ(import({"--dry-run"}, "0 3 * * * root -x\n").code, 0) << "a command with a flag";
}

TEST_F(ImportCrontab, SaysWhichRunsTheServersUserCannotStart) {
  server_.answer(kList, 200, kNone);
  server_.answer(kCreate, 201, "{}");
  server_.answer(kStatus, 200, R"({"user":"docket","otherUsers":false})");
  const Outcome done =
      import({"--user-column"}, "0 3 * * * root /bin/a\n0 3 * * * docket /bin/b\n");
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(
      done.err,
      "warning: job \"a\" is to run as root, which only a server run by root can do; this one "
      "runs as docket: its runs will fail\n");
}

TEST_F(ImportCrontab, TheServersRefusalNamesTheJob) {
  server_.answer(kList, 200, kNone);
  server_.answer(kCreate, 422,
                 R"({"detail":"The body is not valid","errors":[{"path":"/id","message":"e"}]})");
  EXPECT_EQ(import({}, "0 3 * * * y\n").err,
            "/id: e\nError: job \"y\": 422 - The body is not valid\n");
}

TEST_F(ImportCrontab, OptionsAreChecked) {
  EXPECT_EQ(import({"--timezone", "Mars/X"}, "").err, "Error: Mars/X is not a known time zone\n");
  for (const char* prefix : {"A", "a.", ".a", "-a", "a-", "a..b", "a b", ""}) {
    EXPECT_EQ(import({"--prefix", prefix}, "").code, 2) << prefix;
  }
}

}  // namespace
}  // namespace docket::cli
