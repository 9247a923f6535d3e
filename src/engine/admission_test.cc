#include "engine/admission.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace docket::engine {
namespace {

constexpr Strategy kAll[] = {Strategy::kNodePerCluster, Strategy::kNodePerDatacenter,
                             Strategy::kRackPerCluster, Strategy::kRackPerDatacenter,
                             Strategy::kDatacenter,     Strategy::kCluster};

// The words of the reference, section 5: a condition on every pair.
bool may_be_together(Strategy strategy, const Place& one, const Place& other) {
  switch (strategy) {
    case Strategy::kNodePerCluster:
      return false;
    case Strategy::kNodePerDatacenter:
      return one.datacenter != other.datacenter;
    case Strategy::kRackPerCluster:
      return one.rack == other.rack;
    case Strategy::kRackPerDatacenter:
      return one.datacenter != other.datacenter || one.rack == other.rack;
    case Strategy::kDatacenter:
      return one.datacenter == other.datacenter;
    case Strategy::kCluster:
      return true;
  }
  return false;
}

bool expected(Strategy strategy, std::optional<std::size_t> batch, const std::vector<Place>& active,
              const Place& next) {
  if (batch && active.size() >= *batch) return false;
  return std::ranges::all_of(
      active, [&](const Place& each) { return may_be_together(strategy, each, next); });
}

// Every set of up to four of six places that can come about, and every place beside it.
void try_all(Strategy strategy, std::optional<std::size_t> batch, std::vector<Place>& active) {
  constexpr Place kPlaces[] = {{0, 0}, {0, 0}, {0, 1}, {1, 2}, {1, 3}, {1, 3}};
  Admission admission(strategy, batch);
  for (const Place& each : active) admission.begin(each);
  for (const Place& next : kPlaces) {
    const bool admitted = admission.admits(next);
    ASSERT_EQ(admitted, expected(strategy, batch, active, next))
        << static_cast<int>(strategy) << " with " << active.size() << " active";
    if (!admitted || active.size() == 4) continue;
    active.push_back(next);
    try_all(strategy, batch, active);
    active.pop_back();
  }
}

TEST(Admission, IsTheConditionOnEveryPair) {
  for (const Strategy strategy : kAll) {
    for (const auto batch : {std::optional<std::size_t>(), std::optional<std::size_t>(1),
                             std::optional<std::size_t>(3)}) {
      std::vector<Place> active;
      try_all(strategy, batch, active);
    }
  }
}

}  // namespace
}  // namespace docket::engine
