#include "cli/wrapper/progress_pattern.h"

#include <charconv>
#include <cmath>

namespace docket::cli {
namespace {

bool has_group(const std::string& text, const char* name) {
  return text.find(std::string("(?<") + name + ">") != std::string::npos;
}

std::optional<double> number_of(const boost::csub_match& group) {
  if (!group.matched) return std::nullopt;
  double number = 0;
  const auto read = std::from_chars(group.first, group.second, number);
  const bool sound = read.ec == std::errc() && read.ptr == group.second;
  return sound && std::isfinite(number) && number >= 0 ? std::optional(number) : std::nullopt;
}

// Accepts Python's syntax for named groups too.
std::string normal_form(std::string text) {
  for (auto at = text.find("(?P<"); at != std::string::npos; at = text.find("(?P<", at)) {
    text.erase(at + 2, 1);
  }
  return text;
}

}  // namespace

Result<ProgressPattern> ProgressPattern::parse(const std::string& text) {
  const std::string normal = normal_form(text);
  const bool percent = has_group(normal, "percent");
  const bool named = percent || has_group(normal, "completed") || has_group(normal, "total");
  try {
    boost::regex regex(normal);
    const std::size_t groups = regex.mark_count();
    if (groups == 0) {
      return fail(ErrorKind::kInvalid,
                  "needs a group: (\\d+)% or (?<completed>\\d+)/(?<total>\\d+)");
    }
    return ProgressPattern(std::move(regex), named, named ? percent : groups == 1);
  } catch (const boost::regex_error& error) {
    return fail(ErrorKind::kInvalid, std::string("is not a regular expression: ") + error.what());
  }
}

Figures ProgressPattern::figures_of(const boost::cmatch& match) const {
  if (percentage_) {
    const auto percent = number_of(named_ ? match["percent"] : match[1]);
    return {.completed = percent, .total = percent ? std::optional(100.0) : std::nullopt};
  }
  if (named_)
    return {.completed = number_of(match["completed"]), .total = number_of(match["total"])};
  return {.completed = number_of(match[1]), .total = number_of(match[2])};
}

std::optional<Figures> ProgressPattern::find(std::string_view line) const {
  std::optional<Figures> last;
  try {
    const char* end = line.data() + line.size();
    for (boost::cregex_iterator match(line.data(), end, regex_), none; match != none; ++match) {
      if (const Figures figures = figures_of(*match); figures != Figures{}) last = figures;
    }
  } catch (const std::exception&) {
    return last;  // the expression is too complex for this line
  }
  return last;
}

}  // namespace docket::cli
