#pragma once

// The kind `rollout`: one job over the nodes of a cluster, in an order that never takes down more
// than its strategy allows. Its runs are actions; jobs of one cluster run one after the other, by a
// lock. The nodes are steps below their racks and datacenters, made when the run begins.
//
// A run that waits for an operator has the word `held`, and goes on when it is asked to `release`.

#include "engine/kind.h"

namespace docket::kinds {

class RolloutKind : public engine::Kind {
 public:
  std::string_view name() const override;
  bool has_jobs() const override { return false; }
  model::SpecBodyPtr read(JsonReader& in) const override;
  void check(const model::JobDefinition& definition, model::Flaws& flaws) const override;
  model::Needs needs(const model::Job& job, const model::RunParameters* parameters,
                     std::string_view key) const override;
  engine::Plan plan(const engine::View& view, const engine::Happening& happening) const override;
  Result<engine::Plan> asked(const engine::View& view, const engine::Asked& asked) const override;
  Result<engine::PayloadPtr> payload(const engine::View& view, const engine::Node& of,
                                     TaskId attempt,
                                     const engine::SecretSource& secrets) const override;
};

// Steps of nodes carry these labels.
inline constexpr const char* kNodeLabel = "node";              // the id of its record
inline constexpr const char* kNameLabel = "name";              // its name when the job began
inline constexpr const char* kDatacenterLabel = "datacenter";  // names, likewise
inline constexpr const char* kRackLabel = "rack";
inline constexpr const char* kSeedLabel = "seed";    // "true", if it is one
inline constexpr const char* kJoinsLabel = "joins";  // "true", if no install of it has completed

}  // namespace docket::kinds
