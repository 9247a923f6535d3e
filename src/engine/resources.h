#pragma once

// What targets have and tasks demand, resource by resource.

#include <array>

#include "model/needs.h"

namespace docket::engine {

using model::Demand;

// How to find it in a Demand, and what people call it and count it in.
struct Resource {
  const char* name;
  std::int64_t Demand::* amount;
  double unit;  // amounts of a Demand in one unit that people use
};

inline constexpr std::array kResources{
    Resource{"cpus", &Demand::cpus_micro, 1e6}, Resource{"mem", &Demand::mem_kib, 1024},
    Resource{"disk", &Demand::disk_kib, 1024}, Resource{"gpus", &Demand::gpus, 1}};

// A demand of zero is always met, even if a restart with less capacity has overdrawn the resource.
inline bool lacks(const Resource& resource, const Demand& demand, const Demand& room) {
  const std::int64_t needed = demand.*resource.amount;
  return needed > 0 && needed > room.*resource.amount;
}

inline bool within(const Demand& demand, const Demand& room) {
  for (const Resource& resource : kResources) {
    if (lacks(resource, demand, room)) return false;
  }
  return true;
}

}  // namespace docket::engine
