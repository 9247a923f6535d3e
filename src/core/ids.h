#pragma once

// Strong ids. Numbers are row ids of the store: assigned by the engine in rising order, never
// reused.

#include <compare>
#include <cstdint>
#include <functional>

namespace docket {

template <class Tag>
struct NumericId {
  std::uint64_t value = 0;  // 0 means none
  explicit operator bool() const { return value != 0; }
  auto operator<=>(const NumericId&) const = default;
};

using JobUid = NumericId<struct JobTag>;  // one life of a job; a re-created job gets a new one
using ScheduleUid = NumericId<struct ScheduleTag>;  // one life of a schedule
using TaskId =
    NumericId<struct TaskTag>;  // a node of the task tree; an attempt's is its executor token
using RecordId = NumericId<struct RecordTag>;
using EventSeq = NumericId<struct EventTag>;  // position in the event log

}  // namespace docket

template <class Tag>
struct std::hash<docket::NumericId<Tag>> {
  std::size_t operator()(const docket::NumericId<Tag>& id) const noexcept {
    return std::hash<std::uint64_t>{}(id.value);
  }
};
