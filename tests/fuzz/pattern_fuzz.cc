// model/pattern: expressions of clients and values of nodes. Any of them ends soon (the fuzzer's
// own time limit sees to that), and means what regular expressions mean.

#include <algorithm>

#include "core/utf8.h"
#include "fuzz/fuzz.h"
#include "model/pattern.h"

namespace docket::fuzz {
namespace {

using model::Pattern;

// Every ASCII character that is not a letter or digit can be escaped.
std::string in_quotes(std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x80 || std::isalnum(byte) != 0;
    if (!plain) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

void check_literal(const std::string& value) {
  if (value.find('\0') != std::string::npos || !is_utf8(value)) return;
  const std::string text = in_quotes(value);
  const auto pattern = Pattern::compile(text);
  require(pattern.has_value() == (text.size() <= model::kPatternBytesMax), "a quoted text compiles",
          text);
  if (!pattern) return;
  require(pattern->matches(value), "it matches what was quoted", text);
  require(!pattern->matches(value + "x"), "and matches the whole value", text);
}

void run(std::string_view bytes) {
  Input input(bytes);
  const std::string value = input.text();
  const std::string text(input.rest());
  check_literal(value);
  const auto pattern = Pattern::compile(text);
  if (!pattern) {
    require(pattern.error().kind == ErrorKind::kInvalid && !pattern.error().message.empty(),
            "a pattern that is refused is kInvalid, and why");
    return;
  }
  require(text.size() <= model::kPatternBytesMax, "patterns are no longer than the limit");
  const bool matches = pattern->matches(value);
  const auto grouped = Pattern::compile("(?:" + text + ")");
  if (grouped) require(grouped->matches(value) == matches, "a group changes nothing", text);
}

const Target kTarget("pattern", run);

}  // namespace
}  // namespace docket::fuzz
