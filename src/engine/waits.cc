#include "engine/waits.h"

namespace docket::engine {

Waits::Ticket Waits::add(TaskId task, Time until, Done done) {
  const Ticket ticket = ++last_;
  by_task_.insert({task, ticket});
  if (until != kNever) deadlines_.insert({until, ticket});
  waiters_.emplace(ticket, Waiter{task, until, std::move(done)});
  return ticket;
}

void Waits::cancel(Ticket ticket) {
  if (waiters_.contains(ticket)) take(ticket);
}

Waits::Done Waits::take(Ticket ticket) {
  auto waiter = waiters_.extract(ticket);
  by_task_.erase({waiter.mapped().task, ticket});
  if (waiter.mapped().until != kNever) deadlines_.erase({waiter.mapped().until, ticket});
  return std::move(waiter.mapped().done);
}

void Waits::ended(TaskId task) {
  std::vector<Done> all;
  for (auto next = by_task_.lower_bound({task, 0}); next != by_task_.end() && next->first == task;
       next = by_task_.lower_bound({task, 0})) {
    all.push_back(take(next->second));
  }
  for (const Done& done : all) done(true);
}

void Waits::expire(Time now) {
  std::vector<Done> all;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    all.push_back(take(deadlines_.begin()->second));
  }
  for (const Done& done : all) done(false);
}

void Waits::clock_set(Duration by) {
  if (by == Duration::zero()) return;
  std::set<std::pair<Time, Ticket>> moved;
  for (const auto& [until, ticket] : deadlines_) {
    waiters_.at(ticket).until = until + by;
    moved.insert({until + by, ticket});
  }
  deadlines_ = std::move(moved);
}

void Waits::fail_all(const Error& error) {
  std::vector<Done> all;
  while (!waiters_.empty()) all.push_back(take(waiters_.begin()->first));
  for (const Done& done : all) done(fail(error));
}

Time Waits::next_wake() const { return deadlines_.empty() ? kNever : deadlines_.begin()->first; }

}  // namespace docket::engine
