#pragma once

// openapi.json of this folder, embedded in the program (cmake/embed.cmake).

#include <string_view>

namespace docket::scylla {

std::string_view openapi_document();

}  // namespace docket::scylla
