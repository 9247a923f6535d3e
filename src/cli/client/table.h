#pragma once

// Tables as `dcos job` prints them: no borders, columns as wide as their widest cell plus two
// spaces, headers centred, cells left-aligned, spaces up to the end of each line (seed 004, "Verify
// that you have added"). On a terminal they fit its width, and states are coloured.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/client/environment.h"

namespace docket::cli {

class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}

  // As many cells as the header has. Control characters become spaces: a cell is one line.
  void add(std::vector<std::string> cells);
  // If the terminal is too narrow, the widest columns are cut, each cell with an ellipsis.
  void print(const CliEnvironment& env) const;

 private:
  std::vector<std::size_t> widths() const;
  void fit(std::vector<std::size_t>& widths, std::size_t columns) const;

  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

// The columns of the terminal; 80 if unknown.
std::size_t columns_of(const CliEnvironment& env);

// The terminal sequence for the name of a state or an outcome; "" for other words.
std::string_view colour_of_word(std::string_view word);
inline constexpr std::string_view kPlain = "\x1b[0m";

}  // namespace docket::cli
