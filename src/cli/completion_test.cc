// The scripts in the shells they are for. The fake `docket` function answers for the server.

#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/fake_server.h"

namespace docket::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string script(const std::string& shell) {
  FakeServer server;
  return run(server, {.words = {"completion", shell}}).out;
}

std::vector<std::string> lines_of(const std::string& command) {
  std::vector<std::string> lines(1);
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {"no pipe"};
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
    c == '\n' ? lines.emplace_back() : (lines.back().push_back(static_cast<char>(c)), lines.back());
  }
  pclose(pipe);
  lines.pop_back();
  return lines;
}

class BashCompletion : public testing::Test {
 protected:
  // What bash offers at the end of `line`.
  std::vector<std::string> complete(const std::string& line) {
    const std::string file = testing::TempDir() + "/docket_completion_" +
                             std::to_string(testing::UnitTest::GetInstance()->random_seed()) +
                             testing::UnitTest::GetInstance()->current_test_info()->name() + ".sh";
    std::ofstream(file) << script("bash")
                        << "docket() { [[ $* == *'job list -q' ]] && printf 'joba\\njobb\\n' && "
                           "echo \"$*\" >&2; }\n"
                        << "COMP_LINE='" << line << "' COMP_POINT=" << line.size() << "\n_docket\n"
                        << "printf '%s\\n' \"${COMPREPLY[@]}\"\n";
    auto lines = lines_of("bash " + file + " 2>/dev/null");
    std::filesystem::remove(file);
    if (lines.size() == 1 && lines[0].empty()) lines.clear();
    return lines;
  }
};

TEST_F(BashCompletion, Commands) {
  EXPECT_THAT(complete("docket maintenance ve"), ElementsAre("verify"));
  EXPECT_THAT(complete("docket maintenance backup --no"), ElementsAre("--no-wait", "--nowait"));
  EXPECT_THAT(complete("docket j"), ElementsAre("job"));
  EXPECT_THAT(complete("docket se"), ElementsAre("secret", "serve"));
  EXPECT_THAT(complete("docket job s"), ElementsAre("show", "schedule"));
  EXPECT_THAT(complete("docket job schedule "), ElementsAre("add", "update", "remove", "show"));
  EXPECT_THAT(complete("docket completion "), ElementsAre("bash", "zsh"));
  EXPECT_THAT(complete("docket tasks w"), ElementsAre("wait", "watch"));
}

TEST_F(BashCompletion, Flags) {
  EXPECT_THAT(complete("docket job remove --s"), ElementsAre("--stop-current-job-runs"));
  EXPECT_THAT(complete("docket job remove joba --s"), ElementsAre("--stop-current-job-runs"));
  EXPECT_THAT(complete("docket import crontab --u"), ElementsAre("--user-column"));
  EXPECT_THAT(complete("docket task run --pro"), ElementsAre("--progress"));
}

TEST_F(BashCompletion, JobIds) {
  EXPECT_THAT(complete("docket job run "), ElementsAre("joba", "jobb"));
  EXPECT_THAT(complete("docket job kill jobb"), ElementsAre("jobb"));
  EXPECT_THAT(complete("docket job kill joba "), IsEmpty());
  EXPECT_THAT(complete("docket job show "), ElementsAre("runs", "joba", "jobb"));
  EXPECT_THAT(complete("docket --url http://h:1 job run j"), ElementsAre("joba", "jobb"));
  EXPECT_THAT(complete("docket task log joba std"), ElementsAre("stdout", "stderr"));
}

TEST_F(BashCompletion, ValuesOfFlags) {
  EXPECT_THAT(complete("docket task log --lines "), IsEmpty());
  EXPECT_THAT(complete("docket secret put x --file /etc/passw"), testing::Contains("/etc/passwd"));
  EXPECT_THAT(complete("docket job add /etc/passw"), testing::Contains("/etc/passwd"));
}

TEST(Completion, IsMadeFromTheTree) {
  for (const CommandWord& word : command_words()) {
    EXPECT_THAT(script("bash"), HasSubstr("docket/" + word.name));
    EXPECT_THAT(script("zsh"), HasSubstr("'" + word.name + ":"));
  }
  EXPECT_THAT(script("bash"), Not(HasSubstr("@FILES@")));
  EXPECT_THAT(script("zsh"), Not(HasSubstr("@FILES@")));
}

// Only where zsh is installed can it say what it thinks of the script.
TEST(ZshCompletion, IsValid) {
  if (lines_of("command -v zsh").empty()) GTEST_SKIP() << "no zsh on this machine";
  const std::string file = testing::TempDir() + "/docket_completion.zsh";
  std::ofstream(file) << script("zsh");
  EXPECT_THAT(lines_of("zsh -n " + file + " 2>&1"), IsEmpty());
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace docket::cli
