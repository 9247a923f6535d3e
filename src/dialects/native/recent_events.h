#pragma once

// The newest events, kept once for all who follow: a client that reads slowly costs its place in
// this row, and when it has fallen behind the row, it is caught up from the store. Lives while
// somebody follows. Strand only.

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

  // Whether every event behind this one that came while there are followers is still here.
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
  EventSeq dropped_;  // the newest of those that went
  engine::Loop::Subscription subscription_;
};

}  // namespace docket::native
