#include "engine/wakes.h"

#include <gtest/gtest.h>

namespace docket::engine {
namespace {

constexpr Time kNow{std::chrono::hours{1}};
constexpr Duration kSecond = std::chrono::seconds{1};
constexpr bool kWork = true;  // that begins work
constexpr bool kOther = false;

Wakes::Entry at(Time when, bool begins_work) { return {when, "", begins_work}; }

TaskId due(Wakes& wakes, Time now, bool begins_work) {
  const auto due = wakes.due(now, begins_work);
  return due ? due->run : TaskId{};
}

TEST(Wakes, ComeOldestFirst) {
  Wakes wakes;
  EXPECT_EQ(wakes.next(kWork), kNever);
  wakes.set(TaskId{1}, "again", at(kNow + 2 * kSecond, kWork));
  wakes.set(TaskId{2}, "again", at(kNow + kSecond, kWork));
  wakes.set(TaskId{1}, "limit", at(kNow + 9 * kSecond, kOther));
  EXPECT_EQ(wakes.next(kWork), kNow + kSecond);
  EXPECT_EQ(due(wakes, kNow, kWork), TaskId{});
  EXPECT_EQ(due(wakes, kNow + 5 * kSecond, kWork), TaskId{2});
  EXPECT_EQ(wakes.due(kNow + 5 * kSecond, kWork)->name, "again");
  EXPECT_EQ(due(wakes, kNow + 5 * kSecond, kWork), TaskId{});
  EXPECT_EQ(wakes.next(kWork), kNever);
  EXPECT_EQ(wakes.next(kOther), kNow + 9 * kSecond);
}

TEST(Wakes, HaveOneInstantForEachName) {
  Wakes wakes;
  wakes.set(TaskId{1}, "limit", at(kNow + kSecond, kOther));
  wakes.set(TaskId{1}, "limit", at(kNow + 3 * kSecond, kOther));
  EXPECT_EQ(wakes.next(kOther), kNow + 3 * kSecond);
  EXPECT_EQ(wakes.find(TaskId{1}, "limit")->at, kNow + 3 * kSecond);
  EXPECT_EQ(wakes.find(TaskId{2}, "limit"), nullptr);
  wakes.set(TaskId{1}, "again", at(kNow, kWork));
  EXPECT_EQ(wakes.of(TaskId{1}).size(), 2U);
  wakes.set(TaskId{1}, "limit", {});
  EXPECT_EQ(wakes.next(kOther), kNever);
  wakes.clear(TaskId{1});
  EXPECT_EQ(wakes.next(kWork), kNever);
  EXPECT_TRUE(wakes.of(TaskId{1}).empty());
}

TEST(Wakes, MoveWhenTheClockIsSet) {
  Wakes wakes;
  wakes.set(TaskId{1}, "again", at(kNow + kSecond, kWork));
  wakes.clock_set(-std::chrono::minutes{30});
  EXPECT_EQ(wakes.next(kWork), kNow + kSecond - std::chrono::minutes{30});
  wakes.clear(TaskId{1});
  EXPECT_EQ(wakes.next(kWork), kNever);
}

}  // namespace
}  // namespace docket::engine
