#pragma once

// What a run needs before it may begin: room, rights, and a place that fits.

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace docket::model {

struct Demand {  // of capacity, while the run runs; integers so that sums are exact
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

enum class LockWait { kQueue, kFail };  // a taken lock: wait in the queue, or fail the run at once
struct LockWish {
  std::string name;
  LockWait wait = LockWait::kQueue;
  bool operator==(const LockWish&) const = default;
};

}  // namespace docket::model
