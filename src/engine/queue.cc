#include "engine/queue.h"

#include <cmath>
#include <regex>

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

const std::string* attribute_of(const NodeSettings& node, const std::string& name) {
  if (name == "hostname" || name == "@hostname") return &node.hostname;
  for (const auto& [key, value] : node.attributes) {
    if (key == name) return &value;
  }
  return nullptr;
}

// Mesos compares scalars at three decimals; anything that is not a number on both sides compares as
// text.
bool equal(const std::string& actual, const std::string& wanted) {
  char* end = nullptr;
  const double a = std::strtod(actual.c_str(), &end);
  if (actual.empty() || *end != 0) return actual == wanted;
  const double b = std::strtod(wanted.c_str(), &end);
  if (wanted.empty() || *end != 0) return false;
  return std::llround(a * 1000) == std::llround(b * 1000);
}

// The value was checked to be a regular expression when the job was stored; one that is not matches
// nothing.
bool matches(const std::string& actual, const std::string& pattern) {
  try {
    return std::regex_match(actual, std::regex(pattern));
  } catch (const std::regex_error&) {
    return false;
  }
}

bool satisfied(const NodeSettings& node, const model::Constraint& constraint) {
  if (!constraint.value) return true;
  const std::string* actual = attribute_of(node, constraint.attribute);
  switch (constraint.op) {
    case model::ConstraintOperator::kIs:
      return actual && equal(*actual, *constraint.value);
    case model::ConstraintOperator::kLike:
      return actual && matches(*actual, *constraint.value);
    case model::ConstraintOperator::kUnlike:
      return !actual || !matches(*actual, *constraint.value);
  }
  return false;
}

}  // namespace

const model::Constraint* unmet_constraint(const NodeSettings& node,
                                          const std::vector<model::Constraint>& constraints) {
  for (const model::Constraint& constraint : constraints) {
    if (!satisfied(node, constraint)) return &constraint;
  }
  return nullptr;
}

Queue::Queue(const Settings& settings)
    : settings_(settings),
      total_{micro(settings.node.cpus), kib(settings.node.mem_mib), kib(settings.node.disk_mib),
             settings.node.gpus},
      free_(total_) {}

void Queue::add(Node& run, const Demand& demand, bool placeable) {
  const TaskId id = run.task.id;
  const Entry& entry = entries_[id] = {demand, placeable};
  waiting_.emplace(id, &run);
  if (run.task.start_deadline != kNever) deadlines_.emplace(run.task.start_deadline, id);
  enter_bucket(id, run, entry);
}

void Queue::remove(Node& run) {
  const TaskId id = run.task.id;
  const auto it = entries_.find(id);
  if (it == entries_.end() || waiting_.erase(id) == 0) return;
  deadlines_.erase({run.task.start_deadline, id});
  if (parked_.erase(id) == 0) leave_bucket(id, it->second);
  entries_.erase(it);
}

// Candidates are one head per distinct demand; the oldest that fits wins, unless an older one has
// waited too long.
Node* Queue::next(Time now) const {
  if (running_ >= settings_.running_max) return nullptr;
  if (Node* first = starving(now))
    return fits_free(entries_.at(first->task.id).demand) ? first : nullptr;
  Node* best = nullptr;
  for (const auto& [demand, runs] : buckets_) {
    if (demand.cpus_micro > free_.cpus_micro) break;  // buckets are ordered by cpus first
    Node* head = runs.begin()->second;
    if (fits_free(demand) && (!best || head->task.id < best->task.id)) best = head;
  }
  return best;
}

Node* Queue::starving(Time now) const {
  Node* oldest = nullptr;
  for (const auto& [demand, runs] : buckets_) {
    Node* head = runs.begin()->second;
    if (now - head->task.created_at < settings_.overtaking_max || !fits_empty(demand)) continue;
    if (!oldest || head->task.id < oldest->task.id) oldest = head;
  }
  return oldest;
}

void Queue::take(Node& run) {
  const Demand demand = entries_.at(run.task.id).demand;
  remove(run);
  hold(run, demand);
}

void Queue::hold(Node& run, const Demand& demand) {
  entries_[run.task.id] = {demand, true};
  run.holds_capacity = true;
  subtract(free_, demand, 1);
  ++running_;
}

void Queue::give_back(Node& run) {
  if (!run.holds_capacity) return;
  run.holds_capacity = false;
  const auto it = entries_.find(run.task.id);
  subtract(free_, it->second.demand, -1);
  entries_.erase(it);
  --running_;
}

void Queue::park(Node& run) {
  leave_bucket(run.task.id, entries_.at(run.task.id));
  parked_.emplace(run.task.id, &run);
}

void Queue::unpark_all() {
  for (const auto& [id, run] : parked_) enter_bucket(id, *run, entries_.at(id));
  parked_.clear();
}

std::vector<Node*> Queue::expired(Time now) const {
  std::vector<Node*> runs;
  for (const auto& [deadline, id] : deadlines_) {
    if (deadline > now) break;
    runs.push_back(waiting_.at(id));
  }
  return runs;
}

Time Queue::next_deadline() const {
  return deadlines_.empty() ? kNever : deadlines_.begin()->first;
}

std::optional<Demand> Queue::demand_of(const Node& run) const {
  const auto it = entries_.find(run.task.id);
  if (it == entries_.end()) return std::nullopt;
  return it->second.demand;
}

bool Queue::fits_free(const Demand& demand) const { return within(demand, free_); }
bool Queue::fits_empty(const Demand& demand) const { return within(demand, total_); }

void Queue::enter_bucket(TaskId id, Node& run, const Entry& entry) {
  if (entry.placeable) buckets_[entry.demand].emplace(id, &run);
}

void Queue::leave_bucket(TaskId id, const Entry& entry) {
  const auto it = buckets_.find(entry.demand);
  if (it == buckets_.end()) return;
  it->second.erase(id);
  if (it->second.empty()) buckets_.erase(it);
}

}  // namespace docket::engine
