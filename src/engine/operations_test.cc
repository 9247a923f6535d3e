#include "engine/operations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace docket::engine {
namespace {

using model::State;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Time kStart = Time{} + std::chrono::hours{24 * 365 * 50};

// Operations, and the store's view of what they wrote.
class OperationsTest : public ::testing::Test, protected Operations::Journal {
 protected:
  TaskId new_task() override { return TaskId{++last_task_}; }
  const std::string& refusal() const override { return refusal_; }
  EventSeq append(model::Event event, const std::string&) override {
    event.seq = EventSeq{events_.size() + 1};
    events_.push_back(event);
    return event.seq;
  }
  Batch& batch() override { return batch_; }
  void ended(TaskId task) override { ended_.push_back(task); }
  Time trusted(Time now) const override { return now; }

  void commit() {
    tree_.take(batch_);
    for (const model::Task& task : batch_.tasks) rows_[task.id] = task;
    for (const model::Listing& listing : batch_.listings) listings_[listing.task] = listing;
    for (const Drain& drain : batch_.drains) drains_.push_back(drain.module);
    for (const model::Lane& lane : batch_.lanes) lanes_[{lane.module, lane.lane}] = lane;
    batch_ = {};
  }
  const model::Task& row(TaskId id) {
    commit();
    return rows_.at(id);
  }
  Time listed_until(TaskId id) {
    commit();
    return listings_.at(id).until;
  }

  static model::Operation operation(const std::string& module = "test", std::uint32_t lane = 0) {
    model::Operation made;
    made.module = module;
    made.type = "test";
    made.lane = lane;
    return made;
  }
  TaskId add(TaskId parent = {}, std::uint32_t lane = 0) {
    return add(operation(parent ? "" : "test", lane), parent);
  }
  TaskId add(model::Operation what, TaskId parent = {}) {
    const auto made = operations_.create(std::move(what), parent, true, now_);
    EXPECT_TRUE(made) << made.error().message;
    return (*made)->task.id;
  }
  void finish(TaskId id, const std::string& error = {}) {
    EXPECT_TRUE(operations_.finish(id, error, now_));
  }
  std::uint64_t number(TaskId id) { return row(id).operation->sequence; }

  // The ids that a recursive status shows, breadth first.
  std::vector<TaskId> shown(TaskId root) {
    commit();
    std::vector<TaskId> found{root};
    for (std::size_t next = 0; next < found.size(); ++next) {
      const bool folded = rows_.at(found[next]).tally.fold > 0;
      const auto children = children_of(found[next], folded);
      found.insert(found.end(), children.begin(), children.end());
    }
    return found;
  }
  std::vector<TaskId> children_of(TaskId parent, bool folded) {
    std::vector<TaskId> unfolded;
    std::map<std::uint64_t, TaskId> by_end;
    for (const auto& [id, task] : rows_) {
      if (task.parent != parent) continue;
      if (task.tally.fold == 0) {
        unfolded.push_back(id);
      } else if (!folded || model::is_failing(task)) {
        by_end.emplace(task.tally.fold, id);
      }
    }
    if (folded) unfolded.clear();
    for (const auto& [fold, id] : by_end) unfolded.push_back(id);
    return unfolded;
  }

