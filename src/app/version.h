#pragma once

namespace docket::app {

inline constexpr const char* kVersion = DOCKET_VERSION;  // from CMake's project()

}  // namespace docket::app
