#pragma once

// JSON output. JsonWriter appends to a string that the caller owns and reuses; it keeps one bit of
// state (is a comma due?), so a response costs no allocation beyond the string. The result is
// always valid JSON as long as begins and ends match: bytes that are not UTF-8 become U+FFFD,
// numbers that JSON cannot express (NaN, infinity) become null.
//
// Numbers follow metronome.md section 0: whole doubles without a decimal point, fractions plain and
// shortest, never an exponent (32, 0, 0.01).
//
//   JsonWriter json(out);
//   json.begin_object().key("id").value(job.id).member("enabled", true).key("runs").begin_array();
//   for (const Run& run : runs) json.value(run.id);
//   json.end_array().end_object();

#include <boost/json/fwd.hpp>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/string_pairs.h"

namespace docket {

// `text` between quotes, escaped.
void append_json_string(std::string& out, std::string_view text);
void append_json_number(std::string& out, std::int64_t number);
void append_json_number(std::string& out, std::uint64_t number);
void append_json_number(std::string& out, double number);

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  JsonWriter& key(std::string_view name) {
    separate();
    append_json_string(out_, name);
    out_.push_back(':');
    comma_due_ = false;
    return *this;
  }

  JsonWriter& value(std::string_view text) {
    separate();
    append_json_string(out_, text);
    return *this;
  }
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  template <std::same_as<bool> T>  // a template, so that no pointer turns into a bool
  JsonWriter& value(T flag) {
    return raw(flag ? "true" : "false");
  }
  template <std::signed_integral T>
  JsonWriter& value(T number) {
    return write_number(std::int64_t{number});
  }
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  JsonWriter& value(T number) {
    return write_number(std::uint64_t{number});
  }
  template <std::floating_point T>
  JsonWriter& value(T number) {
    return write_number(static_cast<double>(number));
  }
  JsonWriter& null() { return raw("null"); }
  // Text that is JSON already.
  JsonWriter& raw(std::string_view json) {
    separate();
    out_.append(json);
    return *this;
  }
  JsonWriter& value(const StringPairs& pairs);  // an object of texts
  JsonWriter& json(const boost::json::value& value);

  template <class T>
  JsonWriter& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }

 private:
  JsonWriter& open(char bracket) {
    separate();
    out_.push_back(bracket);
    comma_due_ = false;
    return *this;
  }
  JsonWriter& close(char bracket) {
    out_.push_back(bracket);
    comma_due_ = true;
    return *this;
  }
  template <class T>
  JsonWriter& write_number(T number) {
    separate();
    append_json_number(out_, number);
    return *this;
  }
  void separate() {
    if (comma_due_) out_.push_back(',');
    comma_due_ = true;
  }

  std::string& out_;
  bool comma_due_ = false;
};

// Boost.JSON's own serializer writes 0.01 as 1E-2; these keep our number format. Key order is the
// value's.
std::string to_json(const boost::json::value& value);
// As JSON.stringify(value, null, indent) lays it out: one member a line, empty containers closed
// on the same line.
std::string to_pretty_json(const boost::json::value& value, unsigned indent = 4);

}  // namespace docket
