#include "engine/queue.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace docket::engine {
namespace {

std::int64_t micro(double cpus) { return std::llround(cpus * 1e6); }
std::int64_t kib(double mib) { return std::llround(mib * 1024); }

bool within(const Demand& demand, const Demand& room) {
  return demand.cpus_micro <= room.cpus_micro && demand.mem_kib <= room.mem_kib &&
         demand.disk_kib <= room.disk_kib && demand.gpus <= room.gpus;
}

void subtract(Demand& from, const Demand& demand, std::int64_t sign) {
  from.cpus_micro -= sign * demand.cpus_micro;
  from.mem_kib -= sign * demand.mem_kib;
  from.disk_kib -= sign * demand.disk_kib;
  from.gpus -= sign * demand.gpus;
}

}  // namespace

Queue::Queue(const Settings& settings, const LockTable& locks)
    : settings_(settings),
      locks_(locks),
      total_{micro(settings.node.cpus), kib(settings.node.mem_mib), kib(settings.node.disk_mib),
             settings.node.gpus},
      free_(total_) {}

// ---- coming and going

void Queue::add(Node& run, const Needs& needs) {
  const TaskId id = run.task.id;
  Group& group = group_for(needs);
  const bool leads = group.runs.empty() || id < group.head().task.id;
  if (leads) unlist(group);
  group.runs.emplace_hint(group.runs.end(), id, &run);
  if (leads) list(group);
  waiting_[id] = {&run, &group, wait_since(id, run.task.created_at + run.clock_set)};
  if (run.start_deadline() != kNever) deadlines_.emplace(run.start_deadline(), id);
}

// When the clock is set back, what waited before has waited at least as long as what comes then.
Time Queue::wait_since(TaskId run, Time created_at) {
  auto it = waiting_.upper_bound(run);
  const Time since = it == waiting_.end() ? created_at : std::min(created_at, it->second.since);
  while (it != waiting_.begin() && (--it)->second.since > since) it->second.since = since;
  return since;
}

// Who could not have a lock because it was kept for this run may have it now.
void Queue::remove(Node& run) {
  const auto it = waiting_.find(run.task.id);
  if (it == waiting_.end()) return;
  const std::vector<model::LockWish> wishes = *it->second.group->wishes;
  leave(*it->second.group, run.task.id);
  for (const model::LockWish& wish : wishes) released(wish.name);
}

void Queue::take(Node& run) {
  Group& group = *waiting_.at(run.task.id).group;
  const Demand demand = group.bucket->demand;
  leave(group, run.task.id);
  hold(run, demand);
}

void Queue::leave(Group& group, TaskId run) {
  deadlines_.erase({waiting_.at(run).run->start_deadline(), run});
  waiting_.erase(run);
  const bool led = group.head().task.id == run;
  if (led) unlist(group);
  group.runs.erase(run);
  if (led && !group.runs.empty()) list(group);
  if (!group.runs.empty()) return;
  if (group.parked_on) unpark(group);
  Bucket& bucket = *group.bucket;
  bucket.groups.erase({group.placeable, *group.wishes});
  if (bucket.groups.empty()) buckets_.erase(Demand{bucket.demand});
}

void Queue::hold(Node& run, const Demand& demand) {
  holding_.emplace(run.task.id, demand);
  run.holds_capacity = true;
  subtract(free_, demand, 1);
}

void Queue::give_back(Node& run) {
  if (!run.holds_capacity) return;
  run.holds_capacity = false;
  const auto it = holding_.find(run.task.id);
  subtract(free_, it->second, -1);
  holding_.erase(it);
}

void Queue::clock_set(Duration by) {
  for (auto& [id, waits] : waiting_) waits.since += by;
  std::set<std::pair<Time, TaskId>> moved;
  for (const auto& [deadline, id] : deadlines_) moved.emplace(deadline + by, id);
  deadlines_ = std::move(moved);
}

// ---- groups

bool Queue::KeyLess::operator()(const Key& a, const Key& b) const {
  if (a.first != b.first) return a.first < b.first;
  return std::ranges::lexicographical_compare(
      a.second, b.second, [](const model::LockWish& left, const model::LockWish& right) {
        return std::tie(left.name, left.wait) < std::tie(right.name, right.wait);
      });
}

Queue::Group& Queue::group_for(const Needs& needs) {
  Bucket& bucket = buckets_[needs.demand];
  bucket.demand = needs.demand;
  const auto [it, is_new] = bucket.groups.try_emplace({needs.placeable, needs.locks});
  Group& group = it->second;
  if (!is_new) return group;
  group.bucket = &bucket;
  group.placeable = needs.placeable;
  group.wishes = &it->first.second;
  return group;
}

void Queue::list(Group& group) {
  const TaskId head = group.head().task.id;
  if (group.placeable && !group.parked_on) group.bucket->candidates.emplace(head, &group);
  for (const model::LockWish& wish : *group.wishes) wishing_[wish.name].emplace(head, &group);
}

void Queue::unlist(Group& group) {
  if (group.runs.empty()) return;
  const TaskId head = group.head().task.id;
  group.bucket->candidates.erase(head);
  for (const model::LockWish& wish : *group.wishes) {
    const auto it = wishing_.find(wish.name);
    if (it == wishing_.end()) continue;  // wished for twice
    it->second.erase(head);
    if (it->second.empty()) wishing_.erase(it);
  }
}

