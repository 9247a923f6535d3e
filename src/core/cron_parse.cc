// The dialect is that of cron-utils as DC/OS Jobs configures it: metronome.md section 5.
// Each field is a list of items; an item yields values (a set of bits) and its own normal form.
// What an item means is spelt out at parse_item. Tested by cron_test.cc (the reference's tables)
// and cron_oracle_test.cc (an independent reading of the same rules).

#include "core/cron_parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>
#include <vector>

#include "core/json_writer.h"

namespace docket {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 12> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                      "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> kWeekdays = {"MON", "TUE", "WED", "THU",
                                                       "FRI", "SAT", "SUN"};

// What is particular to a field. Names count from 1. `cycle` is where a reversed range wraps:
// after its last value, except that weekday 7 is weekday 0.
struct FieldRule {
  const char* name;
  const char* also;  // what else an item may be
  int first;
  int last;
  int cycle;
  Names names;
};

constexpr FieldRule kMinute{"minute", "", 0, 59, 60, {}};
constexpr FieldRule kHour{"hour", "", 0, 23, 24, {}};
constexpr FieldRule kDay{"day of month", ", L, L-3, 15W", 1, 31, 31, {}};
constexpr FieldRule kMonth{"month", ", JAN to DEC", 1, 12, 12, kMonths};
constexpr FieldRule kWeekday{"day of week", ", MON to SUN, 1#2", 0, 7, 7, kWeekdays};
constexpr FieldRule kYear{
    "year", "", CronFields::kFirstYear, CronFields::kLastYear, CronFields::kYears, {}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// The items of a list. A missing one (`1,,2`, `1,`) comes out empty, which no item may be.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t comma = 0;
  while ((comma = text.find(',')) != std::string_view::npos) {
    parts.push_back(text.substr(0, comma));
    text.remove_prefix(comma + 1);
  }
  parts.push_back(text);
  return parts;
}

std::vector<std::string_view> split_fields(std::string_view text) {
  std::vector<std::string_view> fields;
  for (std::size_t at = 0; at < text.size();) {
    if (is_blank(text[at])) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    while (at < text.size() && !is_blank(text[at])) ++at;
    fields.push_back(text.substr(begin, at - begin));
  }
  return fields;
}

std::optional<int> parse_number(std::string_view text, int first, int last) {
  int value = 0;
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value < first || value > last) return std::nullopt;
  return value;
}

std::optional<int> parse_value(std::string_view text, const FieldRule& rule) {
  const auto name = std::find(rule.names.begin(), rule.names.end(), text);
  if (name != rule.names.end()) return static_cast<int>(name - rule.names.begin()) + 1;
  return parse_number(text, rule.first, rule.last);
}

// One item of a list, read.
struct Item {
  enum class Form { kEvery, kValue, kRange };  // *  5  5-9
  Form form = Form::kValue;
  int first = 0;
  int last = 0;
  int step = 0;  // 0: none given
};

// The part before the slash. A weekday 7 alone is 0, in a range it stays (6-7, and 7-2 wraps).
std::optional<Item> parse_base(std::string_view text, const FieldRule& rule) {
  if (text == "*") return Item{Item::Form::kEvery, rule.first, rule.last};
  const std::size_t dash = text.find('-');
  auto first = parse_value(text.substr(0, dash), rule);
  if (!first) return std::nullopt;
  if (dash == std::string_view::npos) {
    if (rule.first == 0) *first %= rule.cycle;
    return Item{Item::Form::kValue, *first, *first};
  }
  const auto last = parse_value(text.substr(dash + 1), rule);
  if (!last) return std::nullopt;
  return Item{Item::Form::kRange, *first, *last};
}

// * n a-b, each also with /step; "/step" alone means "*/step", and "a/step" runs to the end of the
// field.
std::optional<Item> parse_item(std::string_view text, const FieldRule& rule) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return parse_base(text, rule);
  auto item = parse_base(slash == 0 ? "*" : text.substr(0, slash), rule);
  const auto step = parse_number(text.substr(slash + 1), 1, rule.last - rule.first);
  if (!item || !step) return std::nullopt;
  item->step = *step;
  if (item->form == Item::Form::kValue) item->last = rule.last;
  return item;
}

// Why parse_item read nothing.
std::string flaw_of_item(std::string_view text, const FieldRule& rule) {
  if (text.empty()) return fmt::format("{}: an item of the list is empty", rule.name);
  std::string flaw = fmt::format("{}: ", rule.name);
  append_json_string(flaw, text);
  const std::size_t slash = text.find('/');
  const bool is_step = slash != std::string_view::npos;
  if (is_step && !parse_number(text.substr(slash + 1), 1, rule.last - rule.first)) {
    return flaw + fmt::format(": a step is a number from 1 to {}", rule.last - rule.first);
  }
  return flaw + fmt::format(" is none of *, {} to {}{}, or a range or step of these", rule.first,
                            rule.last, rule.also);
}

std::string normal_form(const Item& item) {
  const bool every = item.form == Item::Form::kEvery;
  std::string text = every ? "*" : std::to_string(item.first);
  if (item.form == Item::Form::kRange) text += "-" + std::to_string(item.last);
  if (item.step > 1 || (item.step == 1 && !every)) text += "/" + std::to_string(item.step);
  return text;
}

// The item's values, counted from the field's first. Reversed ranges wrap around the cycle.
template <std::size_t kSize>
void set_values(const Item& item, const FieldRule& rule, std::bitset<kSize>& values) {
  const int wrap = item.last < item.first ? rule.cycle : 0;
  const int length = item.last + wrap - item.first;
  for (int distance = 0; distance <= length; distance += std::max(item.step, 1)) {
    const int value = (item.first - rule.first + distance) % rule.cycle;
    values.set(static_cast<std::size_t>(value));
  }
}

