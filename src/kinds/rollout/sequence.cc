#include "kinds/rollout/sequence.h"

#include <algorithm>
#include <unordered_set>

namespace docket::kinds {
namespace {

using engine::Strategy;

struct Tally {
  std::size_t waiting = 0, ended = 0, failed = 0;
};

Tally tally_of(std::span<const NodeProgress> progress) {
  Tally tally;
  for (const NodeProgress each : progress) {
    tally.waiting += each == NodeProgress::kWaiting ? 1 : 0;
    tally.failed += each == NodeProgress::kFailed ? 1 : 0;
    tally.ended += each == NodeProgress::kDone || each == NodeProgress::kFailed ? 1 : 0;
  }
  return tally;
}

// How many nodes may have been started at all, as far as canaries and holds go.
std::size_t most_started(const SequenceRules& rules, std::size_t ended) {
  std::size_t most = std::numeric_limits<std::size_t>::max();
  std::size_t stage = 0;
  for (const std::size_t size : rules.canary) {
    stage += size;
    if (ended >= stage) continue;
    most = stage;
    break;
  }
  if (rules.holds_released < rules.holds.size()) {
    most = std::min(most, rules.holds[rules.holds_released]);
  }
  return most;
}

bool seeds_are_done(const SequenceRules& rules, std::span<const SequenceNode> nodes,
                    std::span<const NodeProgress> progress) {
  bool any = false;
  bool all_ended = true;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!nodes[i].seed) continue;
    any = true;
    if (progress[i] == NodeProgress::kDone) return true;
    all_ended = all_ended && progress[i] == NodeProgress::kFailed;
  }
  const bool goes_on = rules.failures_allowed == SequenceRules::kContinueOnError;
  return !any || (all_ended && goes_on);
}

// The nodes that may start at this moment, whatever else starts with them.
class Candidates {
 public:
  Candidates(const SequenceRules& rules, std::span<const SequenceNode> nodes,
             std::span<const NodeProgress> progress)
      : rules_(rules), nodes_(nodes), admission_(rules.strategy, rules.batch) {
    const bool gated = rules.seeds_first && !seeds_are_done(rules, nodes, progress);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (progress[i] != NodeProgress::kWaiting) groups_.insert(group(i));
      if (progress[i] == NodeProgress::kActive) note_start(i);
      if (progress[i] == NodeProgress::kWaiting && (!gated || nodes[i].seed)) waiting_.push_back(i);
    }
  }

  // Groups that have started are finished before another is opened.
  std::vector<std::size_t> take(std::size_t most) {
    std::vector<std::size_t> taken;
    do {
      for (const std::size_t i : waiting_) {
        if (taken.size() == most) return taken;
        if (groups_.contains(group(i)) && admits(i)) taken.push_back(start(i));
      }
      std::erase_if(waiting_, [&](std::size_t i) { return started_.contains(i); });
    } while (open_group());
    return taken;
  }

 private:
  // All nodes are in one where the strategy keeps to none.
  std::uint32_t group(std::size_t i) const {
    switch (rules_.strategy) {
      case Strategy::kRackPerCluster:
      case Strategy::kRackPerDatacenter:
        return nodes_[i].place.rack;
      case Strategy::kDatacenter:
        return nodes_[i].place.datacenter;
      default:
        return 0;
    }
  }
  bool admits(std::size_t i) const {
    const bool joins = nodes_[i].joins && rules_.joins_one_at_a_time;
    return !(joins && joining_) && admission_.admits(nodes_[i].place);
  }
  void note_start(std::size_t i) {
    admission_.begin(nodes_[i].place);
    joining_ = joining_ || nodes_[i].joins;
  }
  std::size_t start(std::size_t i) {
    note_start(i);
    started_.insert(i);
    return i;
  }
  // The group of the first node that may start outside those that have.
  bool open_group() {
    const auto next = std::ranges::find_if(
        waiting_, [&](std::size_t i) { return !groups_.contains(group(i)) && admits(i); });
    if (next == waiting_.end()) return false;
    groups_.insert(group(*next));
    return true;
  }

  const SequenceRules& rules_;
  std::span<const SequenceNode> nodes_;
  engine::Admission admission_;
  bool joining_ = false;
  std::unordered_set<std::uint32_t> groups_;  // that have started
  std::vector<std::size_t> waiting_;
  std::unordered_set<std::size_t> started_;
};

}  // namespace

std::vector<std::size_t> next_nodes(const SequenceRules& rules, std::span<const SequenceNode> nodes,
                                    std::span<const NodeProgress> progress) {
  const Tally tally = tally_of(progress);
  const std::size_t started = progress.size() - tally.waiting;
  const std::size_t most = most_started(rules, tally.ended);
  if (tally.waiting == 0 || tally.failed > rules.failures_allowed || started >= most) return {};
  return Candidates(rules, nodes, progress).take(most - started);
}

bool is_held(const SequenceRules& rules, std::span<const NodeProgress> progress) {
  const Tally tally = tally_of(progress);
  const bool idle = tally.waiting + tally.ended == progress.size();
  return idle && tally.waiting > 0 && tally.failed <= rules.failures_allowed &&
         rules.holds_released < rules.holds.size() &&
         tally.ended >= rules.holds[rules.holds_released];
}

}  // namespace docket::kinds
