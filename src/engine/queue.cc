#include "engine/queue.h"

#include <algorithm>
#include <tuple>

namespace docket::engine {
namespace {

void add_to(Demand& sum, const Demand& demand, std::int64_t sign) {
  for (const Resource& resource : kResources) {
    sum.*resource.amount += sign * demand.*resource.amount;
  }
}

}  // namespace

Queue::Queue(const Settings& settings, const LockTable& locks, const Targets& targets)
    : settings_(settings), locks_(locks), targets_(targets) {}

// ---- adding and removing

void Queue::add(Node& task, const model::Needs& needs) {
  const TaskId id = task.task.id;
  Group& group = group_for(needs, !task.parent);
  const bool leads = group.tasks.empty() || id < group.head().task.id;
  if (leads) unlist(group);
  group.tasks.emplace_hint(group.tasks.end(), id, &task);
  if (leads) list(group);
  waiting_[id] = {&task, &group, wait_since(id, task.task.created_at + task.clock_set)};
  if (task.start_deadline() != kNever) deadlines_.emplace(task.start_deadline(), id);
}

// When the clock is set back, older tasks have still waited at least as long as younger ones.
Time Queue::wait_since(TaskId task, Time created_at) {
  auto it = waiting_.upper_bound(task);
  const Time since = it == waiting_.end() ? created_at : std::min(created_at, it->second.since);
  while (it != waiting_.begin() && (--it)->second.since > since) it->second.since = since;
  return since;
}

// A lock that was kept for this task may now go to another.
void Queue::remove(Node& task) {
  const auto it = waiting_.find(task.task.id);
  if (it == waiting_.end()) return;
  const Key requests = *it->second.group->requests;
  leave(*it->second.group, task.task.id);
  for (const model::LockRequest& request : requests) released(request.name);
}

void Queue::take(Node& task, Targets::Number target) {
  Group& group = *waiting_.at(task.task.id).group;
  const Demand demand = group.bucket->place.demand;
  leave(group, task.task.id);
  hold(task, demand, target);
}

void Queue::leave(Group& group, TaskId task) {
  deadlines_.erase({waiting_.at(task).task->start_deadline(), task});
  waiting_.erase(task);
  const bool led = group.head().task.id == task;
  if (led) unlist(group);
  group.tasks.erase(task);
  if (led && !group.tasks.empty()) list(group);
  if (!group.tasks.empty()) return;
  if (group.parked_on) unpark(group);
  Bucket& bucket = *group.bucket;
  bucket.groups.erase(bucket.groups.find(*group.requests));
  if (bucket.groups.empty()) buckets_.erase(buckets_.find(bucket.place));
}

void Queue::hold(Node& task, const Demand& demand, Targets::Number target) {
  holding_.emplace(task.task.id, Held{demand, target});
  if (!task.parent) ++running_;
  task.holds_capacity = true;
  add_to(taken_[target], demand, 1);
}

void Queue::give_back(Node& task) {
  if (!task.holds_capacity) return;
  task.holds_capacity = false;
  if (!task.parent) --running_;
  const auto it = holding_.find(task.task.id);
  add_to(taken_[it->second.target], it->second.demand, -1);
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
  return std::ranges::lexicographical_compare(
      a, b, [](const model::LockRequest& left, const model::LockRequest& right) {
        return std::tie(left.name, left.wait) < std::tie(right.name, right.wait);
      });
}

Queue::Group& Queue::group_for(const model::Needs& needs, bool is_run) {
  Place place{needs.demand, targets_.satisfying(needs.constraints), is_run};
  const auto [bucket, is_new_place] = buckets_.try_emplace(std::move(place));
  if (is_new_place) bucket->second.place = bucket->first;
  const auto [it, is_new] =
      bucket->second.groups.try_emplace(Key(needs.locks.begin(), needs.locks.end()));
  Group& group = it->second;
  if (!is_new) return group;
  group.bucket = &bucket->second;
  group.requests = &it->first;
  return group;
}

void Queue::list(Group& group) {
  const TaskId head = group.head().task.id;
  if (!group.parked_on) group.bucket->candidates.emplace(head, &group);
  for (const model::LockRequest& request : *group.requests)
    requested_[request.name].emplace(head, &group);
}

void Queue::unlist(Group& group) {
  if (group.tasks.empty()) return;
  const TaskId head = group.head().task.id;
  group.bucket->candidates.erase(head);
  for (const model::LockRequest& request : *group.requests) {
    const auto it = requested_.find(request.name);
    if (it == requested_.end()) continue;  // requested twice
    it->second.erase(head);
    if (it->second.empty()) requested_.erase(it);
  }
}

void Queue::park(Group& group, const model::LockRequest& request) {
  group.bucket->candidates.erase(group.head().task.id);
  group.parked_on = &request;
  parked_[request.name].insert(&group);
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
  // The groups are ordered by address here; the candidates they join are ordered by heads.
  for (Group* group : it->second) {
    ++visits_;
    group->parked_on = nullptr;
    group->bucket->candidates.emplace(group->head().task.id, group);
  }
  parked_.erase(it);
}

// ---- the rules: who is next

Queue::Next Queue::next(Time now) {
  for (;;) {
    Group* group = starving(now);
    if (!group) group = oldest_that_fits();
    if (!group) return {};
    const Obstacle first = first_obstacle(*group, now);
    if (first.is_waited_for()) {
      park(*group, *first.request);
      continue;
    }
    const auto target = room_for(group->bucket->place);
    if (!target) return {};
    return {&group->head(), *target, first.request, first.by};
  }
}

// Candidates are the oldest of each distinct place.
Queue::Group* Queue::oldest_that_fits() const {
  Group* best = nullptr;
  const std::int64_t most = most_free_cpus();
  for (const auto& [place, bucket] : buckets_) {
    if (place.demand.cpus_micro > most) break;  // buckets are ordered by cpus first
    ++visits_;
    if (bucket.candidates.empty() || !may_begin(place) || !room_for(place)) continue;
    const auto& [head, group] = *bucket.candidates.begin();
    if (!best || head < best->head().task.id) best = group;
  }
  return best;
}

Queue::Group* Queue::starving(Time now) const {
  Group* oldest = nullptr;
  for (const auto& [place, bucket] : buckets_) {
    ++visits_;
    if (bucket.candidates.empty() || !may_begin(place) || !fits_empty(place)) continue;
    const auto& [head, group] = *bucket.candidates.begin();
    if (!waited_long(head, now)) continue;
    if (!oldest || head < oldest->head().task.id) oldest = group;
  }
  return oldest;
}

// The group that starving() will return once all that wait for a lock are parked.
const Queue::Group* Queue::first_in_turn(Time now) const {
  const Group* oldest = nullptr;
  for (const auto& [place, bucket] : buckets_) {
    if (!may_begin(place) || !fits_empty(place)) continue;
    for (const auto& [head, group] : bucket.candidates) {
      if (!waited_long(head, now) || (oldest && oldest->head().task.id < head)) break;
      if (first_obstacle(*group, now).is_waited_for()) continue;
      oldest = group;
      break;
    }
  }
  return oldest;
}

Queue::Obstacle Queue::first_obstacle(const Group& group, Time now) const {
  for (const model::LockRequest& request : *group.requests) {
    if (const Obstacle found = obstacle(request, group.head(), now)) return found;
  }
  return {};
}

bool Queue::waited_long(TaskId task, Time now) const {
  return now - waiting_.at(task).since >= settings_.overtaking_max;
}

// A lock that its run holds does not stop a step.
Queue::Obstacle Queue::obstacle(const model::LockRequest& request, const Node& task,
                                Time now) const {
  const model::Lock* lock = locks_.find(request.name);
  if (lock && lock->holder == task.task.root) return {};
  if (lock && lock->holder) return {.request = &request, .by = lock->holder};
  const Node* older = kept_for(request.name, task.task.id, now);
  if (!older) return {};
  return {.request = &request, .by = older->task.id, .kept = true};
}

// The task that gets the lock before the given one, because it is older and has been overtaken for
// too long; or null.
const Node* Queue::kept_for(const std::string& lock, TaskId task, Time now) const {
  const auto it = requested_.find(lock);
  if (it == requested_.end()) return nullptr;
  for (const auto& [head, group] : it->second) {
    ++visits_;
    if (head >= task) return nullptr;
    if (!fits_empty(group->bucket->place)) continue;  // it never begins
    return waited_long(head, now) ? &group->head() : nullptr;
  }
  return nullptr;
}

// ---- the rules: where there is room

Demand Queue::free(Targets::Number target) const {
  Demand free = total(target);
  const auto taken = taken_.find(target);
  if (taken != taken_.end()) add_to(free, taken->second, -1);
  return free;
}

// The target with the most processors free.
std::optional<Targets::Number> Queue::room_for(const Place& place) const {
  std::optional<Targets::Number> best;
  std::int64_t most = 0;
  for (const Targets::Number target : place.targets) {
    const Demand room = free(target);
    if (!takes_work(target) || !within(place.demand, room)) continue;
    if (!best || room.cpus_micro > most) {
      best = target;
      most = room.cpus_micro;
    }
  }
  return best;
}

bool Queue::fits_empty(const Place& place) const {
  return std::ranges::any_of(place.targets, [&](Targets::Number target) {
    return takes_work(target) && within(place.demand, total(target));
  });
}

// At least zero: a task that needs no processors may fit even where more are held than exist.
std::int64_t Queue::most_free_cpus() const {
  std::int64_t most = 0;
  for (Targets::Number target = 0; target < targets_.all().size(); ++target) {
    most = std::max(most, free(target).cpus_micro);
  }
  return most;
}

bool Queue::fits_empty(const Demand& demand) const {
  return fits_empty(Place{demand, targets_.satisfying({}), true});
}

// ---- questions from outside

// The same rules, applied to a waiting task.
std::vector<Blocker> Queue::blockers(const Node& task, const model::Needs& needs, Time now) const {
  const auto it = waiting_.find(task.task.id);
  if (it == waiting_.end()) return {};
  const Group& group = *it->second.group;
  std::vector<Blocker> out;
  if (const model::Constraint* unmet = targets_.unmet(needs.constraints)) {
    out.push_back({.what = BlockedBy::kConstraint, .constraint = *unmet});
  } else {
    add_room(group.bucket->place, out);
  }
  if (!may_begin(group.bucket->place)) {
    out.push_back({.what = BlockedBy::kRunningLimit,
                   .needed = 1,
                   .total = static_cast<std::int64_t>(settings_.running_max)});
  }
  add_locks(task, *group.requests, now, out);
  if (!out.empty()) return out;
  const Group* first = first_in_turn(now);
  const bool waits_for_it = first && first->head().task.id < task.task.id;
  if (waits_for_it) out.push_back({.what = BlockedBy::kTurn, .by = first->head().task.id});
  return out;
}

// For the target that lacks least; one that could be empty enough comes before one that never is.
void Queue::add_room(const Place& place, std::vector<Blocker>& out) const {
  if (room_for(place)) return;
  std::vector<Blocker> best;
  for (const Targets::Number target : place.targets) {
    if (!takes_work(target)) continue;
    const bool never = !within(place.demand, total(target));
    std::vector<Blocker> here;
    for (const Resource& resource : kResources) {
      if (!lacks(resource, place.demand, free(target))) continue;
      const bool is_too_much = lacks(resource, place.demand, total(target));
      here.push_back({.what = is_too_much ? BlockedBy::kNeverFits : BlockedBy::kCapacity,
                      .resource = &resource,
                      .needed = place.demand.*resource.amount,
                      .free = free(target).*resource.amount,
                      .total = total(target).*resource.amount});
    }
    const bool better = best.empty() || (best.front().what == BlockedBy::kNeverFits && !never);
    if (better) best = std::move(here);
  }
  if (best.empty()) best.push_back({.what = BlockedBy::kNoTarget});
  std::ranges::move(best, std::back_inserter(out));
}

void Queue::add_locks(const Node& task, const Key& requests, Time now,
                      std::vector<Blocker>& out) const {
  for (const model::LockRequest& request : requests) {
    const Obstacle by = obstacle(request, task, now);
    if (!by) continue;
    out.push_back({.what = by.kept ? BlockedBy::kKeptLock : BlockedBy::kLock,
                   .by = by.by,
                   .lock = request.name});
  }
}

std::vector<TaskId> Queue::waiters_of(const std::string& lock, std::size_t most) const {
  const auto requested = requested_.find(lock);
  if (requested == requested_.end()) return {};
  std::vector<TaskId> waiters;
  // The oldest remaining task of each group, with its group.
  std::map<TaskId, const Group*> fronts(requested->second.begin(), requested->second.end());
  while (!fronts.empty() && waiters.size() < most) {
    const auto [id, group] = *fronts.begin();
    fronts.erase(fronts.begin());
    waiters.push_back(id);
    const auto next = group->tasks.upper_bound(id);
    if (next != group->tasks.end()) fronts.emplace(next->first, group);
  }
  return waiters;
}

std::vector<Node*> Queue::expired(Time now) const {
  std::vector<Node*> tasks;
  for (const auto& [deadline, id] : deadlines_) {
    if (deadline > now) break;
    tasks.push_back(waiting_.at(id).task);
  }
  return tasks;
}

Time Queue::next_deadline() const {
  return deadlines_.empty() ? kNever : deadlines_.begin()->first;
}

std::optional<Demand> Queue::demand_of(const Node& task) const {
  if (const auto it = waiting_.find(task.task.id); it != waiting_.end())
    return it->second.group->bucket->place.demand;
  if (const auto it = holding_.find(task.task.id); it != holding_.end()) return it->second.demand;
  return std::nullopt;
}

}  // namespace docket::engine
