#pragma once

// Selects jobs: of a group, with labels, containing some text.

#include <string>
#include <string_view>
#include <vector>

#include "model/job.h"

namespace docket::native {

struct JobFilter {
  std::vector<std::string> labels = {};  // "name" or "name=value"; all must match
  std::string group = {};                // "prod": prod itself and all below it
  std::string text = {};                 // in id or description, ignoring case

  bool matches(const model::JobDefinition& job) const;
};

bool in_group(std::string_view id, std::string_view group);

}  // namespace docket::native
