#pragma once

// The child between clone and exec: what it is to do, as plain pointers into memory that stays
// until it has called exec or failed, and the call that makes it. Nothing here allocates. See
// spawn.h.

#include <sys/types.h>

#include <cstddef>

#include "exec/runner/spawn.h"

namespace docket::runner {

inline constexpr std::size_t kChildStackBytes = 64 * 1024;

struct ChildPlan {
  const char* const* programs;
  std::size_t program_count;
  char* const* argv;
  char** script_argv;  // "/bin/sh", a free place for the script, then argv's rest
  char* const* env;
  const Command* command;
  const ResourceLimit* limits;
  std::size_t limit_count;
  pid_t pid = -1;  // written by the kernel before the child runs
  SpawnStep failed = SpawnStep::kDone;
  int error = 0;
};

// Returns when the child has called exec or has failed: then plan.failed says where, and
// nothing is left to wait for.
void make_child(ChildPlan& plan, void* stack);

}  // namespace docket::runner
