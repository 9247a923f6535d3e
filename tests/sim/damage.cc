#include "sim/damage.h"

#include <algorithm>
#include <set>

namespace docket::sim {
namespace {

using engine::Batch;
using model::Event;
using model::EventType;
using model::State;
using model::Task;

// The operations to damage: all operations in the batch that `which` selects.
template <class Which>
std::vector<Task*> operations(Batch& batch, const Which& which) {
  std::vector<Task*> found;
  for (Task& task : batch.tasks) {
    if (task.operation && !task.job && which(task)) found.push_back(&task);
  }
  return found;
}

template <class Which>
void drop_events(Batch& batch, const Which& which) {
  std::erase_if(batch.events, which);
}

// As if these had not ended.
void undo_ends(Batch& batch, const std::vector<Task*>& tasks) {
  for (Task* task : tasks) {
    drop_events(batch, [&](const Event& event) {
      return event.task == task->id && model::is_final(event.after);
    });
    task->state = State::kRunning;
    task->finished_at = kNever;
    task->tally.fold = 0;
  }
}

void same_numbers(Batch& batch) {
  for (Task* task : operations(batch, [](const Task& each) { return !each.parent; })) {
    auto what = std::make_shared<model::Operation>(*task->operation);  // as the rows share it
    what->sequence = std::min<std::uint64_t>(what->sequence, 3);
    task->operation = what;
  }
}

void counts_twice(Batch& batch) {
  for (Task* task : operations(batch, [](const Task& each) { return each.tally.children > 1; }))
    ++task->tally.children;
}

void forgets_figures(Batch& batch) {
  for (Task* task : operations(batch, [](const Task& each) { return each.tally.counts; }))
    task->tally.completed = std::min(task->tally.completed, 2.0);
}

void aborts_roots_only(Batch& batch) {
  const auto is_below = [](const Task& task) {
    return task.parent && task.state == State::kAborted && task.stopping;
  };
  for (Task* task : operations(batch, is_below)) {
    for (Event& event : batch.events) {
      if (event.task != task->id || event.before != State::kRunning) continue;
      if (event.after != State::kAborted) continue;
      event.after = task->state = State::kDone;
    }
  }
}

void begins_below_aborts(Batch& batch) {
  undo_ends(batch, operations(batch, [](const Task& task) {
              return task.state == State::kAborted && task.finished_at == task.created_at;
            }));
}

void spares_the_lost(Batch& batch) {
  undo_ends(batch, operations(batch, [](const Task& task) {
              return task.message.starts_with("Lost: ") && task.operation->lease == Duration{};
            }));
}

// Drops the rows of parents that changed only by what their children left behind.
void forgets_parents(Batch& batch) {
  std::set<TaskId> told;
  for (const Event& event : batch.events) told.insert(event.task);
  std::erase_if(batch.tasks, [&](const Task& task) {
    return task.operation && !task.job && task.tally.children > 0 && !told.contains(task.id);
  });
}

void forgets_ends(Batch& batch) {
  std::set<TaskId> made;
  for (const Event& event : batch.events) {
    if (event.type == EventType::kTaskCreated) made.insert(event.task);
  }
  const auto ends = [&](const Task& task) {
    return task.operation && !task.job && task.state == State::kDone && !task.parent &&
           !made.contains(task.id);
  };
  for (const Task* task : operations(batch, ends))
    drop_events(batch, [&](const Event& event) { return event.task == task->id; });
  std::erase_if(batch.tasks, ends);
}

void forgets_steps(Batch& batch) {
  std::erase_if(batch.tasks, [](const Task& task) {
    return model::is_step(task) && model::is_final(task.state);
  });
}

void counts_lanes_late(Batch& batch) {
  for (model::Lane& lane : batch.lanes) lane.last -= lane.last > 0 ? 1 : 0;
}

void lists_for_ever(Batch& batch) {
  for (model::Listing& listing : batch.listings) listing.until = model::kForever;
}

void forgets_notes(Batch& batch) {
  drop_events(batch, [](const Event& event) { return event.type == EventType::kTaskNote; });
}

}  // namespace

std::function<void(Batch&)> damage_of(Mutation mutation) {
  switch (mutation) {
    case Mutation::kSameNumbers:
      return same_numbers;
    case Mutation::kCountsTwice:
      return counts_twice;
    case Mutation::kForgetsFigures:
      return forgets_figures;
    case Mutation::kAbortsRootsOnly:
      return aborts_roots_only;
    case Mutation::kBeginsBelowAborts:
      return begins_below_aborts;
    case Mutation::kSparesTheLost:
      return spares_the_lost;
    case Mutation::kForgetsParents:
      return forgets_parents;
    case Mutation::kForgetsEnds:
      return forgets_ends;
    case Mutation::kForgetsSteps:
      return forgets_steps;
    case Mutation::kForgetsNotes:
      return forgets_notes;
    case Mutation::kCountsLanesLate:
      return counts_lanes_late;
    case Mutation::kForgetsLanes:
      return [](Batch& batch) { batch.lanes.clear(); };
    case Mutation::kForgetsDrains:
      return [](Batch& batch) { batch.drains.clear(); };
    case Mutation::kListsForEver:
      return lists_for_ever;
    default:
      return nullptr;
  }
}

}  // namespace docket::sim
