#include "http/target.h"

#include <gtest/gtest.h>

namespace docket::http {
namespace {

TEST(Target, SplitsOriginAndAbsoluteForm) {
  const auto expect = [](std::string_view raw, std::string_view path, std::string_view query) {
    const auto target = split_target(raw);
    ASSERT_TRUE(target) << raw;
    EXPECT_EQ(target->path, path) << raw;
    EXPECT_EQ(target->query, query) << raw;
  };
  expect("/", "/", "");
  expect("/a/b?x=1?y", "/a/b", "x=1?y");
  expect("http://host:80/a?b", "/a", "b");
  expect("http://host", "/", "");
  expect("http://host?b", "/", "b");
  expect("//a", "//a", "");
  EXPECT_FALSE(split_target("*"));
  EXPECT_FALSE(split_target("host:443"));
  EXPECT_FALSE(split_target(""));
}

TEST(Target, DecodesPercentEscapes) {
  EXPECT_EQ(percent_decode("a%2Fb%c3%A9+", Plus::kLiteral), "a/b\xc3\xa9+");
  EXPECT_EQ(percent_decode("a+b", Plus::kBlank), "a b");
  EXPECT_EQ(percent_decode("%2B", Plus::kBlank), "+");
  for (const char* bad : {"%", "%2", "%zz", "%2g", "a%", "%00", "%-1"}) {
    EXPECT_FALSE(percent_decode(bad, Plus::kLiteral)) << bad;
  }
  EXPECT_FALSE(percent_decode(std::string_view("a\0b", 3), Plus::kLiteral));
}

TEST(Target, ParsesQueries) {
  EXPECT_EQ(
      parse_query("embed=a&embed=b&&flag&x=%20+y&=z&k=a=b"),
      (Fields{
          {"embed", "a"}, {"embed", "b"}, {"flag", ""}, {"x", "  y"}, {"", "z"}, {"k", "a=b"}}));
  EXPECT_EQ(parse_query(""), Fields{});
  EXPECT_FALSE(parse_query("a=%"));
  EXPECT_FALSE(parse_query("%zz=1"));
}

}  // namespace
}  // namespace docket::http
