#pragma once

// The parts of every fuzz target. A target reads one input of arbitrary bytes, gives it to the
// code under test, and requires what that code promises, not only that it survives.
//
//   void run(std::string_view input) { require(f(g(input)) == input, "f undoes g"); }
//   const Target kTarget("name", run);
//
// The same file is a libFuzzer program (libfuzzer.cc) and a test over its corpus (corpus_test.cc).

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace docket::fuzz {

// Registers itself; static, one in each target's file.
class Target {
 public:
  using Run = void (*)(std::string_view input);
  Target(const char* name, Run run);

  std::string name;  // also the name of its folder below corpus/
  Run run;
};
const std::vector<const Target*>& targets();

// Throws what the fuzzer and the corpus test report as a failure: the promise, and what was there
// instead.
void require(bool kept, std::string_view promise, std::string_view seen = {});

// Takes numbers and texts off the front of an input, for code that takes more than one text. At
// its end an input gives zeros and empty texts, so that every input has a meaning.
class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t byte();
  bool flag() { return (byte() & 1U) != 0; }
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : byte() % limit; }
  std::int64_t number();  // eight bytes
  std::string text();     // a byte of length, then that many bytes
  std::string_view rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace docket::fuzz
