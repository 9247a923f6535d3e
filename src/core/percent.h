#pragma once

#include <string>
#include <string_view>

namespace docket {

// One segment of a path, or a name or value of a query: all but letters, digits and -._~ as %XX.
std::string encode_segment(std::string_view segment);

}  // namespace docket
