#pragma once

// Whether this node satisfies the constraints of a job (reference/metronome.md section 3,
// `placement`). Strand only.

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/settings.h"
#include "model/needs.h"

namespace docket::engine {

class Placement {
 public:
  explicit Placement(const NodeSettings& node) : node_(node) {}

  // The first constraint that this node does not satisfy, or null.
  const model::Constraint* unmet(const std::vector<model::Constraint>& constraints) const;

 private:
  // The doors refuse a pattern that cannot be read; an older store may still hold one, and such a
  // constraint is satisfied by no node.
  enum class Match { kYes, kNo, kUnreadable };
  bool satisfies(const model::Constraint& constraint) const;
  Match match(const std::string& actual, const std::string& pattern) const;

  // A node has the same attributes all its life, so what a pattern said of one is remembered, and a
  // run costs no compilation.
  static constexpr std::size_t kRememberedMax = 1000;
  const NodeSettings& node_;
  mutable std::map<std::pair<std::string, std::string>, Match> remembered_;
};

}  // namespace docket::engine
