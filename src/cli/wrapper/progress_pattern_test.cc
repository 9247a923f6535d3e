#include "cli/wrapper/progress_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace docket::cli {
namespace {

std::optional<Figures> find(const std::string& pattern, const std::string& line) {
  const auto parsed = ProgressPattern::parse(pattern);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed->find(line);
}

TEST(ProgressPattern, OneGroupIsAPercentage) {
  EXPECT_EQ(find(R"((\d+)%)", "copied 45% of it"), (Figures{45, 100}));
  EXPECT_EQ(find(R"((\d+)%)", "10% 20% 30%"), (Figures{30, 100}));  // the newest
  EXPECT_EQ(find(R"((\d+)%)", "nothing"), std::nullopt);
  EXPECT_TRUE(ProgressPattern::parse(R"((\d+)%)")->is_percentage());
}

TEST(ProgressPattern, TwoGroupsAreCompletedAndTotal) {
  EXPECT_EQ(find(R"(^(\d+)/(\d+))", "3/4 and 5/6"), (Figures{3, 4}));
  EXPECT_EQ(find(R"((\d+)(?: of (\d+))?)", "7 done"), (Figures{7, std::nullopt}));
}

TEST(ProgressPattern, GroupsMayHaveNames) {
  EXPECT_EQ(find(R"(of (?<total>\d+): (?<completed>[\d.]+))", "of 10: 2.5"), (Figures{2.5, 10}));
  EXPECT_EQ(find(R"(total (?P<total>\d+))", "total 9"), (Figures{std::nullopt, 9}));
  EXPECT_EQ(find(R"((\w+) (?<percent>\d+))", "at 12"), (Figures{12, 100}));
}

TEST(ProgressPattern, OnlyNumbersAreFigures) {
  EXPECT_EQ(find("at (.+)", "at inf"), std::nullopt);
  EXPECT_EQ(find("at (.+)", "at -1"), std::nullopt);
  EXPECT_EQ(find("at (.+)", "at 1e999"), std::nullopt);
}

TEST(ProgressPattern, Mistakes) {
  EXPECT_THAT(ProgressPattern::parse("(").error().message,
              testing::StartsWith("is not a regular expression: "));
  EXPECT_THAT(ProgressPattern::parse("x").error().message, testing::StartsWith("needs a group: "));
}

TEST(ProgressPattern, ExpressionsThatTakeTooLongFindNothing) {
  EXPECT_EQ(find("^((a+)+)+b(\\d)$", std::string(4000, 'a')), std::nullopt);
}

TEST(LineCutter, EndsLinesAtCarriageReturnsToo) {
  LineCutter cutter;
  std::vector<std::string> lines;
  const auto take = [&](std::string_view line) { lines.emplace_back(line); };
  cutter.add("one\r", take);
  cutter.add("tw", take);
  cutter.add("o\r\nthree", take);
  EXPECT_THAT(lines, testing::ElementsAre("one", "two"));
  cutter.add(std::string(10000, 'x') + "\n", take);
  EXPECT_EQ(lines.back().size(), 4096U);
}

}  // namespace
}  // namespace docket::cli
