#include "model/pattern.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <string_view>
#include <utility>

namespace docket::model {
namespace {

// For the program and the states that matching makes. With no room left for states RE2 matches
// more slowly, but still in linear time.
constexpr std::int64_t kMemoryMax = 256 * 1024;

// A Unicode class costs a millisecond to compile for three bytes of pattern.
bool names_unicode_class(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '\\') continue;
    if (text[i + 1] == 'p' || text[i + 1] == 'P') return true;
    ++i;
  }
  return false;
}

}  // namespace

Pattern::Pattern(std::unique_ptr<re2::RE2> compiled) : compiled_(std::move(compiled)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::compile(const std::string& text) {
  if (text.size() > kPatternBytesMax) {
    return fail(ErrorKind::kInvalid,
                fmt::format("is too long: {} bytes, at most {}", text.size(), kPatternBytesMax));
  }
  if (names_unicode_class(text)) {
    return fail(ErrorKind::kInvalid, "has a Unicode class (\\p), which is not supported");
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(kMemoryMax);
  auto compiled = std::make_unique<re2::RE2>(text, options);
  if (!compiled->ok()) {
    return fail(ErrorKind::kInvalid,
                fmt::format("is not an RE2 regular expression: {}", compiled->error()));
  }
  return Pattern(std::move(compiled));
}

bool Pattern::matches(const std::string& value) const {
  return re2::RE2::FullMatch(value, *compiled_);
}

}  // namespace docket::model
