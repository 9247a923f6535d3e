#pragma once

// The spec of the kind `rollout`: one job over the nodes of a cluster, a datacenter, or one node.
//
//   {"jobType": "restart", "resource": "d0c4e700-...", "cluster": "d0c4e700-...", "strategy":
//   "rack-per-dc-at-a-time",
//    "batchSize": 4, "continueOnError": true, "canary": [1, 5, "20%"], "hold": ["50%"]}

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/ids.h"
#include "kinds/rollout/sequence.h"
#include "model/flaws.h"
#include "model/needs.h"
#include "model/spec.h"

namespace docket::kinds {

inline constexpr const char* kRollout = "rollout";

enum class RolloutType : std::uint8_t { kInstall, kConfigure, kUpgrade, kRestart };
inline constexpr std::array<const char*, 4> kRolloutTypes{"install", "configure", "upgrade",
                                                          "restart"};
// In the order of engine::Strategy; "default" is the first of them.
inline constexpr std::array<const char*, 6> kStrategies{
    "node-per-cluster-at-a-time", "node-per-dc-at-a-time", "rack-per-cluster-at-a-time",
    "rack-per-dc-at-a-time",      "dc-at-a-time",          "cluster-at-a-time"};

// A number of nodes, or a share of all of them.
struct NodeAmount {
  double value = 0;
  bool percent = false;
  // Of so many, rounded up; a share is at least one.
  std::size_t of(std::size_t all) const;
  bool operator==(const NodeAmount&) const = default;
};

struct RolloutSpec {
  RolloutType type = RolloutType::kRestart;
  RecordId resource = {};  // a cluster, a datacenter or a node
  RecordId cluster = {};   // that it belongs to: its jobs run one after the other
  std::vector<model::LockRequest> locks = {};  // made from this
  engine::Strategy strategy = engine::Strategy::kNodePerCluster;
  std::optional<std::int64_t> batch_size = {};
  bool continue_on_error = false;
  std::optional<bool> auto_bootstrap = {};  // of an install
  bool dry_run = false;
  // Sizes of the first batches, one after the other.
  std::vector<NodeAmount> canary = {};
  // Ended nodes after which it waits for an operator.
  std::vector<NodeAmount> hold = {};
  std::optional<NodeAmount> max_failures = {};
  bool resume = false;  // after a restart of the server it goes on; else it is orphaned
  bool operator==(const RolloutSpec&) const = default;
};

inline constexpr std::size_t kAmountsMax = 20;  // of canary and of hold

void write_spec(JsonWriter& out, const RolloutSpec& spec);
RolloutSpec read_rollout_spec(JsonReader& in);
model::Spec spec_of(RolloutSpec rollout);                     // with its lock
const RolloutSpec* rollout_spec_of(const model::Spec& spec);  // null: of another kind

// The rules that the spec amounts to for these nodes. A single node knows no strategy.
SequenceRules rules_of(const RolloutSpec& spec, const std::vector<SequenceNode>& nodes,
                       bool has_converged_nodes);

}  // namespace docket::kinds
