// `docket import crontab` from the file to the requests.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_server.h"

namespace docket::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kList = "GET /service/metronome/v1/jobs";

class ImportCrontab : public testing::Test {
 protected:
  Outcome import(std::vector<std::string> flags, std::string text) {
    std::vector<std::string> words{"import", "crontab", "-"};
    words.insert(words.end(), flags.begin(), flags.end());
    return run(server_, {.words = std::move(words), .input = std::move(text)});
  }
  FakeServer server_;
};

TEST_F(ImportCrontab, DryRunPrintsATableAndJsonAndAsksNobody) {
  const Outcome done = import({"--dry-run", "--prefix", "ops"}, "0 3 * * * /bin/backup.sh\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(
      done.out,
      HasSubstr(
          "ops.backup  0 3 * * *  Europe/Rome  from standard input: 0 3 * * * /bin/backup.sh"));
  EXPECT_THAT(done.out, HasSubstr("\n\n[\n    {\n        \"id\": \"ops.backup\",\n"));
  EXPECT_THAT(server_.requests, IsEmpty());
}

TEST_F(ImportCrontab, AddsJobsWithSchedules) {
  server_.answer(kList, 200, "[]");
  server_.answer("POST /service/metronome/v1/jobs", 201, "{}");
  server_.answer("GET /service/metronome/v1/jobs/backup/schedules", 200, "[]");
  server_.answer("POST /service/metronome/v1/jobs/backup/schedules", 201, "{}");
  const Outcome done = import({"--timezone", "Asia/Tokyo"}, "0 3 * * * /bin/backup.sh\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out,
            "  ID      CRON     IMPORT  \n"
            "backup  0 3 * * *  added   \n");
  EXPECT_THAT(server_.bodies[1], testing::Not(HasSubstr("schedules")));
  EXPECT_EQ(
      server_.bodies.back(),
      R"({"id":"crontab","cron":"0 3 * * *","timezone":"Asia/Tokyo","concurrencyPolicy":"ALLOW","enabled":true})");
}

TEST_F(ImportCrontab, AgainItUpdatesItsJobsAndNamesThoseThatAreGone) {
  server_.answer(kList, 200, R"([{"id":"backup","labels":{"docket-import":"standard input"}},
                                 {"id":"old","labels":{"docket-import":"standard input"}},
                                 {"id":"other","labels":{"docket-import":"/etc/crontab"}}])");
  server_.answer("PUT /service/metronome/v1/jobs/backup", 200, "{}");
  server_.answer("GET /service/metronome/v1/jobs/backup/schedules", 200, R"([{"id":"crontab"}])");
  server_.answer("PUT /service/metronome/v1/jobs/backup/schedules/crontab", 200, "{}");
  const Outcome done = import({}, "0 3 * * * /bin/backup.sh\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("backup  0 3 * * *  updated"));
  EXPECT_EQ(done.err,
            "note: job \"old\" came from standard input, which no longer has it; `docket job "
            "remove old` removes it\n");
}

TEST_F(ImportCrontab, NobodyElsesJobIsOverwritten) {
  server_.answer(kList, 200, R"([{"id":"backup","labels":{}}])");
  const Outcome done = import({}, "0 3 * * * /bin/first.sh\n0 3 * * * /bin/backup.sh\n");
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err,
              HasSubstr("job \"backup\" exists already and was not imported from standard input"));
  EXPECT_THAT(server_.requests, ElementsAre(kList));
}

TEST_F(ImportCrontab, ARefusedLineStopsEverything) {
  const Outcome done = import({}, "MAILTO=me\n@reboot x\n0 3 * * * y\n");
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err, HasSubstr("-:1: note: MAILTO is ignored"));
  EXPECT_THAT(done.err, HasSubstr("-:2: @reboot has no time"));
  EXPECT_THAT(done.err, HasSubstr("Nothing was imported\n"));
  EXPECT_THAT(server_.requests, IsEmpty());
  EXPECT_EQ(import({"--dry-run"}, "@reboot x\n").code, 1);
}

TEST_F(ImportCrontab, RefusedLinesCanBeLeftOut) {
  server_.answer(kList, 200, "[]");
  server_.answer("POST /service/metronome/v1/jobs", 201, "{}");
  server_.answer("GET /service/metronome/v1/jobs/y/schedules", 200, "[]");
  server_.answer("POST /service/metronome/v1/jobs/y/schedules", 201, "{}");
  EXPECT_EQ(import({"--skip-refused"}, "@reboot x\n0 3 * * * y\n").code, 0);
}

TEST_F(ImportCrontab, TheServersRefusalNamesTheJob) {
  server_.answer(kList, 200, "[]");
  server_.answer("POST /service/metronome/v1/jobs", 422,
                 R"({"message":"Object is not valid","details":[{"path":"/id","errors":["e"]}]})");
  EXPECT_EQ(import({}, "0 3 * * * y\n").err,
            "/id: e\nError: job \"y\": 422 - Object is not valid\n");
}

TEST_F(ImportCrontab, OptionsAreChecked) {
  EXPECT_EQ(import({"--timezone", "Mars/X"}, "").err, "Error: Mars/X is not a known time zone\n");
  for (const char* prefix : {"A", "a.", ".a", "-a", "a-", "a..b", "a b", ""}) {
    EXPECT_EQ(import({"--prefix", prefix}, "").code, 2) << prefix;
  }
}

}  // namespace
}  // namespace docket::cli
