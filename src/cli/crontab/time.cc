#include "cli/crontab/time.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <span>

#include "core/cron.h"

namespace docket::cli {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays{"sun", "mon", "tue", "wed",
                                                    "thu", "fri", "sat"};

struct FieldRule {
  std::string_view name;
  int low;
  int high;
  std::span<const std::string_view> names = {};  // the first one means `low`
  bool wraps = false;                            // 5-1 is Friday to Monday
};

const std::array<FieldRule, 5> kRules{{{"minute", 0, 59},
                                       {"hour", 0, 23},
                                       {"day-of-month", 1, 31},
                                       {"month", 1, 12, kMonths},
                                       {"day-of-week", 0, 7, kWeekdays, true}}};

tl::unexpected<Error> refuse(const FieldRule& rule, std::string_view text, std::string_view why) {
  return fail(ErrorKind::kInvalid,
              std::string(rule.name) + " \"" + std::string(text) + "\" " + std::string(why));
}

std::optional<int> number_of(std::string_view text) {
  int value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || at != end || text.front() == '-') return std::nullopt;
  return value;
}

std::optional<int> value_of(const FieldRule& rule, std::string_view text) {
  if (const auto number = number_of(text)) {
    return *number >= rule.low && *number <= rule.high ? number : std::nullopt;
  }
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto found = std::find(rule.names.begin(), rule.names.end(), lower);
  if (found == rule.names.end()) return std::nullopt;
  return rule.low + static_cast<int>(found - rule.names.begin());
}

// `step` of a range from `low`: cron accepts any, docket only those that reach a second value.
std::string with_step(const FieldRule& rule, const std::string& range, int low, int step) {
  if (step == 1) return range;
  if (step > rule.high - rule.low) return std::to_string(low);
  return range + "/" + std::to_string(step);
}

Result<std::string> translate_range(const FieldRule& rule, std::string_view item,
                                    std::string_view range, std::optional<int> step) {
  const std::size_t dash = range.find('-');
  const auto first = value_of(rule, range.substr(0, dash));
  if (!first) return refuse(rule, item, "is not a value that cron knows");
  if (dash == range.npos) {
    if (step) return refuse(rule, item, "has a step without a range, which cron does not accept");
    return std::to_string(*first);
  }
  auto last = value_of(rule, range.substr(dash + 1));
  if (!last) return refuse(rule, item, "is not a range that cron knows");
  if (rule.wraps && *last == 0) last = 7;  // sat-sun
  if (*last < *first && !rule.wraps) return refuse(rule, item, "is a range that runs backwards");
  const std::string text = std::to_string(*first) + "-" + std::to_string(*last);
  return with_step(rule, *first == *last ? std::to_string(*first) : text, *first, step.value_or(1));
}

Result<std::string> translate_item(const FieldRule& rule, std::string_view item) {
  if (item.find('~') != item.npos) {
    return refuse(rule, item, "asks for a random time: choose one");
  }
  const std::size_t slash = item.find('/');
  std::optional<int> step;
  if (slash != item.npos) {
    step = number_of(item.substr(slash + 1));
    if (!step || *step == 0) return refuse(rule, item, "has a step that is not a number above 0");
  }
  const std::string_view range = item.substr(0, slash);
  if (range == "*") return with_step(rule, "*", rule.low, step.value_or(1));
  return translate_range(rule, item, range, step);
}

Result<std::string> translate_field(const FieldRule& rule, std::string_view field) {
  std::string out;
  for (std::size_t at = 0; at <= field.size();) {
    const std::size_t comma = std::min(field.find(',', at), field.size());
    const auto item = translate_item(rule, field.substr(at, comma - at));
    if (!item) return fail(item.error());
    if (*item == "*") return std::string("*");
    out += (out.empty() ? "" : ",") + *item;
    at = comma + 1;
  }
  return out;
}

// The days of the month that a field omits, as a field; empty: none.
std::string other_days(const std::string& field) {
  std::array<bool, 32> taken{};
  for (std::size_t at = 0; at <= field.size();) {
    const std::size_t comma = std::min(field.find(',', at), field.size());
    const std::string item = field.substr(at, comma - at);
    const std::size_t slash = item.find('/');
    const std::string range = item.substr(0, slash);
    const std::size_t dash = range.find('-');
    const int first = number_of(range.substr(0, dash)).value_or(1);
    const int last = range == "*"         ? 31
                     : dash == range.npos ? first
                                          : number_of(range.substr(dash + 1)).value_or(31);
    const int step = slash == item.npos ? 1 : number_of(item.substr(slash + 1)).value_or(1);
    for (int day = first; day <= last; day += step) taken[static_cast<std::size_t>(day)] = true;
    at = comma + 1;
  }
  std::string others;
  for (std::size_t day = 1; day < taken.size(); ++day) {
    const std::size_t first = day;
    while (day < taken.size() && !taken[day]) ++day;
    if (day == first) continue;
    others += (others.empty() ? "" : ",") + std::to_string(first);
    if (day - 1 > first) others += "-" + std::to_string(day - 1);
  }
  return others;
}

Result<CrontabTime> checked(std::string suffix, const std::string& cron) {
  const auto parsed = Cron::parse(cron);
  if (!parsed) return fail(parsed.error());
  return CrontabTime{std::move(suffix), parsed->text()};
}

// For cron a step with a star (*/2) leaves a day field unrestricted, and the two are then ANDed, as
// in docket.
bool is_restricted(const std::string& field) { return !field.starts_with('*'); }

}  // namespace

Result<std::vector<CrontabTime>> translate_fields(const std::array<std::string, 5>& fields) {
  std::array<std::string, 5> out;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    auto field = translate_field(kRules[i], fields[i]);
    if (!field) return fail(field.error());
    out[i] = *std::move(field);
  }
  const std::string front = out[0] + " " + out[1] + " ";
  std::vector<Result<CrontabTime>> times;
  if (is_restricted(fields[2]) && is_restricted(fields[4])) {
    times.push_back(checked("", front + out[2] + " " + out[3] + " *"));
    const std::string others = other_days(out[2]);
    if (!others.empty()) {
      times.push_back(checked("dow", front + others + " " + out[3] + " " + out[4]));
    }
  } else {
    times.push_back(checked("", front + out[2] + " " + out[3] + " " + out[4]));
  }
  std::vector<CrontabTime> result;
  for (auto& time : times) {
    if (!time) return fail(time.error());
    result.push_back(*std::move(time));
  }
  return result;
}

Result<std::vector<CrontabTime>> translate_macro(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, const char*>, 8> kMacros{
      {{Cron::kReboot, Cron::kReboot},
       {"@yearly", "0 0 1 1 *"},
       {"@annually", "0 0 1 1 *"},
       {"@monthly", "0 0 1 * *"},
       {"@weekly", "0 0 * * 0"},
       {"@daily", "0 0 * * *"},
       {"@midnight", "0 0 * * *"},
       {"@hourly", "0 * * * *"}}};
  for (const auto& [macro, cron] : kMacros) {
    if (macro == word) return std::vector<CrontabTime>{{"", cron}};
  }
  return fail(ErrorKind::kInvalid, std::string(word) + " is not a word that cron knows");
}

}  // namespace docket::cli
