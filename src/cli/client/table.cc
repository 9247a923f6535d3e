#include "cli/client/table.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <ostream>

#include "core/utf8.h"

namespace docket::cli {
namespace {

constexpr std::size_t kGap = 2;

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

std::string cut(const std::string& text, std::size_t width) {
  if (width_of(text) <= width) return text;
  std::size_t end = 0;
  for (std::size_t at = 0; at + 1 < width; ++at) {
    end += std::max<std::size_t>(1, utf8_length(std::string_view(text).substr(end)));
  }
  return text.substr(0, end) + "\u2026";
}

std::string centred(const std::string& text, std::size_t width) {
  const std::size_t excess = width - width_of(text);
  return std::string(excess / 2, ' ') + text + std::string(excess - excess / 2 + kGap, ' ');
}

std::string left(const std::string& text, std::size_t width) {
  return text + std::string(width - width_of(text) + kGap, ' ');
}

}  // namespace

void Table::add(std::vector<std::string> cells) {
  for (std::string& cell : cells) {
    cell = to_utf8(cell);
    std::replace_if(
        cell.begin(), cell.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  }
  cells.resize(header_.size());
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths;
  for (const std::string& name : header_) widths.push_back(width_of(name));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  return widths;
}

// Headers are never cut: if they do not fit, lines are longer than the terminal is wide.
void Table::fit(std::vector<std::size_t>& widths, std::size_t columns) const {
  const auto total = [&] {
    return std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
  };
  for (std::size_t now = total(); now > columns; --now) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const bool shrinks = widths[i] > width_of(header_[i]);
      if (shrinks && (widest == widths.size() || widths[i] > widths[widest])) widest = i;
    }
    if (widest == widths.size()) return;
    --widths[widest];
  }
}

// Output for scripts has spaces after the last column, as `dcos job` leaves them; a terminal would
// wrap them into another line.
void Table::print(const CliEnvironment& env) const {
  std::vector<std::size_t> columns = widths();
  if (env.is_tty) fit(columns, columns_of(env));
  const auto put = [&](const std::vector<std::string>& cells, auto place) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) line += place(cells[i], columns[i]);
    if (env.is_tty) line.resize(line.find_last_not_of(' ') + 1);
    env.out << line << '\n';
  };
  put(header_, centred);
  for (const auto& row : rows_) {
    put(row, [&env](const std::string& cell, std::size_t width) {
      const std::string text = cut(cell, width);
      std::string padded = left(text, width);
      const std::string_view colour = env.colours ? colour_of_word(cell) : std::string_view();
      if (colour.empty()) return padded;
      return std::string(colour) + text + std::string(kPlain) + padded.substr(text.size());
    });
  }
}

std::size_t columns_of(const CliEnvironment& env) {
  constexpr std::size_t kUsual = 80;
  return env.columns > 0 ? env.columns : kUsual;
}

std::string_view colour_of_word(std::string_view word) {
  constexpr std::string_view kRed = "\x1b[31m";
  constexpr std::string_view kGreen = "\x1b[32m";
  constexpr std::string_view kYellow = "\x1b[33m";
  constexpr std::string_view kCyan = "\x1b[36m";
  constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kWords{
      {{"failed", kRed},
       {"Failure", kRed},
       {"aborted", kRed},
       {"missed_down", kRed},
       {"missed_late", kRed},
       {"past_deadline", kRed},
       {"done", kGreen},
       {"Success", kGreen},
       {"ran", kGreen},
       {"stopping", kYellow},
       {"queued", kYellow},
       {"paused", kYellow},
       {"running", kCyan},
       {"Running", kCyan}}};
  for (const auto& [known, colour] : kWords) {
    if (known == word) return colour;
  }
  return {};
}

}  // namespace docket::cli
