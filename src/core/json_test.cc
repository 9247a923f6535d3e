#include "core/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <random>
#include <string>

#include "core/json_writer.h"
#include "core/test_seed.h"

namespace docket {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

std::string complaint(std::string_view text) {
  const auto parsed = parse_json(text);
  return parsed ? "accepted" : parsed.error().message;
}

TEST(ParseJson, SaysThatTextIsEmpty) {
  for (const char* text : {"", " \n\t"}) {
    EXPECT_EQ(parse_json(text).error().message, "not JSON: it is empty");
  }
}

TEST(ParseJson, NamesTheLineAtFault) {
  EXPECT_THAT(parse_json("{\n  \"a\": 1\n  \"b\": 2\n}").error().message,
              StartsWith("not JSON at byte 13 (line 3, column 3): "));
}

TEST(ParseJson, KeepsKeyOrderAndTheLastOfTwoMembers) {
  const auto value = parse_json(R"( {"b":1,"a":[true,null,"x"],"b2":-0.5} )");
  ASSERT_TRUE(value) << value.error().message;
  EXPECT_EQ(to_json(*value), R"({"b":1,"a":[true,null,"x"],"b2":-0.5})");
  EXPECT_EQ(to_json(*parse_json(R"({"a":1,"a":2})")), R"({"a":2})");
}

TEST(ParseJson, AcceptsScalarsAtTheTop) {
  for (const char* text : {"1", "\"x\"", "null", "true", " 0\n"}) {
    EXPECT_TRUE(parse_json(text)) << text;
  }
}

TEST(ParseJson, NamesThePlaceOfTheError) {
  EXPECT_THAT(complaint(R"({"a":1,})"), StartsWith("not JSON at byte 7: "));
  EXPECT_EQ(complaint("{} x"), "not JSON at byte 3: unexpected text after the value");
  EXPECT_EQ(complaint("{}{}"), "not JSON at byte 2: unexpected text after the value");
  EXPECT_THAT(complaint("[1,"), StartsWith("not JSON at byte 3: incomplete"));
}

TEST(ParseJson, RefusesWhatIsNotJson) {
  for (const char* text : {"'a'", "{a:1}", "[1,]", "01", "+1", ".5", "1.", "NaN", "Infinity", "tru",
                           "// x\n1", "\"a\nb\"", "\"\\x\"", "[1 2]", "{\"a\"}", "]", " \t\n"}) {
    EXPECT_NE(complaint(text), "accepted") << text;
  }
}

TEST(ParseJson, RefusesBytesThatAreNotUtf8) {
  for (const char* text :
       {"\"\xC0\xAF\"", "\"\xED\xA0\x80\"", "\"\xFF\"", "\"\xE2\x82\"", "\"\xF4\x90\x80\x80\"",
        "\xEF\xBB\xBF{}", "\"\\ud800\"", "{\"\xC3\x28\":1}"}) {
    EXPECT_NE(complaint(text), "accepted") << text;
  }
  EXPECT_EQ(to_json(*parse_json("\"\\u20ac \xE2\x82\xAC \\ud83d\\ude00\"")),
            "\"\xE2\x82\xAC \xE2\x82\xAC \xF0\x9F\x98\x80\"");
}

TEST(ParseJson, LimitsTheDepth) {
  EXPECT_TRUE(parse_json(nested(kMaxJsonDepth)));
  EXPECT_THAT(complaint(nested(kMaxJsonDepth + 1)), HasSubstr("byte 32: too deep"));
  EXPECT_NE(complaint(std::string(1'000'000, '[')), "accepted");
}

TEST(ParseJson, RefusesNumbersThatNoDoubleHolds) {
  EXPECT_EQ(complaint(R"({"run":{"cpus":[1e400]}})"), "not JSON: a number is too large");
  EXPECT_EQ(complaint("-1e400"), "not JSON: a number is too large");
  EXPECT_NE(complaint("1e99999999999"), "accepted");
  EXPECT_NE(complaint(std::string(400, '9')), "accepted");
  EXPECT_EQ(to_json(*parse_json("1e-400")), "0");
}

// Boost.JSON alone misses the nearest double of these.
TEST(ParseJson, ReadsTheNumberThatWasWritten) {
  for (const double number : {13.387664401253275, 39.252393092058476, 111e112, 5e-324,
                              1.7976931348623157e308, 0.1, -2.2250738585072014e-308}) {
    std::string text;
    append_json_number(text, number);
    EXPECT_EQ(parse_json(text)->to_number<double>(), number) << text;
    EXPECT_EQ(parse_json("[" + text + "]")->as_array()[0].to_number<double>(), number) << text;
  }
}

TEST(ParseJson, SurvivesGarbage) {
  const unsigned seed = test_seed();
  SCOPED_TRACE(seed_note(seed));
  std::mt19937 random(seed);
  const std::string alphabet = "{}[]\",:\\u0019eE+-.truefalsn \x80\xC3\xA9\xFF";
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (auto length = random() % 24; length > 0; --length) {
      text.push_back(alphabet[random() % alphabet.size()]);
    }
    const auto value = parse_json(text);
    if (!value) continue;
    const std::string written = to_json(*value);
    const auto again = parse_json(written);
    ASSERT_TRUE(again) << text << " -> " << written;
    EXPECT_EQ(to_json(*again), written);
  }
}

}  // namespace
}  // namespace docket
