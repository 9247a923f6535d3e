#pragma once

// Names with texts, in the order in which they were written: labels, environments, attributes.

#include <string>
#include <utility>
#include <vector>

namespace docket {

using StringPairs = std::vector<std::pair<std::string, std::string>>;

}  // namespace docket
