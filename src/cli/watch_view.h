#pragma once

// Trees of tasks as lines of a terminal: a name, a state, a bar, a percentage and figures. Pure:
// the same trees and size give the same lines, never wider or more than the terminal has.

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace docket::cli {

struct ViewSize {
  std::size_t columns = 80;
  std::size_t rows = 24;  // 0: no limit
  bool colours = false;
  std::size_t ended = 0;  // this and `failed`: tasks no longer drawn, for the counts
  std::size_t failed = 0;
};

// `trees` are those of GET /docket/v1/tasks/{task}/tree. The last line has the counts.
std::vector<std::string> view_lines(const boost::json::array& trees, const ViewSize& size);

// The columns that text occupies in a terminal, and the part of it that fits into a number of
// columns.
std::size_t display_width(std::string_view text);
std::string fitted(std::string_view text, std::size_t columns);  // padded, or cut with an ellipsis

// 1234567 bytes as 1.2M, other numbers unchanged, but shortened above 6 digits.
std::string short_number(double number);

}  // namespace docket::cli
