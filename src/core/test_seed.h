#pragma once

// Seeds for tests with random cases: a new one each run, shown when the test fails;
// --gtest_random_seed=N repeats N.

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace docket {

inline unsigned test_seed() {
  const auto wanted = static_cast<unsigned>(GTEST_FLAG_GET(random_seed));
  return wanted != 0 ? wanted : std::random_device{}() % 99999 + 1;  // the flag's range
}

inline std::string seed_note(unsigned seed) {
  return "repeat with --gtest_random_seed=" + std::to_string(seed);
}

}  // namespace docket
