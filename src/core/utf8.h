#pragma once

// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.

#include <cstddef>
#include <string>
#include <string_view>

namespace docket {

// Stands for bytes that are not UTF-8: U+FFFD.
inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

// Length (1 to 4) of the well-formed character at the front of `text`; 0 when there is none.
std::size_t utf8_length(std::string_view text);

bool is_utf8(std::string_view text);

// The text with each byte that belongs to no character replaced, for output of programs we do not
// control.
std::string to_utf8(std::string_view text);

}  // namespace docket