  Settings settings_;
  TaskTree tree_{*this};
  Operations operations_{settings_, tree_, *this};
  Time now_ = kStart;
  std::uint64_t last_task_ = 0;
  std::string refusal_;
  Batch batch_;
  std::vector<model::Event> events_;
  std::vector<TaskId> ended_;
  std::map<TaskId, model::Task> rows_;
  std::map<TaskId, model::Listing> listings_;
  std::vector<std::string> drains_;
  std::map<std::pair<std::string, std::uint32_t>, model::Lane> lanes_;
};

TEST_F(OperationsTest, NumbersRiseInEachLaneAndAreSharedByATree) {
  const TaskId first = add();
  const TaskId second = add();
  const TaskId other_lane = add({}, 1);
  EXPECT_EQ(number(first), 1U);
  EXPECT_EQ(number(second), 2U);
  EXPECT_EQ(number(other_lane), 1U);
  const TaskId child = add(second, 1);
  EXPECT_EQ(number(child), 2U);
  EXPECT_EQ(number(add(child)), 2U);
  EXPECT_EQ(number(add({}, 1)), 2U);
  EXPECT_EQ(number(add(operation("other"))), 1U);
  EXPECT_THAT(operations_.modules(), ElementsAre("other", "test"));
  EXPECT_THAT(operations_.lanes("test"), ElementsAre(0U, 1U));
}

TEST_F(OperationsTest, ClusterTasksHaveNoNumberAndTheirChildrenAreNumberedAsRoots) {
  model::Operation what = operation();
  what.cluster = true;
  what.lane = 3;
  const TaskId cluster = add(what);
  EXPECT_EQ(number(cluster), 0U);
  EXPECT_EQ(operations_.find(cluster)->what().lane, 0U) << "nor a lane";
  const TaskId child = add(cluster);
  EXPECT_EQ(number(child), 1U);
  EXPECT_EQ(number(add(child)), 1U);
  EXPECT_EQ(number(add(cluster)), 2U);
  EXPECT_EQ(number(add()), 3U);
  EXPECT_EQ(operations_.create(what, cluster, true, now_).error().kind, ErrorKind::kInvalid);
}

TEST_F(OperationsTest, ReportersCannotChooseDocketsOwnUuids) {
  model::Operation what = operation();
  what.uuid = model::uuid_of(TaskId{7});
  EXPECT_EQ(operations_.create(what, {}, true, now_).error().kind, ErrorKind::kInvalid);
}

TEST_F(OperationsTest, ADroppedModuleBeginsAnew) {
  const TaskId root = add();
  const TaskId child = add(root);
  ASSERT_TRUE(operations_.drop_module("test", now_));
  EXPECT_EQ(row(child).state, State::kAborted);
  EXPECT_EQ(row(root).state, State::kAborted);
  EXPECT_GT(row(child).tally.fold, 0U);
  EXPECT_EQ(listed_until(root), kNever);
  EXPECT_EQ(operations_.live(), 0U);
  EXPECT_FALSE(operations_.has_module("test"));
  EXPECT_EQ(operations_.drop_module("test", now_).error().kind, ErrorKind::kNotFound);
  operations_.add_module("test");
  EXPECT_EQ(number(add()), 1U);
}

// The tree of the reference: heap numbering, finished from 14 to 0.
TEST_F(OperationsTest, FoldingTableOfTheReference) {
  const std::map<std::vector<int>, std::vector<int>> table{
      {{}, {0, 1, 2}},           {{7}, {0, 1, 2, 3, 7}},          {{3}, {0, 1, 2, 3}},
      {{3, 7}, {0, 1, 2, 3, 7}}, {{0, 1, 3, 7}, {0, 1, 2, 3, 7}}, {{1, 5, 12}, {0, 1, 2, 5, 12}},
  };
  for (const auto& [failed, expected] : table) {
    std::vector<TaskId> nodes;
    for (int i = 0; i < 15; ++i) {
      nodes.push_back(add(i == 0 ? TaskId{} : nodes[static_cast<std::size_t>((i - 1) / 2)]));
    }
    for (int i = 14; i >= 0; --i) {
      finish(nodes[static_cast<std::size_t>(i)],
             std::ranges::find(failed, i) == failed.end() ? "" : "failed");
    }
    std::vector<TaskId> wanted;
    for (const int i : expected) wanted.push_back(nodes[static_cast<std::size_t>(i)]);
    EXPECT_THAT(shown(nodes[0]), ::testing::UnorderedElementsAreArray(wanted));
  }
}

TEST_F(OperationsTest, LiveChildrenComeFirstThenEndedOnesInTheOrderOfTheirEnds) {
  const TaskId root = add();
  const TaskId a = add(root);
  const TaskId below = add(a);
  const TaskId b = add(root);
  const TaskId c = add(root);
  finish(c);
  finish(b);
  EXPECT_THAT(shown(root), ElementsAre(root, a, c, b, below));
}

TEST_F(OperationsTest, AChildThatEndsBeforeItsOwnChildrenIsNotFolded) {
  const TaskId root = add();
  const TaskId middle = add(root);
  const TaskId leaf = add(middle);
  finish(middle);
  EXPECT_EQ(row(middle).tally.fold, 0U);
  finish(leaf);
  EXPECT_EQ(row(leaf).tally.fold, 0U);  // its parent is gone
  EXPECT_THAT(shown(root), ElementsAre(root, middle, leaf));
  finish(root);
  EXPECT_THAT(shown(root), ElementsAre(root, middle, leaf));
  EXPECT_EQ(operations_.live(), 0U);
}

TEST_F(OperationsTest, WhatIsListedAndForHowLong) {
  const TaskId root = add();
  const TaskId child = add(root);
  EXPECT_EQ(listed_until(root), model::kForever);
  EXPECT_TRUE(listings_.at(child).internal);
  EXPECT_FALSE(listings_.at(root).internal);
  finish(child);
  EXPECT_EQ(listed_until(child), kNever);
  settings_.task_ttl = std::chrono::seconds{10};
  finish(root);
  settings_.task_ttl = {};  // sampled at the end
  EXPECT_EQ(listed_until(root), kStart + std::chrono::seconds{10});
  const TaskId unseen = add();
  finish(unseen);
  EXPECT_EQ(listed_until(unseen), kNever);
  model::Operation asked_for = operation();
  asked_for.user = true;
  const TaskId user = add(asked_for);
  finish(user);
  EXPECT_EQ(listed_until(user), kStart + std::chrono::hours{1});
}

TEST_F(OperationsTest, ADrainIncludesTasksThatEndedInTheSameTick) {
  settings_.task_ttl = std::chrono::seconds{10};
  const TaskId ended = add();
  const TaskId live = add();
  finish(ended);
  operations_.drain("test");
  EXPECT_EQ(listed_until(ended), kNever);
  EXPECT_EQ(listed_until(live), model::kForever);
  EXPECT_THAT(drains_, ElementsAre("test"));
}

TEST_F(OperationsTest, AnAbortReachesTheWholeTreeAndIsInherited) {
  model::Operation what = operation();
  what.abortable = true;
  const TaskId root = add(what);
  const TaskId child = add(root);
  const TaskId leaf = add(child);
  EXPECT_EQ(operations_.abort(child, now_).error().kind, ErrorKind::kDenied);
  EXPECT_FALSE(is_stopping(*operations_.find(leaf)));
  commit();
  ASSERT_TRUE(operations_.abort(root, now_));
  ASSERT_TRUE(operations_.abort(root, now_));  // again is harmless
  EXPECT_TRUE(is_stopping(*operations_.find(root)));
  EXPECT_TRUE(is_stopping(*operations_.find(leaf)));
  tree_.take(batch_);
  EXPECT_EQ(batch_.tasks.size(), 1U) << "stored once, whatever is below";
  commit();
  const TaskId late = add(child);
  EXPECT_EQ(row(late).state, State::kAborted);
  EXPECT_EQ(row(late).started_at, kStart);
  EXPECT_EQ(row(late).finished_at, kStart);
  finish(leaf);
  EXPECT_EQ(row(leaf).state, State::kAborted);  // it ended well, but was asked to stop
  EXPECT_TRUE(row(leaf).stopping);
  finish(child, "interrupted");
  EXPECT_EQ(row(child).message, "interrupted");
  EXPECT_EQ(operations_.abort(TaskId{99}, now_).error().kind, ErrorKind::kNotFound);
}

TEST_F(OperationsTest, ProgressIsReportedOrSummed) {
  const TaskId root = add();
  EXPECT_EQ(model::progress_of(row(root), {}), (model::Progress{0, 1}));
  const TaskId one = add(root);
  ASSERT_TRUE(operations_.report(one, {.completed = 3, .total = 4}, now_));
  ASSERT_TRUE(operations_.report(one, {.completed = 4}, now_));
  const TaskId two = add(root);
  finish(one);
  finish(two);
  EXPECT_EQ(model::progress_of(row(root), {}), (model::Progress{5, 5}));
  EXPECT_EQ(model::progress_of(row(root), model::Progress{1, 10}), (model::Progress{6, 15}));
  model::Operation known = operation();
  known.expected = 100;
  const TaskId big = add(known);
  EXPECT_EQ(model::progress_of(row(big), model::Progress{1, 10}), (model::Progress{1, 100}));
  finish(big);
  EXPECT_EQ(model::progress_of(row(big), {}), (model::Progress{1, 1}));
}

TEST_F(OperationsTest, AReportCostsOneRowATickAndNoEvent) {
  const TaskId root = add();
  commit();
  const std::size_t events = events_.size();
  for (double i = 1; i <= 100; ++i) {
    ASSERT_TRUE(operations_.report(root, {.completed = i, .total = 100}, now_));
  }
  tree_.take(batch_);
  EXPECT_EQ(batch_.tasks.size(), 1U);
  EXPECT_EQ(events_.size(), events);
  commit();
  ASSERT_TRUE(operations_.report(root, {.completed = 100}, now_));
  EXPECT_FALSE(tree_.dirty());  // nothing new
}

TEST_F(OperationsTest, ASilentReporterLosesItsTree) {
  model::Operation what = operation();
  what.lease = std::chrono::seconds{10};
  const TaskId root = add(what);
  const TaskId child = add(root);
  what.module = "";
  const TaskId leased = add(what, root);
  EXPECT_EQ(operations_.next_wake(), kStart + std::chrono::seconds{10});
  now_ += std::chrono::seconds{6};
  ASSERT_TRUE(operations_.report(root, {}, now_));
  ASSERT_TRUE(operations_.note(leased, "still here", now_));
  EXPECT_EQ(events_.back().message, "still here");
  now_ += std::chrono::seconds{6};
  operations_.expire(now_);
  EXPECT_EQ(operations_.live(), 3U);
  ASSERT_TRUE(operations_.report(leased, {}, now_));
  now_ += std::chrono::seconds{4};
  operations_.expire(now_);
  EXPECT_EQ(row(root).state, State::kFailed);
  EXPECT_THAT(row(root).message, HasSubstr("not heard from for 10 s"));
  EXPECT_EQ(row(child).state, State::kFailed);
  EXPECT_EQ(row(leased).state, State::kRunning);
  EXPECT_EQ(operations_.report(root, {}, now_).error().kind, ErrorKind::kNotFound);
  finish(leased);
  EXPECT_EQ(operations_.next_wake(), kNever);
}

TEST_F(OperationsTest, LiveOperationsAreRestored) {
  model::Operation what = operation();
  what.lease = std::chrono::seconds{10};
  what.uuid = "0a0b0c0d-0000-0000-0000-000000000001";
  const TaskId root = add(what);
  const TaskId child = add(root);
  const TaskId ended = add(root);
  finish(ended);
  model::Operation own = operation("maintenance");
  own.local = true;
  const TaskId local = add(own);
  commit();
  Snapshot snapshot;
  for (const auto& [id, task] : rows_) snapshot.tasks.push_back(task);
  for (const auto& [key, lane] : lanes_) snapshot.lanes.push_back(lane);
  now_ += std::chrono::hours{1};
  TaskTree tree(*this);
  Operations again(settings_, tree, *this);
  again.restore(snapshot, now_);
  EXPECT_EQ(again.live(), 2U);
  EXPECT_EQ(again.find(root)->task.tally.children, 1U);
  EXPECT_THAT(again.find(root)->children(), ElementsAre(testing::Key(child)));
  EXPECT_EQ(again.find_uuid(what.uuid), root);
  EXPECT_EQ(again.next_wake(), kNever);
  tree.take(batch_);
  commit();
  EXPECT_EQ(rows_.at(local).state, State::kFailed);
  const auto next = again.create(operation(), {}, true, now_);
  EXPECT_EQ((*next)->what().sequence, 2U);
}

TEST_F(OperationsTest, NonsenseIsRefusedAndChangesNothing) {
  const auto refused = [this](const std::function<void(model::Operation&)>& change,
                              TaskId parent = {}) {
    model::Operation what = operation();
    change(what);
    const auto made = operations_.create(what, parent, true, now_);
    EXPECT_FALSE(made);
    return made ? Error{} : made.error();
  };
  EXPECT_EQ(refused([](auto& o) { o.module = ""; }).fields.at(0).path, "module");
  EXPECT_EQ(refused([](auto& o) { o.module = "a b"; }).kind, ErrorKind::kInvalid);
  EXPECT_EQ(refused([](auto& o) { o.uuid = "1234"; }).fields.at(0).path, "uuid");
  EXPECT_EQ(refused([](auto& o) { o.entity.assign(1025, 'x'); }).fields.at(0).path, "entity");
  EXPECT_EQ(refused([](auto& o) { o.expected = -1; }).fields.at(0).path, "expected");
  EXPECT_EQ(refused([](auto& o) { o.lane = 2'000'000; }).fields.at(0).path, "lane");
  EXPECT_EQ(refused([](auto& o) { o.labels.assign(65, {"a", "b"}); }).fields.at(0).path, "labels");
  EXPECT_EQ(refused([](auto&) {}, TaskId{77}).subject, "parent");
  EXPECT_TRUE(batch_.empty());
  EXPECT_THAT(events_, IsEmpty());
  const TaskId root = add();
  EXPECT_EQ(refused([](auto& o) { o.module = "other"; }, root).fields.at(0).path, "module");
  EXPECT_EQ(operations_.report(root, {.completed = -1}, now_).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(operations_.report(root, {.total = 1.0 / 0.0}, now_).error().kind, ErrorKind::kInvalid);
  settings_.operations_max = 1;
  EXPECT_EQ(refused([](auto&) {}).kind, ErrorKind::kExhausted);
  settings_.operations_max = 10;
  refusal_ = "full";
  EXPECT_EQ(refused([](auto&) {}).message, "full");
}

TEST_F(OperationsTest, AUuidIsTakenWhileItsTaskIsLive) {
  model::Operation what = operation();
  what.uuid = "0a0b0c0d-0000-0000-0000-000000000001";
  const TaskId first = add(what);
  EXPECT_EQ(model::uuid_of(row(first)), what.uuid);
  EXPECT_EQ(operations_.create(what, {}, true, now_).error().kind, ErrorKind::kConflict);
  finish(first);
  EXPECT_NE(add(what), first);
}

}  // namespace
}  // namespace docket::engine
