#pragma once

// Tables as `dcos job` prints them: no borders, columns as wide as their widest cell and two
// blanks, headers centred, cells at the left, blanks up to the end of each line (seed 004, "Verify
// that you have added").

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

namespace docket::cli {

class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}

  // As many cells as the header has. Control characters become blanks: a cell is one line.
  void add(std::vector<std::string> cells);
  // Cuts the last column so that lines fit into `columns`; 0 does not.
  void print(std::ostream& out, std::size_t columns = 0) const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace docket::cli
