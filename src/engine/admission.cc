#include "engine/admission.h"

namespace docket::engine {

std::size_t Admission::count(const Counts& counts, std::uint32_t of) {
  const auto found = counts.find(of);
  return found == counts.end() ? 0 : found->second;
}

bool Admission::admits(const Place& place) const {
  if (batch_ && active_ >= *batch_) return false;
  const std::size_t in_datacenter = count(in_datacenter_, place.datacenter);
  const std::size_t in_rack = count(in_rack_, place.rack);
  switch (strategy_) {
    case Strategy::kNodePerCluster:
      return active_ == 0;
    case Strategy::kNodePerDatacenter:
      return in_datacenter == 0;
    case Strategy::kRackPerCluster:
      return in_rack == active_;
    case Strategy::kRackPerDatacenter:
      return in_rack == in_datacenter;
    case Strategy::kDatacenter:
      return in_datacenter == active_;
    case Strategy::kCluster:
      return true;
  }
  return false;
}

void Admission::begin(const Place& place) {
  ++active_;
  ++in_datacenter_[place.datacenter];
  ++in_rack_[place.rack];
}

}  // namespace docket::engine
