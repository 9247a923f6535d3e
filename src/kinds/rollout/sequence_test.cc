#include "kinds/rollout/sequence.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace docket::kinds {
namespace {

using engine::Strategy;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// dc1 {r1: a b c, r2: d e f}, dc2 {r1: g h i, r2: j k l}; seeds a and g: the example of the
// reference, in the order wanted, which has the seeds first.
constexpr std::string_view kNames = "agbcdefhijkl";

std::vector<SequenceNode> example() {
  std::vector<SequenceNode> nodes;
  for (const char name : kNames) {
    const auto letter = static_cast<std::uint32_t>(name - 'a');
    nodes.push_back({.place = {letter / 6, letter / 3}, .seed = name == 'a' || name == 'g'});
  }
  return nodes;
}

// Nodes that take equally long; those that start together also end one after the other.
class Sequence {
 public:
  explicit Sequence(SequenceRules rules, std::vector<SequenceNode> nodes = example())
      : rules_(std::move(rules)),
        nodes_(std::move(nodes)),
        progress_(nodes_.size(), NodeProgress::kWaiting) {
    start();
  }
  void end(std::size_t i, NodeProgress as = NodeProgress::kDone) {
    progress_[i] = as;
    std::erase(active_, i);
    start();
  }
  // Starts, in groups by time.
  std::string run() {
    std::string groups;
    while (!active_.empty()) {
      groups += groups.empty() ? "" : " ";
      for (const std::size_t i : active_) groups += kNames[i];
      const std::vector<std::size_t> together = active_;
      for (const std::size_t i : together) end(i);
    }
    return groups;
  }
  const std::vector<std::size_t>& active() const { return active_; }
  std::string names() const {
    std::string names;
    for (const std::size_t i : active_) names += kNames[i];
    return names;
  }
  std::size_t most() const { return most_; }
  std::size_t waiting() const {
    return static_cast<std::size_t>(std::ranges::count(progress_, NodeProgress::kWaiting));
  }
  bool held() const { return is_held(rules_, progress_); }
  void release() {
    ++rules_.holds_released;
    start();
  }
  const std::vector<SequenceNode>& nodes() const { return nodes_; }

