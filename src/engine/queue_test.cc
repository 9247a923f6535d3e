// Who is next, and what finding out costs.

#include "engine/queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace docket::engine {
namespace {

using model::LockWait;
using model::LockWish;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kStart{std::chrono::hours{24 * 365}};

class QueueTest : public ::testing::Test {
 protected:
  static std::vector<LockWish> wishes(const std::vector<std::string>& names) {
    std::vector<LockWish> out;
    for (const std::string& name : names) out.push_back({.name = name});
    return out;
  }
  static Demand cores(std::int64_t count) { return {.cpus_micro = count * 1'000'000}; }

  Node& add_wishing(const std::vector<LockWish>& these, std::int64_t cpus = 1) {
    Node& run = nodes.emplace_back();
    run.task.id = TaskId{nodes.size()};
    run.task.created_at = now;
    wanted[run.task.id] = these;
    queue.add(run, {cores(cpus), these});
    return run;
  }
  Node& add(const std::vector<std::string>& names, std::int64_t cpus = 1) {
    return add_wishing(wishes(names), cpus);
  }
  // Starts whoever may start; gives their numbers in order.
  std::vector<std::uint64_t> place() {
    std::vector<std::uint64_t> started;
    std::vector<model::Lock> changed;
    while (const Queue::Next next = queue.next(now)) {
      EXPECT_EQ(next.refused, nullptr);
      queue.take(*next.run);
      locks.grant(wanted[next.run->task.id], next.run->task.id, now, changed);
      started.push_back(next.run->task.id.value);
    }
    return started;
  }
  void end(Node& run) {
    queue.give_back(run);
    std::vector<model::Lock> changed;
    locks.release(wanted[run.task.id], run.task.id, changed);
    for (const model::Lock& lock : changed) queue.released(lock.name);
  }
  Node& node(std::uint64_t id) { return nodes[id - 1]; }

