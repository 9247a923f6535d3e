#include "model/pattern.h"

#include <gtest/gtest.h>

namespace docket::model {
namespace {

bool matches(const std::string& pattern, const std::string& value) {
  const auto compiled = Pattern::compile(pattern);
  EXPECT_TRUE(compiled) << pattern << " " << compiled.error().message;
  return compiled && compiled->matches(value);
}

std::string refusal(const std::string& pattern) {
  const auto compiled = Pattern::compile(pattern);
  return compiled ? "(accepted)" : compiled.error().message;
}

TEST(Pattern, MatchesTheWholeValue) {
  EXPECT_TRUE(matches("node[2-9]", "node2"));
  EXPECT_FALSE(matches("node[2-9]", "node22"));
  EXPECT_FALSE(matches("node[2-9]", "a node2"));
  EXPECT_TRUE(matches("rack-(a|b)", "rack-b"));
  EXPECT_TRUE(matches("(?i)NODE\\d+", "node22"));
  EXPECT_TRUE(matches("", ""));
  EXPECT_TRUE(matches("\xC3\xA4.", "\xC3\xA4\xC3\xB6")) << "characters, not bytes";
}

// A backtracking matcher takes 2^50 steps here.
TEST(Pattern, TakesLinearTime) {
  EXPECT_FALSE(matches("([a-z0-9.-]+)+!", std::string(50, 'a') + ".example.com"));
  EXPECT_FALSE(matches("(a?){50}a{50}b", std::string(100'000, 'a')));
}

TEST(Pattern, IsBounded) {
  EXPECT_TRUE(matches(std::string(1024, 'a'), std::string(1024, 'a')));
  EXPECT_EQ(refusal(std::string(1025, 'a')), "is too long: 1025 bytes, at most 1024");
  EXPECT_EQ(refusal(std::string(100'000, '(') + std::string(100'000, ')')),
            "is too long: 200000 bytes, at most 1024");
  EXPECT_EQ(refusal("((a{30}){30}){30}"),
            "is not an RE2 regular expression: invalid repetition size: {30}");
  EXPECT_EQ(refusal(".{999}.{999}.{999}.{999}"),
            "is not an RE2 regular expression: pattern too large - compile failed");
}

TEST(Pattern, RefusesWhatItCannotMatch) {
  EXPECT_EQ(refusal("node("), "is not an RE2 regular expression: missing ): node(");
  EXPECT_EQ(refusal("(a)\\1"), "is not an RE2 regular expression: invalid escape sequence: \\1");
  EXPECT_EQ(refusal("(?!a).*"), "is not an RE2 regular expression: invalid perl operator: (?!");
  EXPECT_EQ(refusal("a\\pL"), "has a Unicode class (\\p), which is not supported");
  EXPECT_TRUE(matches("a\\\\pL", "a\\pL")) << "a backslash, not a class";
}

}  // namespace
}  // namespace docket::model
