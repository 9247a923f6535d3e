#pragma once

// Which nodes of a rollout start next (reference/opscenter-lcm.md section 5). A pure function of
// the nodes in the order wanted, of what has become of each, and of the rules. There are no waves:
// whenever a node ends, as many start as may.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "engine/admission.h"

namespace docket::kinds {

struct SequenceNode {
  engine::Place place;
  bool seed = false;
  bool joins = false;  // no install of it has completed yet
};

enum class NodeProgress : std::uint8_t { kWaiting, kActive, kDone, kFailed };

struct SequenceRules {
  engine::Strategy strategy = engine::Strategy::kNodePerCluster;
  std::optional<std::size_t> batch = {};  // the most nodes at one time
  // When more have failed, no further node starts.
  std::size_t failures_allowed = 0;
  static constexpr std::size_t kContinueOnError = std::numeric_limits<std::size_t>::max();
  // Others wait until a seed is done; with kContinueOnError also until every seed has ended.
  bool seeds_first = false;
  bool joins_one_at_a_time = false;
  // So many nodes first, then so many, and so on, each time when all before have ended; then the
  // rest.
  std::vector<std::size_t> canary = {};
  // It holds when so many nodes have ended, ascending, and goes on when that hold is released.
  std::vector<std::size_t> holds = {};
  std::size_t holds_released = 0;
};

// Positions in `nodes`, in the order of their starts. Of the nodes that may start those come first
// whose group has started: the rack or the datacenter that the strategy keeps to.
std::vector<std::size_t> next_nodes(const SequenceRules& rules, std::span<const SequenceNode> nodes,
                                    std::span<const NodeProgress> progress);

// All that have started have ended, and others wait for the release of a hold.
bool is_held(const SequenceRules& rules, std::span<const NodeProgress> progress);

}  // namespace docket::kinds
