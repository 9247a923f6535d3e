#pragma once

// The nodes that a rollout is about, worked out from the records of a cluster when it starts
// (reference/opscenter-lcm.md sections 2 and 5): what a node does not say itself comes from its
// datacenter, and then from its cluster.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "engine/records.h"
#include "kinds/rollout/sequence.h"

namespace docket::kinds {

// Families of records, named as LCM's types are.
inline constexpr const char* kClusterFamily = "cluster";
inline constexpr const char* kDatacenterFamily = "datacenter";
inline constexpr const char* kNodeFamily = "node";
inline constexpr const char* kProfileFamily = "config-profile";
inline constexpr const char* kCredentialFamily = "machine-credential";
inline constexpr const char* kRepositoryFamily = "repository";

struct RolloutNode {
  RecordId id;
  std::string name, datacenter, rack;
  RecordId datacenter_id;
  bool seed = false;
  bool joins = false;  // no install of it has completed yet
  std::string address;
  std::uint16_t port = 22;
  RecordId credential;             // none: no level names one
  std::vector<RecordId> profiles;  // of the cluster, the datacenter, the node: later ones win
};

struct Rollout {
  RecordId cluster;
  std::string cluster_name;
  RecordId repository;                  // none: the cluster names none
  bool has_converged_nodes = false;     // an install of some node of the cluster has completed
  std::vector<RolloutNode> nodes = {};  // in the order wanted: seeds first, then by name
};

// `scope` is a cluster, a datacenter or a node. kNotFound: there is no such record.
Result<Rollout> rollout_of(const engine::Records& records, RecordId scope);

// One node by itself, which is no seed then. Costs the same for any size of the cluster.
Result<RolloutNode> rollout_node(const engine::Records& records, RecordId node);

// The nodes as their sequence sees them, in the same order.
std::vector<SequenceNode> sequence_nodes(const Rollout& rollout);

}  // namespace docket::kinds
