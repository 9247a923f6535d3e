#pragma once

// The places where work runs: clusters, datacenters, racks, nodes, as a tree. This machine is the
// first of them. A constraint on a target is checked against its labels and those of everything it
// is part of (reference/metronome.md section 3, `placement`). Strand only.

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/settings.h"
#include "model/needs.h"

namespace docket::engine {

enum class TargetState : std::uint8_t {
  kUp,
  kDraining,  // what runs goes on, nothing new begins
  kLost,      // nobody can reach it
};

struct Target {
  std::string name;         // unique
  std::string parent = {};  // by name; empty: it is part of none
  StringPairs labels = {};
  model::Demand capacity = {};  // none: tasks do not wait for this target
  std::string executor = {};    // how it is reached; empty: as this machine, by the first
  TargetState state = TargetState::kUp;
};

class Targets {
 public:
  using Number = std::uint32_t;  // from 0: this machine

  explicit Targets(const NodeSettings& node);

  // The name must be free, and the parent must exist.
  Number add(Target target);
  void set_state(Number target, TargetState state) { all_[target].state = state; }
  const std::vector<Target>& all() const { return all_; }
  const Target& at(Number target) const { return all_[target]; }
  const Target* find(std::string_view name) const;  // null: there is none

  // This machine, and those with capacity, if they satisfy all.
  std::vector<Number> satisfying(std::span<const model::Constraint> constraints) const;
  // The first constraint that no target satisfies together with those before it, or null.
  const model::Constraint* unmet(std::span<const model::Constraint> constraints) const;

 private:
  // The doors refuse a pattern that cannot be read; an older store may still hold one, and such a
  // constraint is satisfied by no target.
  enum class Match { kYes, kNo, kUnreadable };
  const std::string* label(const Target& target, std::string_view name) const;
  bool satisfies(const Target& target, const model::Constraint& constraint) const;
  Match match(const std::string& actual, const std::string& pattern) const;
  void keep(std::vector<Number>& targets, const model::Constraint& constraint) const;
  std::vector<Number> with_capacity() const;

  std::vector<Target> all_;
  // Labels seldom change, so the result of a pattern on a label is remembered, and a run costs no
  // compilation.
  static constexpr std::size_t kRememberedMax = 1000;
  mutable std::map<std::pair<std::string, std::string>, Match> remembered_;
};

}  // namespace docket::engine
