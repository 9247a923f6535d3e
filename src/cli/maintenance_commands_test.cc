// docket maintenance against a server with canned answers.

#include "support/fake_native.h"

namespace docket::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string task(const std::string& state, const std::string& message = "null") {
  return R"({"id":"9","uuid":"u-9","kind":"operation","state":")" + state +
         R"(","startedAt":"2024-01-15T10:00:00Z","finishedAt":)" +
         (state == "running" ? "null" : R"("2024-01-15T10:00:02Z")") + R"(,"message":)" + message +
         R"(,"progress":{"completed":1024,"total":4096,"units":"bytes"},)"
         R"("operation":{"module":"maintenance","type":"backup","entity":"now.db"}})";
}

constexpr const char* kWait = "GET /tasks/u-9?wait=30s";

class MaintenanceCommands : public NativeCommands {
 protected:
  Outcome docket(std::vector<std::string> words) {
    words.insert(words.begin(), "maintenance");
    return NativeCommands::docket(std::move(words));
  }
};

TEST_F(MaintenanceCommands, WaitsAndPrintsTheEnd) {
  answer("POST /maintenance/backup", 201, task("created"));
  answer(kWait, 200, task("running"));
  answer(kWait, 200, task("done"));
  const Outcome outcome = docket({"backup", "now.db"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out,
            "done\nstart: 2024-01-15T10:00:00Z\nend: 2024-01-15T10:00:02Z\nfile: now.db\n");
  EXPECT_EQ(server_.bodies[0], R"({"file":"now.db"})");
  EXPECT_EQ(server_.requests.size(), 3U);
}

TEST_F(MaintenanceCommands, AFailureIsReported) {
  answer("POST /maintenance/verify", 201, task("created"));
  answer(kWait, 200, task("failed", R"("The store is damaged")"));
  const Outcome outcome = docket({"verify", "--family", "job", "--family", "task"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, testing::StartsWith("failed: The store is damaged\nstart: "));
  EXPECT_EQ(outcome.err, "Error: the verify was not done\n");
  EXPECT_EQ(server_.bodies[0], R"({"families":["job","task"]})");
}

TEST_F(MaintenanceCommands, PrintsOnlyTheIdWithoutWaiting) {
  answer("POST /maintenance/vacuum", 201, task("created"));
  for (const char* flag : {"--no-wait", "--nowait"}) {
    EXPECT_EQ(docket({"vacuum", flag}).out, "u-9\n");
  }
  EXPECT_EQ(server_.bodies[0], "{}");
}

TEST_F(MaintenanceCommands, RefusalsAndMistakes) {
  answer("POST /maintenance/export", 409,
         R"({"title":"Conflict","status":409,"detail":"all exists already"})");
  const Outcome taken = docket({"export", "all"});
  EXPECT_EQ(taken.code, 1);
  EXPECT_THAT(taken.err, HasSubstr("all exists already"));
  EXPECT_EQ(docket({"vacuum", "x"}).code, 2);
  EXPECT_EQ(docket({"verify", "--wat"}).code, 2);
  const Outcome unknown = docket({"verfy"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean \"verify\"?"));
  EXPECT_THAT(server_.requests, ElementsAre("POST /docket/v1/maintenance/export"));
}

TEST_F(MaintenanceCommands, ALineMovesInATerminal) {
  answer("POST /maintenance/backup", 201, task("running"));
  answer("GET /tasks/u-9?wait=500ms", 200, task("done"));
  const char* argv[] = {"docket", "maintenance", "backup"};
  std::istringstream in;
  std::ostringstream out;
  const int code = run_cli(3, argv,
                           {.in = in,
                            .out = out,
                            .err = out,
                            .url = "http://test",
                            .columns = 80,
                            .is_tty = true,
                            .http = &server_});
  EXPECT_EQ(code, 0);
  EXPECT_THAT(out.str(), HasSubstr("[####------------]  25% 1024/4096 bytes"));
  EXPECT_THAT(out.str(), HasSubstr("\r\x1b[Kdone\nstart: "));
}

}  // namespace
}  // namespace docket::cli
