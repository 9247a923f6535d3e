#pragma once

// What the runner hands to the process that gets artifacts. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "engine/executor.h"
#include "exec/runner/launch.h"
#include "exec/runner/runner.h"

namespace docket::runner {

// The fetching process finds the user's cache directory open here.
inline constexpr int kCacheFd = 3;

struct FetchRequest {
  std::vector<Artifact> artifacts;
  FetchLimits limits;
  bool has_cache = false;
};

std::string encode_request(const FetchRequest& request);
Result<FetchRequest> decode_request(std::string_view text);

}  // namespace docket::runner
