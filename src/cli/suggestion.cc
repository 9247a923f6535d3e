#include "cli/suggestion.h"

#include <algorithm>

namespace docket::cli {
namespace {

constexpr std::size_t kLongestWord = 64;  // longer words are not typing mistakes
constexpr std::size_t kShortWord = 4;

}  // namespace

// Damerau-Levenshtein (optimal string alignment) over three rows.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, substitution});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
  if (word.empty() || word.size() > kLongestWord) return std::nullopt;
  std::optional<std::string> best;
  std::size_t best_distance = word.size() <= kShortWord ? 2 : 3;  // one above the accepted distance
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  if (best) return best;
  const auto begins =
      std::find_if(known.begin(), known.end(), [word](const std::string& candidate) {
        return candidate.starts_with(word) || word.starts_with(candidate);
      });
  return begins == known.end() ? std::nullopt : std::optional<std::string>(*begins);
}

}  // namespace docket::cli
