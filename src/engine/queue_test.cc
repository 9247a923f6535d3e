// Which task is next, and what it costs to find out.

#include "engine/queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "support/fakes.h"

namespace docket::engine {
namespace {

using model::LockRequest;
using model::LockWait;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kStart{std::chrono::hours{24 * 365}};

class QueueTest : public ::testing::Test {
 protected:
  static std::vector<LockRequest> requests(const std::vector<std::string>& names) {
    std::vector<LockRequest> out;
    for (const std::string& name : names) out.push_back({.name = name});
    return out;
  }
  static Demand cores(std::int64_t count) { return {.cpus_micro = count * 1'000'000}; }

  Node& add_requesting(const std::vector<LockRequest>& these, std::int64_t cpus = 1) {
    Node& run = nodes.emplace_back();
    run.task.id = run.task.root = TaskId{nodes.size()};
    run.task.created_at = now;
    wanted[run.task.id] = these;
    queue.add(run, {.demand = cores(cpus), .locks = these});
    return run;
  }
  std::vector<Blocker> blockers(std::uint64_t id, std::int64_t cpus = 1) {
    const Node& run = node(id);
    const model::Needs needs{.demand = cores(cpus), .locks = wanted[run.task.id]};
    return queue.blockers(run, needs, now);
  }
  // The task that the lock is kept for; the lock is its only blocker.
  TaskId kept_for(std::uint64_t id) {
    const auto found = blockers(id);
    EXPECT_EQ(found.size(), 1U);
    if (found.empty()) return {};
    EXPECT_EQ(found[0].what, BlockedBy::kKeptLock);
    return found[0].by;
  }
  Node& add(const std::vector<std::string>& names, std::int64_t cpus = 1) {
    return add_requesting(requests(names), cpus);
  }
  // Starts whatever may start; returns their numbers in order.
  std::vector<std::uint64_t> place() {
    std::vector<std::uint64_t> started;
    std::vector<model::Lock> changed;
    while (const Queue::Next next = queue.next(now)) {
      EXPECT_EQ(next.refused, nullptr);
      queue.take(*next.task, next.target);
      locks.grant(wanted[next.task->task.id], next.task->task, now, changed);
      started.push_back(next.task->task.id.value);
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
  std::map<TaskId, std::vector<LockRequest>> wanted;
  LockTable locks;
  Targets targets{settings.node};
  Queue queue{settings, locks, targets};
};

// ---- what it costs

TEST_F(QueueTest, AReleasedLockCostsPerGroupNotPerWaiter) {
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

TEST_F(QueueTest, ALockWakesOnlyItsWaiters) {
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

TEST_F(QueueTest, ATaskStoppedWhileParkedLeavesNoTrace) {
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

TEST_F(QueueTest, WaitersAreListedOldestFirstAcrossGroups) {
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

TEST_F(QueueTest, AfterThatALockIsKeptForTheOldestThatRequestsIt) {
  Node& a = add({"a"});
  Node& b = add({"b"});
  ASSERT_THAT(place(), ElementsAre(1, 2));
  Node& both = add({"a", "b"});
  add({"b"});
  now += settings.overtaking_max;
  end(b);
  EXPECT_THAT(place(), IsEmpty());
  EXPECT_EQ(kept_for(4), both.task.id);
  end(a);
  EXPECT_THAT(place(), ElementsAre(3));
  end(both);
  EXPECT_THAT(place(), ElementsAre(4));
}

TEST_F(QueueTest, ALockKeptForAStoppedRunIsFree) {
  add({"a"});
  ASSERT_THAT(place(), ElementsAre(1));
  Node& both = add({"a", "b"});
  now += settings.overtaking_max;
  add({"b"});
  ASSERT_THAT(place(), IsEmpty());
  queue.remove(both);
  EXPECT_THAT(place(), ElementsAre(3));
}

TEST_F(QueueTest, AChainOfKeptLocksEndsWithTheOldest) {
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

TEST_F(QueueTest, SettingTheClockBackMakesNoTaskWaitLonger) {
  add({"a"});
  ASSERT_THAT(place(), ElementsAre(1));
  Node& before = add({"a", "b"});
  now -= std::chrono::hours{1};
  add({"b"}, 99);
  now += settings.overtaking_max;
  add({"b"});
  EXPECT_THAT(place(), IsEmpty());
  EXPECT_EQ(kept_for(4), before.task.id);
}

TEST_F(QueueTest, ARunThatNeverFitsKeepsNoLock) {
  add({"a"}, 99);
  Node& nowhere = nodes.emplace_back();
  nowhere.task.id = TaskId{2};
  nowhere.task.created_at = now;
  const std::vector<model::Constraint> on_the_moon{{.attribute = "place", .value = "moon"}};
  const std::vector<LockRequest> a = requests({"a"});
  const model::Needs needs{.demand = cores(1), .constraints = on_the_moon, .locks = a};
  queue.add(nowhere, needs);
  const auto why = queue.blockers(nowhere, needs, now);
  ASSERT_EQ(why.size(), 1U);
  EXPECT_EQ(words_of(why[0]), "no node satisfies place IS moon");
  now += settings.overtaking_max;
  add({"a"});
  EXPECT_THAT(place(), ElementsAre(3));
}

TEST_F(QueueTest, AKeptLockRefusesATaskThatWillNotWait) {
  add({"a"});
  ASSERT_THAT(place(), ElementsAre(1));
  add({"a", "b"});
  now += settings.overtaking_max;
  Node& impatient = add_requesting({{"b", LockWait::kFail}});
  const Queue::Next next = queue.next(now);
  EXPECT_EQ(next.task, &impatient);
  ASSERT_NE(next.refused, nullptr);
  EXPECT_EQ(next.refused->name, "b");
  EXPECT_EQ(next.by, TaskId{2});
}

TEST_F(QueueTest, ATaskRefusedAtItsFirstLockGoesFirstWhateverItsSecond) {
  add({"a", "b"});
  ASSERT_THAT(place(), ElementsAre(1));
  Node& impatient = add_requesting({{"a", LockWait::kFail}, {"b", LockWait::kQueue}});
  now += settings.overtaking_max;
  add({});
  EXPECT_EQ(blockers(3).at(0).what, BlockedBy::kTurn);
  EXPECT_EQ(blockers(3).at(0).by, impatient.task.id);
  EXPECT_EQ(queue.next(now).task, &impatient);
}

TEST_F(QueueTest, AnOldRunWhoseLockIsTakenKeepsNoCapacity) {
  add({"a"});
  ASSERT_THAT(place(), ElementsAre(1));
  add({"a"}, 4);
  now += settings.overtaking_max;
  add({}, 1);
  EXPECT_THAT(place(), ElementsAre(3)) << "it could not use it";
}

// ---- several targets

TEST_F(QueueTest, ATaskGoesWhereThereIsRoom) {
  const auto big = targets.add({.name = "big", .capacity = cores(16)});
  add({}, 8);
  add({}, 4);
  add({}, 8);
  add({}, 4);
  std::map<std::uint64_t, Targets::Number> places;
  while (const Queue::Next next = queue.next(now)) {
    queue.take(*next.task, next.target);
    places[next.task->task.id.value] = next.target;
  }
  EXPECT_EQ(places, (std::map<std::uint64_t, Targets::Number>{{1, big}, {2, big}, {4, 0}}))
      << "where most is free; a smaller one may overtake for a while";
  EXPECT_EQ(queue.free(big).cpus_micro, cores(4).cpus_micro);
  EXPECT_EQ(queue.free().cpus_micro, 0);
}

TEST_F(QueueTest, ConstraintsSeeTheLabelsOfATargetAndOfItsParents) {
  targets.add({.name = "east", .labels = {{"datacenter", "east"}}});
  const auto node = targets.add({.name = "e1", .parent = "east", .capacity = cores(1)});
  const std::vector<model::Constraint> east{{.attribute = "datacenter", .value = "east"}};
  EXPECT_EQ(targets.satisfying(east), std::vector{node}) << "without capacity: no place to run";
  EXPECT_EQ(targets.unmet(east), nullptr);
  const std::vector<model::Constraint> both{east[0], {.attribute = "hostname", .value = "e2"}};
  ASSERT_NE(targets.unmet(both), nullptr);
  EXPECT_EQ(targets.unmet(both)->attribute, "hostname");
}

TEST_F(QueueTest, NothingBeginsOnATargetThatDrains) {
  targets.set_state(0, TargetState::kDraining);
  add({});
  EXPECT_THAT(place(), IsEmpty());
  ASSERT_EQ(blockers(1).size(), 1U);
  EXPECT_EQ(blockers(1)[0].what, BlockedBy::kNoTarget);
  targets.set_state(0, TargetState::kUp);
  EXPECT_THAT(place(), ElementsAre(1));
}

TEST_F(QueueTest, ATaskWithoutDemandFitsAnOvercommittedTarget) {
  Node& much = nodes.emplace_back();
  much.task.id = TaskId{1};
  queue.hold(much, cores(99), 0);
  add({}, 0);
  EXPECT_THAT(place(), ElementsAre(2));
}

// ---- steps

TEST_F(QueueTest, StepsDoNotCountAgainstTheRunningLimit) {
  settings.running_max = 1;
  Node& run = add({});
  ASSERT_THAT(place(), ElementsAre(1));
  Node& step = nodes.emplace_back();
  step.task.id = TaskId{2};
  step.task.root = step.task.parent = run.task.id;
  step.parent = &run;
  step.task.created_at = now;
  queue.add(step, {.demand = cores(1)});
  add({});
  EXPECT_THAT(place(), ElementsAre(2)) << "else a run that holds its place would wait for itself";
  EXPECT_EQ(queue.running(), 1U);
}

TEST_F(QueueTest, LocksOfARunDoNotBlockItsSteps) {
  Node& run = add({"a"});
  ASSERT_THAT(place(), ElementsAre(1));
  Node& step = nodes.emplace_back();
  step.task.id = TaskId{2};
  step.task.root = step.task.parent = run.task.id;
  step.parent = &run;
  step.task.created_at = now;
  wanted[step.task.id] = requests({"a", "b"});
  queue.add(step, {.locks = wanted[step.task.id]});
  add({"a"});
  EXPECT_THAT(place(), ElementsAre(2));
  EXPECT_EQ(locks.find("a")->holder, run.task.id);
  EXPECT_EQ(locks.find("b")->holder, step.task.id);
  end(step);
  EXPECT_FALSE(locks.find("b")->holder);
  EXPECT_EQ(locks.find("a")->holder, run.task.id) << "it is the run's";
}

// ---- explanations agree with the rules

// Whatever has happened, a waiting task is either held back by something or is next.
TEST_F(QueueTest, AWaitingTaskHasABlockerOrIsNext) {
  docket::testing::SeededRandom random(7);
  const auto below = [&random](std::uint64_t most) { return random.next() % most; };
  settings.running_max = 6;
  std::vector<std::int64_t> cpus;
  std::vector<std::uint64_t> running;
  for (int round = 0; round < 3000; ++round) {
    now += seconds{static_cast<std::int64_t>(below(20))};
    if (below(2) == 0) {
      std::vector<std::string> names;
      for (const char* lock : {"a", "b", "c"}) {
        if (below(3) == 0) names.emplace_back(lock);
      }
      cpus.push_back(static_cast<std::int64_t>(below(6)));
      add(names, cpus.back());
      const auto why = blockers(nodes.size(), cpus.back());
      const auto next = queue.next(now);
      const bool first = next && next.task == &nodes.back();
      EXPECT_TRUE(!first || why.empty()) << words_of(why);
    } else if (!running.empty()) {
      const std::size_t at = below(running.size());
      end(node(running[at]));
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
    }
    for (const std::uint64_t id : place()) running.push_back(id);
    for (const auto& [id, waits] : queue.waiting()) {
      EXPECT_FALSE(blockers(id.value, cpus[id.value - 1]).empty()) << id.value;
    }
    if (queue.size() > 30) queue.remove(*queue.waiting().begin()->second.task);
  }
  EXPECT_GT(nodes.size(), 1000U);
}

}  // namespace
}  // namespace docket::engine
