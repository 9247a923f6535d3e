#include "core/time.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace docket {
namespace {

void append_digits(std::string& out, std::uint64_t number, int width) {
  const std::size_t end = out.size() + static_cast<std::size_t>(width);
  out.resize(end);
  for (std::size_t at = end; width-- > 0; number /= 10) out[--at] = char('0' + number % 10);
}

void append_year(std::string& out, int year) {
  if (year >= 0 && year <= 9999) return append_digits(out, static_cast<unsigned>(year), 4);
  out += std::to_string(year);
}

// By hand: lists are mostly times, and format strings stood out in their profile.
std::string format_iso(Time time, int fraction_digits, std::string_view zone) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::uint64_t micros = static_cast<std::uint64_t>((time - day).count());
  const std::uint64_t seconds = micros / 1'000'000;
  std::string out;
  out.reserve(40);
  append_year(out, int(date.year()));
  for (const auto& [mark, number] : {std::pair{'-', std::uint64_t{unsigned(date.month())}},
                                     {'-', std::uint64_t{unsigned(date.day())}},
                                     {'T', seconds / 3600},
                                     {':', seconds / 60 % 60},
                                     {':', seconds % 60}}) {
    out += mark;
    append_digits(out, number, 2);
  }
  if (fraction_digits > 0) {
    out += '.';
    append_digits(out, fraction_digits == 3 ? micros / 1000 % 1000 : micros % 1'000'000,
                  fraction_digits);
  }
  return out.append(zone);
}

// Reads fixed-width fields off the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  int number(std::size_t width, int greatest) {
    int value = 0;
    if (rest_.size() < width) return bad();
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + width, value);
    if (error != std::errc{} || end != rest_.data() + width || rest_[0] == '-') return bad();
    if (value > greatest) return bad();
    rest_.remove_prefix(width);
    return value;
  }
  bool accept(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) ok_ = false;
  }
  // Digits after the decimal point, scaled to microseconds; more than six are dropped.
  std::int64_t fraction() {
    std::int64_t value = 0;
    int digits = 0;
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; rest_.remove_prefix(1)) {
      if (digits++ < 6) value = value * 10 + (rest_[0] - '0');
    }
    if (digits == 0) bad();
    for (; digits < 6; ++digits) value *= 10;
    return value;
  }
  bool finished() const { return ok_ && rest_.empty(); }

 private:
  int bad() {
    ok_ = false;
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

std::chrono::minutes read_zone(Reader& in) {
  if (in.accept('Z')) return std::chrono::minutes{0};
  const int sign = in.accept('-') ? -1 : 1;
  if (sign > 0) in.expect('+');
  const int hours = in.number(2, 23);
  in.accept(':');
  return sign * (std::chrono::hours{hours} + std::chrono::minutes{in.number(2, 59)});
}

}  // namespace

std::string format_metronome(Time time) { return format_iso(time, 3, "+0000"); }

std::string format_seconds(Time time) { return format_iso(time, 0, "Z"); }

std::string format_rfc3339(Time time) { return format_iso(time, 6, "Z"); }

Result<Time> parse_time(std::string_view text) {
  Reader in(text);
  const int year = in.number(4, 9999);
  in.expect('-');
  const auto month = static_cast<unsigned>(in.number(2, 99));
  in.expect('-');
  const auto day = static_cast<unsigned>(in.number(2, 99));
  in.expect('T');
  const int hour = in.number(2, 23);
  in.expect(':');
  const int minute = in.number(2, 59);
  in.expect(':');
  const int second = in.number(2, 60);  // 60: a leap second, the next minute
  const std::int64_t micros = in.accept('.') ? in.fraction() : 0;
  const auto offset = read_zone(in);
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                                         std::chrono::day{day}};
  if (!in.finished() || !date.ok()) {
    return fail(ErrorKind::kInvalid, fmt::format("not a timestamp: {}", text));
  }
  return Time{std::chrono::sys_days{date}} + std::chrono::hours{hour} +
         std::chrono::minutes{minute} + std::chrono::seconds{second} + Duration{micros} - offset;
}

}  // namespace docket