  Settings settings = [] {
    Settings roomy;
    roomy.node.cpus = 4;
    return roomy;
  }();
  Time now = kStart;
  std::deque<Node> nodes;
  std::map<TaskId, std::vector<LockWish>> wanted;
  LockTable locks;
  Queue queue{settings, locks};
};

// ---- what it costs

TEST_F(QueueTest, AReleasedLockCostsGroupsAndNotWaiters) {
  constexpr std::uint64_t kWaiters = 100'000;
  for (std::uint64_t i = 0; i < kWaiters; ++i) add({"db"}, 1 + static_cast<std::int64_t>(i % 3));
  ASSERT_THAT(place(), ElementsAre(1));
  for (std::uint64_t id = 1; id < 50; ++id) {
    const std::uint64_t before = queue.visits();
    end(node(id));
    ASSERT_THAT(place(), ElementsAre(id + 1)) << "first come, first served, also across groups";
    EXPECT_LE(queue.visits() - before, 50U);
  }
}

TEST_F(QueueTest, ALockWakesNobodyWhoWaitsForAnother) {
  Node& holder = add({"a"});
  add({"b"});
  ASSERT_THAT(place(), ElementsAre(1, 2));
  add({"a"});
  constexpr int kOthers = 1000;
  for (int i = 1; i <= kOthers; ++i) add({"b", "other" + std::to_string(i)});
  ASSERT_THAT(place(), IsEmpty());
  const std::uint64_t before = queue.visits();
  end(holder);
  EXPECT_THAT(place(), ElementsAre(3));
  EXPECT_LE(queue.visits() - before, 20U);
}

TEST_F(QueueTest, AFullNodeCostsNothingPerWaiter) {
  Node& all = add({}, 4);
  ASSERT_THAT(place(), ElementsAre(1));
  for (int i = 0; i < 10'000; ++i) add({}, 4);
  std::uint64_t before = queue.visits();
  EXPECT_THAT(place(), IsEmpty());
  end(all);
  EXPECT_THAT(place(), ElementsAre(2));
  EXPECT_LE(queue.visits() - before, 20U);
}

// ---- who waits for whom

TEST_F(QueueTest, WhoIsStoppedWhileParkedLeavesNoTrace) {
  Node& holder = add({"a"});
  ASSERT_THAT(place(), ElementsAre(1));
  Node& second = add({"a"});
  Node& third = add({"a"}, 2);
  ASSERT_THAT(place(), IsEmpty());
  queue.remove(second);
  queue.remove(third);
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_THAT(queue.waiters_of("a", 9), IsEmpty());
  end(holder);
  EXPECT_THAT(place(), IsEmpty());
}

TEST_F(QueueTest, WaitersAreToldOldestFirstAcrossGroups) {
  add({"a"}, 1);
  ASSERT_THAT(place(), ElementsAre(1));
  add({"a"}, 2);
  add({"a", "b"}, 1);
  add({"b"}, 1);
  add({"a"}, 2);
  add({"a"}, 99);
  EXPECT_THAT(queue.waiters_of("a", 9), ElementsAre(TaskId{2}, TaskId{3}, TaskId{5}, TaskId{6}));
  EXPECT_THAT(queue.waiters_of("a", 2), ElementsAre(TaskId{2}, TaskId{3}));
}

TEST_F(QueueTest, OneOfTwoLocksMayBeTakenByYoungerRunsForAWhile) {
  add({"a"});
  ASSERT_THAT(place(), ElementsAre(1));
  add({"a", "b"});
  Node& younger = add({"b"});
  EXPECT_THAT(place(), ElementsAre(3));
  end(younger);
  add({"b"});
  EXPECT_THAT(place(), ElementsAre(4));
}

TEST_F(QueueTest, AfterThatALockIsKeptForTheOldestWhoWishesForIt) {
  Node& a = add({"a"});
  Node& b = add({"b"});
  ASSERT_THAT(place(), ElementsAre(1, 2));
  Node& both = add({"a", "b"});
  add({"b"});
  now += settings.overtaking_max;
  end(b);
  EXPECT_THAT(place(), IsEmpty());
  EXPECT_EQ(queue.kept_for("b", TaskId{4}, now), &both);
  end(a);
  EXPECT_THAT(place(), ElementsAre(3));
  end(both);
  EXPECT_THAT(place(), ElementsAre(4));
}

TEST_F(QueueTest, WhatWasKeptForARunThatIsStoppedIsFree) {
  add({"a"});
  ASSERT_THAT(place(), ElementsAre(1));
  Node& both = add({"a", "b"});
  now += settings.overtaking_max;
  add({"b"});
  ASSERT_THAT(place(), IsEmpty());
  queue.remove(both);
  EXPECT_THAT(place(), ElementsAre(3));
}

TEST_F(QueueTest, AChainOfOldWishesEndsWithTheOldest) {
  Node& holder = add({"a"});
  ASSERT_THAT(place(), ElementsAre(1));
  Node& second = add({"a", "b"});
  Node& third = add({"b", "c"});
  Node& fourth = add({"c", "a"});
  now += 2 * settings.overtaking_max;
  ASSERT_THAT(place(), IsEmpty());
  end(holder);
  EXPECT_THAT(place(), ElementsAre(2));
  end(second);
  EXPECT_THAT(place(), ElementsAre(3));
  end(third);
  EXPECT_THAT(place(), ElementsAre(4));
  end(fourth);
  EXPECT_EQ(queue.size(), 0U);
}

TEST_F(QueueTest, AClockSetBackMakesNobodyWaitLonger) {
  add({"a"});
  ASSERT_THAT(place(), ElementsAre(1));
  Node& before = add({"a", "b"});
  now -= std::chrono::hours{1};
  add({"b"}, 99);
  now += settings.overtaking_max;
  add({"b"});
  EXPECT_THAT(place(), IsEmpty());
  EXPECT_EQ(queue.kept_for("b", TaskId{4}, now), &before);
}

TEST_F(QueueTest, ARunThatNeverFitsKeepsNoLock) {
  add({"a"}, 99);
  Node& nowhere = nodes.emplace_back();
  nowhere.task.id = TaskId{2};
  nowhere.task.created_at = now;
  queue.add(nowhere, {cores(1), wishes({"a"}), false});
  now += settings.overtaking_max;
  add({"a"});
  EXPECT_THAT(place(), ElementsAre(3));
}

TEST_F(QueueTest, WhoDoesNotWaitForALockIsRefusedOneThatIsKeptToo) {
  add({"a"});
  ASSERT_THAT(place(), ElementsAre(1));
  add({"a", "b"});
  now += settings.overtaking_max;
  Node& impatient = add_wishing({{"b", LockWait::kFail}});
  const Queue::Next next = queue.next(now);
  EXPECT_EQ(next.run, &impatient);
  ASSERT_NE(next.refused, nullptr);
  EXPECT_EQ(next.refused->name, "b");
  EXPECT_EQ(next.by, TaskId{2});
}

TEST_F(QueueTest, AnOldRunWhoseLockIsTakenKeepsNoCapacity) {
  add({"a"});
  ASSERT_THAT(place(), ElementsAre(1));
  add({"a"}, 4);
  now += settings.overtaking_max;
  add({}, 1);
  EXPECT_THAT(place(), ElementsAre(3)) << "it could not use it";
}

}  // namespace
}  // namespace docket::engine
