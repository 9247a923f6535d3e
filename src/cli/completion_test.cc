// What is offered, and the completion scripts in their shells.

#include "cli/completion.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/fake_server.h"

namespace docket::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> lines_of(std::istream& in) {
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

class Completion : public testing::Test {
 protected:
  Completion() {
    server_.answer("GET /service/metronome/v1/jobs", 200, R"([{"id":"joba"},{"id":"jobb"}])");
    server_.answer("GET /docket/v1/runs?limit=100", 200,
                   R"({"items":[{"name":"r1","job":"joba","state":"done"}]})");
    server_.answer("GET /docket/v1/runs?limit=100&job=joba", 200,
                   R"({"items":[{"name":"r2","job":"joba","state":"failed"}]})");
    server_.answer("GET /service/metronome/v1/jobs/joba/schedules", 200,
                   R"([{"id":"nightly","cron":"0 2 * * *"}])");
  }
  // Lines of word and description for the last of the words.
  std::vector<std::string> lines(std::vector<std::string> words) {
    words.insert(words.begin(), kCompleteWord);
    std::istringstream out(run(server_, {.words = std::move(words)}).out);
    return lines_of(out);
  }
  std::vector<std::string> words(std::vector<std::string> line) {
    auto offered = lines(std::move(line));
    for (std::string& word : offered) word.resize(std::min(word.find('\t'), word.size()));
    return offered;
  }
  FakeServer server_;
};

TEST_F(Completion, OfCommands) {
  EXPECT_THAT(words({"maintenance", "ve"}), ElementsAre("verify"));
  EXPECT_THAT(words({"sec"}), ElementsAre("secret"));
  EXPECT_THAT(words({"serv"}), ElementsAre("serve"));
  EXPECT_THAT(words({"job", "schedule", ""}), ElementsAre("add", "update", "remove", "show"));
  EXPECT_THAT(words({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(lines({"job", "queu"}), ElementsAre("queue\tList the runs that wait for resources"));
  EXPECT_THAT(words({"nothing", ""}), IsEmpty());
  for (const CommandWord& word : command_words()) {
    EXPECT_THAT(words({word.name}), Contains(word.name));
  }
}

TEST_F(Completion, OfFlags) {
  EXPECT_THAT(words({"job", "remove", "joba", "--s"}), ElementsAre("--stop-current-job-runs"));
  EXPECT_THAT(words({"maintenance", "backup", "--no"}), ElementsAre("--no-wait", "--nowait"));
  EXPECT_THAT(words({"job", "list", "--u"}), ElementsAre("--url", "--utc"));
  EXPECT_THAT(words({"task", "logs", "--fol"}), ElementsAre("--follow")) << "an alias";
}

TEST_F(Completion, OfJobsRunsAndSchedules) {
  EXPECT_THAT(words({"job", "run", ""}), ElementsAre("joba", "jobb"));
  EXPECT_THAT(words({"job", "show", "j"}), ElementsAre("joba", "jobb"));
  EXPECT_THAT(words({"job", "kill", "joba", ""}), ElementsAre("r2"));
  EXPECT_THAT(lines({"run", "show", ""}), ElementsAre("r1\tjoba, done"));
  EXPECT_THAT(words({"explain", ""}), ElementsAre("joba", "jobb", "r1"));
  EXPECT_THAT(words({"schedule", "pause", "joba", ""}), ElementsAre("nightly"));
  EXPECT_THAT(words({"task", "log", "joba", "std"}), ElementsAre("stdout", "stderr"));
  EXPECT_THAT(words({"job", "run", "joba", ""}), IsEmpty());
}

TEST_F(Completion, OfTheValuesOfFlags) {
  EXPECT_THAT(words({"task", "log", "--lines", ""}), IsEmpty());
  EXPECT_THAT(words({"runs", "--job", "joba"}), ElementsAre("joba"));
  EXPECT_THAT(words({"secret", "put", "x", "--file", ""}), ElementsAre(":files"));
  EXPECT_THAT(words({"job", "add", ""}), ElementsAre(":files"));
}

TEST_F(Completion, AsksTheServerNamedOnTheLine) {
  EXPECT_THAT(words({"--url", "http://test", "job", "run", ""}), ElementsAre("joba", "jobb"));
  EXPECT_THAT(words({"--url", "http://other", "job", "run", ""}), IsEmpty());
}

// Runs the scripts with a fake `docket` that prints its arguments.
std::vector<std::string> shell(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {"no pipe"};
  std::stringstream out;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) out.put(static_cast<char>(c));
  pclose(pipe);
  return lines_of(out);
}

std::string script(const std::string& shell) {
  FakeServer server;
  return run(server, {.words = {"completion", shell}}).out;
}

class Script {
 public:
  Script(const std::string& shell, const std::string& more)
      : file_(fmt::format("{}docket_completion_{}.{}", testing::TempDir(), ::getpid(), shell)) {
    std::ofstream(file_) << script(shell) << more;
  }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;
  ~Script() { std::filesystem::remove(file_); }
  const std::string& file() const { return file_; }

 private:
  const std::string file_;
};

std::vector<std::string> in_bash(const std::string& line, const std::string& answer) {
  const Script script("bash", "docket() { printf '" + answer + "'; }\nCOMP_LINE='" + line +
                                  "' COMP_POINT=" + std::to_string(line.size()) +
                                  "\n_docket\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n");
  return shell("bash " + script.file() + " 2>&1");
}

TEST(BashCompletion, OffersTheWordsWithoutTheirDescriptions) {
  EXPECT_THAT(in_bash("docket job ", "add\\tAdd a job\\nremove\\tx\\n"),
              ElementsAre("add", "remove"));
  EXPECT_THAT(in_bash("docket job add /etc/passw", ":files\\n"), Contains("/etc/passwd"));
}

TEST(Scripts, AreValidWhereTheirShellsAre) {
  for (const auto& [name, check] :
       {std::pair{"bash", "bash -n "}, {"zsh", "zsh -n "}, {"fish", "fish --no-execute "}}) {
    if (shell(std::string("command -v ") + name).empty()) continue;
    const Script script(name, "");
    EXPECT_THAT(shell(check + script.file() + " 2>&1"), IsEmpty()) << name;
  }
}

}  // namespace
}  // namespace docket::cli
