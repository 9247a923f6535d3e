#include <gtest/gtest.h>

#include "app/system.h"

namespace docket::app {
namespace {

// Gives one instant after the other, then stays at the last.
class ScriptedClock : public Clock {
 public:
  explicit ScriptedClock(std::vector<Time> script) : script_(std::move(script)) {}
  Time now() override { return script_[std::min(at_++, script_.size() - 1)]; }
  ClockReading read() override { return {.wall = now()}; }

 private:
  std::vector<Time> script_;
  std::size_t at_ = 0;
};

constexpr Time kNoon{std::chrono::hours{12}};

TEST(AsioReactor, FiresAtTheInstant) {
  boost::asio::io_context io;
  ScriptedClock clock({kNoon, kNoon + std::chrono::milliseconds{2}});
  AsioReactor reactor(io, clock);
  int fired = 0;
  reactor.arm(kNoon + std::chrono::milliseconds{1}, [&] { ++fired; });
  io.run();
  EXPECT_EQ(fired, 1);
}

TEST(AsioReactor, AClockSetBackWakesIt) {
  boost::asio::io_context io;
  ScriptedClock clock({kNoon, kNoon - std::chrono::hours{1}});
  AsioReactor reactor(io, clock);
  int fired = 0;
  reactor.arm(kNoon + std::chrono::milliseconds{1}, [&] { ++fired; });
  io.run();
  EXPECT_EQ(fired, 1);
}

TEST(AsioReactor, ArmingAgainReplaces) {
  boost::asio::io_context io;
  ScriptedClock clock({kNoon, kNoon, kNoon + std::chrono::hours{2}});
  AsioReactor reactor(io, clock);
  std::string fired;
  reactor.arm(kNoon + std::chrono::hours{1}, [&] { fired += "first"; });
  reactor.arm(kNoon + std::chrono::milliseconds{1}, [&] { fired += "second"; });
  io.run();
  EXPECT_EQ(fired, "second");
}

}  // namespace
}  // namespace docket::app
