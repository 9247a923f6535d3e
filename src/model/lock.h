#pragma once

// A named exclusive right held by a run or a step. The fencing number rises with every grant, so
// that what a late holder writes can be told from the present one's.

#include <cstdint>
#include <string>

#include "core/ids.h"
#include "core/time.h"

namespace docket::model {

struct Lock {
  std::string name;
  std::uint64_t fencing = 0;
  TaskId holder;  // none: free
  Time held_since = kNever;
};

// A secret's value as it is stored: sealed (core/seal.h), never plain.
struct SealedSecret {
  std::string path;
  std::string sealed;
  Time updated_at = kNever;
};

}  // namespace docket::model
