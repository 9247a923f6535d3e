#include "cli/table.h"

#include <algorithm>
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

void Table::print(std::ostream& out, std::size_t columns) const {
  std::vector<std::size_t> widths;
  for (const std::string& name : header_) widths.push_back(width_of(name));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::size_t before_last = 0;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) before_last += widths[i] + kGap;
  if (columns > before_last + width_of(header_.back()) + kGap) {
    widths.back() = std::min(widths.back(), columns - before_last - kGap);
  }
  for (std::size_t i = 0; i < header_.size(); ++i) out << centred(header_[i], widths[i]);
  out << '\n';
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) out << left(cut(row[i], widths[i]), widths[i]);
    out << '\n';
  }
}

}  // namespace docket::cli
