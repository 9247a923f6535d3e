#pragma once

// From a range of creation times to the range of task ids that can have them, by the small table
// task_block.

#include <cstdint>

#include "core/ids.h"

namespace docket::store {

inline constexpr std::uint64_t kTasksPerBlock = 1024;
inline std::uint64_t block_of(TaskId id) { return id.value / kTasksPerBlock; }

}  // namespace docket::store
