#pragma once

// How nodetool prints tasks (scylla-tasks.md section 8).

#include <boost/json/value.hpp>
#include <iosfwd>
#include <string>
#include <vector>

namespace docket::cli {

// Cells left-aligned, padded to the widest of their column and at least 1, one space between
// columns, the last one padded too. No rules.
class PlainTable {
 public:
  explicit PlainTable(std::vector<std::string> header) { rows_.push_back(std::move(header)); }
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  void print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

PlainTable list_table();
std::vector<std::string> list_row(const boost::json::value& stats);
PlainTable tree_table();
std::vector<std::string> tree_row(const boost::json::value& status);
// `name: value`, one line per member present.
void print_status(std::ostream& out, const boost::json::value& status);

}  // namespace docket::cli
