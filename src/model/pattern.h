#pragma once

// The patterns of LIKE and UNLIKE constraints: regular expressions in RE2's syntax, matched
// against a whole value in time linear in it, whatever a client has written. What Java's
// expressions have and these lack: docs/differences-metronome.md.

#include <cstddef>
#include <memory>
#include <string>

#include "core/result.h"

namespace re2 {
class RE2;
}

namespace docket::model {

// Bytes of all patterns of a job together. A pattern of this length takes milliseconds to compile
// at worst, one of usual length microseconds.
inline constexpr std::size_t kPatternBytesMax = 1024;

class Pattern {
 public:
  static Result<Pattern> compile(const std::string& text);  // kInvalid: what is wrong with it
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  bool matches(const std::string& value) const;

 private:
  explicit Pattern(std::unique_ptr<re2::RE2> compiled);
  std::unique_ptr<re2::RE2> compiled_;
};

}  // namespace docket::model
