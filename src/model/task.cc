#include "model/task.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "core/exit_words.h"

namespace docket::model {
namespace {

constexpr std::array<const char*, kStateCount> kStateNames{"created", "queued", "running", "paused",
                                                           "done",    "failed", "aborted"};

// Rows: from; columns: to; in the order of State. A created task may end at once (refused, stopped
// before it was queued); only running work pauses; nothing leaves a final state.
constexpr bool kMoves[kStateCount][kStateCount] = {
    // created queued running paused done failed aborted
    {false, true, true, false, false, true, true},      // created
    {false, false, true, false, false, true, true},     // queued
    {false, false, false, true, true, true, true},      // running
    {false, false, true, false, false, true, true},     // paused
    {false, false, false, false, false, false, false},  // done
    {false, false, false, false, false, false, false},  // failed
    {false, false, false, false, false, false, false},  // aborted
};

// Fixed upper half: marks docket's task ids (version 8, custom). The lower half is the number under
// the variant bits.
constexpr std::string_view kUuidPrefix = "d0c4e700-0000-8000-";

}  // namespace

const char* name_of(State state) { return kStateNames[static_cast<std::size_t>(state)]; }

std::optional<State> state_of(std::string_view name) {
  for (std::size_t i = 0; i < kStateNames.size(); ++i) {
    if (name == kStateNames[i]) return static_cast<State>(i);
  }
  return std::nullopt;
}

bool is_final(State state) { return state >= State::kDone; }

bool may_move(State from, State to) {
  return kMoves[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
}

const char* name_of(TaskKind kind) {
  constexpr std::array kNames{"run", "attempt", "operation"};
  return kNames[static_cast<std::size_t>(kind)];
}

const char* name_of(Trigger trigger) {
  constexpr std::array kNames{"manual", "schedule", "dependency"};
  return kNames[static_cast<std::size_t>(trigger)];
}

Result<> move(Task& task, State expected, State to, Time now) {
  if (task.state != expected || !may_move(expected, to)) {
    return fail(ErrorKind::kConflict,
                fmt::format("task {} is {}: cannot go from {} to {}", task.id.value,
                            name_of(task.state), name_of(expected), name_of(to)));
  }
  task.state = to;
  if (to == State::kRunning && task.started_at == kNever) task.started_at = now;
  if (is_final(to)) task.finished_at = now;
  return {};
}

std::string reason_of(const Task& task) {
  const bool speaks = task.kind == TaskKind::kAttempt &&
                      (task.state == State::kFailed || task.state == State::kAborted);
  if (!task.message.empty() || !speaks) return task.message;
  return words_of_exit(task.exit_code, task.signal);
}

std::string outcome_of(const Task& task) {
  const std::string why = reason_of(task);
  return why.empty() ? name_of(task.state) : fmt::format("{}: {}", name_of(task.state), why);
}

bool is_failing(const Task& task) {
  return task.state == State::kFailed || task.state == State::kAborted || task.tally.failing > 0;
}

void put_figures(Task& task, std::optional<double> completed, std::optional<double> total) {
  if (!task.operation) return;
  task.tally.counts = true;
  task.tally.completed = completed.value_or(task.tally.completed);
  task.tally.total = total.value_or(task.tally.total);
}

Progress progress_of(const Task& task, const std::optional<Progress>& live) {
  const Tally& tally = task.tally;
  if (tally.counts) return {tally.completed, tally.total};
  Progress sum{tally.children_completed, tally.children_total};
  if (live) {
    sum.completed += live->completed;
    sum.total += live->total;
  }
  const bool is_leaf = tally.children == 0 && !live;
  if (task.operation && task.operation->expected && !is_final(task.state)) {
    return {sum.completed, *task.operation->expected};
  }
  if (is_leaf || !task.operation) return {task.state == State::kDone ? 1.0 : 0.0, 1.0};
  return sum;
}

std::string uuid_of(const Task& task) {
  return task.operation && !task.operation->uuid.empty() ? task.operation->uuid : uuid_of(task.id);
}

// By hand, since every row of a list has one or more.
std::string uuid_of(TaskId id) {
  std::string uuid(kUuidPrefix);
  uuid.resize(36, '-');
  std::uint64_t low = id.value | 0x8000'0000'0000'0000U;
  for (std::size_t at = 36; at-- > kUuidPrefix.size();) {
    if (at == 23) continue;  // the last dash
    uuid[at] = "0123456789abcdef"[low & 15];
    low >>= 4;
  }
  return uuid;
}

std::optional<TaskId> task_of_uuid(std::string_view uuid) {
  if (uuid.size() != 36 || !uuid.starts_with(kUuidPrefix) || uuid[23] != '-') return std::nullopt;
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  const char* text = uuid.data();
  const auto a = std::from_chars(text + 19, text + 23, high, 16);
  const auto b = std::from_chars(text + 24, text + 36, low, 16);
  if (a.ptr != text + 23 || b.ptr != text + 36) return std::nullopt;
  return TaskId{((high << 48) | low) & 0x7fff'ffff'ffff'ffffU};
}

}  // namespace docket::model
