#pragma once

// "Did you mean": the known word closest to a mistyped one.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace docket::cli {

// Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

// None if no word is close: at most 1 edit for short words, 2 for longer ones, or one is a prefix
// of the other.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace docket::cli
