// The program as a whole: help, mistakes, settings, and what a server that is not docket looks
// like.

#include "cli/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cli/client/settings.h"
#include "cli/suggestion.h"
#include "support/fake_server.h"

namespace docket::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const std::string kList =
    "GET /service/metronome/v1/jobs?embed=activeRuns&embed=schedules&embed=historySummary";

class Cli : public testing::Test {
 protected:
  Outcome docket(std::vector<std::string> words) {
    return run(server_, {.words = std::move(words)});
  }
  FakeServer server_;
};

TEST_F(Cli, AloneItPrintsUsageWithEveryCommand) {
  const Outcome done = docket({});
  EXPECT_EQ(done.code, 0);
  EXPECT_THAT(done.out, HasSubstr("Usage: docket"));
  for (const CommandWord& word : command_words())
    EXPECT_THAT(done.out, HasSubstr("\n  " + word.name + " "));
  EXPECT_THAT(done.out, HasSubstr("\n  serve "));
  EXPECT_EQ(docket({"--help"}).out, done.out);
}

TEST_F(Cli, AGroupAlonePrintsItsUsage) {
  EXPECT_THAT(docket({"job"}).out, HasSubstr("Usage: docket job"));
  EXPECT_THAT(docket({"job", "schedule"}).out, HasSubstr("Usage: docket job schedule"));
}

TEST_F(Cli, EveryCommandHasHelp) {
  const Outcome run_help = docket({"job", "run", "--help"});
  EXPECT_EQ(run_help.code, 0);
  EXPECT_THAT(run_help.out, HasSubstr("Usage: docket job run [OPTIONS] job-id"));
  EXPECT_THAT(docket({"import", "crontab", "-h"}).out,
              HasSubstr("crontab -l | docket import crontab"));
  EXPECT_THAT(server_.requests, IsEmpty());
}

TEST_F(Cli, HelpIsACommandToo) {
  EXPECT_EQ(docket({"help"}).out, docket({"--help"}).out);
  EXPECT_EQ(docket({"help", "job", "run"}).out, docket({"job", "run", "--help"}).out);
  EXPECT_EQ(docket({"--url", "http://test", "help", "events"}).out,
            docket({"events", "--help"}).out);
}

TEST_F(Cli, AcceptsHabitualWords) {
  server_.answer(kList, 200, R"([{"id":"a"}])");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"ls", "-q"}, {"job", "ls", "-q"}, {"--utc", "ls", "-q"}}) {
    EXPECT_EQ(docket(words).out, "a\n");
  }
  EXPECT_EQ(docket({"logs", "--help"}).out, docket({"task", "log", "--help"}).out);
  EXPECT_EQ(docket({"task", "logs", "--help"}).out, docket({"task", "log", "--help"}).out);
}

TEST_F(Cli, AnOutputThatCannotBeWrittenIsAFailure) {
  server_.answer(kList, 200, "[]");
  std::istringstream in;
  std::ostringstream err;
  std::ostream full(nullptr);  // accepts nothing
  const char* argv[] = {"docket", "job", "list"};
  EXPECT_EQ(
      run_cli(3, argv, {.in = in, .out = full, .err = err, .url = "http://test", .http = &server_}),
      1);
  EXPECT_EQ(err.str(), "Error: cannot write to standard output\n");
}

