#include "http/wire.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "http/envelope.h"

namespace docket::http {
namespace {

void append_number(std::string& out, std::uint64_t number, int base) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  out.append(digits.data(), end);
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

void append_value(std::string& out, std::string_view value) {
  const auto start = out.size();
  out.append(value);
  std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), is_control, ' ');
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  append_value(out, value);
  out.append("\r\n");
}

bool is_framing(std::string_view name) {
  constexpr std::array<std::string_view, 4> kFraming{"content-length", "transfer-encoding",
                                                     "connection", "date"};
  return std::ranges::any_of(kFraming,
                             [&](auto framing) { return equal_ignoring_case(name, framing); });
}

bool is_sound_name(std::string_view name) {
  return !name.empty() &&
         std::ranges::none_of(name, [](char c) { return is_control(c) || c == ' ' || c == ':'; });
}

void append_two_digits(std::string& out, unsigned value) {
  out.push_back(static_cast<char>('0' + value / 10));
  out.push_back(static_cast<char>('0' + value % 10));
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

bool is_json_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' ') || content_type.ends_with('\t')) content_type.remove_suffix(1);
  return equal_ignoring_case(content_type, "application/json") ||
         equal_ignoring_case(content_type, "text/json");
}

bool may_have_body(int status) { return status >= 200 && status != 204 && status != 304; }

void append_head(std::string& out, const Response& response, const HeadOptions& options) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(response.status), 10);
  out.append(" ").append(reason_phrase(response.status)).append("\r\n");
  if (!options.server.empty()) append_field(out, "Server", options.server);
  out.append("Date: ").append(options.date).append("\r\n");
  if (!response.content_type.empty()) append_field(out, "Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) {
    if (is_sound_name(name) && !is_framing(name)) append_field(out, name, value);
  }
  if (may_have_body(response.status)) {
    if (options.form == BodyForm::kSized) {
      out.append("Content-Length: ");
      append_number(out, response.body.size(), 10);
      out.append("\r\n");
    } else if (options.form == BodyForm::kChunked) {
      out.append("Transfer-Encoding: chunked\r\n");
    }
  }
  if (options.close) {
    out.append("Connection: close\r\n");
  } else if (options.http10) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

void append_chunk(std::string& out, std::string_view data) {
  append_number(out, data.size(), 16);
  out.append("\r\n").append(data).append("\r\n");
}

void append_last_chunk(std::string& out) { out.append("0\r\n\r\n"); }

std::string_view DateCache::at(std::int64_t unix_seconds) {
  if (unix_seconds == second_) return text_;
  constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  second_ = unix_seconds;
  const std::chrono::sys_seconds time{std::chrono::seconds{unix_seconds}};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  text_.assign(kDays.substr(std::chrono::weekday{day}.c_encoding() * 3, 3)).append(", ");
  append_two_digits(text_, static_cast<unsigned>(date.day()));
  text_.append(" ").append(kMonths.substr((static_cast<unsigned>(date.month()) - 1) * 3, 3));
  text_.append(" ");
  append_number(text_, static_cast<std::uint64_t>(static_cast<int>(date.year())), 10);
  text_.append(" ");
  append_two_digits(text_, static_cast<unsigned>(clock.hours().count()));
  text_.append(":");
  append_two_digits(text_, static_cast<unsigned>(clock.minutes().count()));
  text_.append(":");
  append_two_digits(text_, static_cast<unsigned>(clock.seconds().count()));
  text_.append(" GMT");
  return text_;
}

}  // namespace docket::http
