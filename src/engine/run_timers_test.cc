#include "engine/run_timers.h"

#include <gtest/gtest.h>

namespace docket::engine {
namespace {

constexpr Time kNow{std::chrono::hours{1}};
constexpr Duration kSecond = std::chrono::seconds{1};

TEST(RunTimers, TellWhatIsDueOldestFirst) {
  RunTimers timers;
  EXPECT_EQ(timers.next(Wake::kRetry), kNever);
  timers.set(TaskId{1}, Wake::kRetry, kNow + 2 * kSecond);
  timers.set(TaskId{2}, Wake::kRetry, kNow + kSecond);
  timers.set(TaskId{1}, Wake::kTimeout, kNow + 9 * kSecond);
  EXPECT_EQ(timers.next(Wake::kRetry), kNow + kSecond);
  EXPECT_EQ(timers.due(Wake::kRetry, kNow), std::nullopt);
  EXPECT_EQ(timers.due(Wake::kRetry, kNow + 5 * kSecond), TaskId{2});
  EXPECT_EQ(timers.due(Wake::kRetry, kNow + 5 * kSecond), TaskId{1});
  EXPECT_EQ(timers.due(Wake::kRetry, kNow + 5 * kSecond), std::nullopt);
  EXPECT_EQ(timers.next(Wake::kRetry), kNever);
  EXPECT_EQ(timers.next(Wake::kTimeout), kNow + 9 * kSecond);
}

TEST(RunTimers, HaveOneInstantOfEachSort) {
  RunTimers timers;
  timers.set(TaskId{1}, Wake::kTimeout, kNow + kSecond);
  timers.set(TaskId{1}, Wake::kTimeout, kNow + 3 * kSecond);
  EXPECT_EQ(timers.next(Wake::kTimeout), kNow + 3 * kSecond);
  EXPECT_EQ(timers.of(TaskId{1}, Wake::kTimeout), kNow + 3 * kSecond);
  EXPECT_EQ(timers.of(TaskId{2}, Wake::kTimeout), kNever);
  timers.set(TaskId{1}, Wake::kRetry, kNow);
  timers.clear(TaskId{1});
  EXPECT_EQ(timers.next(Wake::kRetry), kNever);
  EXPECT_EQ(timers.next(Wake::kTimeout), kNever);
}

TEST(RunTimers, MoveWithAClockThatIsSet) {
  RunTimers timers;
  timers.set(TaskId{1}, Wake::kRetry, kNow + kSecond);
  timers.clock_set(-std::chrono::minutes{30});
  EXPECT_EQ(timers.next(Wake::kRetry), kNow + kSecond - std::chrono::minutes{30});
  timers.clear(TaskId{1});
  EXPECT_EQ(timers.next(Wake::kRetry), kNever);
}

}  // namespace
}  // namespace docket::engine
