// A target as a libFuzzer program: one target is linked in.

#include <cstdint>

#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto run = docket::fuzz::targets().front()->run;
  run({reinterpret_cast<const char*>(data), size});  // an exception ends the program: a finding
  return 0;
}
