#pragma once

// Simulated true time, in microseconds since the world began, and everything that will happen.
// What happens at one instant happens in the order in which it was planned.
//
// Work is either outside (processes, networks, clients, faults) or the server's. Work of the
// server waits while the server is frozen, and is dropped when the server dies.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/time.h"

namespace docket::sim {

class Timeline {
 public:
  using Work = std::function<void()>;

  Duration now() const { return now_; }
  std::uint64_t steps() const { return steps_; }
  void at(Duration when, Work work) { push(when, 0, std::move(work)); }
  void at_server(Duration when, Work work) { push(when, server_, std::move(work)); }
  // A new life of the server: work of the last one is dropped.
  void next_server() {
    ++server_;
    frozen_until_ = Duration::zero();
  }
  void freeze_server(Duration until) { frozen_until_ = until; }

  bool step();                     // false: nothing left to happen
  bool step_until(Duration when);  // false: nothing happens before `when`; time moves there

 private:
  struct Event {
    Duration at;
    std::uint64_t number;
    std::uint64_t server;  // 0: outside
    Work work;
  };
  static bool later(const Event& a, const Event& b) {
    return a.at != b.at ? a.at > b.at : a.number > b.number;
  }
  void push(Duration when, std::uint64_t server, Work work);

  Duration now_{0};
  Duration frozen_until_{0};
  std::uint64_t server_ = 1;
  std::uint64_t last_number_ = 0;
  std::uint64_t steps_ = 0;
  std::vector<Event> events_;  // a heap: the next one first
};

}  // namespace docket::sim
