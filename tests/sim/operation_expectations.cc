#include "sim/operation_expectations.h"

#include <fmt/format.h>

namespace docket::sim {
namespace {

std::string show(TaskId id) { return fmt::format("operation {}", id.value); }

}  // namespace

void OperationExpectations::created(TaskId id, const model::Operation& what) {
  promises_[id];
  check_recorded(id);
  const auto life = record_.operations.find(id);
  if (life == record_.operations.end()) return;
  model::Operation told = what;  // the rest is the engine's
  told.module = life->second.task.operation->module;
  if (told.cluster) told.lane = life->second.task.operation->lane;
  told.sequence = life->second.task.operation->sequence;
  told.internal = life->second.task.operation->internal;
  verdict_.require(told == *life->second.task.operation,
                   "an operation is as its reporter described it", show(id));
}

void OperationExpectations::begun(TaskId id) {
  promises_[id].begun = true;
  check_recorded(id);
}

void OperationExpectations::progressed(TaskId id, double completed) {
  double& promised = promises_[id].completed;
  promised = std::max(promised, completed);
  check_recorded(id);
}

void OperationExpectations::noted(const std::string& text) {
  const auto note = record_.notes.find(text);
  if (note == record_.notes.end())
    return verdict_.violated("an acknowledged note is durable", text);
  notes_[note->second.seq] = {note->second.task, note->second.at};
}

void OperationExpectations::ended(TaskId id, const End& end) {
  promises_[id].ended = true;
  promises_[id].end = end;
  check_recorded(id);
}

void OperationExpectations::asked_to_stop(TaskId id) {
  promises_[id].stopping = true;
  check_recorded(id);
}

void OperationExpectations::dropped(const std::set<TaskId>& lived) {
  for (const TaskId id : lived) {
    promises_[id].ended = true;
    check_recorded(id);
  }
}

void OperationExpectations::unlisted(TaskId id, const store::MemoryState& state) {
  verdict_.require(!state.listings().contains(id), "what was forgotten is not listed", show(id));
}

void OperationExpectations::drained(const std::string& module, EventSeq then,
                                    const store::MemoryState& state) {
  for (const auto& [id, listing] : state.listings()) {
    if (listing.module != module || listing.until == model::kForever) continue;
    const auto life = record_.operations.find(id);
    verdict_.require(life == record_.operations.end() || life->second.ended_by > then,
                     "a drain forgets all that had ended", show(id));
  }
}

// ---- checks

void OperationExpectations::check_recorded(TaskId id) {
  const auto life = record_.operations.find(id);
  if (life == record_.operations.end())
    return verdict_.violated("an acknowledged operation is durable", show(id));
  check(id, promises_[id], life->second.task);
}

void OperationExpectations::check(TaskId id, const Promise& promise, const model::Task& task) {
  const bool is_final = model::is_final(task.state);
  verdict_.require(
      task.tally.completed >= promise.completed, "acknowledged progress is durable",
      fmt::format("{}: {}, not {}", show(id), task.tally.completed, promise.completed));
  verdict_.require(!promise.begun || task.started_at != kNever, "an acknowledged start is durable",
                   show(id));
  verdict_.require(!promise.stopping || task.stopping, "an acknowledged abort is durable",
                   show(id));
  verdict_.require(!promise.ended || is_final, "an acknowledged end is durable", show(id));
  if (!promise.end) return;
  verdict_.require(task.state == promise.end->state && task.message == promise.end->message,
                   "an acknowledged end is durable",
                   fmt::format("{} is {}: {}", show(id), model::name_of(task.state), task.message));
}

void OperationExpectations::check(const store::MemoryState& state) {
  for (const auto& [id, promise] : promises_) {
    const model::Task* task = state.task(id);
    if (task) {
      check(id, promise, *task);
    } else {
      verdict_.require(record_.may_be_swept_operation(id), "an acknowledged operation is not lost",
                       show(id));
    }
  }
  for (const auto& [seq, note] : notes_) {
    const auto& [id, at] = note;
    const bool old = at < record_.swept_until || record_.may_be_swept_operation(id);
    verdict_.require(old || state.events().contains(seq), "an acknowledged note is not lost",
                     show(id));
  }
}

}  // namespace docket::sim
