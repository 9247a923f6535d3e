#pragma once

// Whether one more place may be worked on beside those that are: what rollouts, and everything else
// that changes many machines, go by. It counts, so a question costs the same for any number of
// places. A place that is refused stays refused while others only begin, and what is allowed for a
// set of places is allowed for every part of it. Pure.
//
//   Admission admission(Strategy::kRackPerDatacenter, 4);
//   for (const Place& place : active) admission.begin(place);
//   if (admission.admits(next)) admission.begin(next);

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

namespace docket::engine {

// What all places that are worked on at one time have in common.
enum class Strategy : std::uint8_t {
  kNodePerCluster,     // there is only one
  kNodePerDatacenter,  // no two are in the same datacenter
  kRackPerCluster,     // all are in one rack
  kRackPerDatacenter,  // those in the same datacenter are in the same rack
  kDatacenter,         // all are in one datacenter
  kCluster,            // nothing
};

struct Place {
  std::uint32_t datacenter = 0;
  std::uint32_t rack = 0;  // racks of the same name in two datacenters have two numbers
};

class Admission {
 public:
  // batch: the most places at one time; none: as many as the strategy allows.
  explicit Admission(Strategy strategy, std::optional<std::size_t> batch = {})
      : strategy_(strategy), batch_(batch) {}

  bool admits(const Place& place) const;
  void begin(const Place& place);
  std::size_t active() const { return active_; }

 private:
  using Counts = std::unordered_map<std::uint32_t, std::size_t>;
  static std::size_t count(const Counts& counts, std::uint32_t of);

  Strategy strategy_;
  std::optional<std::size_t> batch_;
  std::size_t active_ = 0;
  Counts in_datacenter_, in_rack_;
};

}  // namespace docket::engine
