// A runner that dies again and again is started again, at a pace.

#include "exec/runner/start_pace.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <filesystem>

#include "exec/runner/monotonic.h"
#include "exec/runner/runner_executor.h"
#include "support/runner/harness.h"

namespace docket::runner::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;

constexpr StartPace::Instant kStart{std::chrono::hours{1}};

class StartPaceTest : public ::testing::Test {
 protected:
  // One starts when it may, serves for this long, and ends. Returns the pause that follows.
  Duration live(Duration serves) {
    now = std::max(now, pace.next());
    pace.begins();
    if (serves > Duration::zero()) pace.serves(now);
    now += serves;
    EXPECT_TRUE(pace.ends(now));
    EXPECT_FALSE(pace.ends(now)) << "it ends once";
    return pace.pause();
  }
  StartPace pace{milliseconds{50}, seconds{30}};
  StartPace::Instant now = kStart;
};

TEST_F(StartPaceTest, TheFirstStartsAtOnce) {
  EXPECT_FALSE(pace.ends(now)) << "there was none";
  EXPECT_LE(pace.next(), now);
}

TEST_F(StartPaceTest, PausesDoubleUpToTheLast) {
  std::vector<Duration> pauses;
  for (int i = 0; i < 12; ++i) pauses.push_back(live(Duration::zero()));
  EXPECT_EQ(pauses[0], milliseconds{50});
  EXPECT_EQ(pauses[3], milliseconds{400});
  EXPECT_EQ(pauses[9], milliseconds{25'600});
  EXPECT_EQ(pauses[11], seconds{30});
  EXPECT_EQ(pace.in_a_row(), 12U);
}

TEST_F(StartPaceTest, AServiceLongerThanThePauseResetsThePause) {
  for (int i = 0; i < 12; ++i) live(Duration::zero());
  EXPECT_EQ(live(minutes{1}), milliseconds{50});
  EXPECT_EQ(pace.in_a_row(), 1U);
  EXPECT_EQ(live(seconds{1}), milliseconds{50}) << "one death a second is no busy loop";
  EXPECT_EQ(live(std::chrono::hours{24 * 365}), milliseconds{50});
}

// A program in the runner's place that notes its start and ends.
TEST(RunnerRestartTest, ARunnerThatExitsAtOnceIsStartedWithPauses) {
  std::string folder = (std::filesystem::temp_directory_path() / "runner-pace-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  RunnerExecutorConfig config;
  config.dir = folder;
  config.runner_argv = {"/bin/sh", "-c", fmt::format("echo x >> {}/starts; exit 1", folder)};
  config.start_first = milliseconds{30};
  config.start_last = milliseconds{120};
  boost::asio::io_context io;
  std::vector<std::string> notes;
  const auto is_of_an_end = [](const std::string& note) { return note.find("ended") != note.npos; };
  std::size_t handlers = 0;
  {
    RunnerExecutor executor(io, config, [&](const std::string& note) {
      if (is_of_an_end(note)) notes.push_back(note);
    });
    const auto until = steady_now() + seconds{20};
    while (notes.size() < 4 && steady_now() < until) handlers += io.run_one();
  }
  io.run();  // the executor has gone: nothing is left to do
  const auto line = [](int in_a_row, const char* pause) {
    return fmt::format(
        "the runner ended after 0.00 s of service, {} in a row; another starts in {} s", in_a_row,
        pause);
  };
  EXPECT_THAT(notes,
              ElementsAre(line(1, "0.03"), line(2, "0.06"), line(3, "0.12"), line(4, "0.12")));
  EXPECT_EQ(slurp(std::filesystem::path(folder) / "starts"), "x\nx\nx\nx\n");
  EXPECT_LT(handlers, 200U) << "no busy loop";
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace docket::runner::testing
