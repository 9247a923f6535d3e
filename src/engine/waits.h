#pragma once

// Waiters for the end of a task, and their deadlines. Knows only the numbers of tasks. A waiter
// costs its callback and two small index entries. Strand only. Tested by waits_test.cc.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"

namespace docket::engine {

class Waits {
 public:
  using Done = std::function<void(Result<bool> ended)>;

  using Ticket = std::uint64_t;

  Ticket add(TaskId task, Time until, Done done);  // kNever: without end
  // Removes a waiter without calling it; does nothing if it was called already.
  void cancel(Ticket ticket);
  // Each of these takes the waiters it calls out of the table first: they may add others.
  void ended(TaskId task);
  void expire(Time now);
  void clock_set(Duration by);  // deadlines stay as far away as before
  void fail_all(const Error& error);

  Time next_wake() const;  // kNever: nobody has a deadline
  std::size_t size() const { return waiters_.size(); }

 private:
  struct Waiter {
    TaskId task;
    Time until = kNever;
    Done done;
  };
  Done take(Ticket ticket);

  std::unordered_map<Ticket, Waiter> waiters_;
  std::set<std::pair<TaskId, Ticket>> by_task_;
  std::set<std::pair<Time, Ticket>> deadlines_;
  Ticket last_ = 0;
};

}  // namespace docket::engine
