#include "cli/watch_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <cmath>

#include "cli/client/json_access.h"
#include "cli/client/table.h"
#include "core/utf8.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kState = 8;
constexpr std::size_t kBar = 18;
constexpr std::size_t kFigures = 19;
constexpr std::size_t kIndentMax = 20;
constexpr std::size_t kNameMin = 16;

struct Range {
  char32_t first, last;
};
// East Asian wide and fullwidth characters, others that most terminals draw wide, and zero-width
// marks.
constexpr std::array<Range, 10> kWide{{{0x1100, 0x115F},
                                       {0x2E80, 0xA4CF},
                                       {0xAC00, 0xD7A3},
                                       {0xF900, 0xFAFF},
                                       {0xFE30, 0xFE6F},
                                       {0xFF00, 0xFF60},
                                       {0xFFE0, 0xFFE6},
                                       {0x1F300, 0x1F64F},
                                       {0x1F680, 0x1FAFF},
                                       {0x20000, 0x3FFFD}}};
constexpr std::array<Range, 5> kNarrow{
    {{0x0300, 0x036F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xE0100, 0xE01EF}}};

template <class Ranges>
bool within(const Ranges& ranges, char32_t c) {
  return std::ranges::any_of(ranges, [c](Range r) { return c >= r.first && c <= r.last; });
}

char32_t decode(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return byte(0);
  char32_t code = byte(0) & (0xFFU >> (character.size() + 1));
  for (std::size_t i = 1; i < character.size(); ++i) code = (code << 6U) | (byte(i) & 0x3FU);
  return code;
}

std::size_t width_of(std::string_view character) {
  const char32_t code = decode(character);
  if (within(kNarrow, code)) return 0;
  return within(kWide, code) ? 2 : 1;
}

