// Who may speak to the runner through its socket.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>

#include "exec/runner/epoch_file.h"
#include "exec/runner/log_files.h"
#include "exec/runner/owned_fd.h"
#include "exec/runner/wire.h"
#include "support/runner/harness.h"

namespace docket::runner::testing {
namespace {

std::string socket_of(const Harness& runner) { return socket_path(runner.dir() / "runner"); }

class Caller {
 public:
  explicit Caller(const Harness& runner) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const std::string path = socket_of(runner);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  void say(std::string_view frames) const {
    EXPECT_EQ(::send(fd_.get(), frames.data(), frames.size(), MSG_NOSIGNAL), std::ssize(frames));
  }
  void greet(std::uint64_t epoch) const {
    std::string frame;
    wire::append(frame, wire::greeting(epoch));
    say(frame);
  }
  bool hears_something() const {  // else the runner has hung up
    char byte = 0;
    return ::recv(fd_.get(), &byte, 1, 0) > 0;
  }

 private:
  OwnedFd fd_;
};

TEST(RunnerSocketTest, IsForItsOwnerOnly) {
  Harness runner;
  struct stat info{};
  ASSERT_EQ(::stat(socket_of(runner).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST(RunnerSocketTest, NonsenseDropsOnlyItsClient) {
  Harness runner;
  const char too_long[] = "\xff\xff\xff\xff?";
  const char bad_body[] = "\x03\0\0\0\x05\xff\xff";
  const char no_hello[] = "\x02\0\0\0\x04\0";
  const std::string inputs[] = {{too_long, 5}, {bad_body, 7}, {no_hello, 6}};
  for (const std::string& input : inputs) {
    const Caller caller(runner);
    caller.say(input);
    EXPECT_FALSE(caller.hears_something());
  }
  EXPECT_TRUE(runner.run("true").succeeded());
}

// A server that was stopped for a while, and has a successor by now.
TEST(RunnerSocketTest, AServerOfAnEarlierEpochIsNotObeyed) {
  Harness runner;
  const Caller successor(runner);
  successor.greet(7);
  EXPECT_TRUE(successor.hears_something());
  const Caller late(runner);
  late.greet(6);
  EXPECT_FALSE(late.hears_something());
  runner.start("touch " + (runner.dir() / "ran").string());
  EXPECT_TRUE(runner.until([&] { return !runner.executor().status().connected; }));
  EXPECT_FALSE(std::filesystem::exists(runner.dir() / "ran"));
  const Caller without(runner);  // a tool, or an older server
  without.greet(0);
  EXPECT_TRUE(without.hears_something());
  runner.drop_server();
  EXPECT_EQ(epoch_seen(runner.dir() / "runner"), 7U) << "for a server whose store is older";
  runner.set_epoch(7);
  runner.start_server();
  EXPECT_TRUE(runner.run("true").succeeded());
}

}  // namespace
}  // namespace docket::runner::testing
