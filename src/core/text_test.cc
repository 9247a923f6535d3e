#include "core/text.h"

#include <gtest/gtest.h>

#include <string>

namespace docket {
namespace {

std::string flaw(std::string_view text, TextUse use) {
  const char* found = flaw_of(text, use);
  return found ? found : "";
}

TEST(Text, NoUseAllowsNul) {
  for (const TextUse use : {TextUse::kScript, TextUse::kProse, TextUse::kName}) {
    EXPECT_EQ(flaw(std::string_view("a\0b", 3), use), "must not contain NUL characters");
    EXPECT_EQ(flaw("", use), "");
    EXPECT_EQ(flaw("caf\xC3\xA9 \xC2\xA0 \xF0\x9F\x9A\x80", use), "");
  }
}

TEST(Text, EveryControlCharacter) {
  std::string controls = "\x7F";
  for (char c = 1; c < 0x20; ++c) controls += c;
  for (const char c : controls) {
    const std::string text{'a', c, 'b'};
    const bool lays_out = c == '\t' || c == '\n' || c == '\r';
    EXPECT_EQ(flaw(text, TextUse::kScript), "");
    EXPECT_EQ(flaw(text, TextUse::kProse).empty(), lays_out) << int{c};
    EXPECT_EQ(flaw(text, TextUse::kName), "must not contain control characters") << int{c};
  }
  EXPECT_NE(flaw("a\xC2\x9B", TextUse::kName), "") << "a terminal's escape in one character";
  EXPECT_EQ(flaw("a\xC2\xA0", TextUse::kName), "");
}

}  // namespace
}  // namespace docket
