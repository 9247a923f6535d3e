#include "core/utf8.h"

#include <cstdint>

namespace docket {
namespace {

bool in_range(std::string_view text, std::size_t at, unsigned low, unsigned high) {
  if (at >= text.size()) return false;
  const auto byte = static_cast<std::uint8_t>(text[at]);
  return byte >= low && byte <= high;
}

bool continues(std::string_view text, std::size_t at) { return in_range(text, at, 0x80, 0xBF); }

// The second byte's range is what keeps out overlong forms, surrogates and values past U+10FFFF.
bool second_fits(std::string_view text, unsigned lead) {
  if (lead == 0xE0) return in_range(text, 1, 0xA0, 0xBF);
  if (lead == 0xED) return in_range(text, 1, 0x80, 0x9F);
  if (lead == 0xF0) return in_range(text, 1, 0x90, 0xBF);
  if (lead == 0xF4) return in_range(text, 1, 0x80, 0x8F);
  return continues(text, 1);
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto lead = static_cast<std::uint8_t>(text[0]);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4 || !second_fits(text, lead)) return 0;
  if (lead < 0xE0) return 2;
  if (!continues(text, 2)) return 0;
  if (lead < 0xF0) return 3;
  return continues(text, 3) ? 4 : 0;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string to_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    out.append(length == 0 ? kReplacementCharacter : text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace docket
