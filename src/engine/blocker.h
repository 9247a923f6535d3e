#pragma once

// What a waiting task waits for, as stated by the rule that holds it back.

#include <cstdint>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/time.h"
#include "engine/resources.h"
#include "model/needs.h"

namespace docket::engine {

enum class BlockedBy : std::uint8_t {
  kTime,          // it may not begin before an instant
  kConstraint,    // no target satisfies it
  kNoTarget,      // the targets that satisfy all constraints take no new work
  kNeverFits,     // it wants more of a resource than its targets have, even empty
  kCapacity,      // a resource of its target is in use
  kRunningLimit,  // the limit of tasks with processes is reached
  kLock,          // `by` holds it
  kKeptLock,      // nobody holds it; kept for `by`, older and overtaken for too long
  kTurn,          // `by`, older and overtaken for too long, goes first
};

struct Blocker {
  BlockedBy what = BlockedBy::kTime;
  TaskId by = {};        // a run or a step
  std::string who = {};  // the same for people: "run 5", "step 'a' of run 5"
  std::string lock = {};
  model::Constraint constraint = {};
  const Resource* resource = nullptr;            // with these three, in its own amounts
  std::int64_t needed = 0, free = 0, total = 0;  // of the running limit: tasks
  Time at = kNever;                              // of kTime
};

// A phrase for people: "lock 'db' is held by run 5".
std::string words_of(const Blocker& blocker);
std::string words_of(const std::vector<Blocker>& blockers);

}  // namespace docket::engine
