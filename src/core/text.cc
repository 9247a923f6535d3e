#include "core/text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace docket {
namespace {

// Those of ASCII, and those of Latin-1: U+0080 to U+009F, which some terminals obey too.
bool is_control(std::string_view text, std::size_t at) {
  const auto byte = static_cast<std::uint8_t>(text[at]);
  if (byte < 0x20 || byte == 0x7F) return true;
  return byte == 0xC2 && at + 1 < text.size() && static_cast<std::uint8_t>(text[at + 1]) < 0xA0;
}

bool lays_out(char c) { return c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

const char* flaw_of(std::string_view text, TextUse use) {
  if (text.find('\0') != std::string_view::npos) return "must not contain NUL characters";
  if (use == TextUse::kScript) return nullptr;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_control(text, i) || (use == TextUse::kProse && lays_out(text[i]))) continue;
    return "must not contain control characters";
  }
  return nullptr;
}

bool is_inner_path(std::string_view path) {
  if (path.empty() || path.back() == '/') return false;
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < 0x20) return false;
  }
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, end);
    if (name.empty() || name == "." || name == "..") return false;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return true;
}

}  // namespace docket
