#include "engine/placement.h"

#include <cmath>
#include <cstdlib>

#include "model/pattern.h"

namespace docket::engine {
namespace {

const std::string* attribute_of(const NodeSettings& node, const std::string& name) {
  if (name == "hostname" || name == "@hostname") return &node.hostname;
  for (const auto& [key, value] : node.attributes) {
    if (key == name) return &value;
  }
  return nullptr;
}

// Mesos compares scalars at three decimals; anything that is not a number on both sides compares as
// text.
bool equal(const std::string& actual, const std::string& wanted) {
  char* end = nullptr;
  const double a = std::strtod(actual.c_str(), &end);
  if (actual.empty() || *end != 0) return actual == wanted;
  const double b = std::strtod(wanted.c_str(), &end);
  if (wanted.empty() || *end != 0) return false;
  return std::llround(a * 1000) == std::llround(b * 1000);
}

}  // namespace

const model::Constraint* Placement::unmet(const std::vector<model::Constraint>& constraints) const {
  for (const model::Constraint& constraint : constraints) {
    if (!satisfies(constraint)) return &constraint;
  }
  return nullptr;
}

bool Placement::satisfies(const model::Constraint& constraint) const {
  if (!constraint.value) return true;
  const std::string* actual = attribute_of(node_, constraint.attribute);
  switch (constraint.op) {
    case model::ConstraintOperator::kIs:
      return actual && equal(*actual, *constraint.value);
    case model::ConstraintOperator::kLike:
      return actual && match(*actual, *constraint.value) == Match::kYes;
    case model::ConstraintOperator::kUnlike:
      return !actual || match(*actual, *constraint.value) == Match::kNo;
  }
  return false;
}

Placement::Match Placement::match(const std::string& actual, const std::string& pattern) const {
  if (pattern.size() > model::kPatternBytesMax) return Match::kUnreadable;
  if (remembered_.size() >= kRememberedMax) remembered_.clear();
  const auto [it, is_new] = remembered_.try_emplace({actual, pattern}, Match::kUnreadable);
  if (!is_new) return it->second;
  if (const auto compiled = model::Pattern::compile(pattern))
    it->second = compiled->matches(actual) ? Match::kYes : Match::kNo;
  return it->second;
}

}  // namespace docket::engine
