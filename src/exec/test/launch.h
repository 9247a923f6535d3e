#pragma once

// The payload of the test executor: work that takes time and does nothing.

#include <cstdint>
#include <string>

#include "core/time.h"

namespace docket::test_executor {

inline constexpr const char* kName = "test";  // of the executor

struct TestWork {
  Duration takes{};
  int exit_code = 0;
  std::uint32_t parts = 0;  // reports of progress on the way, each with a note
  std::string facts = {};   // reported with the last part, or with the end if there are none
  std::string result = {};  // JSON, reported with the end
};

}  // namespace docket::test_executor