void Queue::park(Group& group, const model::LockWish& wish) {
  group.bucket->candidates.erase(group.head().task.id);
  group.parked_on = &wish;
  parked_[wish.name].insert(&group);
}

void Queue::unpark(Group& group) {
  const auto it = parked_.find(group.parked_on->name);
  it->second.erase(&group);
  if (it->second.empty()) parked_.erase(it);
  group.parked_on = nullptr;
}

void Queue::released(const std::string& lock) {
  const auto it = parked_.find(lock);
  if (it == parked_.end()) return;
  // In the order of their addresses; where they go to, they are in the order of their heads.
  for (Group* group : it->second) {
    ++visits_;
    group->parked_on = nullptr;
    group->bucket->candidates.emplace(group->head().task.id, group);
  }
  parked_.erase(it);
}

// ---- who is next

Queue::Next Queue::next(Time now) {
  if (running() >= settings_.running_max) return {};
  for (;;) {
    Group* group = starving(now);
    if (!group) group = oldest_that_fits();
    if (!group) return {};
    const Blocked by = blocked(*group, now);
    if (by.wish && by.wish->wait == model::LockWait::kQueue) {
      park(*group, *by.wish);
      continue;
    }
    if (!fits_free(group->bucket->demand)) return {};
    return {&group->head(), by.wish, by.by};
  }
}

// Candidates are the oldest of each distinct demand.
Queue::Group* Queue::oldest_that_fits() const {
  Group* best = nullptr;
  for (const auto& [demand, bucket] : buckets_) {
    if (demand.cpus_micro > free_.cpus_micro) break;  // buckets are ordered by cpus first
    ++visits_;
    if (bucket.candidates.empty() || !fits_free(demand)) continue;
    const auto& [head, group] = *bucket.candidates.begin();
    if (!best || head < best->head().task.id) best = group;
  }
  return best;
}

Queue::Group* Queue::starving(Time now) const {
  Group* oldest = nullptr;
  for (const auto& [demand, bucket] : buckets_) {
    ++visits_;
    if (bucket.candidates.empty() || !fits_empty(demand)) continue;
    const auto& [head, group] = *bucket.candidates.begin();
    if (!waited_long(head, now)) continue;
    if (!oldest || head < oldest->head().task.id) oldest = group;
  }
  return oldest;
}

bool Queue::waited_long(TaskId run, Time now) const {
  return now - waiting_.at(run).since >= settings_.overtaking_max;
}

Queue::Blocked Queue::blocked(const Group& group, Time now) const {
  for (const model::LockWish& wish : *group.wishes) {
    const model::Lock* lock = locks_.find(wish.name);
    if (lock && lock->holder) return {&wish, lock->holder};
    if (const Node* older = kept_for(wish.name, group.head().task.id, now))
      return {&wish, older->task.id};
  }
  return {};
}

const Node* Queue::kept_for(const std::string& lock, TaskId run, Time now) const {
  const auto it = wishing_.find(lock);
  if (it == wishing_.end()) return nullptr;
  for (const auto& [head, group] : it->second) {
    ++visits_;
    if (head >= run) return nullptr;
    if (!group->placeable || !fits_empty(group->bucket->demand)) continue;  // it never starts
    return waited_long(head, now) ? &group->head() : nullptr;
  }
  return nullptr;
}

// ---- what others want to know

const Node* Queue::first_in_turn(Time now) const {
  const Group* group = starving(now);
  return group ? &group->head() : nullptr;
}

std::vector<TaskId> Queue::waiters_of(const std::string& lock, std::size_t most) const {
  const auto wishing = wishing_.find(lock);
  if (wishing == wishing_.end()) return {};
  std::vector<TaskId> waiters;
  // The oldest of each group that is left, and the group it is of.
  std::map<TaskId, const Group*> fronts(wishing->second.begin(), wishing->second.end());
  while (!fronts.empty() && waiters.size() < most) {
    const auto [id, group] = *fronts.begin();
    fronts.erase(fronts.begin());
    waiters.push_back(id);
    const auto next = group->runs.upper_bound(id);
    if (next != group->runs.end()) fronts.emplace(next->first, group);
  }
  return waiters;
}

std::vector<Node*> Queue::expired(Time now) const {
  std::vector<Node*> runs;
  for (const auto& [deadline, id] : deadlines_) {
    if (deadline > now) break;
    runs.push_back(waiting_.at(id).run);
  }
  return runs;
}

Time Queue::next_deadline() const {
  return deadlines_.empty() ? kNever : deadlines_.begin()->first;
}

std::optional<Demand> Queue::demand_of(const Node& run) const {
  if (const auto it = waiting_.find(run.task.id); it != waiting_.end())
    return it->second.group->bucket->demand;
  if (const auto it = holding_.find(run.task.id); it != holding_.end()) return it->second;
  return std::nullopt;
}

bool Queue::fits_free(const Demand& demand) const { return within(demand, free_); }
bool Queue::fits_empty(const Demand& demand) const { return within(demand, total_); }

}  // namespace docket::engine
