#include "core/json_writer.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>

#include "core/json.h"
#include "core/test_seed.h"

namespace docket {
namespace {

template <class T>
std::string number(T value) {
  std::string out;
  JsonWriter(out).value(value);
  return out;
}

std::string in_quotes(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("id").value("a").member("n", 3).key("list").begin_array();
  json.value(1).value(true).null().begin_object().end_object().begin_array().end_array();
  json.end_array().key("raw").raw(R"({"x":1})").member("last", std::string("z")).end_object();
  EXPECT_EQ(out, R"({"id":"a","n":3,"list":[1,true,null,{},[]],"raw":{"x":1},"last":"z"})");
}

TEST(JsonWriter, PairsAreAnObjectInTheirOrder) {
  std::string out;
  JsonWriter(out).begin_object().member("b", StringPairs{{"z", "1"}, {"a", "\""}}).end_object();
  EXPECT_EQ(out, R"({"b":{"z":"1","a":"\""}})");
}

TEST(JsonWriter, AppendsToWhatIsThere) {
  std::string out = "data: ";
  JsonWriter(out).json(boost::json::object{{"a", 0.01}});
  EXPECT_EQ(out, R"(data: {"a":0.01})");
}

TEST(JsonWriter, PointersAreTextNotFlags) {
  std::string out;
  const char* text = "x";
  JsonWriter(out).begin_array().value(text).value("y").value(std::string_view("z")).end_array();
  EXPECT_EQ(out, R"(["x","y","z"])");
}

// metronome.md section 0, "Numbers".
TEST(JsonWriter, WritesPlainNumbers) {
  EXPECT_EQ(number(32.0), "32");
  EXPECT_EQ(number(0.0), "0");
  EXPECT_EQ(number(-0.0), "0");
  EXPECT_EQ(number(0.01), "0.01");
  EXPECT_EQ(number(0.1f + 0.0), "0.10000000149011612");
  EXPECT_EQ(number(-2.5), "-2.5");
  EXPECT_EQ(number(1e15), "1000000000000000");
  EXPECT_EQ(number(1e22), "10000000000000000000000");
  EXPECT_EQ(number(1e-7), "0.0000001");
  EXPECT_EQ(number(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(number(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(number(short{-7}), "-7");
}

TEST(JsonWriter, WritesTheLongestNumbers) {
  EXPECT_EQ(number(std::numeric_limits<double>::max()).size(), 309u);
  EXPECT_EQ(number(-std::numeric_limits<double>::denorm_min()).substr(0, 6), "-0.000");
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(number(std::nan("")), "null");
}

TEST(JsonWriter, NumbersComeBackUnchanged) {
  const unsigned seed = test_seed();
  SCOPED_TRACE(seed_note(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20000; ++i) {
    const auto bits = random();
    double value = 0;
    static_assert(sizeof bits == sizeof value);
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    const std::string text = number(value);
    ASSERT_EQ(text.find_first_of("eE"), std::string::npos) << text;
    ASSERT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
  }
}

TEST(JsonWriter, EscapesStrings) {
  EXPECT_EQ(in_quotes(""), R"("")");
  EXPECT_EQ(in_quotes(R"(a"b\c/d)"), R"("a\"b\\c/d")");
  EXPECT_EQ(in_quotes("\b\f\n\r\t"), R"("\b\f\n\r\t")");
  EXPECT_EQ(in_quotes(std::string_view("\0\x1f\x7f", 3)), "\"\\u0000\\u001f\x7f\"");
  EXPECT_EQ(in_quotes("12345678\"12345678"), R"("12345678\"12345678")");
}

TEST(JsonWriter, KeepsUtf8AndReplacesOtherBytes) {
  EXPECT_EQ(in_quotes("gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80"),
            "\"gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80\"");
  EXPECT_EQ(in_quotes("a\xFF"
                      "b\xC3"),
            "\"a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\"");
}

// Any bytes at any alignment: the output is JSON, and text that was UTF-8 comes back as it was.
TEST(JsonWriter, StringsComeBackUnchanged) {
  const unsigned seed = test_seed();
  SCOPED_TRACE(seed_note(seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 20000; ++i) {
    std::string text(random() % 40, 'x');
    for (auto n = random() % 4; n > 0 && !text.empty(); --n) {
      text[random() % text.size()] = static_cast<char>(random() % (i % 2 == 0 ? 128 : 256));
    }
    const auto value = parse_json(in_quotes(text));
    ASSERT_TRUE(value) << in_quotes(text);
    if (i % 2 == 0) {
      ASSERT_EQ(std::string_view(value->get_string()), text);
    }
  }
}

TEST(PrettyJson, LaysOutLikeJsonStringify) {
  const auto value = parse_json(R"({"z":[1,{"a":0.5}],"empty":{},"none":[],"s":"x"})");
  ASSERT_TRUE(value);
  EXPECT_EQ(to_pretty_json(*value),
            "{\n    \"z\": [\n        1,\n        {\n            \"a\": 0.5\n        }\n    ],\n"
            "    \"empty\": {},\n    \"none\": [],\n    \"s\": \"x\"\n}");
  EXPECT_EQ(to_pretty_json(boost::json::array{1}, 2), "[\n  1\n]");
  EXPECT_EQ(to_pretty_json(boost::json::value("x")), "\"x\"");
}

}  // namespace
}  // namespace docket
