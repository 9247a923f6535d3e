#include "engine/targets.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "model/pattern.h"

namespace docket::engine {
namespace {

std::int64_t micro(double cpus) { return std::llround(cpus * 1e6); }
std::int64_t kib(double mib) { return std::llround(mib * 1024); }

// Constraints may call the host name either.
constexpr std::string_view kHostname = "hostname";
constexpr std::string_view kHostnameField = "@hostname";

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

Targets::Targets(const NodeSettings& node) {
  all_.push_back({.name = node.hostname,
                  .labels = node.attributes,
                  .capacity = {.cpus_micro = micro(node.cpus),
                               .mem_kib = kib(node.mem_mib),
                               .disk_kib = kib(node.disk_mib),
                               .gpus = node.gpus}});
}

Targets::Number Targets::add(Target target) {
  all_.push_back(std::move(target));
  return static_cast<Number>(all_.size() - 1);
}

const Target* Targets::find(std::string_view name) const {
  const auto found = std::ranges::find(all_, name, &Target::name);
  return found == all_.end() ? nullptr : &*found;
}

// ---- constraints

std::vector<Targets::Number> Targets::with_capacity() const {
  std::vector<Number> targets;
  for (std::size_t at = 0; at < all_.size(); ++at) {
    if (at == 0 || all_[at].capacity != model::Demand{}) targets.push_back(static_cast<Number>(at));
  }
  return targets;
}

void Targets::keep(std::vector<Number>& targets, const model::Constraint& constraint) const {
  std::erase_if(targets, [&](Number target) { return !satisfies(all_[target], constraint); });
}

std::vector<Targets::Number> Targets::satisfying(
    std::span<const model::Constraint> constraints) const {
  std::vector<Number> targets = with_capacity();
  for (const model::Constraint& constraint : constraints) keep(targets, constraint);
  return targets;
}

const model::Constraint* Targets::unmet(std::span<const model::Constraint> constraints) const {
  std::vector<Number> targets = with_capacity();
  for (const model::Constraint& constraint : constraints) {
    keep(targets, constraint);
    if (targets.empty()) return &constraint;
  }
  return nullptr;
}

const std::string* Targets::label(const Target& target, std::string_view name) const {
  if (name == kHostname || name == kHostnameField) return &target.name;
  for (const Target* at = &target; at; at = at->parent.empty() ? nullptr : find(at->parent)) {
    for (const auto& [key, value] : at->labels) {
      if (key == name) return &value;
    }
  }
  return nullptr;
}

bool Targets::satisfies(const Target& target, const model::Constraint& constraint) const {
  if (!constraint.value) return true;
  const std::string* actual = label(target, constraint.attribute);
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

Targets::Match Targets::match(const std::string& actual, const std::string& pattern) const {
  if (pattern.size() > model::kPatternBytesMax) return Match::kUnreadable;
  if (remembered_.size() >= kRememberedMax) remembered_.clear();
  const auto [it, is_new] = remembered_.try_emplace({actual, pattern}, Match::kUnreadable);
  if (!is_new) return it->second;
  if (const auto compiled = model::Pattern::compile(pattern))
    it->second = compiled->matches(actual) ? Match::kYes : Match::kNo;
  return it->second;
}

}  // namespace docket::engine
