#include "sim/operation_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <set>

namespace docket::sim {
namespace {

using model::EventType;
using model::State;

// How long the engine may be kept from looking at leases by a restart or by slow commits.
constexpr Duration kSlack = std::chrono::seconds{30};

std::string show(TaskId id) { return fmt::format("operation {}", id.value); }

std::string show(const model::Tally& tally) {
  return fmt::format("{} folded, {} failing, {} of {}, {} unfolded, fold {}", tally.children,
                     tally.failing, tally.children_completed, tally.children_total, tally.unfolded,
                     tally.fold);
}

bool is_lost(const model::Task& task) { return task.message.starts_with("Lost: "); }

bool of_operation(const model::Event& event) {
  return event.type == EventType::kTaskCreated || event.type == EventType::kTaskChanged ||
         event.type == EventType::kTaskNote;
}

}  // namespace

OperationLife* OperationRules::life_of(TaskId id) {
  const auto found = record_.operations.find(id);
  return found == record_.operations.end() ? nullptr : &found->second;
}

void OperationRules::apply(const engine::Batch& batch) {
  collect(batch);
  for (const model::Event& event : batch.events) {
    const auto action = actions_.find(event.task);
    if (action != actions_.end() && event.type == EventType::kTaskCreated) {
      take_number(*action->second->operation);
    }
    if (of_operation(event) && !event.job) follow(event);
    if (!verdict_.ok()) return;
  }
  check_families();
  for (const auto& [id, row] : rows_) take_row(*row);
  take_lanes(batch);
  check_listings(batch);
}

void OperationRules::collect(const engine::Batch& batch) {
  rows_.clear();
  actions_.clear();
  drops_.clear();
  dropped_ = {batch.dropped_modules.begin(), batch.dropped_modules.end()};
  for (auto* list : {&parents_, &lost_, &too_late_}) list->clear();
  for (const model::Task& task : batch.tasks) {
    if (model::is_action(task)) actions_.emplace(task.id, &task);
    if (!task.operation || task.job) continue;  // steps: see StepRules
    verdict_.require(rows_.emplace(task.id, &task).second, "a task appears once in a batch",
                     show(task.id));
  }
  for (const std::string& module : batch.dropped_modules) ++drops_[module];
}

// ---- events

void OperationRules::follow(const model::Event& event) {
  if (event.type == EventType::kTaskCreated) {
    const auto row = rows_.find(event.task);
    if (row == rows_.end()) return verdict_.violated("every event has a task", show(event.task));
    return create(*row->second);
  }
  OperationLife* life = life_of(event.task);
  if (!life || model::is_final(life->state)) {
    return verdict_.violated("nothing happens to an ended operation", show(event.task));
  }
  if (event.type == EventType::kTaskNote) {
    record_.notes[event.message] = event;
    return;
  }
  if (!rows_.contains(event.task))
    return verdict_.violated("every event has a task", show(event.task));
  follow_change(event, *life);
}

void OperationRules::follow_change(const model::Event& event, OperationLife& life) {
  if (event.before == event.after) {
    verdict_.require(!life.stopping, "a task is asked to stop once", show(event.task));
    life.stopping = true;
    return;
  }
  verdict_.require(event.before == life.state && model::may_move(event.before, event.after),
                   "the states of a task form a path",
                   fmt::format("{}: {} to {}", show(event.task), model::name_of(event.before),
                               model::name_of(event.after)));
  life.state = event.after;
  if (!model::is_final(event.after)) return;
  life.ended_by = event.seq;
  life.stopping = is_stopping(life);
  check_end(event, life);
  end(event, life);
}

void OperationRules::create(const model::Task& row) {
  OperationLife* parent = row.parent ? life_of(row.parent) : nullptr;
  verdict_.require(!row.parent || (parent && !model::is_final(parent->state)),
                   "nothing is created below an ended operation", show(row.id));
  verdict_.require(!life_of(row.id) && !record_.task(row.id), "numbers are never used again",
                   show(row.id));
  number(row, parent);
  record_.last_task = std::max(record_.last_task, row.id);
  OperationLife& life = record_.operations[row.id];
  life.task = row;
  record_.live_operations.insert(row.id);
  if (!parent) return;
  parent = life_of(row.parent);  // the table may have moved
  parent->live.insert(row.id);
  if (is_stopping(*parent)) too_late_.push_back(row.id);
}

// It was asked to stop, or something above it was.
bool OperationRules::is_stopping(const OperationLife& life) {
  const OperationLife* at = &life;
  while (at && !at->stopping) at = at->task.parent ? life_of(at->task.parent) : nullptr;
  return at != nullptr;
}

// ---- numbers

void OperationRules::number(const model::Task& row, const OperationLife* parent) {
  const model::Operation& what = *row.operation;
  if (parent && !parent->task.operation->cluster) {
    verdict_.require(what.sequence == parent->task.operation->sequence &&
                         what.module == parent->task.operation->module &&
                         row.root == parent->task.root,
                     "all tasks of a tree have its root's number", show(row.id));
  } else if (what.cluster) {
    verdict_.require(what.sequence == 0, "a cluster operation has no number", show(row.id));
  } else {
    take_number(what);
  }
}

void OperationRules::take_number(const model::Operation& what) {
  std::uint64_t* last = &record_.lanes[{what.module, what.lane}];
  const auto drop = drops_.find(what.module);
  if (what.sequence != *last + 1 && drop != drops_.end() && drop->second > 0) {
    --drop->second;  // a module of the same name begins at 1 again
    std::erase_if(record_.lanes, [&](const auto& lane) { return lane.first.first == what.module; });
    last = &record_.lanes[{what.module, what.lane}];
  }
  verdict_.require(
      what.sequence == *last + 1, "numbers of a lane rise by one",
      fmt::format("{} lane {}: {} after {}", what.module, what.lane, what.sequence, *last));
  *last = what.sequence;
}

void OperationRules::take_lanes(const engine::Batch& batch) {
  std::map<std::pair<std::string, std::uint32_t>, std::uint64_t> written;
  for (const model::Lane& lane : batch.lanes) written[{lane.module, lane.lane}] = lane.last;
  for (const auto& [lane, last] : written) {
    const std::uint64_t known = record_.lanes[lane];
    verdict_.require(known == last || (last == 0 && dropped_.contains(lane.first)),
                     "a lane's counter is its last number",
                     fmt::format("{} lane {}: {}, not {}", lane.first, lane.second, last, known));
  }
  std::erase_if(record_.lanes, [&](const auto& lane) {
    return dropped_.contains(lane.first.first) && !written.contains(lane.first);
  });
  for (const auto& [lane, last] : written) record_.lanes[lane] = last;
}

// ---- ends

void OperationRules::check_end(const model::Event& event, const OperationLife& life) {
  const model::Task& row = *rows_.at(event.task);
  verdict_.require(event.after != State::kDone || !life.stopping,
                   "an operation that was asked to stop is not done", show(event.task));
  verdict_.require(
      event.after != State::kAborted || life.stopping || dropped_.contains(row.operation->module),
      "only operations that were asked to stop are aborted", show(event.task));
  if (is_lost(row)) check_lost(event, life);
}

void OperationRules::end(const model::Event& event, OperationLife& life) {
  const model::Task& row = *rows_.at(event.task);
  record_.live_operations.erase(event.task);
  OperationLife* parent = row.parent ? life_of(row.parent) : nullptr;
  if (!parent || model::is_final(parent->state)) return;
  parent->live.erase(event.task);
  parents_.push_back(row.parent);
  if (!life.live.empty() || life.tally.unfolded > 0) {
    ++parent->tally.unfolded;
  } else {
    life.tally.fold = event.seq.value;
    fold(*parent, life, row);
  }
}

void OperationRules::fold(OperationLife& parent, const OperationLife& child,
                          const model::Task& row) {
  model::Task ended = row;
  ended.tally = child.tally;
  ended.tally.counts = row.tally.counts;
  ended.tally.completed = row.tally.completed;
  ended.tally.total = row.tally.total;
  const model::Progress progress = model::progress_of(ended, std::nullopt);
  model::Tally& tally = parent.tally;
  ++tally.children;
  tally.failing += row.state != State::kDone || child.tally.failing > 0 ? 1 : 0;
  tally.children_completed += progress.completed;
  tally.children_total += progress.total;
}

// ---- leases

// A task that is not heard from for its lease is lost, with everything below it that has no lease
// itself. What a parent left behind belongs to a task further up, after a restart to the root.
void OperationRules::check_lost(const model::Event& event, const OperationLife& life) {
  bool left_behind = false;
  bool has_lease = false;
  bool is_right = false;
  const OperationLife* at = &life;
  while (at) {
    const bool ended = at != &life && model::is_final(at->state);
    if (!ended && at->task.operation->lease > Duration::zero()) {
      has_lease = true;
      is_right = is_due(at->task.id, event.at);
      if (is_right || !left_behind) break;
    }
    left_behind = left_behind || ended;
    at = at->task.parent ? life_of(at->task.parent) : nullptr;
  }
  verdict_.require(has_lease, "only leases run out", show(event.task));
  verdict_.require(is_right, "an operation that is heard from is not lost", show(event.task));
  lost_.push_back(event.task);
}

bool OperationRules::is_due(TaskId id, Time at) const {
  const auto heard = heard_.find(id);
  const Duration lease = record_.operations.at(id).task.operation->lease;
  return silent_.contains(id) &&
         (heard == heard_.end() || clock_.true_time_of(at) >= heard->second + lease);
}

void OperationRules::booted() {
  for (const TaskId id : record_.live_operations) heard(id);
  disturbed(clock_.true_now());
}

void OperationRules::check_leases() {
  const Duration now = clock_.true_now();
  for (const TaskId id : record_.live_operations) {
    const Duration lease = record_.operations.at(id).task.operation->lease;
    const auto heard = heard_.find(id);
    if (lease == Duration::zero() || heard == heard_.end()) continue;
    verdict_.require(
        std::max(heard->second, disturbed_) + lease + kSlack > now,
        "an operation that is not heard from fails",
        fmt::format("{}: heard from at {} us, disturbed at {}, lease {}, now {}", show(id),
                    heard->second.count(), disturbed_.count(), lease.count(), now.count()));
  }
}

// ---- rows

void OperationRules::take_row(const model::Task& row) {
  OperationLife* life = life_of(row.id);
  if (!life) return verdict_.violated("every operation was created", show(row.id));
  const model::Task& before = life->task;
  verdict_.require(row.parent == before.parent && row.root == before.root &&
                       row.created_at == before.created_at && *row.operation == *before.operation,
                   "a task stays what it is", show(row.id));
  verdict_.require(row.state == life->state, "a task's state agrees with its events", show(row.id));
  verdict_.require(row.stopping == life->stopping, "an abort is recorded and kept", show(row.id));
  model::Tally told = row.tally;
  told.counts = false;
  told.completed = told.total = 0;
  verdict_.require(told == life->tally, "a tally is the sum of the ended children",
                   fmt::format("{}: {}; but {}", show(row.id), show(told), show(life->tally)));
  verdict_.require(row.tally.completed >= before.tally.completed,
                   "figures of a reporter do not go back", show(row.id));
  life->task = row;
}

void OperationRules::check_families() {
  for (const TaskId id : parents_)
    verdict_.require(rows_.contains(id), "a parent is updated when children end", show(id));
  for (const TaskId id : too_late_) {
    verdict_.require(life_of(id)->state == State::kAborted,
                     "what is created below an abort fails at once", show(id));
  }
  for (const TaskId id : lost_) check_nothing_hangs_on(id);
}

// Below a root, all live tasks; below others, those whose parent is still there: it is not
// specified which of those above a restart finds.
void OperationRules::check_nothing_hangs_on(TaskId lost) {
  const OperationLife& life = *life_of(lost);
  for (const TaskId each : live_below(lost)) {
    const OperationLife& below = *life_of(each);
    if (life.task.parent && below.task.parent != lost) continue;
    bool has_lease = false;  // or is below one that has
    for (const OperationLife* at = &below; at && at->task.id != lost;
         at = life_of(at->task.parent)) {
      has_lease = has_lease ||
                  (!model::is_final(at->state) && at->task.operation->lease > Duration::zero());
    }
    verdict_.require(has_lease, "what is below a lost operation is lost", show(each));
  }
}

// Also through tasks that have ended.
std::vector<TaskId> OperationRules::live_below(TaskId id) const {
  std::vector<TaskId> open{id};
  std::vector<TaskId> found;
  while (!open.empty()) {
    const auto& children = record_.operations.at(open.back()).live;
    open.pop_back();
    for (const TaskId child : children) {
      if (!model::is_final(record_.operations.at(child).state)) found.push_back(child);
      open.push_back(child);
    }
  }
  return found;
}

void OperationRules::check_listings(const engine::Batch& batch) {
  std::map<TaskId, const model::Listing*> listed;  // the newest
  for (const model::Listing& listing : batch.listings) listed[listing.task] = &listing;
  for (const auto& [id, row] : rows_) {
    if (!model::is_final(row->state)) continue;
    const auto found = listed.find(id);
    const bool told = found != listed.end();
    const Time until = told ? found->second->until : model::kForever;
    if (told && until == kNever) continue;
    verdict_.require(told && !row->operation->internal && has_its_time(until, row->finished_at),
                     "what has ended is listed for its time", show(id));
  }
}

// Lists that forget go by the trusted clock, which may be behind a wall clock that was set
// forward.
bool OperationRules::has_its_time(Time until, Time finished_at) const {
  return std::ranges::any_of(ttls_, [&](Duration ttl) {
    const Duration behind = finished_at + ttl - until;
    return behind >= Duration::zero() && behind <= ahead_max_;
  });
}

// ---- restarts

void OperationRules::check_loaded(const engine::Snapshot& snapshot) {
  std::size_t live = 0;
  std::set<TaskId> above;  // of what lives
  for (const model::Task& task : snapshot.tasks | std::views::reverse) {
    if (!task.operation || task.job) continue;
    const bool ended = model::is_final(task.state);
    live += ended ? 0 : 1;
    verdict_.require(!ended || above.contains(task.id),
                     "only what lives is loaded, and its parents", show(task.id));
    above.insert(task.parent);
    const OperationLife* life = life_of(task.id);
    verdict_.require(life && task.state == life->task.state && task.stopping == life->stopping &&
                         task.tally == life->task.tally,
                     "what was durable is there after a restart", show(task.id));
  }
  verdict_.require(live == record_.live_operations.size(), "what lives is loaded",
                   fmt::format("{} of {} operations", live, record_.live_operations.size()));
  std::map<std::pair<std::string, std::uint32_t>, std::uint64_t> lanes;
  for (const model::Lane& lane : snapshot.lanes) lanes[{lane.module, lane.lane}] = lane.last;
  verdict_.require(lanes == record_.lanes, "numbers are never used again",
                   fmt::format("{} lanes of {}", lanes.size(), record_.lanes.size()));
}

}  // namespace docket::sim
