#pragma once

// Figures in the lines that a program prints, found by a regular expression: groups named
// `completed`, `total` or `percent`. Without names, a single group is a percentage; of two or more
// groups the first is the completed amount and the second the total.

#include <boost/regex.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace docket::cli {

struct Figures {
  std::optional<double> completed, total;
  bool operator==(const Figures&) const = default;
};

class ProgressPattern {
 public:
  static Result<ProgressPattern> parse(const std::string& text);  // kInvalid

  bool is_percentage() const { return percentage_; }
  // From the last match in the line; none: no match.
  std::optional<Figures> find(std::string_view line) const;

 private:
  ProgressPattern(const boost::regex& regex, bool named, bool percentage)
      : regex_(regex), named_(named), percentage_(percentage) {}
  Figures figures_of(const boost::cmatch& match) const;

  boost::regex regex_;
  bool named_ = false;
  bool percentage_ = false;
};

// Splits a program's output into lines. Progress bars that redraw themselves end theirs with a
// carriage return.
class LineCutter {
 public:
  template <class Take>
  void add(std::string_view piece, Take take) {
    for (const char c : piece) {
      if (c == '\n' || c == '\r') {
        if (!line_.empty()) take(std::string_view(line_));
        line_.clear();
      } else if (line_.size() < kLineMax) {
        line_.push_back(c);
      }
    }
  }

 private:
  static constexpr std::size_t kLineMax = 4096;  // the rest of the line is ignored
  std::string line_;
};

}  // namespace docket::cli