// Names come from anywhere, so they must not be able to move the cursor.
std::string escape_control_characters(std::string_view text) {
  std::string clean = to_utf8(text);
  std::ranges::replace_if(
      clean, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return clean;
}

std::string joined(std::initializer_list<std::string> words, const char* between) {
  std::string out;
  for (const std::string& word : words) {
    if (!word.empty()) out += (out.empty() ? "" : between) + word;
  }
  return out;
}

std::string name_of(const json::value& task) {
  const std::string id = text_at(task, "id");
  const json::value& operation = member(task, "operation");
  if (operation.is_null()) {
    const std::string what = text_at(task, "kind");
    return joined({id, what, text_at(task, "job"), text_at(task, "name")}, " ");
  }
  const std::string type = text_at(operation, "type");
  return joined({id, type.empty() ? text_at(operation, "module") : type,
                 joined({text_at(operation, "keyspace"), text_at(operation, "table")}, "."),
                 text_at(operation, "entity")},
                " ");
}

std::string state_of(const json::value& task) {
  const bool stopping = member(task, "stopping") == json::value(true);
  const std::string state = text_at(task, "state");
  return stopping && (state == "running" || state == "created") ? "stopping" : state;
}

std::string_view colour_of(const std::string& state) {
  constexpr std::string_view kDim = "\x1b[2m";
  const std::string_view colour = colour_of_word(state);
  return colour.empty() ? kDim : colour;
}

double number_at(const json::value& object, std::string_view name) {
  const json::value& value = member(object, name);
  return value.is_number() ? value.to_number<double>() : 0;
}

struct Progress {
  double share = 0;  // 0 to 1
  std::string figures;
};

Progress progress_of(const json::value& task) {
  const json::value& progress = member(task, "progress");
  const double total = number_at(progress, "total");
  const double completed = number_at(progress, "completed");
  const bool done = text_at(task, "state") == "done";
  Progress shown{.share = total > 0 ? std::clamp(completed / total, 0.0, 1.0) : (done ? 1.0 : 0.0),
                 .figures = short_number(completed) + "/" + short_number(total)};
  const std::string units = text_at(progress, "units");
  if (!units.empty()) shown.figures += " " + escape_control_characters(units);
  return shown;
}

std::string bar(double share) {
  const std::size_t inner = kBar - 2;
  const auto full = static_cast<std::size_t>(share * static_cast<double>(inner));
  return "[" + std::string(full, '#') + std::string(inner - full, '-') + "]";
}

class View {
 public:
  explicit View(const ViewSize& size) : size_(size) {
    // One column stays free: some terminals wrap after writing the last.
    columns_ = std::max<std::size_t>(size.columns, 20) - 1;
    ended_ = size.ended;
    failed_ = size.failed;
    const auto fits = [this](std::size_t more) { return columns_ >= kNameMin + right_ + more; };
    right_ = 1 + kState;
    if (fits(5)) right_ += 5, percent_ = true;
    if (fits(1 + kBar)) right_ += 1 + kBar, bar_ = true;
    if (fits(1 + kFigures)) right_ += 1 + kFigures, figures_ = true;
  }

  void add(const json::value& task, std::size_t depth) {
    count(task);
    tasks_.push_back({&task, depth});
    for (const json::value& child : array_at(task, "children")) add(child, depth + 1);
  }

  std::vector<std::string> finish() {
    std::vector<std::size_t> room = room_by_depth();
    std::vector<std::string> lines;
    for (const Placed& placed : tasks_) {
      if (room[placed.depth] == 0) continue;
      --room[placed.depth];
      lines.push_back(line_of(*placed.task, placed.depth));
    }
    const std::size_t hidden = tasks_.size() - lines.size();
    std::string last = fmt::format("{} live, {} ended, {} failed", live_, ended_, failed_);
    if (hidden > 0) last += fmt::format("; {} more", hidden);
    lines.push_back(fitted(last, columns_));
    for (std::string& line : lines) line.erase(line.find_last_not_of(' ') + 1);
    return lines;
  }

 private:
  struct Placed {
    const json::value* task = nullptr;
    std::size_t depth = 0;
  };

  // How many tasks of each depth get a line: those near the roots come first. One line is for the
  // counts, and one below it for the cursor.
  std::vector<std::size_t> room_by_depth() const {
    std::vector<std::size_t> room;
    for (const Placed& placed : tasks_) {
      if (room.size() <= placed.depth) room.resize(placed.depth + 1);
      ++room[placed.depth];
    }
    std::size_t left = size_.rows == 0 ? tasks_.size() : std::max<std::size_t>(size_.rows, 3) - 2;
    for (std::size_t& of_depth : room) {
      of_depth = std::min(of_depth, left);
      left -= of_depth;
    }
    return room;
  }

  void count(const json::value& task) {
    const std::string state = text_at(task, "state");
    const bool failed = state == "failed" || state == "aborted";
    state == "done" || failed ? ++ended_ : ++live_;
    failed_ += failed ? 1 : 0;
    const json::value& operation = member(task, "operation");
    ended_ += static_cast<std::size_t>(number_at(operation, "childrenEnded"));
    failed_ += static_cast<std::size_t>(number_at(operation, "childrenFailed"));
  }

  std::string line_of(const json::value& task, std::size_t depth) const {
    const std::string indent(std::min(2 * depth, kIndentMax), ' ');
    const std::string state = state_of(task);
    const Progress progress = progress_of(task);
    std::string line =
        fitted(indent + escape_control_characters(name_of(task)), columns_ - right_) + " ";
    line += coloured(fitted(state, kState), colour_of(state));
    if (bar_) line += " " + coloured(bar(progress.share), colour_of(state));
    if (percent_) line += fmt::format(" {:>3}%", static_cast<int>(progress.share * 100));
    if (figures_) line += " " + fitted(progress.figures, kFigures);
    return line;
  }

  std::string coloured(const std::string& text, std::string_view colour) const {
    if (!size_.colours) return text;
    return std::string(colour) + text + std::string(kPlain);
  }

  const ViewSize& size_;
  std::size_t columns_ = 0;
  std::size_t right_ = 0;  // width of what follows the name
  bool percent_ = false, bar_ = false, figures_ = false;
  std::vector<Placed> tasks_;
  std::size_t live_ = 0, ended_ = 0, failed_ = 0;
};

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(1, utf8_length(text));
    width += width_of(text.substr(0, length));
    text.remove_prefix(length);
  }
  return width;
}

std::string fitted(std::string_view text, std::size_t columns) {
  const std::size_t whole = display_width(text);
  if (whole <= columns) return std::string(text) + std::string(columns - whole, ' ');
  std::size_t width = 0;
  std::size_t end = 0;
  while (end < text.size()) {
    const std::size_t length = std::max<std::size_t>(1, utf8_length(text.substr(end)));
    const std::size_t more = width_of(text.substr(end, length));
    if (width + more + 1 > columns) break;
    width += more;
    end += length;
  }
  return std::string(text.substr(0, end)) + "\u2026" + std::string(columns - width - 1, ' ');
}

std::string short_number(double number) {
  constexpr std::array kSuffixes{"", "k", "M", "G", "T", "P", "E"};
  if (number < 1e5) return fmt::format("{:.6g}", std::floor(number * 10) / 10);
  std::size_t power = 0;
  while (number >= 1000 && power + 1 < kSuffixes.size()) {
    number /= 1000;
    ++power;
  }
  return fmt::format("{:.1f}{}", number, kSuffixes[power]);
}

std::vector<std::string> view_lines(const json::array& trees, const ViewSize& size) {
  View view(size);
  for (const json::value& tree : trees) view.add(tree, 0);
  return view.finish();
}

}  // namespace docket::cli
