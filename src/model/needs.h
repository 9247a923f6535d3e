#pragma once

// What a run or a step needs before it may begin: room, rights, a place that fits, its time.

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/time.h"

namespace docket::model {

struct Demand {  // of capacity, while it runs; integers so that sums are exact
  std::int64_t cpus_micro = 0;
  std::int64_t mem_kib = 0;
  std::int64_t disk_kib = 0;
  std::int64_t gpus = 0;
  bool operator==(const Demand&) const = default;
  auto operator<=>(const Demand&) const = default;
};

enum class ConstraintOperator { kIs, kLike, kUnlike };  // EQ is read as IS
struct Constraint {
  std::string attribute;
  ConstraintOperator op = ConstraintOperator::kIs;
  std::optional<std::string> value;  // absent: stored, no effect
  bool operator==(const Constraint&) const = default;
};

enum class LockWait { kQueue, kFail };  // a taken lock: wait in the queue, or fail at once
struct LockRequest {
  std::string name;
  LockWait wait = LockWait::kQueue;
  bool operator==(const LockRequest&) const = default;
};

// Needs as a kind states them. Refers to the definition and parameters that the kind was asked
// about, or to the kind itself.
struct Needs {
  Demand demand = {};
  std::span<const Constraint> constraints = {};
  std::span<const LockRequest> locks = {};  // taken all at once
  Time not_before = kNever;                 // kNever: from its creation on
  // Once it is this much later than not_before, the task is not begun any more; absent: no limit.
  std::optional<Duration> late = {};
  // How long it waits for room and rights; absent: for ever.
  std::optional<Duration> patience = {};

  // Whether a task with these needs has something to wait for.
  bool any() const {
    return demand != Demand{} || !constraints.empty() || !locks.empty() || not_before != kNever;
  }
};

}  // namespace docket::model
