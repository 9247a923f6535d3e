#pragma once

// Trees of tasks as lines of a terminal: a name, a state, a bar, a percentage and figures. Pure:
// the same trees and size give the same lines, none wider or more than the terminal has.

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace docket::cli {

struct ViewSize {
  std::size_t columns = 80;
  std::size_t rows = 24;  // 0: no bound
  bool colours = false;
  std::size_t ended = 0;  // and failed: of what is drawn no more, for the counts
  std::size_t failed = 0;
};

// `trees` are those of GET /docket/v1/tasks/{task}/tree. The last line counts.
std::vector<std::string> view_lines(const boost::json::array& trees, const ViewSize& size);

// The columns that text takes in a terminal, and what of it fits into so many.
std::size_t display_width(std::string_view text);
std::string fitted(std::string_view text, std::size_t columns);  // padded, or cut with an ellipsis

// 1234567 bytes as 1.2M, other numbers as they are, shortened above 6 digits.
std::string short_number(double number);

}  // namespace docket::cli
