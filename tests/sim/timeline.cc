#include "sim/timeline.h"

namespace docket::sim {

void Timeline::push(Duration when, std::uint64_t server, Work work) {
  events_.push_back({std::max(when, now_), ++last_number_, server, std::move(work)});
  std::ranges::push_heap(events_, later);
}

bool Timeline::step() {
  while (!events_.empty()) {
    std::ranges::pop_heap(events_, later);
    Event event = std::move(events_.back());
    events_.pop_back();
    if (event.server != 0 && event.server != server_) continue;
    now_ = event.at;
    if (event.server != 0 && now_ < frozen_until_) {
      push(frozen_until_, event.server, std::move(event.work));
      continue;
    }
    ++steps_;
    event.work();
    return true;
  }
  return false;
}

bool Timeline::step_until(Duration when) {
  while (!events_.empty() && events_.front().server != 0 && events_.front().server != server_) {
    std::ranges::pop_heap(events_, later);
    events_.pop_back();
  }
  if (!events_.empty() && events_.front().at <= when) return step();
  now_ = std::max(now_, when);
  return false;
}

}  // namespace docket::sim
