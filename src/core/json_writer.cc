#include "core/json_writer.h"

#include <array>
#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>
#include <cstring>

#include "core/utf8.h"

namespace docket {
namespace {

// Whole doubles up to here are exact integers and take the quick way out.
constexpr double kExactIntegers = 9007199254740992.0;
// The longest plain double is a subnormal: "-0." + 323 zeros + 17 digits.
constexpr std::size_t kLongestNumber = 400;

// Eight bytes at once: does any need an escape (below 0x20, quote, backslash) or a look at its
// UTF-8 (0x80 up)? Classic zero-byte test on three differences; a false alarm only costs the slow
// loop below.
bool all_plain(const char* bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  const std::uint64_t quotes = word ^ (kOnes * '"');
  const std::uint64_t slashes = word ^ (kOnes * '\\');
  const std::uint64_t alarms = word | (word - kOnes * 0x20) | (quotes - kOnes) | (slashes - kOnes);
  return (alarms & kHighs) == 0;
}

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

std::size_t plain_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at + 8 <= text.size() && all_plain(text.data() + at)) at += 8;
  while (at < text.size() && is_plain(text[at])) ++at;
  return at;
}

char short_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
      return c;
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return '\0';
  }
}

void append_escape(std::string& out, char c) {
  if (const char letter = short_escape(c)) {
    const std::array<char, 2> escape{'\\', letter};
    out.append(escape.data(), escape.size());
    return;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  const std::array<char, 6> escape{'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
  out.append(escape.data(), escape.size());
}

// Appends the character at the front that plain_prefix stopped at; returns the bytes it took.
std::size_t append_special(std::string& out, std::string_view text) {
  if (static_cast<unsigned char>(text[0]) < 0x80) {
    append_escape(out, text[0]);
    return 1;
  }
  const std::size_t length = utf8_length(text);
  out.append(length == 0 ? kReplacementCharacter : text.substr(0, length));
  return length == 0 ? 1 : length;
}

template <class T>
void append_integer(std::string& out, T number) {
  std::array<char, 24> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  out.append(buffer.data(), end);
}

// Writes a tree; an indent of 0 means one line.
class TreeWriter {
 public:
  TreeWriter(std::string& out, unsigned indent) : out_(out), indent_(indent) {}

  void write(const boost::json::value& value) {
    switch (value.kind()) {
      case boost::json::kind::null:
        out_.append("null");
        return;
      case boost::json::kind::bool_:
        out_.append(value.get_bool() ? "true" : "false");
        return;
      case boost::json::kind::int64:
        return append_json_number(out_, value.get_int64());
      case boost::json::kind::uint64:
        return append_json_number(out_, value.get_uint64());
      case boost::json::kind::double_:
        return append_json_number(out_, value.get_double());
      case boost::json::kind::string:
        return append_json_string(out_, value.get_string());
      case boost::json::kind::array:
        return write_array(value.get_array());
      case boost::json::kind::object:
        return write_object(value.get_object());
    }
  }

 private:
  void write_array(const boost::json::array& array) {
    out_.push_back('[');
    ++depth_;
    bool first = true;
    for (const auto& element : array) {
      next_line(first);
      write(element);
    }
    finish(']', array.empty());
  }

  void write_object(const boost::json::object& object) {
    out_.push_back('{');
    ++depth_;
    bool first = true;
    for (const auto& [name, member] : object) {
      next_line(first);
      append_json_string(out_, name);
      out_.append(indent_ == 0 ? ":" : ": ");
      write(member);
    }
    finish('}', object.empty());
  }

  void next_line(bool& first) {
    if (!first) out_.push_back(',');
    first = false;
    break_line();
  }

  void finish(char bracket, bool empty) {
    --depth_;
    if (!empty) break_line();
    out_.push_back(bracket);
  }

  void break_line() {
    if (indent_ == 0) return;
    out_.push_back('\n');
    out_.append(std::size_t{depth_} * indent_, ' ');
  }

  std::string& out_;
  unsigned indent_;
  unsigned depth_ = 0;
};

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const std::size_t plain = plain_prefix(text);
    out.append(text.data(), plain);
    text.remove_prefix(plain);
    if (!text.empty()) text.remove_prefix(append_special(out, text));
  }
  out.push_back('"');
}

void append_json_number(std::string& out, std::int64_t number) { append_integer(out, number); }
void append_json_number(std::string& out, std::uint64_t number) { append_integer(out, number); }

void append_json_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out.append("null");
    return;
  }
  if (std::fabs(number) < kExactIntegers && std::trunc(number) == number) {
    return append_integer(out, static_cast<std::int64_t>(number));
  }
  std::array<char, kLongestNumber> buffer;
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::fixed)
          .ptr;
  out.append(buffer.data(), end);
}

JsonWriter& JsonWriter::value(const StringPairs& pairs) {
  begin_object();
  for (const auto& [name, text] : pairs) member(name, text);
  return end_object();
}

JsonWriter& JsonWriter::json(const boost::json::value& value) {
  separate();
  TreeWriter(out_, 0).write(value);
  return *this;
}

std::string to_json(const boost::json::value& value) {
  std::string out;
  TreeWriter(out, 0).write(value);
  return out;
}

std::string to_pretty_json(const boost::json::value& value, unsigned indent) {
  std::string out;
  TreeWriter(out, indent).write(value);
  return out;
}

}  // namespace docket