 private:
  void start() {
    for (const std::size_t i : next_nodes(rules_, nodes_, progress_)) {
      EXPECT_EQ(progress_[i], NodeProgress::kWaiting);
      progress_[i] = NodeProgress::kActive;
      active_.push_back(i);
    }
    most_ = std::max(most_, active_.size());
  }
  SequenceRules rules_;
  std::vector<SequenceNode> nodes_;
  std::vector<NodeProgress> progress_;
  std::vector<std::size_t> active_;  // in the order of their starts
  std::size_t most_ = 0;
};

TEST(Sequence, IsThatOfTheReferencesTable) {
  const struct {
    Strategy strategy;
    std::optional<std::size_t> batch;
    std::size_t most;
    const char* starts;
  } rows[] = {
      {Strategy::kNodePerCluster, {}, 1, "a g b c d e f h i j k l"},
      {Strategy::kNodePerCluster, 7, 1, "a g b c d e f h i j k l"},
      {Strategy::kNodePerDatacenter, {}, 2, "ag bh ci dj ek fl"},
      {Strategy::kNodePerDatacenter, 1, 1, "a g b c d e f h i j k l"},
      {Strategy::kRackPerCluster, {}, 3, "abc ghi def jkl"},
      {Strategy::kRackPerCluster, 2, 2, "ab c gh i de f jk l"},
      {Strategy::kRackPerDatacenter, {}, 6, "abcghi defjkl"},
      {Strategy::kRackPerDatacenter, 4, 4, "abcg hide fjkl"},
      {Strategy::kRackPerDatacenter, 5, 5, "abcgh idef jkl"},
      {Strategy::kDatacenter, {}, 6, "abcdef ghijkl"},
      {Strategy::kDatacenter, 4, 4, "abcd ef ghij kl"},
      {Strategy::kCluster, {}, 12, "agbcdefhijkl"},
      {Strategy::kCluster, 5, 5, "agbcd efhij kl"},
  };
  for (const auto& row : rows) {
    Sequence sequence({.strategy = row.strategy, .batch = row.batch});
    EXPECT_EQ(sequence.run(), row.starts);
    EXPECT_EQ(sequence.most(), row.most) << row.starts;
  }
}

TEST(Sequence, StopsAtTheFirstFailure) {
  Sequence sequence({.strategy = Strategy::kCluster, .batch = 3});
  sequence.end(0, NodeProgress::kFailed);
  EXPECT_EQ(sequence.names(), "gb") << "what has started goes on";
  sequence.end(1);
  sequence.end(2);
  EXPECT_THAT(sequence.active(), IsEmpty());
  EXPECT_EQ(sequence.waiting(), 9U);
}

TEST(Sequence, ContinuesOnErrorWhenAsked) {
  Sequence sequence({.strategy = Strategy::kCluster,
                     .batch = 3,
                     .failures_allowed = SequenceRules::kContinueOnError});
  sequence.end(0, NodeProgress::kFailed);
  EXPECT_EQ(sequence.names(), "gbc") << "a failed node frees its slot";
  EXPECT_EQ(sequence.run(), "gbc def hij kl");
}

TEST(Sequence, StopsWhenMoreHaveFailedThanAllowed) {
  Sequence sequence({.strategy = Strategy::kCluster, .batch = 1, .failures_allowed = 1});
  sequence.end(0, NodeProgress::kFailed);
  EXPECT_EQ(sequence.names(), "g");
  sequence.end(1, NodeProgress::kFailed);
  EXPECT_THAT(sequence.active(), IsEmpty());
}

TEST(Sequence, ASeedIsDoneBeforeOthersStart) {
  Sequence sequence({.strategy = Strategy::kCluster, .seeds_first = true});
  EXPECT_EQ(sequence.names(), "ag");
  sequence.end(1);
  EXPECT_EQ(sequence.names(), "abcdefhijkl");
  Sequence failing({.strategy = Strategy::kNodePerCluster, .seeds_first = true});
  failing.end(0, NodeProgress::kFailed);
  EXPECT_THAT(failing.active(), IsEmpty()) << "after one node";
}

TEST(Sequence, WhenEverySeedHasFailedTheOthersAreTriedIfErrorsAreIgnored) {
  Sequence sequence({.strategy = Strategy::kCluster,
                     .failures_allowed = SequenceRules::kContinueOnError,
                     .seeds_first = true});
  sequence.end(0, NodeProgress::kFailed);
  EXPECT_EQ(sequence.names(), "g");
  sequence.end(1, NodeProgress::kFailed);
  EXPECT_EQ(sequence.names(), "bcdefhijkl");
}

TEST(Sequence, WithoutASeedThereIsNoGate) {
  std::vector<SequenceNode> nodes = example();
  for (SequenceNode& each : nodes) each.seed = false;
  EXPECT_EQ(Sequence({.strategy = Strategy::kCluster, .seeds_first = true}, nodes).names(), kNames);
}

TEST(Sequence, NodesJoinOneAtATime) {
  std::vector<SequenceNode> nodes = example();
  for (const std::size_t i : {2U, 3U, 4U}) nodes[i].joins = true;  // b c d
  Sequence sequence({.strategy = Strategy::kCluster, .joins_one_at_a_time = true}, nodes);
  EXPECT_EQ(sequence.names(), "agbefhijkl") << "others are not held up";
  sequence.end(2);
  EXPECT_EQ(sequence.names(), "agefhijklc");
}

TEST(Sequence, CanariesEndBeforeTheNextStart) {
  Sequence sequence({.strategy = Strategy::kCluster, .canary = {1, 3}});
  EXPECT_EQ(sequence.run(), "a gbc defhijkl");
  Sequence failing({.strategy = Strategy::kCluster, .canary = {2}});
  failing.end(0);
  EXPECT_EQ(failing.names(), "g") << "one of the first two is not over";
  failing.end(1, NodeProgress::kFailed);
  EXPECT_THAT(failing.active(), IsEmpty());
}

TEST(Sequence, HoldsUntilItIsReleased) {
  Sequence sequence({.strategy = Strategy::kCluster, .batch = 2, .holds = {1, 5}});
  EXPECT_FALSE(sequence.held());
  EXPECT_EQ(sequence.names(), "a");
  sequence.end(0);
  EXPECT_TRUE(sequence.held());
  EXPECT_THAT(sequence.active(), IsEmpty());
  sequence.release();
  EXPECT_EQ(sequence.run(), "gb cd");
  EXPECT_TRUE(sequence.held());
  sequence.release();
  EXPECT_EQ(sequence.run(), "ef hi jk l");
  EXPECT_FALSE(sequence.held());
}

// ---- any durations, any failures

bool may_be_active_together(Strategy strategy, std::span<const SequenceNode> nodes,
                            const std::vector<std::size_t>& active) {
  for (std::size_t last = 0; last < active.size(); ++last) {
    engine::Admission admission(strategy);
    for (std::size_t i = 0; i < active.size(); ++i) {
      if (i != last) admission.begin(nodes[active[i]].place);
    }
    if (!admission.admits(nodes[active[last]].place)) return false;
  }
  return true;
}

std::vector<SequenceNode> some_nodes(std::mt19937& random) {
  const std::size_t racks = 1 + random() % 3;
  std::vector<SequenceNode> nodes(1 + random() % 30);
  for (SequenceNode& each : nodes) {
    each.place.datacenter = static_cast<std::uint32_t>(random() % 3);
    each.place.rack = static_cast<std::uint32_t>(each.place.datacenter * 3 + random() % racks);
  }
  for (std::size_t i = 0; i < nodes.size() && random() % 3 > 0; ++i) nodes[i].seed = true;
  return nodes;
}

TEST(Sequence, KeepsTheStrategyAtEveryMomentAndLeavesNobodyOut) {
  std::mt19937 random(11);  // NOLINT(cert-msc51-cpp): the same each time
  for (int round = 0; round < 3000; ++round) {
    const auto strategy = static_cast<Strategy>(random() % 6);
    const std::size_t batch = 1 + random() % 9;
    const bool goes_on = random() % 2 == 0;
    Sequence sequence({.strategy = strategy,
                       .batch = batch,
                       .failures_allowed = goes_on ? SequenceRules::kContinueOnError : 0,
                       .seeds_first = random() % 2 == 0},
                      some_nodes(random));
    bool failed = false;
    while (!sequence.active().empty()) {
      ASSERT_LE(sequence.active().size(), batch);
      ASSERT_TRUE(may_be_active_together(strategy, sequence.nodes(), sequence.active()));
      const std::size_t waiting = sequence.waiting();
      const bool fails = random() % 8 == 0;
      sequence.end(sequence.active()[random() % sequence.active().size()],
                   fails ? NodeProgress::kFailed : NodeProgress::kDone);
      failed = failed || fails;
      if (failed && !goes_on) ASSERT_EQ(sequence.waiting(), waiting) << "nothing starts any more";
    }
    if (!failed || goes_on) ASSERT_EQ(sequence.waiting(), 0U);
  }
}

}  // namespace
}  // namespace docket::kinds
