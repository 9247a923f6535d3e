#pragma once

// The newest events, kept once for all followers. A slow reader costs only its position in this
// list; once it has fallen behind the list, it catches up from the store. Lives while anyone
// follows. Strand only.

#include <deque>

#include "engine/loop.h"

namespace docket::native {

class RecentEvents {
 public:
  static constexpr std::size_t kKept = 1024;

  explicit RecentEvents(engine::Loop& loop)
      : subscription_(loop.subscribe([this](const engine::Notice& notice) { keep(notice); })) {}
  RecentEvents(const RecentEvents&) = delete;
  RecentEvents& operator=(const RecentEvents&) = delete;

  // Whether every event after `seen` is still here (of those since the first follower came).
  bool reaches_back_to(EventSeq seen) const { return seen >= dropped_; }
  EventSeq newest() const { return events_.empty() ? dropped_ : events_.back().event.seq; }
  const std::deque<engine::Notice>& all() const { return events_; }  // oldest first

 private:
  void keep(const engine::Notice& notice) {
    events_.push_back(notice);
    if (events_.size() <= kKept) return;
    dropped_ = events_.front().event.seq;
    events_.pop_front();
  }

  std::deque<engine::Notice> events_;
  EventSeq dropped_;  // the newest event dropped
  engine::Loop::Subscription subscription_;
};

}  // namespace docket::native