TEST_F(Cli, TheManualPageHasEveryCommandAndFlag) {
  const std::string page = docket({"man"}).out;
  for (const char* part : {".TH DOCKET 1", ".SS docket job schedule add", ".B \\-\\-stop\\-current",
                           "docket serve", ".SS docket tasks wait"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
}

TEST_F(Cli, KnowsItsVersion) { EXPECT_EQ(docket({"--version"}).out, "docket 1.2.3\n"); }

TEST_F(Cli, UnknownCommandsExitTwoWithASuggestion) {
  const Outcome done = docket({"jbo", "list"});
  EXPECT_EQ(done.code, 2);
  EXPECT_EQ(done.out, "");
  EXPECT_EQ(done.err,
            "Error: unknown command \"jbo\"; did you mean \"job\"?\nSee `docket --help`.\n");
  EXPECT_EQ(docket({"job", "lst"}).err,
            "Error: unknown command \"lst\" of `docket job`; did you mean \"list\"?\nSee `docket "
            "job --help`.\n");
  EXPECT_THAT(docket({"srve"}).err, HasSubstr("did you mean \"serve\"?"));
  EXPECT_EQ(docket({"job", "frobnicate"}).err,
            "Error: unknown command \"frobnicate\" of `docket job`\nSee `docket job --help`.\n");
}

TEST_F(Cli, MistakesExitTwo) {
  EXPECT_EQ(docket({"job", "run"}).code, 1);
  EXPECT_THAT(docket({"job", "run"}).err, StartsWith("Error: job-id is required"));
  EXPECT_EQ(docket({"job", "run", "a", "b"}).err,
            "Error: unexpected argument \"b\"\nSee `docket job run --help`.\n");
  EXPECT_EQ(docket({"job", "list", "--jsn"}).err,
            "Error: unknown flag --jsn\nSee `docket job list --help`.\n");
  EXPECT_EQ(docket({"job", "show", "runs", "a", "b"}).code, 1);
  EXPECT_EQ(docket({"task", "log", "a", "--lines", "x"}).code, 2);
  EXPECT_EQ(docket({"task", "log", "a", "--lines", "-1"}).code, 2);
  EXPECT_EQ(docket({"--url"}).code, 2);
  EXPECT_THAT(server_.requests, IsEmpty());
}

TEST(Suggestion, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("job", ""), 3U);
  EXPECT_EQ(edit_distance("jbo", "job"), 1U);
  EXPECT_EQ(edit_distance("schedul", "schedule"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Suggestion, NamesTheNearestWordOrNone) {
  const std::vector<std::string> words{"job", "task", "events", "secret"};
  EXPECT_EQ(nearest("evnts", words), "events");
  EXPECT_EQ(nearest("sec", words), "secret");
  EXPECT_EQ(nearest("xyz", words), std::nullopt);
  EXPECT_EQ(nearest(std::string(1000, 'a'), words), std::nullopt);
}

// ---- which server

TEST_F(Cli, TheFlagOverridesTheEnvironment) {
  server_.answer(kList, 200, "[]");
  EXPECT_EQ(
      run(server_, {.words = {"job", "list", "--url", "http://test/"}, .url = "http://wrong"}).code,
      0);
  EXPECT_EQ(
      run(server_, {.words = {"--url=http://test", "job", "list"}, .url = "http://wrong"}).code, 0);
}

TEST_F(Cli, TheConfigurationFileNamesServerAndToken) {
  const std::string home = testing::TempDir() + "/docket_cli_home";
  std::filesystem::create_directories(home + "/.config/docket");
  const std::string file = home + "/.config/docket/config.toml";
  std::ofstream(file) << "url = \"http://test\"\ntoken = \"from-file\"\n";
  server_.answer(kList, 200, "[]");
  EXPECT_EQ(run(server_, {.words = {"job", "list"}, .url = "", .home = home}).code, 0);
  EXPECT_EQ(server_.last.token, "from-file");
  run(server_, {.words = {"job", "list"}, .token = "from-environment", .home = home});
  EXPECT_EQ(server_.last.token, "from-environment");

  std::ofstream(file) << "url = \n";
  EXPECT_THAT(run(server_, {.words = {"job", "list"}, .home = home}).err,
              StartsWith("Error: " + file + ":1: "));
  std::ofstream(file) << "uri = \"http://test\"\n";
  EXPECT_EQ(run(server_, {.words = {"job", "list"}, .home = home}).err,
            "Error: " + file + ": unknown key uri\n");
  std::ofstream(file) << "url = 1\n";
  EXPECT_EQ(run(server_, {.words = {"job", "list"}, .home = home}).err,
            "Error: " + file + ": url must be text\n");
  std::filesystem::remove_all(home);
}

TEST(Settings, UrlsInOneForm) {
  EXPECT_EQ(normalize_url("127.0.0.1:9000"), "http://127.0.0.1:9000");
  EXPECT_EQ(normalize_url("HTTPS://host/base//"), "https://host/base");
  EXPECT_FALSE(normalize_url("ftp://host"));
  EXPECT_FALSE(normalize_url("file:///etc/passwd"));
  EXPECT_FALSE(normalize_url("http://"));
  EXPECT_FALSE(normalize_url(""));
}

TEST(Settings, TheHubOnThisMachineIsTheDefault) {
  std::istringstream in;
  std::ostringstream out;
  EXPECT_EQ(load_settings({.in = in, .out = out, .err = out}, "")->url, "http://127.0.0.1:7300");
}

// ---- which server answers

TEST_F(Cli, ABareMetronomeIsAskedWithoutThePrefix) {
  server_.answer(
      "POST /service/metronome/v1/jobs/a/runs", 404,
      R"({"message":"Unknown route.","requestPath":"/service/metronome/v1/jobs/a/runs"})");
  server_.answer("POST /v1/jobs/a/runs", 201, R"({"id":"r"})");
  EXPECT_EQ(docket({"job", "run", "a"}).out, "r\n");
}

TEST_F(Cli, AUrlMayNameTheDoor) {
  server_.answer("POST /service/metronome/v1/jobs/a/runs", 201, R"({"id":"r"})");
  EXPECT_EQ(
      run(server_, {.words = {"job", "run", "a"}, .url = "http://test/service/metronome"}).out,
      "r\n");
}

TEST_F(Cli, AMissingRouteIsNotAMissingJob) {
  server_.answer("GET /service/metronome/v1/jobs/a", 404, R"({"message":"Unknown route."})");
  server_.answer("GET /v1/jobs/a", 404, R"({"message":"Unknown route."})");
  EXPECT_EQ(docket({"job", "show", "a"}).err, "Error: 404 - Unknown route.\n");
}

TEST_F(Cli, RefusalsThatAreNotJsonComeFromTheFrontRouter) {
  server_.answer(kList, 401, "<html>", "text/html");
  server_.answer(kList, 403, "<html>", "text/html");
  server_.answer(kList, 404, "<html>", "text/html");
  server_.answer(kList, 502, "", "text/html");
  EXPECT_THAT(docket({"job", "list"}).err,
              StartsWith("Error: authentication failed, please set DOCKET_TOKEN"));
  EXPECT_EQ(docket({"job", "list"}).err,
            "Error: you are not authorized to perform this operation\n");
  EXPECT_EQ(docket({"job", "list"}).err,
            "Error: 404 - the answer is not that of a docket server\n");
  EXPECT_EQ(docket({"job", "list"}).err,
            "Error: 502 - the answer is not that of a docket server\n");
}

TEST_F(Cli, RefusalsInJsonKeepTheirText) {
  server_.answer(kList, 401, R"({"message":"Invalid username or password."})");
  server_.answer(kList, 403, R"({"message":"Not Authorized to perform this action!"})");
  EXPECT_EQ(docket({"job", "list"}).err, "Error: 401 - Invalid username or password.\n");
  EXPECT_EQ(docket({"job", "list"}).err, "Error: 403 - Not Authorized to perform this action!\n");
}

TEST_F(Cli, AnAnswerThatIsNotJson) {
  server_.answer(kList, 200, "<html>", "text/html");
  EXPECT_THAT(docket({"job", "list"}).err,
              StartsWith("Error: http://test answered not JSON at byte 0"));
}

// Whatever types the members have, a command prints something and does not crash.
TEST_F(Cli, AnswersOfOtherTypesAreEmpty) {
  for (const char* body :
       {"null", "1", "{}", "[1,null,[]]", R"([{"id":1,"activeRuns":{},"historySummary":[]}])"}) {
    server_.answer(kList, 200, body);
    EXPECT_EQ(docket({"job", "list"}).code, 0) << body;
  }
}

}  // namespace
}  // namespace docket::cli