class Parser {
 public:
  Result<ParsedCron> parse(const std::vector<std::string_view>& texts) {
    const bool read = minute(texts[0]) && hour(texts[1]) && day(texts[2]) && month(texts[3]) &&
                      weekday(texts[4]) && (texts.size() == 5 || year(texts[5]));
    if (!read) return fail(ErrorKind::kInvalid, std::move(flaw_));
    if (!any_day_is_due()) {
      return fail(ErrorKind::kInvalid, "is never due: there is no such date");
    }
    return ParsedCron{fields_, std::move(text_)};
  }

 private:
  // Reads the items that `special` does not take (it appends the text of those it takes).
  template <std::size_t kSize, class Special>
  bool list(std::string_view text, const FieldRule& rule, std::bitset<kSize>& values,
            Special special) {
    if (!text_.empty()) text_ += ' ';
    for (const std::string_view part : split(text)) {
      if (special(part)) continue;
      const auto item = parse_item(part, rule);
      if (!item) {
        flaw_ = flaw_of_item(part, rule);
        return false;
      }
      append(normal_form(*item));
      set_values(*item, rule, values);
    }
    return true;
  }
  template <std::size_t kSize>
  bool list(std::string_view text, const FieldRule& rule, std::bitset<kSize>& values) {
    return list(text, rule, values, [](std::string_view) { return false; });
  }

  bool minute(std::string_view text) {
    std::bitset<60> values;
    const bool ok = list(text, kMinute, values);
    fields_.minutes = values.to_ullong();
    return ok;
  }
  bool hour(std::string_view text) {
    std::bitset<24> values;
    const bool ok = list(text, kHour, values);
    fields_.hours = static_cast<std::uint32_t>(values.to_ulong());
    return ok;
  }
  bool day(std::string_view text) {
    std::bitset<31> values;
    const bool ok =
        list(text, kDay, values, [this](std::string_view part) { return special_day(part); });
    fields_.days = static_cast<std::uint32_t>(values.to_ulong());
    return ok;
  }
  bool month(std::string_view text) {
    std::bitset<12> values;
    const bool ok = list(text, kMonth, values);
    fields_.months = static_cast<std::uint16_t>(values.to_ulong());
    return ok;
  }
  bool weekday(std::string_view text) {
    std::bitset<7> values;
    const bool ok = list(text, kWeekday, values, [&](std::string_view part) {
      return nth_weekday(part) || lone_last(part, text);
    });
    fields_.weekdays |= static_cast<std::uint8_t>(values.to_ulong());
    return ok;
  }
  bool year(std::string_view text) {
    const bool ok = list(text, kYear, fields_.years);
    if (fields_.years.all()) fields_.years.reset();
    return ok;
  }

  // L, L-3, 15W.
  bool special_day(std::string_view text) {
    if (text == "L") return set_last(0);
    if (text.starts_with("L-")) {
      const auto distance = parse_number(text.substr(2), 1, 30);
      return distance && set_last(*distance);
    }
    if (!text.ends_with('W')) return false;
    const auto number = parse_number(text.substr(0, text.size() - 1), 1, 31);
    if (!number) return false;
    fields_.nearest_weekdays |= std::uint32_t{1} << (*number - 1);
    append(std::to_string(*number) + "W");
    return true;
  }
  bool set_last(int distance) {
    fields_.days_from_last |= std::uint32_t{1} << distance;
    append(distance == 0 ? "L" : "L-" + std::to_string(distance));
    return true;
  }

  // 1#2: the second Monday.
  bool nth_weekday(std::string_view text) {
    const std::size_t hash = text.find('#');
    if (hash == std::string_view::npos) return false;
    const auto weekday = parse_value(text.substr(0, hash), kWeekday);
    const auto nth = parse_number(text.substr(hash + 1), 1, 5);
    if (!weekday || !nth) return false;
    const int number = *weekday % kWeekday.cycle;
    fields_.nth[static_cast<std::size_t>(*nth - 1)] |= static_cast<std::uint8_t>(1 << number);
    append(std::to_string(number) + "#" + std::to_string(*nth));
    return true;
  }
  // L in the weekday field, and only alone there, is plain Sunday.
  bool lone_last(std::string_view part, std::string_view field) {
    if (part != "L" || field != "L") return false;
    fields_.weekdays |= 1;
    append("L");
    return true;
  }

  void append(std::string_view item) {
    if (!text_.empty() && text_.back() != ' ') text_ += ',';
    text_ += item;
  }

  // False for `31 2`, 29 February in years that have none, a weekday that a single date never is.
  bool any_day_is_due() const {
    const std::chrono::year_month end = std::chrono::year{CronFields::kLastYear + 1} / 1;
    for (auto at = std::chrono::year{CronFields::kFirstYear} / 1; at < end; at += kOneMonth) {
      if (fields_.has_year(at.year()) && fields_.due_days(at) != 0) return true;
    }
    return false;
  }

  static constexpr std::chrono::months kOneMonth{1};

  CronFields fields_;
  std::string text_;
  std::string flaw_;
};

}  // namespace

Result<ParsedCron> parse_cron(std::string_view text) {
  if (text.size() > kMaxCronLength) {
    return fail(ErrorKind::kInvalid,
                fmt::format("an expression may have at most {} characters", kMaxCronLength));
  }
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(), to_upper);
  const auto fields = split_fields(upper);
  if (fields.size() != 5 && fields.size() != 6) {
    return fail(
        ErrorKind::kInvalid,
        fmt::format(
            "needs 5 fields (minute, hour, day of month, month, day of week), or 6 with a year; "
            "it has {}",
            fields.size()));
  }
  return Parser().parse(fields);
}

}  // namespace docket
