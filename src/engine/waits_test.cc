#include "engine/waits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace docket::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Time at(int second) { return Time{} + std::chrono::seconds{second}; }

class WaitsTest : public ::testing::Test {
 protected:
  void add(const std::string& name, std::uint64_t task, Time until = kNever) {
    waits_.add(TaskId{task}, until, [this, name](Result<bool> ended) {
      told_.push_back(name + (!ended ? " failed" : *ended ? " ended" : " late"));
    });
  }
  std::vector<std::string> told() { return std::exchange(told_, {}); }

  Waits waits_;
  std::vector<std::string> told_;
};

TEST_F(WaitsTest, AllWaitersForATaskAreCalledOnce) {
  add("a", 1);
  add("b", 1, at(9));
  add("c", 2);
  waits_.ended(TaskId{1});
  EXPECT_THAT(told(), ElementsAre("a ended", "b ended"));
  waits_.ended(TaskId{1});
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_EQ(waits_.next_wake(), kNever);
  EXPECT_EQ(waits_.size(), 1U);
}

TEST_F(WaitsTest, DeadlinesAreKeptInOrder) {
  add("late", 1, at(9));
  add("soon", 1, at(5));
  EXPECT_EQ(waits_.next_wake(), at(5));
  waits_.expire(at(4));
  EXPECT_THAT(told(), IsEmpty());
  waits_.expire(at(5));
  EXPECT_THAT(told(), ElementsAre("soon late"));
  waits_.expire(at(20));
  EXPECT_THAT(told(), ElementsAre("late late"));
  EXPECT_EQ(waits_.size(), 0U);
}

TEST_F(WaitsTest, ACalledWaiterMayWaitAgain) {
  waits_.add(TaskId{1}, kNever, [this](Result<bool>) { add("again", 1); });
  waits_.ended(TaskId{1});
  EXPECT_EQ(waits_.size(), 1U);
  waits_.ended(TaskId{1});
  EXPECT_THAT(told(), ElementsAre("again ended"));
}

TEST_F(WaitsTest, ACancelledWaiterIsNotCalled) {
  const auto leaver =
      waits_.add(TaskId{1}, at(3), [this](Result<bool>) { told_.push_back("left"); });
  add("stays", 1);
  waits_.cancel(leaver);
  waits_.cancel(leaver);
  EXPECT_EQ(waits_.size(), 1U);
  EXPECT_EQ(waits_.next_wake(), kNever);
  waits_.ended(TaskId{1});
  EXPECT_THAT(told(), ElementsAre("stays ended"));
  waits_.cancel(leaver);
}

TEST_F(WaitsTest, AFailureReachesAllWaiters) {
  add("a", 1);
  add("b", 2, at(3));
  waits_.fail_all({.kind = ErrorKind::kUnavailable, .message = "gone"});
  EXPECT_THAT(told(), ::testing::UnorderedElementsAre("a failed", "b failed"));
}

}  // namespace
}  // namespace docket::engine
